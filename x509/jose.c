/* SPDX-License-Identifier: Apache-2.0 */
#include "x509/jose.h"

#include "base/limits.h"

#define P256_BYTES 32

static const char *const names[] = { [JOSE_RS256] = "RS256", [JOSE_PS256] = "PS256", [JOSE_ES256] = "ES256" };

bool jose_by_name(struct bytes name, enum jose *ret)
{
    for (int i = JOSE_RS256; i <= JOSE_ES256; i++) {
        if (!bytes_equal(name, bytes_str(names[i])))
            continue;
        *ret = (enum jose)i;
        return true;
    }
    return false;
}

/* --- keys: their SubjectPublicKeyInfo, which is judged as any other's --- */

enum err jose_rsa_key(struct bytes n, struct bytes e, struct public_key **ret, struct why *why)
{
    AUTO_BUF key = { 0 }, spki = { 0 };
    size_t mark = der_begin(&key, DER_SEQUENCE);
    der_put_unsigned_bytes(&key, n);
    der_put_unsigned_bytes(&key, e);
    der_end(&key, mark);
    size_t whole = der_begin(&spki, DER_SEQUENCE), algorithm = der_begin(&spki, DER_SEQUENCE);
    der_put_oid(&spki, oid_bytes(OID_RSA_ENCRYPTION));
    der_put_null(&spki);
    der_end(&spki, algorithm);
    der_put_bits(&spki, buf_bytes(&key));
    der_end(&spki, whole);
    AUTO(public_key) parsed = NULL;
    TRY(public_key_parse(buf_bytes(&spki), &parsed, why));
    TRY(public_key_check_weak(parsed, LIMIT_RSA_BITS_MIN, why));
    *ret = TAKE(parsed);
    return OK;
}

enum err jose_p256_key(struct bytes x, struct bytes y, struct public_key **ret, struct why *why)
{
    AUTO_BUF point = { 0 }, spki = { 0 };
    if (x.len != P256_BYTES || y.len != P256_BYTES)
        return fail(why, ERR_MALFORMED, "x and y of %zu and %zu octets; P-256 has %d", x.len, y.len,
                    P256_BYTES);
    buf_append_byte(&point, 4); /* uncompressed */
    buf_append(&point, x);
    buf_append(&point, y);
    size_t whole = der_begin(&spki, DER_SEQUENCE), algorithm = der_begin(&spki, DER_SEQUENCE);
    der_put_oid(&spki, oid_bytes(OID_EC_PUBLIC_KEY));
    der_put_oid(&spki, oid_bytes(OID_P256));
    der_end(&spki, algorithm);
    der_put_bits(&spki, buf_bytes(&point));
    der_end(&spki, whole);
    return public_key_parse(buf_bytes(&spki), ret, why);
}

/* --- signatures --- */

/* RFC 7518 3.4: r and s behind each other, and not the ECDSA-Sig-Value of certificates. */
static enum err es256_verify(const struct public_key *key, struct bytes data, struct bytes signature,
                             struct why *why)
{
    const struct signature_algorithm ecdsa = { false, DIGEST_SHA256 };
    AUTO_BUF value = { 0 };
    if (public_key_kind(key) != KEY_EC_P256)
        return fail(why, ERR_BAD_ALG, "ES256 with a key of type %s", key_kind_name(public_key_kind(key)));
    if (signature.len != 2 * P256_BYTES)
        return fail(why, ERR_BAD_MESSAGE_CHECK, "ES256 signature of %zu octets, wanted %d", signature.len,
                    2 * P256_BYTES);
    size_t mark = der_begin(&value, DER_SEQUENCE);
    der_put_unsigned_bytes(&value, bytes_of(signature.data, P256_BYTES));
    der_put_unsigned_bytes(&value, bytes_of(signature.data + P256_BYTES, P256_BYTES));
    der_end(&value, mark);
    return public_key_verify(key, ecdsa, data, buf_bytes(&value), why);
}

enum err jose_verify(const struct public_key *key, enum jose algorithm, struct bytes data,
                     struct bytes signature, struct why *why)
{
    const struct signature_algorithm rsa = { true, DIGEST_SHA256 };
    switch (algorithm) {
    case JOSE_RS256:
        return public_key_verify(key, rsa, data, signature, why);
    case JOSE_PS256:
        return public_key_verify_pss(key, DIGEST_SHA256, data, signature, why);
    case JOSE_ES256:
        return es256_verify(key, data, signature, why);
    }
    return fail(why, ERR_BAD_ALG, "no such algorithm");
}
