/* SPDX-License-Identifier: Apache-2.0 */
/* The key that gives back. */
#include "fuzz/give_back.h"

#include "base/auto.h"
#include "fuzz/target.h"
#include "x509/cms_content.h"

#define MODULUS_BYTES 256

static enum err give_back(const struct key *key, struct bytes in, struct buf *ret_raw, struct why *why)
{
    (void)key, (void)why;
    *ret_raw = buf_dup(in);
    return OK;
}

static enum err sign_zeros(const struct key *key, enum digest digest, struct bytes data,
                           struct buf *ret_signature, struct why *why)
{
    static const uint8_t zeros[MODULUS_BYTES];
    (void)key, (void)digest, (void)data, (void)why;
    *ret_signature = buf_dup(BYTES_ARR(zeros));
    return OK;
}

static void give_back_free(struct key *key)
{
    free(key);
}

static struct public_key *make_public_half(void)
{
    uint8_t modulus[MODULUS_BYTES];
    static const uint8_t exponent[] = { 1, 0, 1 };
    struct public_key *key = NULL;
    struct why why;
    AUTO_BUF rsa = { 0 }, spki = { 0 };
    memset(modulus, 0xFF, sizeof(modulus));
    size_t mark = der_begin(&rsa, DER_SEQUENCE);
    der_put_unsigned_bytes(&rsa, BYTES_ARR(modulus));
    der_put_unsigned_bytes(&rsa, BYTES_ARR(exponent));
    der_end(&rsa, mark);
    size_t outer = der_begin(&spki, DER_SEQUENCE), algorithm = der_begin(&spki, DER_SEQUENCE);
    der_put_oid(&spki, oid_bytes(OID_RSA_ENCRYPTION));
    der_put_null(&spki);
    der_end(&spki, algorithm);
    der_put_bits(&spki, buf_bytes(&rsa));
    der_end(&spki, outer);
    PROMISE(public_key_parse(buf_bytes(&spki), &key, &why) == OK);
    return key;
}

struct key *give_back_new(void)
{
    static const struct key_ops ops = {
        .name = "give back", .sign = sign_zeros, .decrypt = give_back, .free = give_back_free
    };
    struct key *key = xcalloc(1, sizeof(*key));
    *key = (struct key){ &ops, make_public_half() };
    return key;
}

bool give_back_recipient(struct bytes envelope, struct cert *ret)
{
    struct der_reader in, set, info, pair;
    int64_t version;
    return cms_content_get(envelope, OID_ENVELOPED_DATA, &in) && der_get_int64(&in, &version) &&
           der_get_set(&in, &set) && der_get_sequence(&set, &info) && der_get_int64(&info, &version) &&
           (der_get(&info, DER_CONTEXT(0), &ret->ski) ||
            (der_get_sequence(&info, &pair) && der_get_whole(&pair, DER_SEQUENCE, &ret->issuer) &&
             der_get_integer_bytes(&pair, &ret->serial)));
}
