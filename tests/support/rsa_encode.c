/* SPDX-License-Identifier: Apache-2.0 */
/* EME-PKCS1-v1_5 and EME-OAEP encoding (RFC 8017 7.1.1, 7.2.1), for tests. */
#include "tests/support/rsa_encode.h"

#include "base/auto.h"
#include <openssl/rsa.h>
#include <openssl/x509.h>

struct buf rsa_pad_pkcs1(struct prng *prng, size_t size, struct bytes message)
{
    struct buf block = { 0 };
    const uint8_t head[2] = { 0, 2 };
    buf_append(&block, BYTES_ARR(head));
    while (block.len < size - message.len - 1) {
        uint8_t byte;
        prng_fill(prng, &byte, 1);
        if (byte)
            buf_append_byte(&block, byte);
    }
    buf_append_byte(&block, 0);
    buf_append(&block, message);
    return block;
}

static void mgf1_xor(enum digest digest, struct bytes seed, uint8_t *data, size_t len)
{
    size_t size = digest_size(digest);
    for (size_t at = 0; at < len; at++) {
        uint8_t hash[DIGEST_MAX_BYTES];
        uint32_t counter = (uint32_t)(at / size);
        uint8_t octets[4] = { (uint8_t)(counter >> 24), (uint8_t)(counter >> 16), (uint8_t)(counter >> 8),
                              (uint8_t)counter };
        AUTO_BUF input = buf_dup(seed);
        buf_append(&input, BYTES_ARR(octets));
        if (EVP_Digest(input.data, input.len, hash, NULL, digest_evp(digest), NULL) != 1)
            die("MGF1: digest failed");
        data[at] ^= hash[at % size];
    }
}

struct buf rsa_pad_oaep(struct prng *prng, size_t size, const struct oaep *oaep, struct bytes message)
{
    size_t hash = digest_size(oaep->digest);
    struct buf block = { 0 };
    buf_reserve(&block, size);
    block.len = size;
    memset(block.data, 0, size);
    uint8_t *seed = block.data + 1, *db = seed + hash;
    size_t db_len = size - 1 - hash;
    struct why why;
    if (digest_compute(oaep->digest, BYTES_NONE, db, &why) != OK)
        die("OAEP: %s", why.text);
    db[db_len - message.len - 1] = 1;
    for (size_t i = 0; i < message.len; i++)
        db[db_len - message.len + i] = message.data[i];
    prng_fill(prng, seed, hash);
    mgf1_xor(oaep->mgf_digest, bytes_of(seed, hash), db, db_len);
    mgf1_xor(oaep->mgf_digest, bytes_of(db, db_len), seed, hash);
    return block;
}

struct buf rsa_encrypt_raw(struct bytes spki, struct bytes block)
{
    const uint8_t *at = spki.data;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)spki.len);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    struct buf out = { 0 };
    size_t len = block.len;
    buf_reserve(&out, len);
    bool done = EVP_PKEY_encrypt_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
                EVP_PKEY_encrypt(ctx, out.data, &len, block.data, block.len) == 1;
    out.len = len;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    if (!done)
        die("raw RSA encryption failed");
    return out;
}

/* --- blocks that are wrong --- */

/* A run of octets of a good block set to one value; where a run starts and what ends it. */
enum place { START, ZERO, END }; /* the block's start, its 00 before the key, its end */
enum { TO_ZERO = 1000, ALL };
struct edit {
    enum place from;
    int offset, len;
    uint8_t value;
};
static const struct {
    const char *what;
    struct edit edits[2];
} broken[] = {
    { "first octet 01", { { START, 0, 1, 0x01 } } },
    { "first octet 02", { { START, 0, 1, 0x02 } } },
    { "first octet 80", { { START, 0, 1, 0x80 } } },
    { "first octet ff", { { START, 0, 1, 0xFF } } },
    { "type 00", { { START, 1, 1, 0x00 } } },
    { "type 01", { { START, 1, 1, 0x01 } } },
    { "type 03", { { START, 1, 1, 0x03 } } },
    { "type 82", { { START, 1, 1, 0x82 } } },
    { "type ff", { { START, 1, 1, 0xFF } } },
    { "first octets swapped", { { START, 0, 1, 0x02 }, { START, 1, 1, 0x00 } } },
    { "signature's padding", { { START, 1, 1, 0x01 }, { START, 2, TO_ZERO, 0xFF } } },
    { "no zero, 01 for it", { { ZERO, 0, 1, 0x01 } } },
    { "no zero, 80 for it", { { ZERO, 0, 1, 0x80 } } },
    { "no zero, ff for it", { { ZERO, 0, 1, 0xFF } } },
    { "key one octet short", { { ZERO, 0, 1, 0x07 }, { ZERO, 1, 1, 0x00 } } },
    { "key two octets short", { { ZERO, 0, 1, 0x07 }, { ZERO, 2, 1, 0x00 } } },
    { "empty key", { { ZERO, 0, 1, 0x07 }, { END, -1, 1, 0x00 } } },
    { "key of one octet", { { ZERO, 0, 1, 0x07 }, { END, -2, 1, 0x00 } } },
    { "key one octet longer", { { ZERO, -1, 1, 0x00 } } },
    { "key eight octets longer", { { ZERO, -8, 1, 0x00 } } },
    { "key longer, old zero gone", { { ZERO, -3, 1, 0x00 }, { ZERO, 0, 1, 0x44 } } },
    { "no padding", { { START, 2, 1, 0x00 } } },
    { "padding of one octet", { { START, 3, 1, 0x00 } } },
    { "padding of six octets", { { START, 8, 1, 0x00 } } },
    { "padding of seven octets", { { START, 9, 1, 0x00 } } },
    { "padding of eight octets before a longer key", { { START, 10, 1, 0x00 } } },
    { "padding of zeros", { { START, 2, TO_ZERO, 0x00 } } },
    { "two zeros in the padding", { { START, 20, 1, 0x00 }, { START, 40, 1, 0x00 } } },
    { "zeros only", { { START, 0, ALL, 0x00 } } },
    { "ff only", { { START, 0, ALL, 0xFF } } },
    { "02 only", { { START, 0, ALL, 0x02 } } },
};

const size_t rsa_breaks = sizeof(broken) / sizeof(*broken);

static void break_block(struct buf *block, size_t key, const struct edit *edit)
{
    size_t zero = block->len - key - 1;
    size_t base = edit->from == START ? 0 : edit->from == ZERO ? zero : block->len;
    size_t at = (size_t)((long)base + edit->offset);
    size_t len = edit->len == TO_ZERO ? zero - at : edit->len == ALL ? block->len : (size_t)edit->len;
    memset(block->data + at, edit->value, len);
}

const char *rsa_break_name(size_t way)
{
    return broken[way].what;
}

void rsa_break_pkcs1(struct buf *block, size_t key_len, size_t way)
{
    break_block(block, key_len, &broken[way].edits[0]);
    break_block(block, key_len, &broken[way].edits[1]);
}
