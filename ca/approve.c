/* SPDX-License-Identifier: Apache-2.0 */
/* An administrator's word on a pending request. */
#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "ca/audit.h"
#include "ca/authorisation_end.h"
#include "ca/decision.h"
#include "ca/enroll.h"
#include "ca/judge.h"
#include "ca/may_enrol.h"
#include "ca/outbox.h"
#include "ca/template_row.h"
#include "ca/validator.h"
#include <stdio.h>

struct approval {
    struct ca *ca;
    struct issuer *issuer;
    const char *actor;
    struct request_row *row;
};

/* The version that the request met: what has changed since was not in force when it was asked. That the template is published
   no more is another thing: nothing is issued by it from then on. */
static enum err template_met(struct ca *ca, const struct request_row *row, struct template **ret,
                             struct why *why)
{
    AUTO(template) template = NULL;
    if (FAULT(template_version_met))
        TRY(template_load(ca->store, bytes_str(row->template_name), &template, why));
    else
        TRY(template_version_load(ca->store, row->template_name, row->template_version, &template, why));
    if (!FAULT(approval_published) && !template->published)
        return fail(why, ERR_TEMPLATE, "request %lld is of template %s, which is not published any more",
                    (long long)row->request_id, row->template_name);
    *ret = TAKE(template);
    return OK;
}

/* Whoever lost the right, or the profile, meanwhile gets nothing by what it asked for before. */
static enum err still_targeted(const struct approval *approval, const struct managed *managed,
                               struct why *why)
{
    if (!managed || FAULT(managed_approval))
        return OK;
    AUTO_STR authority = xasprintf("authority/%s", managed->authority);
    TRY(may_enrol(approval->ca, approval->issuer, authority, bytes_str(approval->row->template_name), why));
    return authorisation_look(approval->ca, approval->issuer, managed, why);
}

/* The same stages as an enrolment; the kept request stands for the device, the approval for the challenge. */
static enum err approve_reserve(const struct approval *approval, struct reservation *ret, struct why *why)
{
    struct request_row *row = approval->row;
    AUTO(public_key) key = NULL;
    AUTO_VAL(grant) grant = { 0 };
    AUTO_BUF der = { 0 };
    struct csr csr;
    uint8_t digest[32];
    TRY(request_info_parse(buf_bytes(&row->info), &der, &csr, why));
    TRY(public_key_parse(csr.spki, &key, why));
    TRY(template_met(approval->ca, row, &grant.template, why));
    TRY(managed_of_row(row, &grant.managed, why));
    TRY(still_targeted(approval, grant.managed, why));
    TRY(judge_contents(approval->issuer, &csr, key, &grant, why));
    TRY(sha256_parts(&csr.spki, 1, digest, why));
    struct reserve_params params = { .issuer = approval->issuer,
                                     .endpoint = row->endpoint,
                                     .requester = row->requester,
                                     .validator = row->validator,
                                     .authority = row->authority,
                                     .spki = csr.spki,
                                     .spki_digest = BYTES_ARR(digest),
                                     .approved_id = row->request_id,
                                     .approved_by = approval->actor };
    return issue_reserve(approval->ca, &params, &grant, ret, why);
}

static enum err pending_check(const struct request_row *row, struct why *why)
{
    return row->disposition == DISPOSITION_PENDING || FAULT(request_state)
               ? OK
               : fail(why, ERR_WRONG_STATE, "request %lld is %s, not pending", (long long)row->request_id,
                      disposition_name(row->disposition));
}

enum err ca_approve(struct ca *ca, struct issuer *issuer, int64_t request_id, const char *actor,
                    struct why *why)
{
    AUTO_VAL(request_row) row = { 0 };
    AUTO_VAL(reservation) slot = { 0 };
    TRY(decision_find(ca, issuer, request_id, &row, why));
    if (row.disposition == DISPOSITION_ISSUED)
        return OK;
    if (row.disposition != DISPOSITION_SEALING)
        TRY(pending_check(&row, why));
    TRY(decision_not_own(&row, actor, "approve", why));
    /* Whoever lost the right meanwhile gets nothing by what it asked for before. */
    if (!FAULT(approval_right))
        TRY(may_enrol(ca, issuer, row.requester, bytes_str(row.template_name), why));
    struct approval approval = { ca, issuer, actor, &row };
    if (!decision_reserved(&row, issuer, &slot))
        TRY(approve_reserve(&approval, &slot, why));
    return decision_seal(ca, &slot, "approved", why);
}

struct deny_arg {
    struct ca *ca;
    const struct issuer *issuer;
    const struct denial *denial;
    const char *authority;
    /* Each octet may become \xNN, and log_escape keeps five free. */
    char reason[4 * LIMIT_DENIAL_REASON_BYTES + 5];
};

static enum err deny_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct deny_arg *deny = arg;
    const struct denial *denial = deny->denial;
    int64_t changed = 0;
    char object[32];
    TRY(store_exec(
        tx,
        "UPDATE request SET disposition = 'denied', error = 'ERR_DENIED', reason = $1, resolved_at = $2, "
        "resolved_by = $3 WHERE issuer_id = $4 AND request_id = $5 AND disposition = 'pending'",
        S_ARGS(S_TEXT(deny->reason), S_INT(clock_now(deny->ca->clock)), S_TEXT(denial->actor),
               S_TEXT(deny->issuer->name), S_INT(denial->request_id)),
        &changed, why));
    if (changed != 1)
        return fail(why, ERR_WRONG_STATE, "request %lld was just decided, and is not pending any more",
                    (long long)denial->request_id);
    const struct outbox_event event = { deny->issuer->name, deny->authority, denial->request_id,
                                        "denied",           "ERR_DENIED",    deny->reason };
    TRY(outbox_put(tx, deny->ca, &event, why));
    snprintf(object, sizeof(object), "request %lld", (long long)denial->request_id);
    struct audit_entry entry = { deny->issuer->name, denial->actor, "deny", object, deny->reason };
    return audit_write(tx, deny->ca, &entry, why);
}

enum err ca_deny(struct ca *ca, const struct issuer *issuer, const struct denial *denial, struct why *why)
{
    AUTO_VAL(request_row) row = { 0 };
    size_t length = strlen(denial->reason);
    if (!FAULT(denial_reason) && length > LIMIT_DENIAL_REASON_BYTES)
        return fail(why, ERR_USAGE, "the reason has %zu bytes, limit %d", length, LIMIT_DENIAL_REASON_BYTES);
    TRY(decision_find(ca, issuer, denial->request_id, &row, why));
    if (row.disposition == DISPOSITION_DENIED)
        return OK;
    TRY(pending_check(&row, why));
    struct deny_arg deny = { .ca = ca, .issuer = issuer, .denial = denial, .authority = row.authority };
    log_escape(denial->reason, length, deny.reason, sizeof(deny.reason)); /* text of the store is UTF-8 */
    return store_write(ca->store, deny_work, &deny, why);
}
