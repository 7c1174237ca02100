/* SPDX-License-Identifier: Apache-2.0 */
/* SignedData, reading side (RFC 5652 5): stricter than the standard wherever leniency let somebody decide
   which bytes were authenticated (spec security.md B8 to B10). */
#include "x509/cms.h"

#include "base/auto.h"
#include "base/fault.h"
#include "x509/ber.h"
#include "x509/cms_content.h"

/* 2.16.840.1.113733.1.9: the arc of SCEP's attributes. */
static const uint8_t scep_arc[] = { 0x60, 0x86, 0x48, 0x01, 0x86, 0xF8, 0x45, 0x01, 0x09 };

void cms_signed_free(struct cms_signed *message)
{
    if (!message)
        return;
    buf_free(&message->storage);
    *message = (struct cms_signed){ 0 };
}

/* The standard allows any number; B8: none at all, and one that the signer did not use, were both exploited.
 */
static enum err read_digests(struct der_reader *in, enum digest *ret, struct why *why)
{
    struct der_reader set;
    if (!der_get_set(in, &set))
        return fail(why, ERR_MALFORMED, "SignedData without digestAlgorithms (RFC 5652 5.1)");
    if (der_at_end(&set))
        return fail(why, ERR_MALFORMED, "SignedData with no digest algorithm, exactly one is wanted");
    if (!digest_get(&set, ret))
        return fail(why, ERR_BAD_ALG, "SignedData with a digest algorithm that is not allowed");
    if (!FAULT(one_digest) && !der_at_end(&set))
        return fail(why, ERR_MALFORMED, "SignedData with several digest algorithms, exactly one is wanted");
    return OK;
}

static enum err read_content(struct der_reader *in, struct cms_signed *message, struct why *why)
{
    struct der_reader encap, explicit_tag;
    struct bytes type;
    if (!der_get_sequence(in, &encap) || !der_get_oid(&encap, &type))
        return fail(why, ERR_MALFORMED, "SignedData without encapContentInfo (RFC 5652 5.2)");
    if (!oid_is(type, message->content_type))
        return fail(why, ERR_MALFORMED, "SignedData content is not %s", oid_name(message->content_type));
    if (der_at_end(&encap))
        return OK;
    if (!der_get_constructed(&encap, DER_CONTEXT_CONSTRUCTED(0), &explicit_tag) || !der_at_end(&encap) ||
        !der_get_octets(&explicit_tag, &message->content) || !der_at_end(&explicit_tag))
        return fail(why, ERR_MALFORMED, "SignedData eContent is not one OCTET STRING (RFC 5652 5.2)");
    message->has_content = true;
    return OK;
}

static enum err read_certs(struct der_reader *in, struct cms_signed *message, struct why *why)
{
    struct der_reader set;
    if (der_next_is(in, DER_CONTEXT_CONSTRUCTED(0))) {
        if (!der_get_constructed(in, DER_CONTEXT_CONSTRUCTED(0), &set))
            return fail(why, ERR_MALFORMED, "SignedData certificates malformed");
        while (!der_at_end(&set)) {
            if (message->cert_count == LIMIT_MESSAGE_CERTS)
                return fail(why, ERR_LIMIT, "SignedData with more than %d certificates", LIMIT_MESSAGE_CERTS);
            if (!der_get_whole(&set, DER_SEQUENCE, &message->certs[message->cert_count]))
                return fail(why, ERR_MALFORMED, "SignedData holds something else than X.509 certificates");
            message->cert_count++;
        }
    }
    if (!der_next_is(in, DER_SET))
        return fail(why, ERR_MALFORMED, "SignedData with CRLs, or without signerInfos");
    return OK;
}

static enum err read_signer_id(struct der_reader *in, int64_t version, struct cms_signer_id *ret,
                               struct why *why)
{
    struct cms_signer_id id = { 0 };
    struct der_reader pair;
    if (version == 3 && der_get(in, DER_CONTEXT(0), &id.key_id) && id.key_id.len > 0) {
        *ret = id;
        return OK;
    }
    if (version == 1 && der_get_sequence(in, &pair) && der_get_whole(&pair, DER_SEQUENCE, &id.issuer) &&
        der_get_integer_bytes(&pair, &id.serial) && der_at_end(&pair)) {
        *ret = id;
        return OK;
    }
    return fail(why, ERR_MALFORMED, "SignerInfo version %lld and its sid do not go together (RFC 5652 5.3)",
                (long long)version);
}

/* A certificate in the set that can't be read is nobody's signer; the caller refuses a message without one.
 */
static enum err find_signer(struct cms_signed *message, struct why *why)
{
    const struct cms_signer_id *id = &message->sid;
    for (size_t i = 0; i < message->cert_count; i++) {
        struct cert cert;
        if (cert_parse(message->certs[i], &cert, NULL) != OK ||
            !cms_names_cert(&cert, id->issuer, id->serial, id->key_id))
            continue;
        if (!FAULT(one_signer_certificate) && message->signer_cert.len &&
            !bytes_equal(message->signer_cert, message->certs[i]))
            return fail(why, ERR_MALFORMED, "two different certificates both match the signer's identifier");
        message->signer_cert = message->certs[i];
        message->signer = cert;
    }
    return OK;
}

/* The content of the SET in attributes, of the first attribute of that type. */
static bool find_attribute(struct bytes attributes, struct bytes type, struct der_reader *ret_values)
{
    struct der_reader in = der_reader_over(attributes), attribute;
    while (der_get_sequence(&in, &attribute)) {
        struct bytes oid;
        if (der_get_oid(&attribute, &oid) && bytes_equal(oid, type))
            return der_get_set(&attribute, ret_values);
    }
    return false;
}

bool cms_signed_attribute(const struct cms_signed *message, enum oid type, struct der_item *ret_value)
{
    struct der_reader values;
    return find_attribute(message->signed_attrs, oid_bytes(type), &values) && der_get_any(&values, ret_value);
}

static enum err check_attribute(struct der_reader *in, struct bytes before, struct why *why)
{
    struct der_reader attribute, values, seen;
    struct der_item value;
    struct bytes type;
    if (!der_get_sequence(in, &attribute) || !der_get_oid(&attribute, &type) ||
        !der_get_set(&attribute, &values) || !der_at_end(&attribute) || !der_get_any(&values, &value))
        return fail(why, ERR_MALFORMED, "signed attribute malformed (RFC 5652 5.3)");
    /* B10: two values, or the attribute twice, leave it open which one was meant. */
    bool has_more = !FAULT(one_attribute_value) && !der_at_end(&values);
    bool again = !FAULT(attribute_once) && find_attribute(before, type, &seen);
    if (!has_more && !again)
        return OK;
    AUTO_BUF dotted = { 0 };
    oid_append_dotted(&dotted, type);
    return fail(why, ERR_MALFORMED,
                has_more ? "signed attribute %s with more than one value"
                         : "signed attribute %s is there twice (RFC 5652 5.3)",
                buf_text(&dotted));
}

/* RFC 5652 11.1, 11.2; the types are looked at before the values (B8). */
static enum err check_required_attributes(const struct cms_signed *message, struct why *why)
{
    struct der_item type, digest;
    if (!cms_signed_attribute(message, OID_ATTR_CONTENT_TYPE, &type) || type.tag != DER_OID)
        return fail(why, ERR_MALFORMED, "signed attributes without a contentType (RFC 5652 11.1)");
    if (!FAULT(signed_content_type) && !oid_is(type.content, message->content_type))
        return fail(why, ERR_MALFORMED, "signed contentType is not that of the content, %s (RFC 5652 11.1)",
                    oid_name(message->content_type));
    if (!cms_signed_attribute(message, OID_ATTR_MESSAGE_DIGEST, &digest) || digest.tag != DER_OCTET_STRING)
        return fail(why, ERR_MALFORMED, "signed attributes without a messageDigest (RFC 5652 11.2)");
    if (digest.content.len != digest_size(message->digest))
        return fail(why, ERR_MALFORMED, "messageDigest of %zu octets, %s has %zu", digest.content.len,
                    digest_name(message->digest), digest_size(message->digest));
    return OK;
}

static enum err read_signed_attrs(struct der_reader *in, struct cms_signed *message, struct why *why)
{
    struct der_item whole;
    /* B9: without signedAttrs the signature would be over the content, which could be somebody's attributes.
     */
    if (FAULT(signed_attributes) && !der_next_is(in, DER_CONTEXT_CONSTRUCTED(0)))
        return OK;
    if (!der_next_is(in, DER_CONTEXT_CONSTRUCTED(0)) || !der_get_any(in, &whole))
        return fail(why, ERR_MALFORMED, "SignerInfo without signed attributes (RFC 8894 3.2)");
    if (!der_is_valid(whole.whole))
        return fail(why, ERR_MALFORMED, "signed attributes malformed");
    struct der_reader attrs = der_reader_over(whole.content);
    for (size_t count = 0; !der_at_end(&attrs); count++) {
        size_t done = (size_t)(attrs.rest.data - whole.content.data);
        if (count == CMS_ATTRIBUTES_MAX)
            return fail(why, ERR_LIMIT, "more than %d signed attributes", CMS_ATTRIBUTES_MAX);
        TRY(check_attribute(&attrs, bytes_of(whole.content.data, done), why));
    }
    message->signed_attrs = whole.content;
    return check_required_attributes(message, why);
}

/* digestEncryptionAlgorithm, as PKCS#7 called it: most clients write rsaEncryption, and the digest is the
 * SignerInfo's. */
static enum err read_signature_algorithm(struct der_reader *in, struct cms_signed *message, struct why *why)
{
    struct der_reader at = *in, inside;
    struct bytes oid;
    if (der_get_sequence(&at, &inside) && der_get_oid(&inside, &oid) && oid_is(oid, OID_RSA_ENCRYPTION)) {
        if (!(der_at_end(&inside) || der_get_null(&inside)) || !der_at_end(&inside))
            return fail(why, ERR_MALFORMED, "rsaEncryption with parameters (RFC 3370 3.2)");
        *in = at;
        message->algorithm = (struct signature_algorithm){ .rsa = true, .digest = message->digest };
        return OK;
    }
    if (!signature_algorithm_get(in, &message->algorithm))
        return fail(why, ERR_BAD_ALG, "SignerInfo signature algorithm is not allowed");
    if (message->algorithm.digest != message->digest)
        return fail(why, ERR_BAD_ALG, "SignerInfo signs with %s and digests with %s",
                    digest_name(message->algorithm.digest), digest_name(message->digest));
    return OK;
}

/* Nothing in unsignedAttrs is authenticated: what SCEP reads must not be there (B10); the rest is not looked
 * at. */
static enum err check_unsigned_attrs(struct der_reader *in, struct cms_signed *message, struct why *why)
{
    struct der_reader attrs, attribute, values;
    struct bytes type;
    if (der_at_end(in))
        return OK;
    if (!der_get_constructed(in, DER_CONTEXT_CONSTRUCTED(1), &attrs) || der_at_end(&attrs))
        return fail(why, ERR_MALFORMED, "SignerInfo followed by something else than unsigned attributes");
    message->has_unsigned_attrs = true;
    while (!der_at_end(&attrs)) {
        if (!der_get_sequence(&attrs, &attribute) || !der_get_oid(&attribute, &type) ||
            !der_get_set(&attribute, &values) || !der_at_end(&attribute))
            return fail(why, ERR_MALFORMED, "unsigned attribute malformed");
        bool scep = type.len > sizeof(scep_arc) && memcmp(type.data, scep_arc, sizeof(scep_arc)) == 0;
        if (FAULT(unsigned_attributes))
            continue;
        if (scep || oid_is(type, OID_SCEP_FAIL_INFO_TEXT) || oid_is(type, OID_ATTR_CONTENT_TYPE) ||
            oid_is(type, OID_ATTR_MESSAGE_DIGEST) || oid_is(type, OID_ATTR_SIGNING_TIME))
            return fail(why, ERR_MALFORMED, "attribute that must be signed is among the unsigned ones");
    }
    return der_at_end(in) ? OK : fail(why, ERR_MALFORMED, "SignerInfo followed by trailing bytes");
}

static enum err read_signer_info(struct der_reader *in, struct cms_signed *message, struct why *why)
{
    struct der_reader set, info;
    int64_t version;
    enum digest digest;
    if (!der_get_set(in, &set) || !der_get_sequence(&set, &info) || !der_get_int64(&info, &version))
        return fail(why, ERR_MALFORMED, "SignedData without a SignerInfo");
    if (!FAULT(one_signer) && !der_at_end(&set))
        return fail(why, ERR_MALFORMED, "SignedData with several SignerInfos, exactly one is wanted");
    TRY(read_signer_id(&info, version, &message->sid, why));
    if (!digest_get(&info, &digest))
        return fail(why, ERR_BAD_ALG, "SignerInfo digest algorithm is not allowed");
    if (digest != message->digest)
        return fail(why, ERR_BAD_ALG, "SignerInfo digests with %s, SignedData announces %s",
                    digest_name(digest), digest_name(message->digest));
    TRY(read_signed_attrs(&info, message, why));
    TRY(read_signature_algorithm(&info, message, why));
    if (!der_get_octets(&info, &message->signature) || message->signature.len == 0)
        return fail(why, ERR_MALFORMED, "SignerInfo without a signature");
    TRY(check_unsigned_attrs(&info, message, why));
    return find_signer(message, why);
}

static enum err decode(struct cms_signed *message, struct why *why)
{
    struct der_reader in;
    int64_t version;
    if (!cms_content_get(buf_bytes(&message->storage), OID_SIGNED_DATA, &in))
        return fail(why, ERR_MALFORMED, "not a ContentInfo with id-signedData (RFC 5652 3)");
    if (!der_get_int64(&in, &version) || (version != 1 && version != 3))
        return fail(why, ERR_MALFORMED, "SignedData version is neither 1 nor 3 (RFC 5652 5.1)");
    if (version != 3 && message->content_type != OID_DATA)
        return fail(why, ERR_MALFORMED, "SignedData version 1 with %s, must be 3 (RFC 5652 5.1)",
                    oid_name(message->content_type));
    TRY(read_digests(&in, &message->digest, why));
    TRY(read_content(&in, message, why));
    TRY(read_certs(&in, message, why));
    TRY(read_signer_info(&in, message, why));
    return der_at_end(&in) ? OK : fail(why, ERR_MALFORMED, "SignedData followed by trailing bytes");
}

enum err cms_signed_decode_type(struct bytes ber, enum oid content_type, struct cms_signed *ret,
                                struct why *why)
{
    struct cms_signed message = { .content_type = content_type };
    TRY(ber_to_der(ber, BER_SIGNED, &message.storage, why));
    enum err err = decode(&message, why);
    if (err != OK) {
        cms_signed_free(&message);
        return err;
    }
    *ret = message;
    return OK;
}

enum err cms_signed_decode(struct bytes ber, struct cms_signed *ret, struct why *why)
{
    return cms_signed_decode_type(ber, OID_DATA, ret, why);
}

enum err cms_signed_verify(const struct cms_signed *message, const struct public_key *signer, struct why *why)
{
    struct der_item expected;
    uint8_t digest[DIGEST_MAX_BYTES];
    if (!cms_signed_attribute(message, OID_ATTR_MESSAGE_DIGEST, &expected))
        return fail(why, ERR_INTERNAL, "cms_signed_verify before cms_signed_decode");
    TRY(digest_compute(message->digest, message->content, digest, why));
    if (!FAULT(message_digest) &&
        !bytes_equal(expected.content, bytes_of(digest, digest_size(message->digest))))
        return fail(why, ERR_BAD_MESSAGE_CHECK, "messageDigest is not that of the content (RFC 5652 5.6)");
    if (message->algorithm.rsa != (public_key_kind(signer) == KEY_RSA))
        return fail(why, ERR_BAD_MESSAGE_CHECK, "signature algorithm is for another kind of key than %s",
                    key_kind_name(public_key_kind(signer)));
    /* RFC 5652 5.4: signed as a SET, not as the [0] in the message. The attributes go in as they came, even
       out of SET order: the signer hashed its own bytes, some never sort them, and sorting here would check a
       text that nobody signed. Nothing can be gained by another order, as each type is there once. */
    AUTO_BUF attributes = { 0 };
    der_put(&attributes, DER_SET, message->signed_attrs);
    if (FAULT(cms_signature))
        return OK;
    return public_key_verify(signer, message->algorithm, buf_bytes(&attributes), message->signature, why);
}
