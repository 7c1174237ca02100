/* SPDX-License-Identifier: Apache-2.0 */
/* The row of a request, as T1 writes it: new, approved, or refused. */
#include "ca/issue_row.h"

#include "base/fault.h"
#include "ca/audit.h"
#include "ca/managed.h"
#include "ca/outbox.h"
#include <stdio.h>

/* design.md section 3: transactionID is not the key, but while one of its requests is pending it names that one. */
static enum err transaction_check(struct store_tx *tx, const struct attempt *attempt, struct why *why)
{
    const struct reserve_params *params = attempt->params;
    AUTO(store_rows) rows = NULL;
    if (!params->transaction_id.len)
        return OK;
    TRY(store_query(
        tx,
        "SELECT request_id FROM request WHERE issuer_id = $1 AND endpoint = $2 AND transaction_id = $3 "
        "AND signer = $4 AND disposition = 'pending' AND request_id <> $5 AND request_key <> $6",
        S_ARGS(S_TEXT(params->issuer->name), S_TEXT(params->endpoint), S_BYTES(params->transaction_id),
               S_BYTES(params->signer), S_INT(params->approved_id), S_BYTES(params->request_key)),
        &rows, why));
    if (FAULT(transaction_id) || store_rows_count(rows) == 0)
        return OK;
    return fail(why, ERR_BAD_REQUEST, "another request with this transactionID is pending: request %lld",
                (long long)store_int(rows, 0, 0));
}

static struct authority_ask authority_ask_of(const struct attempt *attempt)
{
    const struct reserve_params *p = attempt->params;
    const struct managed *managed = attempt->grant->managed;
    return (struct authority_ask){ .issuer = p->issuer->name,
                                   .name = p->authority,
                                   .grant = attempt->grant,
                                   .identity = BYTES_ARR(attempt->identity),
                                   .device = managed ? managed->opened.challenge.device : BYTES_NONE,
                                   .now = attempt->now };
}

/* Where no validator of an endpoint has decided alone. Under the issuer's counter row: the limits hold however many ask at once.
   What an authority has too much of waits, and what a manager has to approve. */
static enum err waiting_gate(struct store_tx *tx, struct attempt *attempt, struct why *why)
{
    const struct reserve_params *p = attempt->params;
    if ((*p->endpoint && !p->authority) || attempt->disposition == DISPOSITION_FAILED)
        return OK;
    const struct authority_ask ask = authority_ask_of(attempt);
    attempt->over[0] = '\0';
    if (p->authority)
        TRY(authority_judge(tx, &ask, attempt->over, why));
    if (!attempt->over[0] && attempt->grant->waits)
        snprintf(attempt->over, sizeof(attempt->over), "template %s wants a manager's approval",
                 attempt->grant->template->name);
    attempt->disposition = attempt->over[0] ? DISPOSITION_PENDING : DISPOSITION_SEALING;
    return OK;
}

/* NULL: the request is not managed. */
static struct store_value challenge_id_of(const struct attempt *attempt)
{
    const struct managed *managed = attempt->grant->managed;
    return managed ? S_BYTES(BYTES_ARR(managed->opened.challenge.id)) : S_NULL;
}

static struct store_value challenge_of(const struct attempt *attempt)
{
    const struct managed *managed = attempt->grant->managed;
    return managed ? S_BYTES(buf_bytes(&managed->opened.storage)) : S_NULL;
}

/* A device that tries again and again is told of once, as it has one row. */
static enum err insert_tell(struct store_tx *tx, const struct attempt *attempt, struct why *why)
{
    const struct reserve_params *p = attempt->params;
    bool failed = attempt->disposition == DISPOSITION_FAILED;
    const struct outbox_event event = { p->issuer->name,
                                        p->authority,
                                        attempt->request_id,
                                        failed ? "failed" : "pending",
                                        failed ? err_row(attempt->reason->err)->name : NULL,
                                        failed ? attempt->reason->text : attempt->over };
    return outbox_put(tx, attempt->ca, &event, why);
}

enum err request_insert(struct store_tx *tx, struct attempt *attempt, struct why *why)
{
    const struct reserve_params *p = attempt->params;
    const struct template *template = attempt->grant->template;
    TRY(counter_next(tx, p->issuer->name, "request", &attempt->request_id, why));
    TRY(transaction_check(tx, attempt, why));
    TRY(waiting_gate(tx, attempt, why));
    bool sealing = attempt->disposition == DISPOSITION_SEALING,
         failed = attempt->disposition == DISPOSITION_FAILED;
    const char *reason = failed ? attempt->reason->text : attempt->over[0] ? attempt->over : NULL;
    TRY(store_exec(
        tx,
        "INSERT INTO request (issuer_id, request_id, node_id, request_key, endpoint, requester, validator, "
        "transaction_id, "
        "signer, peer, info, spki_digest, subject, san, template, template_version, disposition, serial, "
        "error, reason, "
        "submitted_at, reserved_at, resolved_at, pended, failed_key, challenge_mac, signed_with, authority, "
        "challenge_id, challenge) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, "
        "$21, $22, $23, $24, $25, $26, $27, $28, $29, $30)",
        S_ARGS(S_TEXT(p->issuer->name), S_INT(attempt->request_id), S_TEXT(attempt->ca->node),
               failed ? S_NULL : S_BYTES(p->request_key), S_TEXT(p->endpoint), S_TEXT(p->requester),
               S_TEXT(p->validator), store_bytes_or_null(p->transaction_id), store_bytes_or_null(p->signer),
               S_TEXT(buf_text(&attempt->peer)), store_bytes_or_null(p->info), S_BYTES(p->spki_digest),
               S_TEXT(buf_text(&attempt->subject)), S_TEXT(buf_text(&attempt->san)),
               S_TEXT(template ? template->name : ""), S_INT(template ? template->version : 0),
               S_TEXT(disposition_name(attempt->disposition)), S_TEXT(sealing ? attempt->serial : NULL),
               S_TEXT(failed ? err_row(attempt->reason->err)->name : NULL), S_TEXT(reason),
               S_INT(attempt->now), sealing ? S_INT(attempt->now) : S_NULL,
               failed ? S_INT(attempt->now) : S_NULL,
               attempt->disposition == DISPOSITION_PENDING ? S_INT(1) : S_NULL,
               failed ? S_BYTES(p->request_key) : S_NULL,
               failed ? store_bytes_or_null(p->challenge_mac) : S_NULL, S_TEXT(p->signed_with),
               S_TEXT(p->authority), challenge_id_of(attempt), challenge_of(attempt)),
        NULL, why));
    return sealing ? OK : insert_tell(tx, attempt, why);
}

/* A pending request that an administrator approved gets its reservation; whoever was first decides. */
enum err request_approve(struct store_tx *tx, struct attempt *attempt, struct why *why)
{
    const struct reserve_params *p = attempt->params;
    int64_t ignored, changed = 0;
    TRY(counter_next(tx, p->issuer->name, "approval", &ignored, why));
    TRY(store_exec(
        tx,
        "UPDATE request SET disposition = 'sealing', serial = $1, reserved_at = $2, resolved_by = $3, "
        "template = $4, template_version = $5 "
        "WHERE issuer_id = $6 AND request_id = $7 AND disposition = 'pending'",
        S_ARGS(S_TEXT(attempt->serial), S_INT(attempt->now), S_TEXT(p->approved_by),
               S_TEXT(attempt->grant->template->name), S_INT(attempt->grant->template->version),
               S_TEXT(p->issuer->name), S_INT(p->approved_id)),
        &changed, why));
    if (changed != 1)
        return fail(why, ERR_WRONG_STATE, "request %lld is not pending any more", (long long)p->approved_id);
    attempt->request_id = p->approved_id;
    char object[32];
    snprintf(object, sizeof(object), "request %lld", (long long)p->approved_id);
    struct audit_entry entry = { p->issuer->name, p->approved_by, "approve", object, attempt->serial };
    return audit_write(tx, attempt->ca, &entry, why);
}

static enum err authority_allows(struct store_tx *tx, const struct attempt *attempt, struct why *why)
{
    const struct authority_ask ask = authority_ask_of(attempt);
    return attempt->params->authority && !FAULT(resubmit_authority) ? authority_judge_names(tx, &ask, why)
                                                                    : OK;
}

enum err request_resubmit(struct store_tx *tx, struct attempt *attempt, struct why *why)
{
    const struct reserve_params *p = attempt->params;
    int64_t ignored, changed = 0;
    TRY(counter_next(tx, p->issuer->name, "approval", &ignored, why));
    TRY(authority_allows(tx, attempt, why));
    TRY(store_exec(
        tx,
        "UPDATE request SET disposition = 'sealing', serial = $1, reserved_at = $2, resolved_at = NULL, "
        "resolved_by = $3, template = $4, template_version = $5, subject = $6, san = $7, error = NULL, "
        "reason = NULL, request_key = COALESCE(request_key, $8), failed_key = NULL "
        "WHERE issuer_id = $9 AND request_id = $10 AND disposition IN ('failed', 'denied')",
        S_ARGS(S_TEXT(attempt->serial), S_INT(attempt->now), S_TEXT(p->approved_by),
               S_TEXT(attempt->grant->template->name), S_INT(attempt->grant->template->version),
               S_TEXT(buf_text(&attempt->subject)), S_TEXT(buf_text(&attempt->san)),
               FAULT(resubmit_key) ? S_NULL : store_bytes_or_null(p->request_key), S_TEXT(p->issuer->name),
               S_INT(p->approved_id)),
        &changed, why));
    if (changed != 1)
        return fail(why, ERR_WRONG_STATE, "request %lld is neither failed nor denied any more",
                    (long long)p->approved_id);
    attempt->request_id = p->approved_id;
    char object[32];
    AUTO_STR detail = xasprintf("%s, was %s", attempt->serial, p->resubmitted);
    snprintf(object, sizeof(object), "request %lld", (long long)p->approved_id);
    struct audit_entry entry = { p->issuer->name, p->approved_by, "resubmit", object, detail };
    return audit_write(tx, attempt->ca, &entry, why);
}

#define REFUSE_AGAIN(of)                                                                                     \
    "UPDATE request SET resolved_at = $1, reason = $2, failed_key = $3, challenge_mac = $4, signed_with = "  \
    "$5, "                                                                                                   \
    "info = $6, subject = $7, san = $8, template = $9, template_version = $10, transaction_id = $11, "       \
    "signer = $12, peer = $13, spki_digest = $18 WHERE issuer_id = $14 AND " of                              \
    " = $15 AND disposition = 'failed' AND endpoint = $16 AND error = $17"

/* A device that asks again and again for what it cannot have keeps one row for each error: its last request. A managed one is known
   by its challenge, for it may well make a key for each try. */
enum err request_refuse(struct store_tx *tx, struct attempt *attempt, struct why *why)
{
    const struct reserve_params *p = attempt->params;
    const struct template *template = attempt->grant->template;
    bool managed = attempt->grant->managed && !FAULT(managed_refusals);
    int64_t changed = 0;
    TRY(store_exec(tx, managed ? REFUSE_AGAIN("challenge_id") : REFUSE_AGAIN("spki_digest"),
                   S_ARGS(S_INT(attempt->now), S_TEXT(attempt->reason->text), S_BYTES(p->request_key),
                          store_bytes_or_null(p->challenge_mac), S_TEXT(p->signed_with),
                          store_bytes_or_null(p->info), S_TEXT(buf_text(&attempt->subject)),
                          S_TEXT(buf_text(&attempt->san)), S_TEXT(template ? template->name : ""),
                          S_INT(template ? template->version : 0), store_bytes_or_null(p->transaction_id),
                          store_bytes_or_null(p->signer), S_TEXT(buf_text(&attempt->peer)),
                          S_TEXT(p->issuer->name),
                          managed ? challenge_id_of(attempt) : S_BYTES(p->spki_digest), S_TEXT(p->endpoint),
                          S_TEXT(err_row(attempt->reason->err)->name), S_BYTES(p->spki_digest)),
                   &changed, why));
    return changed ? OK : request_insert(tx, attempt, why);
}
