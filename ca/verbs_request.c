/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, as administrators see and decide them. */
#include "ca/enroll.h"
#include "ca/verbs.h"

#include <stdlib.h>

#define LIST_QUERY                                                                                           \
    "SELECT r.request_id, r.submitted_at, r.disposition, r.requester, r.template, r.subject, r.serial, "     \
    "r.error, r.reason, r.resolved_at, c.not_before, c.not_after, r.issuer_id FROM request r "               \
    "LEFT JOIN certificate c ON c.issuer_id = r.issuer_id AND c.serial = r.serial WHERE r.issuer_id = $1 "   \
    "AND r.request_id < $2 AND r.disposition IN ($3, $4, $5, $6, $7) ORDER BY r.request_id DESC LIMIT $8"

static const struct verb_column list_columns[] = {
    { "id", COLUMN_INT },         { "submitted", COLUMN_TIME }, { "disposition", COLUMN_TEXT },
    { "requester", COLUMN_TEXT }, { "template", COLUMN_TEXT },  { "subject", COLUMN_TEXT },
    { "serial", COLUMN_TEXT },    { "error", COLUMN_TEXT },     { "reason", COLUMN_TEXT },
    { "resolved", COLUMN_TIME },  { "effective", COLUMN_TIME }, { "expires", COLUMN_TIME },
    { "ca", COLUMN_TEXT },
};

enum err verb_request_list(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                           struct why *why)
{
    static const struct verb_filter filter = {
        "status",   "disposition",         "issued pending denied failed sealing",
        LIST_QUERY, COLUMNS(list_columns), "id"
    };
    (void)caller;
    return verb_filtered(role, &filter, body, ret, why);
}

static const struct verb_column show_columns[] = {
    { "id", COLUMN_INT },
    { "ca", COLUMN_TEXT },
    { "requester", COLUMN_TEXT },
    { "template", COLUMN_TEXT },
    { "template_version", COLUMN_INT },
    { "serial", COLUMN_TEXT },
    { "effective", COLUMN_TIME },
    { "expires", COLUMN_TIME },
    { "disposition", COLUMN_TEXT },
    { "error", COLUMN_TEXT },
    { "reason", COLUMN_TEXT },
    { "submitted", COLUMN_TIME },
    { "resolved", COLUMN_TIME },
    { "resolved_by", COLUMN_TEXT },
    { "subject", COLUMN_TEXT },
    { "names", COLUMN_TEXT },
    { "validator", COLUMN_TEXT },
    { "peer", COLUMN_TEXT },
    { "node", COLUMN_TEXT },
    { "request_info", COLUMN_BASE64 }, /* CertificationRequestInfo, its challenge blanked; export only */
    { "certificate", COLUMN_BASE64 },  /* empty while there is none; export only */
};
#define EXPORTED (sizeof(show_columns) / sizeof(*show_columns))
#define SHOWN    (EXPORTED - 2)

static enum err id_get(const struct record *record, int64_t *ret, struct why *why)
{
    struct bytes text;
    if (!record_find(record, "id", &text))
        return fail(why, ERR_USAGE, "the field id is missing");
    return verb_number(record, "id", (struct verb_range){ 1, INT64_MAX }, ret, why);
}

static enum err show(struct ca *ca, const struct record *record, size_t columns, struct buf *ret,
                     struct why *why)
{
    struct issuer *issuer;
    int64_t id;
    TRY(verb_issuer(ca, record, &issuer, why));
    TRY(id_get(record, &id, why));
    AUTO_STR absent = xasprintf("ca %s has no request %lld", issuer->name, (long long)id);
    struct verb_listing listing = {
        "SELECT r.request_id, r.issuer_id, r.requester, r.template, r.template_version, r.serial, "
        "c.not_before, "
        "c.not_after, r.disposition, r.error, r.reason, r.submitted_at, r.resolved_at, r.resolved_by, "
        "r.subject, r.san, "
        "r.validator, r.peer, r.node_id, r.info, c.der FROM request r LEFT JOIN certificate c "
        "ON c.issuer_id = r.issuer_id AND c.serial = r.serial WHERE r.issuer_id = $1 AND r.request_id = $2",
        S_ARGS(S_TEXT(issuer->name), S_INT(id)),
        show_columns,
        columns,
        1,
        absent,
        { 0 }
    };
    return verb_list(ca, &listing, ret, why);
}

enum err verb_request_show(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                           struct why *why)
{
    struct record record;
    (void)caller;
    TRY(record_get(body, &record, why));
    return show(role, &record, SHOWN, ret, why);
}

enum err verb_request_export(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                             struct why *why)
{
    struct record record;
    (void)caller;
    TRY(record_get(body, &record, why));
    return show(role, &record, EXPORTED, ret, why);
}

typedef enum err (*decision)(struct ca *ca, struct issuer *issuer, int64_t id, const char *actor,
                             struct why *why);

static enum err decided(struct ca *ca, struct bytes body, const struct ipc_caller *caller, decision decide,
                        struct buf *ret, struct why *why)
{
    struct record record;
    struct issuer *issuer;
    int64_t id;
    TRY(record_get(body, &record, why));
    TRY(verb_issuer(ca, &record, &issuer, why));
    TRY(id_get(&record, &id, why));
    AUTO_STR actor = principal_of(caller->principal);
    TRY(decide(ca, issuer, id, actor, why));
    return show(ca, &record, SHOWN, ret, why);
}

enum err verb_request_approve(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                              struct why *why)
{
    return decided(role, body, caller, ca_approve, ret, why);
}

enum err verb_request_resubmit(void *role, const struct ipc_caller *caller, struct bytes body,
                               struct buf *ret, struct why *why)
{
    return decided(role, body, caller, ca_resubmit, ret, why);
}

enum err verb_request_deny(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                           struct why *why)
{
    struct record record;
    struct issuer *issuer;
    int64_t id;
    TRY(record_get(body, &record, why));
    TRY(verb_issuer(role, &record, &issuer, why));
    TRY(id_get(&record, &id, why));
    AUTO_STR reason = record_str(&record, "reason");
    AUTO_STR actor = principal_of(caller->principal);
    struct denial denial = { id, actor, reason ? reason : "" };
    TRY(ca_deny(role, issuer, &denial, why));
    return show(role, &record, SHOWN, ret, why);
}

enum err verb_refusal_list(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                           struct why *why)
{
    struct ca *ca = role;
    struct record record;
    int64_t limit;
    (void)caller;
    TRY(record_get(body, &record, why));
    TRY(verb_limit(&record, &limit, why));
    size_t list = records_begin(ret);
    pthread_mutex_lock(&ca->refusals_lock);
    for (uint64_t i = 0; i < (uint64_t)limit && i < ca->refusal_total && i < CA_REFUSALS; i++) {
        const struct refusal *refusal = &ca->refusals[(ca->refusal_total - 1 - i) % CA_REFUSALS];
        size_t mark = record_begin(ret);
        record_put_time(ret, "at", refusal->at);
        record_put_str(ret, "endpoint", refusal->endpoint);
        record_put_str(ret, "peer", refusal->peer);
        record_put_str(ret, "error", err_row(refusal->err)->name);
        record_put_str(ret, "reason", refusal->reason);
        record_put_str(ret, "remedy", err_row(refusal->err)->remedy);
        record_end(ret, mark);
    }
    pthread_mutex_unlock(&ca->refusals_lock);
    records_end(ret, list);
    return OK;
}
