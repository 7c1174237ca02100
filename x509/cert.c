/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates read strictly (RFC 5280 4.1), whoever made them. */
#include "x509/cert.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/fault.h"
#include "base/limits.h"
#include "x509/name.h"
#include "x509/san.h"
#include "x509/signed.h"
#include "x509/strict.h"

static enum err get_version(struct der_reader *in, struct cert *cert, struct why *why)
{
    struct der_reader explicit_version;
    int64_t version;
    cert->version = 1;
    if (!der_next_is(in, DER_CONTEXT_CONSTRUCTED(0)))
        return OK; /* DEFAULT v1 is never written in DER */
    if (!der_get_constructed(in, DER_CONTEXT_CONSTRUCTED(0), &explicit_version) ||
        !der_get_int64(&explicit_version, &version) || !der_at_end(&explicit_version))
        return fail(why, ERR_MALFORMED, "certificate version malformed (RFC 5280 4.1.2.1)");
    if (version != 2)
        return fail(why, ERR_MALFORMED,
                    "certificate version field %lld, must be 2 or absent (RFC 5280 4.1.2.1)",
                    (long long)version);
    cert->version = 3;
    return OK;
}

static enum err get_validity(struct der_reader *in, struct cert *cert, struct why *why)
{
    struct der_reader validity;
    if (!der_get_sequence(in, &validity) || !der_get_time(&validity, &cert->not_before) ||
        !der_get_time(&validity, &cert->not_after) || !der_at_end(&validity))
        return fail(why, ERR_MALFORMED, "certificate validity malformed (RFC 5280 4.1.2.5)");
    return OK;
}

static enum err get_fields(struct der_reader *in, struct cert *cert, struct why *why)
{
    TRY(get_version(in, cert, why));
    if (!der_get_integer_bytes(in, &cert->serial) || cert->serial.len > LIMIT_FOREIGN_SERIAL_BYTES)
        return fail(why, ERR_MALFORMED,
                    "certificate serial is no INTEGER of at most %d octets (RFC 5280 4.1.2.2)",
                    LIMIT_FOREIGN_SERIAL_BYTES);
    TRY(signed_algorithm_get(in, "certificate", &cert->algorithm, &cert->algorithm_der, why));
    if (!der_get_whole(in, DER_SEQUENCE, &cert->issuer))
        return fail(why, ERR_MALFORMED, "certificate issuer malformed (RFC 5280 4.1.2.4)");
    TRY(name_check(cert->issuer, why));
    TRY(get_validity(in, cert, why));
    if (!der_get_whole(in, DER_SEQUENCE, &cert->subject))
        return fail(why, ERR_MALFORMED, "certificate subject malformed (RFC 5280 4.1.2.6)");
    TRY(name_check(cert->subject, why));
    if (!der_get_whole(in, DER_SEQUENCE, &cert->spki) || !spki_has_shape(cert->spki))
        return fail(why, ERR_MALFORMED, "certificate public key malformed (RFC 5280 4.1.2.7)");
    return OK;
}

static bool read_key_usage(struct bytes value, struct cert *cert)
{
    struct der_reader in = der_reader_over(value);
    cert->has_key_usage = true;
    return der_get_named_bits(&in, &cert->key_usage) && der_at_end(&in);
}

static bool read_basic_constraints(struct bytes value, struct cert *cert)
{
    struct der_reader in = der_reader_over(value), inside;
    int64_t path_len;
    if (!der_get_sequence(&in, &inside) || !der_at_end(&in))
        return false;
    if (der_next_is(&inside, DER_BOOLEAN) && (!der_get_boolean(&inside, &cert->is_ca) || !cert->is_ca))
        return false; /* DEFAULT FALSE is never written in DER */
    if (der_next_is(&inside, DER_INTEGER)) {
        if (!cert->is_ca || !der_get_int64(&inside, &path_len) || path_len < 0 || path_len > 255)
            return false; /* RFC 5280 4.2.1.9: only with cA, not negative */
        cert->path_len = (int)path_len;
    }
    return der_at_end(&inside);
}

static bool read_eku(struct bytes value, struct cert *cert)
{
    struct der_reader in = der_reader_over(value), purposes;
    struct bytes oid;
    if (!der_get_sequence(&in, &purposes) || !der_at_end(&in) || der_at_end(&purposes))
        return false;
    cert->eku = purposes.rest;
    while (!der_at_end(&purposes))
        if (!der_get_oid(&purposes, &oid))
            return false;
    return true;
}

/* Shape only: a foreign certificate may hold names that we would not issue; san_check says which. */
static bool read_san(struct bytes value, struct cert *cert)
{
    struct der_reader in = der_reader_over(value), names;
    struct san_name name;
    if (!der_is_valid(value) || !der_get_sequence(&in, &names) || !der_at_end(&in) || der_at_end(&names))
        return false;
    while (!der_at_end(&names))
        if (!san_next(&names, &name))
            return false;
    cert->san = value;
    return true;
}

static bool read_ski(struct bytes value, struct cert *cert)
{
    struct der_reader in = der_reader_over(value);
    return der_get_octets(&in, &cert->ski) && der_at_end(&in) && cert->ski.len > 0;
}

static bool read_aki(struct bytes value, struct cert *cert)
{
    struct der_reader in = der_reader_over(value), inside;
    struct bytes issuer, serial;
    if (!der_is_valid(value) || !der_get_sequence(&in, &inside) || !der_at_end(&in))
        return false;
    if (der_next_is(&inside, DER_CONTEXT(0)) && !der_get(&inside, DER_CONTEXT(0), &cert->aki))
        return false;
    /* RFC 5280 4.2.1.1: issuer and serial number are there both or not at all */
    if (der_at_end(&inside))
        return true;
    return der_get(&inside, DER_CONTEXT_CONSTRUCTED(1), &issuer) &&
           der_get(&inside, DER_CONTEXT(2), &serial) && der_at_end(&inside) && serial.len > 0;
}

static const struct {
    enum oid oid;
    bool (*read)(struct bytes value, struct cert *cert);
} known[] = {
    { OID_EXT_KEY_USAGE, read_key_usage },
    { OID_EXT_BASIC_CONSTRAINTS, read_basic_constraints },
    { OID_EXT_EKU, read_eku },
    { OID_EXT_SAN, read_san },
    { OID_EXT_SKI, read_ski },
    { OID_EXT_AKI, read_aki },
};

static enum err extension_read(const struct extension *extension, struct cert *cert, struct why *why)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (oid_is(extension->oid, known[i].oid) && !known[i].read(extension->value, cert))
            return fail(why, ERR_MALFORMED, "certificate: %s malformed (RFC 5280 4.2.1)",
                        oid_name(known[i].oid));
    }
    return OK;
}

static enum err get_extensions(struct der_reader *in, struct cert *cert, struct why *why)
{
    struct der_reader tagged, content;
    if (der_at_end(in))
        return OK;
    if (cert->version != 3)
        return fail(why, ERR_MALFORMED, "version %d certificate with extensions (RFC 5280 4.1.2.1)",
                    cert->version);
    if (!der_get_constructed(in, DER_CONTEXT_CONSTRUCTED(3), &tagged) ||
        !der_get_sequence(&tagged, &content) || !der_at_end(&tagged) || !der_at_end(in))
        return fail(why, ERR_MALFORMED,
                    "certificate: unique identifiers or malformed extensions (RFC 5280 4.1.2.8)");
    TRY(extensions_check(content.rest, why));
    cert->extensions = content.rest;
    struct extension extension;
    while (extension_next(&content, &extension))
        TRY(extension_read(&extension, cert, why));
    return OK;
}

enum err tbs_parse(struct bytes tbs, struct cert *ret, struct why *why)
{
    struct cert cert = { .tbs = tbs, .path_len = -1 };
    struct der_reader in = der_reader_over(tbs), fields;
    if (tbs.len > LIMIT_CERT_BYTES)
        return fail(why, ERR_LIMIT, "TBSCertificate of %zu bytes, limit %d", tbs.len, LIMIT_CERT_BYTES);
    if (!der_get_sequence(&in, &fields) || !der_at_end(&in))
        return fail(why, ERR_MALFORMED, "TBSCertificate is not one DER SEQUENCE (RFC 5280 4.1)");
    if (!der_is_strict(tbs))
        return fail(why, ERR_MALFORMED, "TBSCertificate holds an element that is not DER (X.690)");
    TRY(get_fields(&fields, &cert, why));
    TRY(get_extensions(&fields, &cert, why));
    *ret = cert;
    return OK;
}

enum err cert_parse(struct bytes der, struct cert *ret, struct why *why)
{
    struct signed_object object;
    struct cert cert;
    TRY(signed_split(der, LIMIT_CERT_BYTES, "certificate", &object, why));
    TRY(tbs_parse(object.body, &cert, why));
    if (!FAULT(certificate_algorithms) && !bytes_equal(object.algorithm_der, cert.algorithm_der))
        return fail(why, ERR_MALFORMED,
                    "certificate: inner and outer signature algorithm differ (RFC 5280 4.1.1.2)");
    cert.der = der;
    cert.signature = object.signature;
    *ret = cert;
    return OK;
}

enum err cert_verify(const struct cert *cert, const struct public_key *issuer_key, struct why *why)
{
    struct signed_object object = { cert->tbs, cert->algorithm_der, cert->algorithm, cert->signature };
    return signed_verify(&object, issuer_key, "certificate", why);
}

bool cert_is_expired(const struct cert *cert, int64_t now)
{
    return now > cert->not_after; /* RFC 5280 4.1.2.5: notAfter itself is inside */
}

/* anyExtendedKeyUsage does not count: RFC 5280 4.2.1.12 lets applications insist on their own purpose. */
bool cert_allows_eku(const struct cert *cert, enum oid purpose)
{
    struct der_reader in = der_reader_over(cert->eku);
    struct bytes oid;
    if (cert->eku.len == 0)
        return true;
    while (der_get_oid(&in, &oid))
        if (oid_is(oid, purpose))
            return true;
    return false;
}

struct bytes serial_magnitude(struct bytes serial)
{
    bool has_sign = serial.len > 1 && serial.data[0] == 0;
    return has_sign ? bytes_of(serial.data + 1, serial.len - 1) : serial;
}

void serial_append_text(struct buf *out, struct bytes serial)
{
    hex_append_upper(out, serial_magnitude(serial));
}
