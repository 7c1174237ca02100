/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's limits, one function for each rule. */
#include "signer/limits.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/fault.h"
#include "base/limits.h"
#include "x509/name.h"

#define DAY_S        86400
#define CLOCK_SKEW_S 300   /* one host: its clock may be set back between T1 and the seal, or two CRLs */
#define LATE_SEAL_S  DAY_S /* how long after its TBS was built a certificate may still be sealed */
/* Another time would allow it: our clock is no reason to refuse a device for good. */
#define CLOCK_SAYS_NO ERR_UNAVAILABLE

static enum err eku_read(const struct config *config, const struct config_section *ca, const char *text,
                         struct buf *ret, struct why *why)
{
    enum oid known = oid_by_name(text);
    if (known != OID_UNKNOWN) {
        *ret = buf_dup(oid_bytes(known));
        return OK;
    }
    if (oid_from_dotted(text, ret))
        return OK;
    return fail(why, ERR_CONFIG,
                "%s:%d: option allowed_eku has \"%.80s\"; allowed is a known purpose or a dotted number",
                config_path(config), config_line(ca, "allowed_eku"), text);
}

static void cdp_read(const struct config_section *ca, struct ca_limits *limits)
{
    size_t count = config_list_count(ca, "cdp_urls");
    limits->cdp = (struct crl_urls){ xcalloc(count + 1, sizeof(*limits->cdp.list)), count };
    for (size_t i = 0; i < count; i++)
        limits->cdp.list[i] = xstrdup(config_list_at(ca, "cdp_urls", i));
    limits->partitions = (struct crl_partitions){ (unsigned)config_int(ca, "crl_partitions"),
                                                  (const char *const *)limits->cdp.list, count };
}

enum err ca_limits_read(const struct config *config, const struct config_section *ca, struct ca_limits *ret,
                        struct why *why)
{
    struct ca_limits limits = {
        .validity_max_s = config_int(ca, "validity_max") * DAY_S,
        .backdate_s = config_int(ca, "backdate"),
        .crl_span_max_s = (config_int(ca, "crl_validity") + config_int(ca, "crl_overlap")) * 3600,
        .eku_count = config_list_count(ca, "allowed_eku"),
    };
    cdp_read(ca, &limits);
    limits.ekus = xcalloc(limits.eku_count, sizeof(*limits.ekus));
    for (size_t i = 0; i < limits.eku_count; i++) {
        enum err err = eku_read(config, ca, config_list_at(ca, "allowed_eku", i), &limits.ekus[i], why);
        if (err != OK) {
            ca_limits_clear(&limits);
            return err;
        }
    }
    *ret = limits;
    return OK;
}

void ca_limits_clear(struct ca_limits *limits)
{
    for (size_t i = 0; i < limits->eku_count; i++)
        buf_free(&limits->ekus[i]);
    free(limits->ekus);
    crl_urls_free(&limits->cdp);
    *limits = (struct ca_limits){ 0 };
}

static enum err check_issuer(const struct ca_limits *limits, struct bytes issuer, struct why *why)
{
    if (FAULT(signer_issuer) || bytes_equal(issuer, limits->issuer))
        return OK;
    AUTO_BUF found = { 0 };
    AUTO_BUF wanted = { 0 };
    name_append_text(&found, issuer);
    name_append_text(&wanted, limits->issuer);
    return fail(why, ERR_SIGNER_LIMIT,
                "issuer is \"%.160s\", must be the CA's subject \"%.160s\" byte for byte", buf_text(&found),
                buf_text(&wanted));
}

static enum err check_key_id(const struct ca_limits *limits, struct bytes aki, struct why *why)
{
    if (FAULT(signer_key_id) || bytes_equal(aki, limits->key_id))
        return OK;
    AUTO_BUF found = { 0 };
    AUTO_BUF wanted = { 0 };
    hex_append_upper(&found, aki);
    hex_append_upper(&wanted, limits->key_id);
    return fail(why, ERR_SIGNER_LIMIT, "authorityKeyIdentifier is %.80s, must be the CA's %.80s",
                aki.len ? buf_text(&found) : "absent", buf_text(&wanted));
}

static enum err check_algorithm(const struct ca_limits *limits, struct signature_algorithm algorithm,
                                struct why *why)
{
    if (FAULT(signer_algorithm) ||
        (algorithm.rsa == limits->algorithm.rsa && algorithm.digest == limits->algorithm.digest))
        return OK;
    return fail(why, ERR_SIGNER_LIMIT, "signature algorithm is %s with %s, must be the CA key's %s with %s",
                algorithm.rsa ? "RSA" : "ECDSA", digest_name(algorithm.digest),
                limits->algorithm.rsa ? "RSA" : "ECDSA", digest_name(limits->algorithm.digest));
}

static enum err check_end_entity(const struct cert *tbs, struct why *why)
{
    if (!FAULT(signer_ca_false) && tbs->is_ca)
        return fail(why, ERR_SIGNER_LIMIT,
                    "basicConstraints has cA TRUE, must be FALSE: CAs are made by chancery init alone");
    AUTO_BUF usage = { 0 };
    key_usage_append_text(&usage, tbs->key_usage);
    if (!FAULT(signer_key_usage) && tbs->key_usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN))
        return fail(why, ERR_SIGNER_LIMIT, "keyUsage is %s, must be without keyCertSign and cRLSign",
                    buf_text(&usage));
    return OK;
}

static enum err check_purpose(const struct ca_limits *limits, struct bytes oid, const char *where,
                              struct why *why)
{
    bool allowed = false;
    for (size_t i = 0; i < limits->eku_count; i++)
        allowed = allowed || bytes_equal(oid, buf_bytes(&limits->ekus[i]));
    if (FAULT(signer_eku) || (allowed && !oid_is(oid, OID_KP_ANY)))
        return OK;
    AUTO_BUF dotted = { 0 };
    oid_append_dotted(&dotted, oid);
    return fail(why, ERR_SIGNER_LIMIT, "%s has %.80s, must be among the %zu of allowed_eku", where,
                buf_text(&dotted), limits->eku_count);
}

static enum err check_eku(const struct ca_limits *limits, const struct cert *tbs, struct why *why)
{
    struct der_reader in = der_reader_over(tbs->eku);
    struct bytes oid;
    /* Without it the certificate would be good for everything. */
    if (!FAULT(signer_eku_absent) && der_at_end(&in))
        return fail(why, ERR_SIGNER_LIMIT, "extKeyUsage is absent, must be some of the %zu of allowed_eku",
                    limits->eku_count);
    while (!der_at_end(&in)) {
        if (!der_get_oid(&in, &oid))
            return fail(why, ERR_SIGNER_LIMIT, "extKeyUsage is malformed, must be object identifiers");
        TRY(check_purpose(limits, oid, "extKeyUsage", why));
    }
    return OK;
}

/* Windows reads Microsoft's application policies as purposes, and before extKeyUsage. */
static enum err check_application_policies(const struct ca_limits *limits, const struct cert *tbs,
                                           struct why *why)
{
    struct extension extension;
    struct der_reader policies, policy;
    struct bytes oid;
    if (!extension_find(tbs->extensions, OID_MS_APPLICATION_POLICIES, &extension))
        return OK;
    struct der_reader in = der_reader_over(extension.value);
    bool whole = der_get_sequence(&in, &policies) && der_at_end(&in);
    while (whole && !der_at_end(&policies)) {
        whole = der_get_sequence(&policies, &policy) && der_get_oid(&policy, &oid);
        if (whole)
            TRY(check_purpose(limits, oid, "application policies", why));
    }
    return whole ? OK : fail(why, ERR_SIGNER_LIMIT, "application policies are malformed, must be policies");
}

static enum err check_serial(const struct cert *tbs, struct why *why)
{
    struct bytes serial = tbs->serial;
    size_t sign = serial.len && serial.data[0] == 0;
    bool positive = serial.len && !(serial.data[0] & 0x80) && serial.len > sign;
    size_t len = serial.len - sign;
    if (FAULT(signer_serial) ||
        (positive && len >= LIMIT_SERIAL_BYTES_MIN && serial.len <= LIMIT_SERIAL_BYTES_MAX))
        return OK;
    return fail(why, ERR_SIGNER_LIMIT, "serial is %s and has %zu octets, must be positive and have %d to %d",
                positive ? "positive" : "not positive", len, LIMIT_SERIAL_BYTES_MIN, LIMIT_SERIAL_BYTES_MAX);
}

static enum err fail_times(struct why *why, enum err err, const char *rule, int64_t found, int64_t wanted)
{
    char found_text[21], wanted_text[21];
    clock_rfc3339(found, found_text);
    clock_rfc3339(wanted, wanted_text);
    return fail(why, err, "%s %s, limit %s", rule, found_text, wanted_text);
}

static enum err check_validity(const struct ca_limits *limits, const struct cert *tbs, int64_t now,
                               struct why *why)
{
    int64_t span = tbs->not_after - tbs->not_before, most = limits->validity_max_s + limits->backdate_s;
    if (limits->ca_not_after < now)
        return fail_times(why, CLOCK_SAYS_NO, "the CA's own certificate has expired; now is", now,
                          limits->ca_not_after);
    if (!FAULT(signer_validity) && span > most)
        return fail(why, ERR_SIGNER_LIMIT,
                    "validity is %lld s, must be at most validity_max + backdate = %lld s", (long long)span,
                    (long long)most);
    if (!FAULT(signer_not_after) && tbs->not_after > limits->ca_not_after)
        return fail_times(why, ERR_SIGNER_LIMIT, "notAfter is beyond the CA's own:", tbs->not_after,
                          limits->ca_not_after);
    if (!FAULT(signer_not_before) && tbs->not_before > now + CLOCK_SKEW_S)
        return fail_times(why, CLOCK_SAYS_NO, "notBefore is in the future:", tbs->not_before,
                          now + CLOCK_SKEW_S);
    int64_t earliest = now - limits->backdate_s - LATE_SEAL_S;
    if (tbs->not_before < earliest)
        return fail_times(why, CLOCK_SAYS_NO, "notBefore is too far back:", tbs->not_before, earliest);
    return OK;
}

/* A certificate that named another partition's CRL would never be on the one it names, revoked or not. */
static enum err check_cdp(const struct ca_limits *limits, const struct cert *tbs, struct why *why)
{
    const struct crl_partitions *all = &limits->partitions;
    struct extension extension;
    if (FAULT(signer_cdp) || !crl_is_partitioned(all))
        return OK;
    unsigned partition = crl_partition_of(all->count, tbs->serial);
    if (extension_find(tbs->extensions, OID_EXT_CDP, &extension) &&
        crl_partition_is_cdp(all, partition, extension.value))
        return OK;
    AUTO_VAL(crl_urls) urls = crl_partition_urls(all, partition);
    return fail(
        why, ERR_SIGNER_LIMIT,
        "cRLDistributionPoints do not name the CRL of the serial's partition %u of %u, must be the %zu "
        "of cdp_urls, first %.120s",
        partition, all->count, urls.count, urls.list[0]);
}

enum err ca_limits_check_cert(const struct ca_limits *limits, const struct cert *tbs, int64_t now,
                              struct why *why)
{
    TRY(check_issuer(limits, tbs->issuer, why));
    TRY(check_key_id(limits, tbs->aki, why));
    TRY(check_algorithm(limits, tbs->algorithm, why));
    TRY(check_end_entity(tbs, why));
    TRY(check_eku(limits, tbs, why));
    if (!FAULT(signer_policies))
        TRY(check_application_policies(limits, tbs, why));
    TRY(check_serial(tbs, why));
    TRY(check_cdp(limits, tbs, why));
    return check_validity(limits, tbs, now, why);
}

/* Full and delta CRLs share one sequence; two that are issued together have the same number (RFC 5280 5.2.3), the full one
   first. */
static enum err check_crl_number(const struct crl *tbs, const struct crl_numbers *last, struct why *why)
{
    int64_t highest = last->full > last->delta ? last->full : last->delta;
    if (!FAULT(signer_crl_number) && !tbs->is_delta && tbs->number <= highest)
        return fail(why, ERR_SIGNER_LIMIT, "cRLNumber is %lld, must be greater than the last one, %lld",
                    (long long)tbs->number, (long long)highest);
    if (!FAULT(signer_delta_number) && tbs->is_delta &&
        (tbs->number <= last->delta || tbs->number < last->full))
        return fail(why, ERR_SIGNER_LIMIT,
                    "cRLNumber of a delta is %lld, must be greater than the last delta's, %lld, and not less "
                    "than the last full CRL's, %lld",
                    (long long)tbs->number, (long long)last->delta, (long long)last->full);
    if (!FAULT(signer_delta_base) && tbs->is_delta && tbs->base_number > last->full)
        return fail(why, ERR_SIGNER_LIMIT,
                    "BaseCRLNumber is %lld, must be that of a full CRL: the last one is %lld",
                    (long long)tbs->base_number, (long long)last->full);
    return OK;
}

/* Each CRL is about one partition, or about all where there are none: one that said less than it seems to would hide
   revocations (RFC 5280 5.2.5). */
static enum err check_scope(const struct ca_limits *limits, const struct crl *tbs, struct why *why)
{
    const struct crl_partitions *all = &limits->partitions;
    if (FAULT(signer_crl_scope))
        return OK;
    if (!crl_is_partitioned(all) && tbs->idp.len)
        return fail(why, ERR_SIGNER_LIMIT,
                    "the CRL has an issuingDistributionPoint, and crl_partitions is 1: must be complete");
    if (crl_is_partitioned(all) && !crl_partition_by_idp(all, tbs->idp))
        return fail(
            why, ERR_SIGNER_LIMIT,
            "issuingDistributionPoint of %zu octets is none of the %u partitions', must be the %zu of "
            "cdp_urls with one's number",
            tbs->idp.len, all->count, all->url_count);
    return OK;
}

enum err ca_limits_check_crl(const struct ca_limits *limits, const struct crl *tbs,
                             const struct crl_numbers *last, int64_t now, struct why *why)
{
    TRY(check_issuer(limits, tbs->issuer, why));
    TRY(check_key_id(limits, tbs->aki, why));
    TRY(check_algorithm(limits, tbs->algorithm, why));
    TRY(check_scope(limits, tbs, why));
    TRY(check_crl_number(tbs, last, why));
    /* Nobody believes a CRL of an expired CA; one that a wrong clock made would only hold up all that follow. */
    if (limits->ca_not_after < now)
        return fail_times(why, CLOCK_SAYS_NO, "the CA's own certificate has expired; now is", now,
                          limits->ca_not_after);
    /* thisUpdate never goes back: after a clock that was set back a little it is a little ahead. */
    if (tbs->this_update > now + CLOCK_SKEW_S)
        return fail_times(why, CLOCK_SAYS_NO, "thisUpdate is in the future:", tbs->this_update,
                          now + CLOCK_SKEW_S);
    if (tbs->next_update <= tbs->this_update)
        return fail_times(why, ERR_SIGNER_LIMIT, "nextUpdate is not after thisUpdate:", tbs->next_update,
                          tbs->this_update);
    int64_t latest = tbs->this_update + limits->crl_span_max_s;
    /* or one CRL without entries would hide every later revocation */
    if (!FAULT(signer_crl_span) && tbs->next_update > latest)
        return fail_times(why, ERR_SIGNER_LIMIT,
                          "nextUpdate is later than crl_validity + crl_overlap allow:", tbs->next_update,
                          latest);
    return OK;
}
