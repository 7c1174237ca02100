/* SPDX-License-Identifier: Apache-2.0 */
/* Extensions (RFC 5280 4.2): reading, and writing those that Chancery issues. */
#include "x509/extension.h"

#include "base/auto.h"
#include "base/fault.h"
#include "base/limits.h"
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

bool extension_next(struct der_reader *in, struct extension *ret)
{
    struct der_reader at = *in, inside;
    struct extension extension = { 0 };
    if (!der_get_sequence(&at, &inside) || !der_get_oid(&inside, &extension.oid))
        return false;
    /* DEFAULT FALSE is never written in DER (X.690 11.5), so a BOOLEAN there is TRUE. */
    if (der_next_is(&inside, DER_BOOLEAN) &&
        (!der_get_boolean(&inside, &extension.critical) || !extension.critical))
        return false;
    if (!der_get_octets(&inside, &extension.value) || !der_at_end(&inside))
        return false;
    *in = at;
    *ret = extension;
    return true;
}

static bool seen_before(struct bytes content, const struct extension *extension)
{
    struct der_reader in = der_reader_over(content);
    struct extension other;
    while (extension_next(&in, &other) && other.oid.data != extension->oid.data)
        if (bytes_equal(other.oid, extension->oid))
            return true;
    return false;
}

enum err extensions_check(struct bytes content, struct why *why)
{
    struct der_reader in = der_reader_over(content);
    size_t count = 0;
    if (der_at_end(&in))
        return fail(why, ERR_MALFORMED, "Extensions with 0 members, at least 1 (RFC 5280 4.1)");
    while (!der_at_end(&in)) {
        struct extension extension;
        if (!extension_next(&in, &extension))
            return fail(why, ERR_MALFORMED, "extension %zu malformed (RFC 5280 4.2, X.690 11.5)", count + 1);
        if (++count > LIMIT_CERT_EXTENSIONS && !FAULT(extension_count))
            return fail(why, ERR_LIMIT, "more than %d extensions", LIMIT_CERT_EXTENSIONS);
        if (!FAULT(extension_once) && seen_before(content, &extension)) {
            AUTO_BUF dotted = { 0 };
            oid_append_dotted(&dotted, extension.oid);
            return fail(why, ERR_MALFORMED, "extension %s twice, must be once (RFC 5280 4.2)",
                        buf_text(&dotted));
        }
    }
    return OK;
}

bool extension_find(struct bytes content, enum oid oid, struct extension *ret)
{
    struct der_reader in = der_reader_over(content);
    struct extension extension;
    while (extension_next(&in, &extension)) {
        if (!oid_is(extension.oid, oid))
            continue;
        *ret = extension;
        return true;
    }
    return false;
}

static const struct {
    uint16_t bit;
    const char *name;
} key_usages[] = {
    { KU_DIGITAL_SIGNATURE, "digitalSignature" },
    { KU_NON_REPUDIATION, "nonRepudiation" },
    { KU_KEY_ENCIPHERMENT, "keyEncipherment" },
    { KU_DATA_ENCIPHERMENT, "dataEncipherment" },
    { KU_KEY_AGREEMENT, "keyAgreement" },
    { KU_KEY_CERT_SIGN, "keyCertSign" },
    { KU_CRL_SIGN, "cRLSign" },
    { KU_ENCIPHER_ONLY, "encipherOnly" },
    { KU_DECIPHER_ONLY, "decipherOnly" },
    { KU_NON_REPUDIATION, "contentCommitment" }, /* X.509's newer name */
};

bool key_usage_by_name(const char *name, uint16_t *ret_bit)
{
    for (size_t i = 0; i < COUNT(key_usages); i++) {
        if (strcasecmp(key_usages[i].name, name) != 0)
            continue;
        *ret_bit = key_usages[i].bit;
        return true;
    }
    return false;
}

void key_usage_append_text(struct buf *out, uint16_t bits)
{
    bool first = true;
    for (size_t i = 0; i < COUNT(key_usages) - 1; i++) { /* the last row is a synonym */
        if (!(bits & key_usages[i].bit))
            continue;
        if (!first)
            buf_append_byte(out, ',');
        buf_append_str(out, key_usages[i].name);
        first = false;
    }
}

/* Everything up to the value inside extnValue; the value is then appended, and extension_end closes all. */
struct open_extension {
    size_t sequence, octets;
};

static struct open_extension extension_begin(struct buf *out, enum oid oid, bool critical)
{
    struct open_extension open;
    open.sequence = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(oid));
    if (critical)
        der_put_boolean(out, true);
    open.octets = der_begin(out, DER_OCTET_STRING);
    return open;
}

static void extension_end(struct buf *out, struct open_extension open)
{
    der_end(out, open.octets);
    der_end(out, open.sequence);
}

void extension_put(struct buf *out, enum oid oid, bool critical, struct bytes value)
{
    struct open_extension open = extension_begin(out, oid, critical);
    buf_append(out, value);
    extension_end(out, open);
}

void extension_put_key_usage(struct buf *out, uint16_t bits)
{
    struct open_extension open = extension_begin(out, OID_EXT_KEY_USAGE, true);
    der_put_named_bits(out, bits);
    extension_end(out, open);
}

/* Critical on leaves too: RFC 5280 4.2.1.9 leaves that open, and a verifier that does not know the extension
   should not take a leaf for a CA. */
void extension_put_basic_constraints(struct buf *out, bool ca, int path_len)
{
    struct open_extension open = extension_begin(out, OID_EXT_BASIC_CONSTRAINTS, true);
    size_t mark = der_begin(out, DER_SEQUENCE);
    if (ca)
        der_put_boolean(out, true);
    if (ca && path_len >= 0)
        der_put_int64(out, path_len);
    der_end(out, mark);
    extension_end(out, open);
}

void extension_put_eku(struct buf *out, const struct bytes *oids, size_t count)
{
    struct open_extension open = extension_begin(out, OID_EXT_EKU, false);
    size_t mark = der_begin(out, DER_SEQUENCE);
    for (size_t i = 0; i < count; i++)
        der_put_oid(out, oids[i]);
    der_end(out, mark);
    extension_end(out, open);
}

void extension_put_ski(struct buf *out, struct bytes key_id)
{
    struct open_extension open = extension_begin(out, OID_EXT_SKI, false);
    der_put_octets(out, key_id);
    extension_end(out, open);
}

void extension_put_aki(struct buf *out, struct bytes key_id)
{
    struct open_extension open = extension_begin(out, OID_EXT_AKI, false);
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put(out, DER_CONTEXT(0), key_id);
    der_end(out, mark);
    extension_end(out, open);
}

void extension_put_san(struct buf *out, struct bytes general_names, bool critical)
{
    extension_put(out, OID_EXT_SAN, critical, general_names);
}

/* DistributionPointName, in its [0]: the URLs are places of the same CRL (RFC 5280 4.2.1.13). */
static void put_full_name(struct buf *out, const char *const *urls, size_t count)
{
    size_t name = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
    size_t full_name = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
    for (size_t i = 0; i < count; i++)
        der_put(out, DER_CONTEXT(6), bytes_str(urls[i]));
    der_end(out, full_name);
    der_end(out, name);
}

bool extension_get_full_name(struct der_reader *in, struct der_reader *ret_names)
{
    struct der_reader name;
    return der_get_constructed(in, DER_CONTEXT_CONSTRUCTED(0), &name) &&
           der_get_constructed(&name, DER_CONTEXT_CONSTRUCTED(0), ret_names) && der_at_end(&name);
}

/* CRLDistributionPoints with one DistributionPoint. */
static void put_distribution_point(struct buf *out, enum oid oid, const char *const *urls, size_t count)
{
    struct open_extension open = extension_begin(out, oid, false);
    size_t points = der_begin(out, DER_SEQUENCE);
    size_t point = der_begin(out, DER_SEQUENCE);
    put_full_name(out, urls, count);
    der_end(out, point);
    der_end(out, points);
    extension_end(out, open);
}

void extension_put_cdp(struct buf *out, const char *const *urls, size_t count)
{
    put_distribution_point(out, OID_EXT_CDP, urls, count);
}

/* RFC 5280 5.2.5, critical: who does not know it would take one partition for all that is revoked. */
void extension_put_idp(struct buf *out, const char *const *urls, size_t count)
{
    struct open_extension open = extension_begin(out, OID_EXT_IDP, !FAULT(idp_critical));
    size_t mark = der_begin(out, DER_SEQUENCE);
    put_full_name(out, urls, count);
    der_end(out, mark);
    extension_end(out, open);
}

/* RFC 5280 5.2.6: where a full CRL's delta is. */
void extension_put_freshest_crl(struct buf *out, const char *const *urls, size_t count)
{
    put_distribution_point(out, OID_EXT_FRESHEST_CRL, urls, count);
}

static void put_access(struct buf *out, enum oid method, const char *const *urls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t mark = der_begin(out, DER_SEQUENCE);
        der_put_oid(out, oid_bytes(method));
        der_put(out, DER_CONTEXT(6), bytes_str(urls[i]));
        der_end(out, mark);
    }
}

void extension_put_aia(struct buf *out, const char *const *ocsp, size_t ocsp_count,
                       const char *const *issuers, size_t issuer_count)
{
    struct open_extension open = extension_begin(out, OID_EXT_AIA, false);
    size_t mark = der_begin(out, DER_SEQUENCE);
    put_access(out, OID_AD_OCSP, ocsp, ocsp_count);
    put_access(out, OID_AD_CA_ISSUERS, issuers, issuer_count);
    der_end(out, mark);
    extension_end(out, open);
}

void extension_put_crl_number(struct buf *out, int64_t number)
{
    struct open_extension open = extension_begin(out, OID_EXT_CRL_NUMBER, false);
    der_put_int64(out, number);
    extension_end(out, open);
}

void extension_put_delta_indicator(struct buf *out, int64_t base_number)
{
    struct open_extension open = extension_begin(out, OID_EXT_DELTA_CRL, true);
    der_put_int64(out, base_number);
    extension_end(out, open);
}
