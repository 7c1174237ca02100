/* SPDX-License-Identifier: Apache-2.0 */
/* Linting of a finished TBSCertificate before anybody signs it: it is read anew, without what the builder
   knew. Here the rules for fields (RFC 5280 4.1). */
#include "x509/lint.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/limits.h"
#include "x509/name.h"
#include "x509/name_type.h"
#include "x509/text.h"

static enum err check_version(const struct lint *lint, struct why *why)
{
    if (lint->cert.version != 3)
        return fail(why, ERR_LINT, "RFC 5280 4.1.2.1: version %d, must be 3", lint->cert.version);
    return OK;
}

static enum err check_serial(const struct lint *lint, struct why *why)
{
    struct bytes serial = lint->cert.serial;
    if (serial.data[0] & 0x80)
        return fail(why, ERR_LINT,
                    "RFC 5280 4.1.2.2: serial begins with %02X, so is negative, must be positive",
                    serial.data[0]);
    if (serial.len < LIMIT_SERIAL_BYTES_MIN || serial.len > LIMIT_SERIAL_BYTES_MAX)
        return fail(why, ERR_LINT, "RFC 5280 4.1.2.2: serial of %zu octets, must be %d to %d", serial.len,
                    LIMIT_SERIAL_BYTES_MIN, LIMIT_SERIAL_BYTES_MAX);
    return OK;
}

static enum err check_signature(const struct lint *lint, struct why *why)
{
    if (lint->cert.algorithm.digest == DIGEST_SHA1)
        return fail(why, ERR_LINT, "RFC 5280 4.1.2.3: signature with %s, must be SHA-2",
                    digest_name(DIGEST_SHA1));
    return OK;
}

static enum err check_issuer(const struct lint *lint, struct why *why)
{
    if (name_is_empty(lint->cert.issuer))
        return fail(why, ERR_LINT, "RFC 5280 4.1.2.4: issuer has 0 RDNs, must have at least 1");
    return OK;
}

static enum err check_time(const struct der_item *item, const char *what, struct why *why)
{
    struct der_reader in = der_reader_over(item->whole);
    int64_t utc;
    if (!der_get_time(&in, &utc))
        return fail(why, ERR_LINT, "RFC 5280 4.1.2.5: %s malformed", what);
    int year = calendar_of(utc).year;
    uint8_t wanted = year >= 1950 && year <= 2049 ? DER_UTC_TIME : DER_GENERALIZED_TIME;
    if (item->tag != wanted)
        return fail(why, ERR_LINT, "RFC 5280 4.1.2.5: %s in year %d has tag %02X, must be %02X", what, year,
                    item->tag, wanted);
    return OK;
}

static enum err check_times(const struct lint *lint, struct why *why)
{
    TRY(check_time(&lint->not_before, "notBefore", why));
    TRY(check_time(&lint->not_after, "notAfter", why));
    if (lint->cert.not_before > lint->cert.not_after)
        return fail(why, ERR_LINT, "RFC 5280 4.1.2.5: notBefore %lld, must not be after notAfter %lld",
                    (long long)lint->cert.not_before, (long long)lint->cert.not_after);
    return OK;
}

static enum err check_ca_subject(const struct lint *lint, struct why *why)
{
    if (lint->cert.is_ca && name_is_empty(lint->cert.subject))
        return fail(why, ERR_LINT, "RFC 5280 4.1.2.6: subject of a CA has 0 RDNs, must have at least 1");
    return OK;
}

static enum err check_subject_value(const struct name_attribute *attribute, struct why *why)
{
    AUTO_BUF text = { 0 };
    const struct name_type *type = name_type_of(attribute->oid);
    const char *label = type->oid == OID_UNKNOWN ? "attribute" : oid_name(type->oid);
    if (attribute->tag != type->tag)
        return fail(why, ERR_LINT, "RFC 5280 4.1.2.6: subject %s has string type %02X, must be %02X", label,
                    attribute->tag, type->tag);
    if (!name_value_utf8(attribute, &text) || !name_type_holds(type, buf_bytes(&text)))
        return fail(why, ERR_LINT, "RFC 5280 A.1: subject %s \"%.80s\" does not fit string type %02X", label,
                    buf_text(&text), type->tag);
    size_t length = text_length(buf_bytes(&text));
    if (length > type->most)
        return fail(why, ERR_LINT, "RFC 5280 A.1: subject %s of %zu characters, at most %zu", label, length,
                    type->most);
    if (type->oid == OID_C && length != 2)
        return fail(why, ERR_LINT, "RFC 5280 A.1: subject C of %zu characters, must be 2", length);
    return OK;
}

static enum err check_strings(struct bytes subject, struct why *why)
{
    struct name_reader reader = name_reader_over(subject);
    struct name_attribute attribute;
    while (name_next(&reader, &attribute))
        TRY(check_subject_value(&attribute, why));
    return OK;
}

/* X.690 11.6: a SET OF is sorted; equal members would be the same attribute twice. */
static enum err check_order(struct bytes subject, struct why *why)
{
    struct name_reader reader = name_reader_over(subject);
    struct der_reader rdn;
    struct der_item before, item;
    while (der_get_set(&reader.rdns, &rdn)) {
        if (!der_get_any(&rdn, &before))
            return fail(why, ERR_LINT,
                        "RFC 5280 4.1.2.4: subject with an empty RDN, must have at least 1 attribute");
        for (size_t at = 2; der_get_any(&rdn, &item); at++) {
            if (bytes_compare(before.whole, item.whole) >= 0)
                return fail(
                    why, ERR_LINT,
                    "RFC 5280 4.1: subject RDN has attribute %zu not behind attribute %zu (X.690 11.6)", at,
                    at - 1);
            before = item;
        }
    }
    return OK;
}

enum err subject_lint(struct bytes subject, struct why *why)
{
    TRY(check_strings(subject, why));
    return check_order(subject, why);
}

static enum err check_subject_strings(const struct lint *lint, struct why *why)
{
    return check_strings(lint->cert.subject, why);
}

static enum err check_subject_order(const struct lint *lint, struct why *why)
{
    return check_order(lint->cert.subject, why);
}

static enum err check_public_key(const struct lint *lint, struct why *why)
{
    struct der_reader in = der_reader_over(lint->cert.spki), spki, algorithm;
    struct bytes oid;
    if (!der_get_sequence(&in, &spki) || !der_get_sequence(&spki, &algorithm) ||
        !der_get_oid(&algorithm, &oid))
        return fail(why, ERR_LINT, "RFC 5280 4.1.2.7: SubjectPublicKeyInfo malformed");
    if (!oid_is(oid, OID_RSA_ENCRYPTION) && !oid_is(oid, OID_EC_PUBLIC_KEY)) {
        AUTO_BUF dotted = { 0 };
        oid_append_dotted(&dotted, oid);
        return fail(why, ERR_LINT,
                    "RFC 5280 4.1.2.7: public key of type %s, must be rsaEncryption or id-ecPublicKey",
                    buf_text(&dotted));
    }
    return OK;
}

const struct lint_rule lint_field_rules[] = {
    { "version", check_version },
    { "serial", check_serial },
    { "signature", check_signature },
    { "issuer", check_issuer },
    { "times", check_times },
    { "subject of a CA", check_ca_subject },
    { "subject strings", check_subject_strings },
    { "subject order", check_subject_order },
    { "public key", check_public_key },
    { NULL, NULL },
};

/* The two Time elements as they are written: tbs_parse gives only their value. */
static bool find_times(struct bytes tbs, struct lint *lint)
{
    struct der_reader in = der_reader_over(tbs), fields, validity;
    struct der_item skipped;
    if (!der_get_sequence(&in, &fields))
        return false;
    size_t before = lint->cert.version == 3 ? 4 : 3; /* version, serial, signature, issuer */
    for (size_t i = 0; i < before; i++)
        if (!der_get_any(&fields, &skipped))
            return false;
    return der_get_sequence(&fields, &validity) && der_get_any(&validity, &lint->not_before) &&
           der_get_any(&validity, &lint->not_after);
}

static enum err run_rules(const struct lint_rule *rule, const struct lint *lint, struct why *why)
{
    for (; rule->check; rule++)
        TRY(rule->check(lint, why));
    return OK;
}

enum err tbs_lint(struct bytes tbs, struct why *why)
{
    struct cert cert;
    struct why parse = { 0 };
    if (tbs_parse(tbs, &cert, &parse) != OK)
        return fail(why, ERR_LINT, "RFC 5280 4.1: %.400s", parse.text);
    return tbs_lint_parsed(&cert, why);
}

enum err tbs_lint_parsed(const struct cert *tbs, struct why *why)
{
    struct lint lint = { .cert = *tbs };
    if (!find_times(tbs->tbs, &lint))
        return fail(why, ERR_LINT, "RFC 5280 4.1.2.5: validity malformed");
    lint.self_issued = bytes_equal(lint.cert.issuer, lint.cert.subject);
    TRY(run_rules(lint_field_rules, &lint, why));
    return run_rules(lint_extension_rules, &lint, why);
}
