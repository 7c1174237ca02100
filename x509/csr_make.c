/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#10 written: for the client side, the tools and the tests. */
#include "base/auto.h"
#include "base/limits.h"
#include "x509/cert.h"
#include "x509/csr.h"
#include "x509/text.h"

static void put_attribute(struct buf *out, enum oid type, uint8_t tag, struct bytes content)
{
    size_t attribute = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(type));
    size_t values = der_begin(out, DER_SET);
    der_put(out, tag, content);
    der_end(out, values);
    der_end(out, attribute);
}

static enum err put_challenge(struct buf *out, const char *challenge, struct why *why)
{
    struct bytes text = bytes_str(challenge);
    if (text.len > LIMIT_CHALLENGE_BYTES)
        return fail(why, ERR_LIMIT, "challenge of %zu bytes, limit %d", text.len, LIMIT_CHALLENGE_BYTES);
    if (!utf8_is_valid(text))
        return fail(why, ERR_BAD_REQUEST, "challenge is not UTF-8");
    uint8_t tag = text_is_printable_string(text) ? DER_PRINTABLE_STRING : DER_UTF8_STRING;
    put_attribute(out, OID_ATTR_CHALLENGE_PASSWORD, tag, text);
    return OK;
}

enum err csr_sign(struct bytes info, const struct key *key, struct buf *ret_der, struct why *why)
{
    AUTO_BUF signature = { 0 };
    struct signature_algorithm algorithm = key_signature_algorithm(key);
    TRY(key_sign(key, algorithm.digest, info, &signature, why));
    signed_assemble(info, algorithm, buf_bytes(&signature), ret_der);
    return OK;
}

enum err csr_make(const struct csr_params *params, const struct key *key, struct buf *ret_der,
                  struct why *why)
{
    AUTO_WIPE attributes = { 0 };
    AUTO_WIPE info = { 0 };
    if (params->challenge)
        TRY(put_challenge(&attributes, params->challenge, why));
    if (params->extensions.len) {
        AUTO_BUF list = { 0 };
        der_put(&list, DER_SEQUENCE, params->extensions);
        size_t attribute = der_begin(&attributes, DER_SEQUENCE);
        der_put_oid(&attributes, oid_bytes(OID_ATTR_EXTENSION_REQUEST));
        der_put(&attributes, DER_SET, buf_bytes(&list));
        der_end(&attributes, attribute);
    }
    buf_append(&attributes, params->more_attributes);
    size_t mark = der_begin(&info, DER_SEQUENCE);
    der_put_int64(&info, 0);
    der_put_raw(&info, params->subject);
    der_put_raw(&info, public_key_spki(key->public_half));
    if (!der_put_set_of(&info, DER_CONTEXT_CONSTRUCTED(0), buf_bytes(&attributes)))
        return fail(why, ERR_MALFORMED, "attributes for PKCS#10 are not DER, or too many");
    der_end(&info, mark);
    return csr_sign(buf_bytes(&info), key, ret_der, why);
}
