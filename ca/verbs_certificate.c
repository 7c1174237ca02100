/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, as administrators see, fetch and revoke them. */
#include "ca/certificate.h"
#include "ca/revoke.h"
#include "ca/verbs.h"

#include "base/encode.h"
#include "base/log.h"
#include <stdlib.h>

#define LIST_QUERY                                                                                           \
    "SELECT serial, issuer_id, request_id, requester, template, subject, san, not_before, not_after, "       \
    "status, issued_at, revoked_at FROM certificate WHERE issuer_id = $1 "

static const struct verb_column list_columns[] = {
    { "serial", COLUMN_TEXT },    { "ca", COLUMN_TEXT },        { "request", COLUMN_INT },
    { "requester", COLUMN_TEXT }, { "template", COLUMN_TEXT },  { "subject", COLUMN_TEXT },
    { "names", COLUMN_TEXT },     { "effective", COLUMN_TIME }, { "expires", COLUMN_TIME },
    { "status", COLUMN_TEXT },    { "issued", COLUMN_TIME },    { "revoked", COLUMN_TIME },
};

/* What is valid now and not any more that soon, the first to expire first. */
static enum err list_expiring(struct ca *ca, const struct record *record, int64_t within_s, struct buf *ret,
                              struct why *why)
{
    struct issuer *issuer;
    int64_t limit, now = clock_now(ca->clock);
    struct bytes before;
    AUTO_STR status = NULL;
    TRY(verb_issuer(ca, record, &issuer, why));
    TRY(verb_limit(record, &limit, why));
    TRY(verb_word(record, "status", "valid", &status, why)); /* a revoked one is not waited for */
    if (record_find(record, "before", &before))
        return fail(why, ERR_USAGE, "expiring and before don't go together: the first to expire comes first");
    struct verb_listing listing = {
        LIST_QUERY
        "AND status = 'valid' AND not_after >= $2 AND not_after <= $3 ORDER BY not_after, serial LIMIT $4",
        S_ARGS(S_TEXT(issuer->name), S_INT(now), S_INT(now + within_s), S_INT(limit + 1)),
        COLUMNS(list_columns),
        0,
        "",
        { (size_t)limit, NULL }
    };
    return verb_list(ca, &listing, ret, why);
}

enum err verb_cert_list(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                        struct why *why)
{
    static const struct verb_filter filter = { "status",
                                               NULL,
                                               "valid revoked",
                                               LIST_QUERY
                                               "AND request_id < $2 AND status IN ($3, $4, $5, $6, $7) "
                                               "ORDER BY request_id DESC, serial LIMIT $8",
                                               COLUMNS(list_columns),
                                               "request" };
    struct record record;
    int64_t within_s = 0;
    (void)caller;
    TRY(record_get(body, &record, why));
    TRY(verb_span(&record, "expiring", &within_s, why));
    return within_s ? list_expiring(role, &record, within_s, ret, why)
                    : verb_filtered(role, &filter, body, ret, why);
}

struct target {
    struct issuer *issuer;
    struct record record;
    char *serial;
};

static void target_free(struct target *target)
{
    free(target->serial);
}

static enum err target_get(struct ca *ca, struct bytes body, struct target *ret, struct why *why)
{
    AUTO_STR text = NULL;
    TRY(record_get(body, &ret->record, why));
    TRY(verb_issuer(ca, &ret->record, &ret->issuer, why));
    TRY(verb_field(&ret->record, "serial", &text, why));
    return serial_from_text(text, &ret->serial, why);
}

static void digest_put_field(struct buf *out, const char *name, enum digest digest, struct bytes der)
{
    uint8_t octets[DIGEST_MAX_BYTES];
    AUTO_BUF text = { 0 };
    if (digest_compute(digest, der, octets, NULL) != OK)
        return;
    hex_append_upper(&text, bytes_of(octets, digest_size(digest)));
    record_put(out, name, buf_bytes(&text));
}

struct show_arg {
    const struct target *target;
    const char *note; /* NULL: none */
    struct buf out;
};

static enum err show_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct show_arg *show = arg;
    const struct target *target = show->target;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(
        tx,
        "SELECT request_id, requester, template, subject, san, not_before, not_after, status, issued_at, "
        "revoked_at, reason, revoked_by, der FROM certificate "
        "WHERE issuer_id = $1 AND serial = $2 AND der IS NOT NULL",
        S_ARGS(S_TEXT(target->issuer->name), S_TEXT(target->serial)), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_FOUND, "ca %s has issued no certificate %s", target->issuer->name,
                    target->serial);
    bool revoked = !store_is_null(rows, 0, 9);
    struct buf *out = &show->out;
    buf_clear(out);
    size_t list = records_begin(out), mark = record_begin(out);
    record_put_str(out, "serial", target->serial);
    record_put_str(out, "ca", target->issuer->name);
    record_put_int(out, "request", store_int(rows, 0, 0));
    record_put_str(out, "requester", store_str(rows, 0, 1));
    record_put_str(out, "template", store_str(rows, 0, 2));
    record_put_str(out, "subject", store_str(rows, 0, 3));
    record_put_str(out, "names", store_str(rows, 0, 4));
    record_put_time(out, "effective", store_int(rows, 0, 5));
    record_put_time(out, "expires", store_int(rows, 0, 6));
    record_put_str(out, "status", store_str(rows, 0, 7));
    record_put_time(out, "issued", store_int(rows, 0, 8));
    record_put_time(out, "revoked", store_int(rows, 0, 9));
    record_put_str(out, "reason", revoked ? crl_reason_name((enum crl_reason)store_int(rows, 0, 10)) : "");
    record_put_str(out, "revoked_by", store_str(rows, 0, 11));
    digest_put_field(out, "sha1", DIGEST_SHA1, store_bytes(rows, 0, 12));
    digest_put_field(out, "sha256", DIGEST_SHA256, store_bytes(rows, 0, 12));
    if (show->note)
        record_put_str(out, "note", show->note);
    record_end(out, mark);
    records_end(out, list);
    return OK;
}

static enum err show_with(struct ca *ca, const struct target *target, const char *note, struct buf *ret,
                          struct why *why)
{
    struct show_arg arg = { .target = target, .note = note };
    enum err err = store_read(ca->store, show_work, &arg, why);
    AUTO_BUF out = TAKE_BUF(arg.out);
    if (err != OK)
        return err;
    *ret = TAKE_BUF(out);
    return OK;
}

static enum err show(struct ca *ca, const struct target *target, struct buf *ret, struct why *why)
{
    return show_with(ca, target, NULL, ret, why);
}

enum err verb_cert_show(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                        struct why *why)
{
    AUTO_VAL(target) target = { 0 };
    (void)caller;
    TRY(target_get(role, body, &target, why));
    return show(role, &target, ret, why);
}

enum err verb_cert_export(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                          struct why *why)
{
    AUTO_VAL(target) target = { 0 };
    AUTO_BUF der = { 0 };
    (void)caller;
    TRY(target_get(role, body, &target, why));
    TRY(certificate_der(role, target.issuer, target.serial, &der, why));
    verb_put_pem(ret, "CERTIFICATE", buf_bytes(&der));
    return OK;
}

enum err verb_revocation_reason(const struct record *record, enum crl_reason *ret, struct why *why)
{
    AUTO_STR reason = record_str(record, "reason");
    if (reason && *reason && !crl_reason_by_name(reason, ret))
        return fail(why, ERR_USAGE, "\"%s\" is no reason of RFC 5280 5.3.1, as keyCompromise is, or 1",
                    reason);
    return OK;
}

enum err verb_cert_revoke(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                          struct why *why)
{
    AUTO_VAL(target) target = { 0 };
    AUTO_STR actor = principal_of(caller->principal);
    struct revocation revocation = { .actor = actor, .reason = CRL_UNSPECIFIED };
    bool changed;
    TRY(target_get(role, body, &target, why));
    TRY(verb_revocation_reason(&target.record, &revocation.reason, why));
    revocation.serial = target.serial;
    TRY(ca_revoke(role, target.issuer, &revocation, &changed, why));
    if (changed)
        log_info(NULL, "certificate revoked serial=%s ca=%s reason=%s by=%s", target.serial,
                 target.issuer->name, crl_reason_name(revocation.reason), actor);
    return show_with(role, &target, changed ? NULL : "was revoked already", ret, why);
}

enum err verb_cert_release(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                           struct why *why)
{
    AUTO_VAL(target) target = { 0 };
    TRY(target_get(role, body, &target, why));
    AUTO_STR actor = principal_of(caller->principal);
    TRY(ca_release(role, target.issuer, target.serial, actor, why));
    log_info(NULL, "certificate released from hold serial=%s ca=%s by=%s", target.serial, target.issuer->name,
             actor);
    return show(role, &target, ret, why);
}
