/* SPDX-License-Identifier: Apache-2.0 */
/* SignedData, writing side (RFC 5652 5): DER, one signer, signed attributes sorted and with contentType, as
   jscep and Apple check. */
#include "x509/cms.h"

#include "base/auto.h"
#include "x509/cms_content.h"

void cms_attribute_put(struct buf *out, enum oid type, uint8_t tag, struct bytes value)
{
    size_t attribute = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(type));
    size_t values = der_begin(out, DER_SET);
    der_put(out, tag, value);
    der_end(out, values);
    der_end(out, attribute);
}

static enum oid content_type(const struct cms_signed_params *params)
{
    return params->content_type ? params->content_type : OID_DATA;
}

/* The attributes as they are signed: a sorted SET (RFC 5652 5.4). */
static enum err collect_attributes(const struct cms_signed_params *params, struct buf *ret_set,
                                   struct why *why)
{
    uint8_t digest[DIGEST_MAX_BYTES];
    struct bytes content = params->has_content ? params->content : BYTES_NONE;
    TRY(digest_compute(params->digest, content, digest, why));
    AUTO_BUF all = { 0 }, set = { 0 };
    cms_attribute_put(&all, OID_ATTR_CONTENT_TYPE, DER_OID, oid_bytes(content_type(params)));
    cms_attribute_put(&all, OID_ATTR_MESSAGE_DIGEST, DER_OCTET_STRING,
                      bytes_of(digest, digest_size(params->digest)));
    buf_append(&all, params->attributes);
    if (!der_put_set_of(&set, DER_SET, buf_bytes(&all)))
        return fail(why, ERR_INTERNAL, "attributes to be signed are not DER, or too many");
    *ret_set = TAKE_BUF(set);
    return OK;
}

/* For RSA the field expects rsaEncryption with NULL: PKCS#7 readers know no sha256WithRSAEncryption here (RFC
 * 3370 3.2). */
static void put_signature_algorithm(struct buf *out, const struct key *key, enum digest digest)
{
    if (public_key_kind(key->public_half) != KEY_RSA) {
        signature_algorithm_put(out, (struct signature_algorithm){ .rsa = false, .digest = digest });
        return;
    }
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(OID_RSA_ENCRYPTION));
    der_put_null(out);
    der_end(out, mark);
}

static enum err put_signer_info(struct buf *out, const struct cms_signed_params *params,
                                const struct key *key, struct why *why)
{
    struct cert parsed;
    const struct cert *signer = params->signer ? params->signer : &parsed;
    AUTO_BUF attributes = { 0 }, signature = { 0 };
    if (!params->signer)
        TRY(cert_parse(params->signer_cert, &parsed, why));
    TRY(collect_attributes(params, &attributes, why));
    TRY(key_sign(key, params->digest, buf_bytes(&attributes), &signature, why));
    size_t set = der_begin(out, DER_SET);
    size_t info = der_begin(out, DER_SEQUENCE);
    der_put_int64(out, 1);
    cms_issuer_and_serial_put(out, signer);
    digest_put(out, params->digest);
    attributes.data[0] = DER_CONTEXT_CONSTRUCTED(0); /* the same octets, IMPLICIT [0] instead of SET */
    der_put_raw(out, buf_bytes(&attributes));
    put_signature_algorithm(out, key, params->digest);
    der_put_octets(out, buf_bytes(&signature));
    der_end(out, info);
    der_end(out, set);
    return OK;
}

static void put_content(struct buf *out, enum oid type, bool has_content, struct bytes content)
{
    size_t encap = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(type));
    if (has_content) {
        size_t mark = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
        der_put_octets(out, content);
        der_end(out, mark);
    }
    der_end(out, encap);
}

/* In the order given, not in SET order: clients take the first certificate for theirs (spec interop.md), NDES
   keeps its own order too, and only what is signed has to be DER (RFC 5652 5.4; the certificates are not). */
static void put_certs(struct buf *out, struct bytes first, const struct bytes *certs, size_t count)
{
    if (first.len == 0 && count == 0)
        return;
    size_t mark = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
    der_put_raw(out, first);
    for (size_t i = 0; i < count; i++)
        der_put_raw(out, certs[i]);
    der_end(out, mark);
}

enum err cms_signed_encode(const struct cms_signed_params *params, const struct key *key, struct buf *ret,
                           struct why *why)
{
    AUTO_BUF out = { 0 };
    struct cms_content_marks marks = cms_content_begin(&out, OID_SIGNED_DATA);
    /* X.509 certificates, issuerAndSerialNumber: 1 with id-data, 3 with any other content (RFC 5652 5.1) */
    der_put_int64(&out, content_type(params) == OID_DATA ? 1 : 3);
    size_t digests = der_begin(&out, DER_SET);
    digest_put(&out, params->digest);
    der_end(&out, digests);
    put_content(&out, content_type(params), params->has_content, params->content);
    put_certs(&out, params->with_signer_cert ? params->signer_cert : BYTES_NONE, params->certs,
              params->cert_count);
    TRY(put_signer_info(&out, params, key, why));
    cms_content_end(&out, &marks);
    *ret = TAKE_BUF(out);
    return OK;
}

/* "Degenerate" SignedData (RFC 5652 5.2): no content, no signer. */
static struct cms_content_marks begin_degenerate(struct buf *out)
{
    struct cms_content_marks marks = cms_content_begin(out, OID_SIGNED_DATA);
    der_put_int64(out, 1);
    der_put(out, DER_SET, BYTES_NONE);
    put_content(out, OID_DATA, false, BYTES_NONE);
    return marks;
}

enum err cms_certs_encode(const struct bytes *certs, size_t count, struct buf *ret, struct why *why)
{
    if (count == 0)
        return fail(why, ERR_INTERNAL, "certs-only message without a certificate");
    AUTO_BUF out = { 0 };
    struct cms_content_marks marks = begin_degenerate(&out);
    put_certs(&out, BYTES_NONE, certs, count);
    der_put(&out, DER_SET, BYTES_NONE);
    cms_content_end(&out, &marks);
    *ret = TAKE_BUF(out);
    return OK;
}

enum err cms_crl_encode(struct bytes crl, struct buf *ret, struct why *why)
{
    if (crl.len == 0)
        return fail(why, ERR_INTERNAL, "crls-only message without a CRL");
    AUTO_BUF out = { 0 };
    struct cms_content_marks marks = begin_degenerate(&out);
    der_put(&out, DER_CONTEXT_CONSTRUCTED(1), crl);
    der_put(&out, DER_SET, BYTES_NONE);
    cms_content_end(&out, &marks);
    *ret = TAKE_BUF(out);
    return OK;
}
