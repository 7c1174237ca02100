/* SPDX-License-Identifier: Apache-2.0 */
/* Lint rules for extensions (RFC 5280 4.2), each on its own and against each other. */
#include "x509/lint.h"

#include "base/auto.h"
#include "x509/name.h"
#include "x509/san.h"
#include "x509/san_rule.h"

static enum err check_values(const struct lint *lint, struct why *why)
{
    struct der_reader in = der_reader_over(lint->cert.extensions);
    struct extension extension;
    while (extension_next(&in, &extension)) {
        AUTO_BUF dotted = { 0 };
        if (der_is_valid(extension.value))
            continue;
        oid_append_dotted(&dotted, extension.oid);
        return fail(why, ERR_LINT, "RFC 5280 4.2: value of extension %s is not one DER value",
                    buf_text(&dotted));
    }
    return OK;
}

/* RFC 5280 4.2: what a verifier must know when it is critical. Ours are the ones it lists as critical. */
static enum err check_unknown_critical(const struct lint *lint, struct why *why)
{
    static const enum oid may[] = { OID_EXT_KEY_USAGE, OID_EXT_BASIC_CONSTRAINTS, OID_EXT_SAN,
                                    OID_EXT_EKU,       OID_EXT_NAME_CONSTRAINTS,  OID_EXT_POLICIES };
    struct der_reader in = der_reader_over(lint->cert.extensions);
    struct extension extension;
    while (extension_next(&in, &extension)) {
        AUTO_BUF dotted = { 0 };
        bool found = !extension.critical;
        for (size_t i = 0; i < sizeof(may) / sizeof(*may); i++)
            found = found || oid_is(extension.oid, may[i]);
        if (found)
            continue;
        oid_append_dotted(&dotted, extension.oid);
        return fail(why, ERR_LINT, "RFC 5280 4.2: extension %s is critical, must not be", buf_text(&dotted));
    }
    return OK;
}

static enum err check_must_be_critical(const struct lint *lint, struct why *why)
{
    static const struct {
        enum oid oid;
        const char *clause;
    } must[] = {
        { OID_EXT_KEY_USAGE, "4.2.1.3" },
        { OID_EXT_BASIC_CONSTRAINTS, "4.2.1.9" }, /* RFC: on CAs; ours on leaves as well */
        { OID_EXT_NAME_CONSTRAINTS, "4.2.1.10" },
    };
    struct extension extension;
    for (size_t i = 0; i < sizeof(must) / sizeof(*must); i++)
        if (extension_find(lint->cert.extensions, must[i].oid, &extension) && !extension.critical)
            return fail(why, ERR_LINT, "RFC 5280 %s: %s is not critical, must be", must[i].clause,
                        oid_name(must[i].oid));
    return OK;
}

static enum err check_key_identifiers(const struct lint *lint, struct why *why)
{
    if (!lint->self_issued && lint->cert.aki.len == 0)
        return fail(why, ERR_LINT,
                    "RFC 5280 4.2.1.1: authorityKeyIdentifier absent, must be there unless self-issued");
    if (lint->cert.is_ca && lint->cert.ski.len == 0)
        return fail(why, ERR_LINT, "RFC 5280 4.2.1.2: subjectKeyIdentifier of a CA absent, must be there");
    return OK;
}

static enum err check_ca_bits(const struct lint *lint, struct why *why)
{
    bool signs = lint->cert.key_usage & KU_KEY_CERT_SIGN;
    if (lint->cert.is_ca && !signs)
        return fail(why, ERR_LINT, "RFC 5280 4.2.1.3: cA TRUE, keyUsage %04X, must have keyCertSign",
                    lint->cert.key_usage);
    if (!lint->cert.is_ca && signs)
        return fail(why, ERR_LINT, "RFC 5280 4.2.1.9: cA FALSE, keyUsage %04X, must not have keyCertSign",
                    lint->cert.key_usage);
    return OK;
}

static enum err check_key_usage(const struct lint *lint, struct why *why)
{
    uint16_t usage = lint->cert.key_usage;
    if (!lint->cert.has_key_usage)
        return OK;
    if (usage == 0 || usage >= KU_DECIPHER_ONLY << 1)
        return fail(why, ERR_LINT, "RFC 5280 4.2.1.3: keyUsage %04X, must have at least 1 of bits 0 to 8",
                    usage);
    if (usage & (KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY) && !(usage & KU_KEY_AGREEMENT))
        return fail(why, ERR_LINT,
                    "RFC 5280 4.2.1.3: keyUsage %04X has encipherOnly or decipherOnly, needs keyAgreement",
                    usage);
    return OK;
}

/* What the key's algorithm can't do, its certificate must not claim (RFC 3279 2.3.1, RFC 8813 3). */
static enum err check_usage_of_key(const struct lint *lint, struct why *why)
{
    struct der_reader in = der_reader_over(lint->cert.spki), spki, algorithm;
    struct bytes oid;
    uint16_t usage = lint->cert.key_usage;
    if (!der_get_sequence(&in, &spki) || !der_get_sequence(&spki, &algorithm) ||
        !der_get_oid(&algorithm, &oid))
        return fail(why, ERR_LINT, "RFC 5280 4.1.2.7: SubjectPublicKeyInfo malformed");
    bool rsa = oid_is(oid, OID_RSA_ENCRYPTION);
    if (rsa && usage & KU_KEY_AGREEMENT)
        return fail(why, ERR_LINT,
                    "RFC 5280 4.2.1.3: RSA key, keyUsage %04X, must not have keyAgreement (RFC 3279 2.3.1)",
                    usage);
    if (!rsa && usage & (KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT))
        return fail(why, ERR_LINT,
                    "RFC 5280 4.2.1.3: EC key, keyUsage %04X, must not have keyEncipherment or "
                    "dataEncipherment (RFC 8813 3)",
                    usage);
    return OK;
}

static enum err check_san(const struct lint *lint, struct why *why)
{
    bool subject_empty = name_is_empty(lint->cert.subject);
    struct extension extension;
    struct why inner = { 0 };
    if (!extension_find(lint->cert.extensions, OID_EXT_SAN, &extension)) {
        if (subject_empty)
            return fail(why, ERR_LINT,
                        "RFC 5280 4.1.2.6: subject empty and subjectAltName absent, one must be there");
        return OK;
    }
    if (extension.critical != subject_empty)
        return fail(why, ERR_LINT,
                    "RFC 5280 4.2.1.6: subject %s, subjectAltName %s, must be critical just when empty",
                    subject_empty ? "empty" : "not empty", extension.critical ? "critical" : "not critical");
    if (san_check(extension.value, &inner) != OK)
        return fail(why, ERR_LINT, "RFC 5280 4.2.1.6: %.400s", inner.text);
    return OK;
}

static enum err check_eku(const struct lint *lint, struct why *why)
{
    struct der_reader in = der_reader_over(lint->cert.eku);
    struct extension extension;
    struct bytes oid, earlier;
    bool found = extension_find(lint->cert.extensions, OID_EXT_EKU, &extension);
    while (found && der_get_oid(&in, &oid)) {
        struct der_reader before = der_reader_over(lint->cert.eku);
        while (der_get_oid(&before, &earlier) && earlier.data != oid.data)
            if (bytes_equal(earlier, oid))
                return fail(why, ERR_LINT, "RFC 5280 4.2.1.12: extKeyUsage has %s twice, must be once",
                            oid_name(oid_find(oid)));
        if (extension.critical && oid_is(oid, OID_KP_ANY))
            return fail(why, ERR_LINT,
                        "RFC 5280 4.2.1.12: anyExtendedKeyUsage in a critical extKeyUsage, must not be");
    }
    return OK;
}

static enum err check_name_constraints(const struct lint *lint, struct why *why)
{
    struct extension extension;
    if (!lint->cert.is_ca && extension_find(lint->cert.extensions, OID_EXT_NAME_CONSTRAINTS, &extension))
        return fail(why, ERR_LINT, "RFC 5280 4.2.1.10: nameConstraints with cA FALSE, must be TRUE");
    return OK;
}

/* One or more URIs, each [6] (GeneralNames without their header). */
static bool uris_are_good(struct der_reader names)
{
    if (der_at_end(&names))
        return false;
    while (!der_at_end(&names)) {
        struct bytes uri;
        if (!der_get(&names, DER_CONTEXT(6), &uri) || !san_rule_uri(uri))
            return false;
    }
    return true;
}

static bool cdp_is_good(struct bytes value)
{
    struct der_reader in = der_reader_over(value), points, point, full;
    if (!der_get_sequence(&in, &points) || !der_at_end(&in) || der_at_end(&points))
        return false;
    while (!der_at_end(&points)) {
        if (!der_get_sequence(&points, &point) || !extension_get_full_name(&point, &full) ||
            !der_at_end(&point) || !uris_are_good(full))
            return false;
    }
    return true;
}

static bool aia_is_good(struct bytes value)
{
    struct der_reader in = der_reader_over(value), list, access;
    struct bytes method;
    if (!der_get_sequence(&in, &list) || !der_at_end(&in) || der_at_end(&list))
        return false;
    while (!der_at_end(&list)) {
        if (!der_get_sequence(&list, &access) || !der_get_oid(&access, &method))
            return false;
        if (!oid_is(method, OID_AD_OCSP) && !oid_is(method, OID_AD_CA_ISSUERS))
            return false;
        if (!uris_are_good(access))
            return false;
    }
    return true;
}

static enum err check_locations(const struct lint *lint, struct why *why)
{
    struct extension extension;
    if (extension_find(lint->cert.extensions, OID_EXT_CDP, &extension) && !cdp_is_good(extension.value))
        return fail(why, ERR_LINT,
                    "RFC 5280 4.2.1.13: cRLDistributionPoints must be points with absolute URIs");
    if (extension_find(lint->cert.extensions, OID_EXT_AIA, &extension) && !aia_is_good(extension.value))
        return fail(why, ERR_LINT,
                    "RFC 5280 4.2.2.1: authorityInfoAccess must be ocsp and caIssuers with absolute URIs");
    return OK;
}

const struct lint_rule lint_extension_rules[] = {
    { "values", check_values },
    { "unknown critical", check_unknown_critical },
    { "must be critical", check_must_be_critical },
    { "key identifiers", check_key_identifiers },
    { "keyUsage", check_key_usage },
    { "cA and keyCertSign", check_ca_bits },
    { "keyUsage of the key", check_usage_of_key },
    { "subjectAltName", check_san },
    { "extKeyUsage", check_eku },
    { "nameConstraints", check_name_constraints },
    { "CDP and AIA", check_locations },
    { NULL, NULL },
};
