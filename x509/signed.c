/* SPDX-License-Identifier: Apache-2.0 */
/* Splits, verifies and assembles signed objects. */
#include "x509/signed.h"

#include "base/auto.h"
#include "x509/cert.h"

enum err signed_algorithm_get(struct der_reader *in, const char *what, struct signature_algorithm *ret,
                              struct bytes *ret_der, struct why *why)
{
    struct der_reader at = *in, inside, again;
    struct bytes whole, oid;
    struct signature_algorithm algorithm;
    if (!der_get_whole(&at, DER_SEQUENCE, &whole))
        return fail(why, ERR_MALFORMED, "%s: signature algorithm malformed (RFC 5280 4.1.1.2)", what);
    again = der_reader_over(whole);
    if (!der_get_sequence(&again, &inside) || !der_get_oid(&inside, &oid))
        return fail(why, ERR_MALFORMED, "%s: signature algorithm without an OID (RFC 5280 4.1.1.2)", what);
    again = der_reader_over(whole);
    if (!signature_algorithm_get(&again, &algorithm) || !der_at_end(&again)) {
        AUTO_BUF dotted = { 0 };
        oid_append_dotted(&dotted, oid);
        return fail(why, ERR_BAD_ALG,
                    "%s: signature algorithm %s, allowed: RSA PKCS#1 v1.5 or ECDSA with SHA-2", what,
                    buf_text(&dotted));
    }
    *in = at;
    *ret = algorithm;
    *ret_der = whole;
    return OK;
}

enum err signed_split(struct bytes der, size_t most, const char *what, struct signed_object *ret,
                      struct why *why)
{
    struct signed_object object = { 0 };
    struct der_reader in = der_reader_over(der), inside;
    if (der.len > most)
        return fail(why, ERR_LIMIT, "%s of %zu bytes, limit %zu", what, der.len, most);
    if (!der_is_valid(der))
        return fail(why, ERR_MALFORMED, "%s is not DER, or has trailing bytes (X.690)", what);
    if (!der_get_sequence(&in, &inside) || !der_get_whole(&inside, DER_SEQUENCE, &object.body))
        return fail(why, ERR_MALFORMED, "%s malformed: no SEQUENCE to be signed (RFC 5280 4.1.1)", what);
    TRY(signed_algorithm_get(&inside, what, &object.algorithm, &object.algorithm_der, why));
    if (!der_get_bits(&inside, &object.signature) || !der_at_end(&inside))
        return fail(why, ERR_MALFORMED,
                    "%s malformed: signature is not a BIT STRING of whole octets at the end", what);
    *ret = object;
    return OK;
}

enum err signed_verify(const struct signed_object *object, const struct public_key *key, const char *what,
                       struct why *why)
{
    bool rsa = public_key_kind(key) == KEY_RSA;
    if (rsa != object->algorithm.rsa)
        return fail(why, ERR_BAD_ALG, "%s: %s signature, but the key is %s", what,
                    object->algorithm.rsa ? "RSA" : "ECDSA", key_kind_name(public_key_kind(key)));
    return public_key_verify(key, object->algorithm, object->body, object->signature, why);
}

bool spki_has_shape(struct bytes spki)
{
    struct der_reader in = der_reader_over(spki), inside, algorithm;
    struct der_item parameters;
    struct bytes oid, key;
    if (!der_get_sequence(&in, &inside) || !der_get_sequence(&inside, &algorithm) ||
        !der_get_oid(&algorithm, &oid))
        return false;
    if (!der_at_end(&algorithm) && !der_get_any(&algorithm, &parameters))
        return false;
    return der_at_end(&algorithm) && der_get_bits(&inside, &key) && key.len > 0 && der_at_end(&inside);
}

void signed_assemble(struct bytes tbs, struct signature_algorithm algorithm, struct bytes signature,
                     struct buf *ret_der)
{
    struct buf out = { 0 };
    buf_reserve(&out, tbs.len + signature.len + 64);
    size_t mark = der_begin(&out, DER_SEQUENCE);
    der_put_raw(&out, tbs);
    signature_algorithm_put(&out, algorithm);
    der_put_bits(&out, signature);
    der_end(&out, mark);
    *ret_der = out;
}
