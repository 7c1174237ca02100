/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP requests read strictly (RFC 6960 4.1.1), and which CA they are about. */
#include "x509/ocsp.h"

#include "base/auto.h"
#include "x509/extension.h"

#define NONCE_BYTES_MAX 128 /* RFC 9654 2.1 */

/* CertID. Who asks with a digest that we do not know gets an answer, if not a useful one. */
static bool id_get(struct der_reader *in, struct ocsp_cert_id *ret)
{
    struct der_reader fields, algorithm, whole = *in;
    struct ocsp_cert_id id = { 0 };
    struct bytes identifier, oid;
    if (!der_get_whole(&whole, DER_SEQUENCE, &id.der) || !der_get_sequence(in, &fields) ||
        !der_get_whole(&fields, DER_SEQUENCE, &identifier))
        return false;
    algorithm = der_reader_over(identifier);
    if (!digest_get(&algorithm, &id.digest)) {
        id.digest = 0;
        if (!der_get_sequence(&algorithm, &algorithm) || !der_get_oid(&algorithm, &oid))
            return false;
    }
    if (!der_get_octets(&fields, &id.name_hash) || !der_get_octets(&fields, &id.key_hash) ||
        !der_get_unsigned_bytes(&fields, &id.serial) || !der_at_end(&fields))
        return false;
    *ret = id;
    return true;
}

/* [n] EXPLICIT Extensions, or nothing. An extension that is critical has to be known (RFC 6960 4.4). */
static enum err extensions_get(struct der_reader *in, int tag, struct bytes *ret_content, struct why *why)
{
    struct der_reader tagged, content;
    struct extension extension;
    *ret_content = BYTES_NONE;
    if (!der_next_is(in, (uint8_t)DER_CONTEXT_CONSTRUCTED(tag)))
        return OK;
    if (!der_get_constructed(in, (uint8_t)DER_CONTEXT_CONSTRUCTED(tag), &tagged) ||
        !der_get_sequence(&tagged, &content) || !der_at_end(&tagged))
        return fail(why, ERR_MALFORMED, "OCSP request: extensions malformed (RFC 6960 4.1.1)");
    TRY(extensions_check(content.rest, why));
    *ret_content = content.rest;
    while (extension_next(&content, &extension)) {
        AUTO_BUF dotted = { 0 };
        if (!extension.critical || oid_is(extension.oid, OID_OCSP_NONCE))
            continue;
        oid_append_dotted(&dotted, extension.oid);
        return fail(why, ERR_MALFORMED, "OCSP request: critical extension %s is not supported (RFC 6960 4.4)",
                    buf_text(&dotted));
    }
    return OK;
}

static enum err nonce_find(struct bytes extensions, struct bytes *ret, struct why *why)
{
    struct extension extension;
    if (!extensions.len || !extension_find(extensions, OID_OCSP_NONCE, &extension))
        return OK;
    struct der_reader in = der_reader_over(extension.value);
    if (!der_get_octets(&in, ret) || !der_at_end(&in))
        return fail(why, ERR_MALFORMED, "OCSP request: nonce is no OCTET STRING (RFC 6960 4.4.1)");
    if (ret->len == 0 || ret->len > NONCE_BYTES_MAX)
        return fail(why, ERR_MALFORMED, "OCSP request: nonce of %zu octets, must be 1 to %d (RFC 9654 2.1)",
                    ret->len, NONCE_BYTES_MAX);
    return OK;
}

static enum err list_get(struct der_reader *in, struct ocsp_request *request, struct why *why)
{
    struct der_reader list, single;
    struct bytes extensions;
    if (!der_get_sequence(in, &list) || der_at_end(&list))
        return fail(why, ERR_MALFORMED, "OCSP request: requestList absent or empty (RFC 6960 4.1.1)");
    for (; !der_at_end(&list); request->count++) {
        if (request->count == LIMIT_OCSP_REQUESTS)
            return fail(why, ERR_LIMIT, "OCSP request about more than %d certificates", LIMIT_OCSP_REQUESTS);
        if (!der_get_sequence(&list, &single) || !id_get(&single, &request->ids[request->count]))
            return fail(why, ERR_MALFORMED, "OCSP request: CertID %zu malformed (RFC 6960 4.1.1)",
                        request->count + 1);
        TRY(extensions_get(&single, 0, &extensions, why));
        if (!der_at_end(&single))
            return fail(why, ERR_MALFORMED, "OCSP request: Request %zu malformed (RFC 6960 4.1.1)",
                        request->count + 1);
    }
    return OK;
}

/* version [0] DEFAULT v1: written out by nobody who writes DER (X.690 11.5), so it is not taken. */
static enum err tbs_get(struct der_reader *in, struct ocsp_request *request, struct why *why)
{
    struct der_item name;
    struct bytes extensions;
    if (der_next_is(in, DER_CONTEXT_CONSTRUCTED(1)) && !der_get_any(in, &name))
        return fail(why, ERR_MALFORMED, "OCSP request: requestorName malformed (RFC 6960 4.1.1)");
    TRY(list_get(in, request, why));
    TRY(extensions_get(in, 2, &extensions, why));
    TRY(nonce_find(extensions, &request->nonce, why));
    if (!der_at_end(in))
        return fail(why, ERR_MALFORMED, "OCSP request: TBSRequest malformed (RFC 6960 4.1.1)");
    return OK;
}

enum err ocsp_request_parse(struct bytes der, struct ocsp_request *ret, struct why *why)
{
    struct der_reader in = der_reader_over(der), fields, tbs;
    struct der_item signature;
    if (der.len > LIMIT_OCSP_REQUEST_BYTES)
        return fail(why, ERR_LIMIT, "OCSP request of %zu bytes, limit %d", der.len, LIMIT_OCSP_REQUEST_BYTES);
    *ret = (struct ocsp_request){ 0 };
    if (!der_is_valid(der) || !der_get_sequence(&in, &fields) || !der_at_end(&in) ||
        !der_get_sequence(&fields, &tbs))
        return fail(why, ERR_MALFORMED, "OCSP request is not DER with a TBSRequest (RFC 6960 4.1.1)");
    if (der_next_is(&fields, DER_CONTEXT_CONSTRUCTED(0)) && !der_get_any(&fields, &signature))
        return fail(why, ERR_MALFORMED, "OCSP request: signature malformed (RFC 6960 4.1.1)");
    if (!der_at_end(&fields))
        return fail(why, ERR_MALFORMED, "OCSP request has something after its signature (RFC 6960 4.1.1)");
    return tbs_get(&tbs, ret, why);
}

/* --- which CA --- */

enum err ocsp_issuer_make(struct bytes subject, struct bytes spki, struct ocsp_issuer *ret, struct why *why)
{
    struct bytes key;
    if (!spki_key_octets(spki, &key))
        return fail(why, ERR_MALFORMED, "the CA's SubjectPublicKeyInfo is malformed (RFC 5280 4.1.2.7)");
    for (enum digest digest = DIGEST_SHA1; digest <= DIGEST_SHA512; digest++) {
        TRY(digest_compute(digest, subject, ret->name_hash[digest], why));
        TRY(digest_compute(digest, key, ret->key_hash[digest], why));
    }
    return OK;
}

bool ocsp_issuer_is(const struct ocsp_issuer *issuer, const struct ocsp_cert_id *id)
{
    if (!id->digest)
        return false;
    size_t size = digest_size(id->digest);
    return bytes_equal(id->name_hash, bytes_of(issuer->name_hash[id->digest], size)) &&
           bytes_equal(id->key_hash, bytes_of(issuer->key_hash[id->digest], size));
}
