/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#10 read strictly (RFC 2986), with the attributes of RFC 2985 and Microsoft's. */
#include "x509/csr.h"

#include "base/auto.h"
#include "base/fault.h"
#include "base/limits.h"
#include "x509/extension.h"
#include "x509/name.h"
#include "x509/san.h"
#include "x509/signed.h"
#include "x509/strict.h"
#include "x509/text.h"
#include <strings.h>

struct attribute {
    struct bytes oid;
    struct der_reader values;
};

static bool attribute_next(struct der_reader *in, struct attribute *ret)
{
    struct der_reader at = *in, inside;
    struct attribute attribute;
    if (!der_get_sequence(&at, &inside) || !der_get_oid(&inside, &attribute.oid))
        return false;
    if (!der_get_set(&inside, &attribute.values) || !der_at_end(&inside))
        return false;
    *in = at;
    *ret = attribute;
    return true;
}

static enum err one_value(struct attribute *attribute, enum oid oid, struct der_item *ret, struct why *why)
{
    if (!der_get_any(&attribute->values, ret) || !der_at_end(&attribute->values))
        return fail(why, ERR_MALFORMED, "PKCS#10: %s must have exactly 1 value (RFC 2985 5.4)",
                    oid_name(oid));
    return OK;
}

static bool is_directory_string(uint8_t tag)
{
    return tag == DER_UTF8_STRING || tag == DER_PRINTABLE_STRING || tag == DER_T61_STRING ||
           tag == DER_IA5_STRING || tag == DER_BMP_STRING || tag == DER_UNIVERSAL_STRING;
}

static enum err read_challenge(struct attribute *attribute, struct csr *csr, struct why *why)
{
    struct der_item value;
    if (!FAULT(one_challenge) && csr->has_challenge)
        return fail(why, ERR_MALFORMED, "PKCS#10: challengePassword twice, at most once (RFC 2985 5.4.1)");
    TRY(one_value(attribute, OID_ATTR_CHALLENGE_PASSWORD, &value, why));
    if (!is_directory_string(value.tag))
        return fail(why, ERR_MALFORMED,
                    "PKCS#10: challengePassword has tag %02X, not a string's (RFC 2985 5.4.1)", value.tag);
    if (value.content.len > LIMIT_CHALLENGE_BYTES)
        return fail(why, ERR_LIMIT, "PKCS#10: challengePassword of %zu bytes, limit %d", value.content.len,
                    LIMIT_CHALLENGE_BYTES);
    csr->has_challenge = true;
    csr->challenge = value.content;
    csr->challenge_tag = value.tag;
    return OK;
}

static bool read_key_usage(struct bytes value, struct csr *csr)
{
    struct der_reader in = der_reader_over(value);
    csr->has_key_usage = true;
    return der_get_named_bits(&in, &csr->key_usage) && der_at_end(&in);
}

static bool read_eku(struct bytes value, struct csr *csr)
{
    struct der_reader in = der_reader_over(value), purposes;
    struct bytes oid;
    if (!der_get_sequence(&in, &purposes) || !der_at_end(&in) || der_at_end(&purposes))
        return false;
    csr->eku = purposes.rest;
    while (!der_at_end(&purposes))
        if (!der_get_oid(&purposes, &oid))
            return false;
    return true;
}

static enum err read_extensions(struct csr *csr, struct why *why)
{
    struct extension extension;
    TRY(extensions_check(csr->extensions, why));
    if (extension_find(csr->extensions, OID_EXT_KEY_USAGE, &extension) &&
        !read_key_usage(extension.value, csr))
        return fail(why, ERR_MALFORMED, "PKCS#10: requested keyUsage malformed (RFC 5280 4.2.1.3)");
    if (extension_find(csr->extensions, OID_EXT_EKU, &extension) && !read_eku(extension.value, csr))
        return fail(why, ERR_MALFORMED, "PKCS#10: requested extKeyUsage malformed (RFC 5280 4.2.1.12)");
    if (!extension_find(csr->extensions, OID_EXT_SAN, &extension))
        return OK;
    TRY(san_check(extension.value, why));
    csr->san = extension.value;
    return OK;
}

/* Two lists of extensions could say different things to whoever reads only one of them (spec security.md A8).
   An empty list is tolerated: it asks for nothing. */
static enum err read_request(struct attribute *attribute, enum oid oid, bool *seen, struct csr *csr,
                             struct why *why)
{
    struct der_item value;
    if (!FAULT(one_extension_request) && *seen)
        return fail(why, ERR_MALFORMED,
                    "PKCS#10: %s after another request for extensions, at most 1 (RFC 2985 5.4.2)",
                    oid_name(oid));
    *seen = true;
    TRY(one_value(attribute, oid, &value, why));
    if (value.tag != DER_SEQUENCE)
        return fail(why, ERR_MALFORMED, "PKCS#10: %s has tag %02X, must be a SEQUENCE (RFC 2985 5.4.2)",
                    oid_name(oid), value.tag);
    csr->extensions = value.content;
    return value.content.len ? read_extensions(csr, why) : OK;
}

static enum err read_attributes(struct der_reader in, struct csr *csr, struct why *why)
{
    bool extensions_seen = false;
    csr->attributes = in.rest;
    while (!der_at_end(&in)) {
        struct attribute attribute;
        if (!attribute_next(&in, &attribute))
            return fail(why, ERR_MALFORMED, "PKCS#10: attribute malformed (RFC 2986 4.1)");
        enum oid oid = oid_find(attribute.oid);
        if (oid == OID_ATTR_CHALLENGE_PASSWORD)
            TRY(read_challenge(&attribute, csr, why));
        else if (oid == OID_ATTR_EXTENSION_REQUEST || oid == OID_ATTR_MS_CERT_EXTENSIONS)
            TRY(read_request(&attribute, oid, &extensions_seen, csr, why));
    }
    return OK;
}

static enum err read_info(struct csr *csr, struct why *why)
{
    struct der_reader in = der_reader_over(csr->info), info, attributes;
    int64_t version;
    if (!der_get_sequence(&in, &info) || !der_get_int64(&info, &version))
        return fail(why, ERR_MALFORMED, "PKCS#10: no version (RFC 2986 4.1)");
    if (version != 0)
        return fail(why, ERR_MALFORMED, "PKCS#10: version %lld, must be 0 (RFC 2986 4.1)",
                    (long long)version);
    if (!der_get_whole(&info, DER_SEQUENCE, &csr->subject))
        return fail(why, ERR_MALFORMED, "PKCS#10: subject malformed (RFC 2986 4.1)");
    TRY(name_check(csr->subject, why));
    if (!der_get_whole(&info, DER_SEQUENCE, &csr->spki) || !spki_has_shape(csr->spki))
        return fail(why, ERR_MALFORMED, "PKCS#10: public key malformed (RFC 2986 4.1)");
    if (der_at_end(&info))
        return OK; /* some clients leave out an empty attributes field */
    if (!der_get_constructed(&info, DER_CONTEXT_CONSTRUCTED(0), &attributes) || !der_at_end(&info))
        return fail(why, ERR_MALFORMED,
                    "PKCS#10: attributes malformed, or something behind them (RFC 2986 4.1)");
    return read_attributes(attributes, csr, why);
}

enum err csr_parse(struct bytes der, struct csr *ret, struct why *why)
{
    struct signed_object object;
    struct csr csr = { .der = der };
    TRY(signed_split(der, LIMIT_CSR_BYTES, "PKCS#10", &object, why));
    if (!der_is_strict(object.body))
        return fail(why, ERR_MALFORMED, "PKCS#10 holds an element that is not DER (X.690)");
    csr.info = object.body;
    csr.algorithm = object.algorithm;
    csr.algorithm_der = object.algorithm_der;
    csr.signature = object.signature;
    TRY(read_info(&csr, why));
    *ret = csr;
    return OK;
}

enum err csr_hash_check(const struct csr *csr, bool allow_sha1, struct why *why)
{
    if (!FAULT(csr_sha1) && csr->algorithm.digest == DIGEST_SHA1 && !allow_sha1)
        return fail(why, ERR_BAD_ALG, "PKCS#10 signed with SHA-1, the endpoint allows SHA-2 only");
    return OK;
}

enum err csr_verify(const struct csr *csr, const struct public_key *key, bool allow_sha1, struct why *why)
{
    struct signed_object object = { csr->info, csr->algorithm_der, csr->algorithm, csr->signature };
    TRY(csr_hash_check(csr, allow_sha1, why));
    if (!bytes_equal(public_key_spki(key), csr->spki))
        return fail(why, ERR_BAD_MESSAGE_CHECK,
                    "PKCS#10: the key given is not the request's own (RFC 2986 4.2)");
    return signed_verify(&object, key, "PKCS#10", why);
}

bool csr_challenge_utf8(const struct csr *csr, struct buf *ret)
{
    AUTO_WIPE text = { 0 }; /* a secret until it was used */
    if (!csr->has_challenge || !text_to_utf8(csr->challenge_tag, csr->challenge, &text))
        return false;
    if (text.len == 0 || memchr(text.data, 0, text.len))
        return false; /* spec security.md A4: these never match */
    *ret = TAKE_BUF(text);
    return true;
}

/* EnrollmentNameValuePair ::= SEQUENCE { name BMPString, value BMPString } (MS-WCCE 2.2.2.7.10) */
static bool pair_value(struct der_reader values, const char *name, struct buf *value)
{
    struct der_reader pair;
    struct bytes name_bmp, value_bmp;
    AUTO_BUF got_name = { 0 };
    if (!der_get_sequence(&values, &pair) || !der_at_end(&values) ||
        !der_get(&pair, DER_BMP_STRING, &name_bmp) || !der_get(&pair, DER_BMP_STRING, &value_bmp) ||
        !der_at_end(&pair))
        return false;
    if (!text_to_utf8(DER_BMP_STRING, name_bmp, &got_name) || !text_is_clean(buf_bytes(&got_name)))
        return false;
    if (strcasecmp(buf_text(&got_name), name) != 0)
        return false;
    buf_clear(value);
    return text_to_utf8(DER_BMP_STRING, value_bmp, value);
}

bool csr_enrollment_value(const struct csr *csr, const char *name, struct buf *ret)
{
    AUTO_BUF value = { 0 };
    struct der_reader in = der_reader_over(csr->attributes);
    struct attribute attribute;
    int found = 0;
    while (attribute_next(&in, &attribute))
        if (oid_is(attribute.oid, OID_ATTR_MS_NAME_VALUE))
            found += pair_value(attribute.values, name, &value);
    if (found != 1)
        return false;
    *ret = TAKE_BUF(value);
    return true;
}
