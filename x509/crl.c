/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs read strictly (RFC 5280 5). */
#include "x509/crl.h"

#include "base/auto.h"
#include "base/limits.h"
#include "x509/cert.h"
#include "x509/name.h"
#include "x509/signed.h"
#include <stdio.h>
#include <strings.h>

static const struct {
    enum crl_reason reason;
    const char *name;
} reasons[] = {
    { CRL_UNSPECIFIED, "unspecified" },
    { CRL_KEY_COMPROMISE, "keyCompromise" },
    { CRL_CA_COMPROMISE, "cACompromise" },
    { CRL_AFFILIATION_CHANGED, "affiliationChanged" },
    { CRL_SUPERSEDED, "superseded" },
    { CRL_CESSATION_OF_OPERATION, "cessationOfOperation" },
    { CRL_CERTIFICATE_HOLD, "certificateHold" },
    { CRL_REMOVE_FROM_CRL, "removeFromCRL" },
    { CRL_PRIVILEGE_WITHDRAWN, "privilegeWithdrawn" },
    { CRL_AA_COMPROMISE, "aACompromise" },
};
#define REASONS (sizeof(reasons) / sizeof(*reasons))

bool crl_reason_by_name(const char *name, enum crl_reason *ret)
{
    for (size_t i = 0; i < REASONS; i++) {
        char number[12];
        snprintf(number, sizeof(number), "%d", (int)reasons[i].reason);
        if (strcasecmp(reasons[i].name, name) != 0 && strcmp(number, name) != 0)
            continue;
        *ret = reasons[i].reason;
        return true;
    }
    return false;
}

const char *crl_reason_name(enum crl_reason reason)
{
    for (size_t i = 0; i < REASONS; i++)
        if (reasons[i].reason == reason)
            return reasons[i].name;
    return NULL;
}

/* CRLReason ::= ENUMERATED, in one octet (RFC 5280 5.3.1) */
static bool read_reason(struct bytes value, enum crl_reason *ret)
{
    struct der_reader in = der_reader_over(value);
    struct bytes content;
    if (!der_get(&in, DER_ENUMERATED, &content) || !der_at_end(&in) || content.len != 1)
        return false;
    if (!crl_reason_name((enum crl_reason)content.data[0]))
        return false;
    *ret = (enum crl_reason)content.data[0];
    return true;
}

/* RFC 5280 5.3: an unknown critical entry extension makes the CRL unusable; other ones say nothing to us. */
static bool read_entry_extensions(struct bytes content, struct crl_entry *entry)
{
    struct der_reader in = der_reader_over(content);
    if (extensions_check(content, NULL) != OK)
        return false;
    while (!der_at_end(&in)) {
        struct extension extension;
        if (!extension_next(&in, &extension) || extension.critical)
            return false;
        if (oid_is(extension.oid, OID_EXT_REASON) && !read_reason(extension.value, &entry->reason))
            return false;
    }
    return true;
}

bool crl_next(struct der_reader *entries, struct crl_entry *ret)
{
    struct der_reader at = *entries, inside, extensions;
    struct crl_entry entry = { .reason = CRL_UNSPECIFIED };
    if (!der_get_sequence(&at, &inside) || !der_get_unsigned_bytes(&inside, &entry.serial))
        return false;
    if (entry.serial.len > LIMIT_SERIAL_BYTES_MAX || !der_get_time(&inside, &entry.revoked_at))
        return false;
    if (!der_at_end(&inside)) {
        if (!der_get_sequence(&inside, &extensions) || !der_at_end(&inside))
            return false;
        if (!read_entry_extensions(extensions.rest, &entry))
            return false;
    }
    *entries = at;
    *ret = entry;
    return true;
}

static bool read_number(struct bytes value, int64_t *ret)
{
    struct der_reader in = der_reader_over(value);
    return der_get_int64(&in, ret) && der_at_end(&in) && *ret >= 0;
}

static bool read_aki(struct bytes value, struct crl *crl)
{
    struct der_reader in = der_reader_over(value), inside;
    return der_get_sequence(&in, &inside) && der_at_end(&in) && der_get(&inside, DER_CONTEXT(0), &crl->aki) &&
           der_at_end(&inside) && crl->aki.len > 0;
}

/* RFC 5280 5.2.4: critical, or who does not know it would take what changed for all there is. */
static enum err get_delta(struct bytes extensions, struct crl *crl, struct why *why)
{
    struct extension extension;
    if (!extension_find(extensions, OID_EXT_DELTA_CRL, &extension))
        return OK;
    if (!extension.critical || !read_number(extension.value, &crl->base_number))
        return fail(why, ERR_MALFORMED, "CRL: deltaCRLIndicator malformed or not critical (RFC 5280 5.2.4)");
    if (crl->base_number > crl->number)
        return fail(why, ERR_MALFORMED, "delta CRL %lld is based on the later %lld (RFC 5280 5.2.4)",
                    (long long)crl->number, (long long)crl->base_number);
    crl->is_delta = true;
    return OK;
}

/* RFC 5280 5.2.5: critical, or who does not know it would take one partition for all there is. A place alone: which kinds of
   certificates or reasons it were about, and indirect CRLs, are not supported. */
static enum err get_idp(struct bytes extensions, struct crl *crl, struct why *why)
{
    struct extension extension;
    struct der_reader point, names;
    struct bytes url;
    if (!extension_find(extensions, OID_EXT_IDP, &extension))
        return OK;
    struct der_reader in = der_reader_over(extension.value);
    bool good = extension.critical && der_get_sequence(&in, &point) && der_at_end(&in) &&
                extension_get_full_name(&point, &names) && der_at_end(&point) && !der_at_end(&names);
    while (good && !der_at_end(&names))
        good = der_get(&names, DER_CONTEXT(6), &url) && url.len > 0;
    if (!good)
        return fail(why, ERR_MALFORMED,
                    "CRL: issuingDistributionPoint not critical, or not URLs alone (RFC 5280 5.2.5)");
    crl->idp = extension.value;
    return OK;
}

static enum err get_extensions(struct der_reader *in, struct crl *crl, struct why *why)
{
    struct der_reader tagged, content;
    struct extension extension;
    if (!der_get_constructed(in, DER_CONTEXT_CONSTRUCTED(0), &tagged) ||
        !der_get_sequence(&tagged, &content) || !der_at_end(&tagged) || !der_at_end(in))
        return fail(why, ERR_MALFORMED, "CRL extensions absent or malformed (RFC 5280 5.2)");
    TRY(extensions_check(content.rest, why));
    if (!extension_find(content.rest, OID_EXT_CRL_NUMBER, &extension) ||
        !read_number(extension.value, &crl->number))
        return fail(why, ERR_MALFORMED, "CRL without a usable cRLNumber (RFC 5280 5.2.3)");
    if (!extension_find(content.rest, OID_EXT_AKI, &extension) || !read_aki(extension.value, crl))
        return fail(why, ERR_MALFORMED, "CRL without a usable authority key identifier (RFC 5280 5.2.1)");
    TRY(get_delta(content.rest, crl, why));
    TRY(get_idp(content.rest, crl, why));
    while (extension_next(&content, &extension)) {
        AUTO_BUF dotted = { 0 };
        if (!extension.critical || oid_is(extension.oid, OID_EXT_DELTA_CRL) ||
            oid_is(extension.oid, OID_EXT_IDP))
            continue;
        oid_append_dotted(&dotted, extension.oid);
        return fail(why, ERR_MALFORMED,
                    "CRL with critical extension %s, which is not supported (RFC 5280 5.2)",
                    buf_text(&dotted));
    }
    return OK;
}

static enum err get_entries(struct der_reader *in, struct crl *crl, bool *ret_removes, struct why *why)
{
    struct der_reader entries;
    size_t count = 0;
    *ret_removes = false;
    if (!der_next_is(in, DER_SEQUENCE))
        return OK;
    if (!der_get_sequence(in, &entries) || der_at_end(&entries))
        return fail(why, ERR_MALFORMED,
                    "CRL with an empty revokedCertificates, must be absent (RFC 5280 5.1.2.6)");
    crl->entries = entries.rest;
    for (struct crl_entry entry; !der_at_end(&entries); count++) {
        if (!crl_next(&entries, &entry))
            return fail(why, ERR_MALFORMED, "CRL entry %zu malformed (RFC 5280 5.1.2.6, 5.3)", count + 1);
        *ret_removes = *ret_removes || entry.reason == CRL_REMOVE_FROM_CRL;
    }
    return OK;
}

static enum err get_head(struct der_reader *in, struct crl *crl, struct why *why)
{
    int64_t version;
    if (!der_get_int64(in, &version) || version != 1)
        return fail(why, ERR_MALFORMED, "CRL version field is not 1 (RFC 5280 5.1.2.1)");
    TRY(signed_algorithm_get(in, "CRL", &crl->algorithm, &crl->algorithm_der, why));
    if (!der_get_whole(in, DER_SEQUENCE, &crl->issuer))
        return fail(why, ERR_MALFORMED, "CRL issuer malformed (RFC 5280 5.1.2.3)");
    TRY(name_check(crl->issuer, why));
    if (name_is_empty(crl->issuer))
        return fail(why, ERR_MALFORMED, "CRL issuer is empty, must not be (RFC 5280 5.1.2.3)");
    if (!der_get_time(in, &crl->this_update) || !der_get_time(in, &crl->next_update))
        return fail(why, ERR_MALFORMED,
                    "CRL thisUpdate or nextUpdate absent or malformed (RFC 5280 5.1.2.4, .5)");
    if (crl->this_update >= crl->next_update)
        return fail(why, ERR_MALFORMED,
                    "CRL thisUpdate %lld is not before nextUpdate %lld (RFC 5280 5.1.2.5)",
                    (long long)crl->this_update, (long long)crl->next_update);
    return OK;
}

/* Entries are left to crl_next, which reads every octet of them just as strictly: a million are not gone through twice. */
static bool around_entries_is_valid(struct der_reader fields)
{
    struct der_item item;
    for (size_t at = 0; !der_at_end(&fields); at++) {
        struct bytes whole = fields.rest;
        if (!der_get_any(&fields, &item))
            return false;
        whole.len -= fields.rest.len;
        /* behind version, signature, issuer and the two times */
        bool is_entries = at == 5 && item.tag == DER_SEQUENCE;
        if (!is_entries && !der_is_valid(whole))
            return false;
    }
    return true;
}

enum err crl_tbs_parse(struct bytes tbs, struct crl *ret, struct why *why)
{
    struct crl crl = { .tbs = tbs };
    struct der_reader in = der_reader_over(tbs), fields;
    bool removes;
    if (tbs.len > LIMIT_CRL_FRAME_BYTES)
        return fail(why, ERR_LIMIT, "TBSCertList of %zu bytes, limit %d", tbs.len, LIMIT_CRL_FRAME_BYTES);
    if (!der_get_sequence(&in, &fields) || !der_at_end(&in) || !around_entries_is_valid(fields))
        return fail(why, ERR_MALFORMED, "TBSCertList is not one DER SEQUENCE (RFC 5280 5.1)");
    TRY(get_head(&fields, &crl, why));
    TRY(get_entries(&fields, &crl, &removes, why));
    TRY(get_extensions(&fields, &crl, why));
    if (removes && !crl.is_delta)
        return fail(why, ERR_MALFORMED,
                    "CRL with a removeFromCRL entry, which only a delta has (RFC 5280 5.3.1)");
    *ret = crl;
    return OK;
}

enum err crl_parse(struct bytes der, struct crl *ret, struct why *why)
{
    struct signed_object object;
    struct crl crl;
    TRY(signed_split(der, LIMIT_CRL_FRAME_BYTES, "CRL", &object, why));
    TRY(crl_tbs_parse(object.body, &crl, why));
    if (!bytes_equal(object.algorithm_der, crl.algorithm_der))
        return fail(why, ERR_MALFORMED, "CRL: inner and outer signature algorithm differ (RFC 5280 5.1.1.2)");
    crl.der = der;
    crl.signature = object.signature;
    *ret = crl;
    return OK;
}

enum err crl_verify(const struct crl *crl, const struct public_key *issuer_key, struct why *why)
{
    struct signed_object object = { crl->tbs, crl->algorithm_der, crl->algorithm, crl->signature };
    return signed_verify(&object, issuer_key, "CRL", why);
}
