/* SPDX-License-Identifier: Apache-2.0 */
/* EME-PKCS1-v1_5 and EME-OAEP decoding (RFC 8017 7.1.2, 7.2.2) in constant time. */
#include "x509/rsa_padding.h"

#include "base/auto.h"
#include "base/fault.h"
#include "x509/constant_time.h"

#define PKCS1_OVERHEAD 11 /* 00 02, eight octets of padding at least, 00 */

uint8_t rsa_unpad_pkcs1(struct bytes block, struct buf *key)
{
    if (block.len < key->len + PKCS1_OVERHEAD) /* both lengths are public */
        return 0;
    size_t zero_at = block.len - key->len - 1;
    uint8_t good = ct_equal(block.data[0], 0) & ct_equal(block.data[1], 2) & ct_equal(block.data[zero_at], 0);
    for (size_t i = 2; i < zero_at && !FAULT(pkcs1_padding); i++)
        good &= (uint8_t)~ct_is_zero(block.data[i]);
    ct_replace(good, key->data, block.data + zero_at + 1, key->len);
    return good;
}

/* RFC 8017 B.2.1, applied: data ^= MGF1(seed). */
static enum err mgf1_xor(enum digest digest, struct bytes seed, uint8_t *data, size_t len, struct why *why)
{
    AUTO_WIPE input = buf_dup(seed);
    const uint8_t room[4] = { 0 };
    buf_append(&input, BYTES_ARR(room));
    uint8_t mask[DIGEST_MAX_BYTES];
    size_t size = digest_size(digest);
    for (size_t at = 0; at < len; at += size) {
        uint32_t counter = (uint32_t)(at / size);
        for (size_t i = 0; i < 4; i++)
            input.data[seed.len + i] = (uint8_t)(counter >> 8 * (3 - i));
        TRY(digest_compute(digest, buf_bytes(&input), mask, why));
        for (size_t i = 0; i < size && at + i < len; i++)
            data[at + i] ^= mask[i];
    }
    secret_wipe(mask, sizeof(mask));
    return OK;
}

/* DB = lHash, zeros, 01, key: the place of each is known. */
static uint8_t check_data_block(struct bytes db, struct bytes label_hash, size_t key_len)
{
    size_t one_at = db.len - key_len - 1;
    uint8_t good = ct_equal(db.data[one_at], 1);
    for (size_t i = 0; i < label_hash.len; i++)
        good &= ct_equal(db.data[i], label_hash.data[i]);
    for (size_t i = label_hash.len; i < one_at; i++)
        good &= ct_is_zero(db.data[i]);
    return good;
}

enum err rsa_unpad_oaep(struct bytes block, const struct oaep *oaep, struct buf *key, uint8_t *ret_good,
                        struct why *why)
{
    size_t hash = digest_size(oaep->digest);
    if (block.len < key->len + 2 * hash + 2) { /* all lengths are public */
        *ret_good = 0;
        return OK;
    }
    uint8_t label_hash[DIGEST_MAX_BYTES];
    TRY(digest_compute(oaep->digest, BYTES_NONE, label_hash, why));
    AUTO_WIPE work = buf_dup(block);
    uint8_t *seed = work.data + 1, *db = seed + hash;
    size_t db_len = block.len - 1 - hash;
    TRY(mgf1_xor(oaep->mgf_digest, bytes_of(db, db_len), seed, hash, why));
    TRY(mgf1_xor(oaep->mgf_digest, bytes_of(seed, hash), db, db_len, why));
    /* Manger: the first octet is one more condition, never an answer of its own. */
    uint8_t good = ct_is_zero(work.data[0]) &
                   check_data_block(bytes_of(db, db_len), bytes_of(label_hash, hash), key->len);
    ct_replace(good, key->data, db + db_len - key->len, key->len);
    *ret_good = good;
    return OK;
}
