/* SPDX-License-Identifier: Apache-2.0 */
/* Revoking, holding and releasing a certificate: one conditional update each, then a CRL that says so. */
#include "ca/revoke.h"

#include "base/fault.h"
#include "ca/audit.h"
#include "ca/authority.h"
#include "ca/crl_publish.h"
#include "ca/outbox.h"
#include "ca/status.h"

struct change {
    struct ca *ca;
    const struct issuer *issuer;
    const struct revocation *revocation;
    bool changed;
    int64_t version; /* that a CRL must have */
};

struct standing_row {
    bool is_revoked;
    enum crl_reason reason;
    int64_t version, revoked_at;
};

/* How it stands, of what was handed out. */
static enum err row_find(struct store_tx *tx, const struct change *change, struct standing_row *ret,
                         struct why *why)
{
    const char *issuer = change->issuer->name, *serial = change->revocation->serial;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT status, reason, status_version, revoked_at FROM certificate "
                    "WHERE issuer_id = $1 AND serial = $2 AND status IN ('valid', 'revoked')",
                    S_ARGS(S_TEXT(issuer), S_TEXT(serial)), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_FOUND, "ca %s has issued no certificate %s", issuer, serial);
    *ret = (struct standing_row){ strcmp(store_str(rows, 0, 0), "revoked") == 0,
                                  (enum crl_reason)store_int(rows, 0, 1), store_int(rows, 0, 2),
                                  store_int(rows, 0, 3) };
    return OK;
}

/* Whoever asked for it hears of it, whoever revoked it. */
static enum err change_tell(struct store_tx *tx, const struct change *change, const char *kind,
                            struct why *why)
{
    const char *issuer = change->issuer->name;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT authority, request_id FROM certificate WHERE issuer_id = $1 AND serial = $2",
                    S_ARGS(S_TEXT(issuer), S_TEXT(change->revocation->serial)), &rows, why));
    if (store_rows_count(rows) == 0)
        return OK;
    const struct outbox_event event = { issuer,
                                        store_str(rows, 0, 0),
                                        store_int(rows, 0, 1),
                                        kind,
                                        NULL,
                                        crl_reason_name(change->revocation->reason) };
    return outbox_put(tx, change->ca, &event, why);
}

static enum err change_mark(struct store_tx *tx, struct change *change, const char *action, struct why *why)
{
    const struct revocation *revocation = change->revocation;
    int64_t now = clock_now(change->ca->clock);
    TRY(status_mark(tx, change->issuer, revocation->serial, now, &change->version, why));
    struct audit_entry entry = { change->issuer->name, revocation->actor, action, revocation->serial,
                                 crl_reason_name(revocation->reason) };
    change->changed = true;
    TRY(change_tell(tx, change, strcmp(action, "release") == 0 ? "released" : "revoked", why));
    return audit_write(tx, change->ca, &entry, why);
}

/* false: the administrator, who revokes what he likes. */
static bool actor_of(const struct change *change, struct authority_revoking *ret)
{
    *ret = (struct authority_revoking){ change->issuer->name, authority_of(change->revocation->actor),
                                        change->revocation->serial, clock_now(change->ca->clock) };
    return ret->name;
}

static enum err actor_judge(struct store_tx *tx, const struct change *change, struct why *why)
{
    struct authority_revoking revoking;
    return actor_of(change, &revoking) ? authority_judge_own(tx, &revoking, why) : OK;
}

static enum err actor_count(struct store_tx *tx, const struct change *change, struct why *why)
{
    struct authority_revoking revoking;
    return actor_of(change, &revoking) ? authority_count_revocation(tx, &revoking, why) : OK;
}

/* Whoever is told that it is done takes it that the CRL has the reason that was given. */
static enum err again_judge(const struct revocation *revocation, const struct standing_row *row,
                            struct why *why)
{
    char since[21];
    clock_rfc3339(row->revoked_at, since);
    if (FAULT(revocation_again) || row->reason == revocation->reason)
        return OK;
    if (revocation->reason == CRL_CERTIFICATE_HOLD)
        return fail(why, ERR_REVOKED,
                    "%s is revoked for %s since %s, which is final; it can't be put on hold",
                    revocation->serial, crl_reason_name(row->reason), since);
    return fail(why, ERR_REVOKED, "%s is revoked for %s since %s, which is final; %s is not put in its place",
                revocation->serial, crl_reason_name(row->reason), since, crl_reason_name(revocation->reason));
}

static enum err revoke_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct change *change = arg;
    const struct revocation *revocation = change->revocation;
    struct standing_row row;
    int64_t changed = 0;
    change->changed = false;
    TRY(actor_judge(tx, change, why));
    TRY(store_exec(tx,
                   "UPDATE certificate SET status = 'revoked', revoked_at = COALESCE(revoked_at, $1), "
                   "reason = $2, revoked_by = $3 WHERE issuer_id = $4 AND serial = $5 AND (status = 'valid' "
                   "OR (status = 'revoked' AND reason = 6 AND $2 <> 6))",
                   S_ARGS(S_INT(clock_now(change->ca->clock)), S_INT(revocation->reason),
                          S_TEXT(revocation->actor), S_TEXT(change->issuer->name),
                          S_TEXT(revocation->serial)),
                   &changed, why));
    if (changed == 1) {
        TRY(actor_count(tx, change, why));
        return change_mark(tx, change, "revoke", why);
    }
    TRY(row_find(tx, change, &row, why));
    change->version = row.version;
    return again_judge(revocation, &row, why);
}

static enum err release_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct change *change = arg;
    const char *issuer = change->issuer->name, *serial = change->revocation->serial;
    struct standing_row row;
    int64_t changed = 0;
    TRY(actor_judge(tx, change, why));
    TRY(store_exec(tx,
                   FAULT(release_hold)
                       ? "UPDATE certificate SET status = 'valid', revoked_at = NULL, reason = NULL, "
                         "revoked_by = NULL WHERE issuer_id = $1 AND serial = $2 AND status = 'revoked'"
                       : "UPDATE certificate SET status = 'valid', revoked_at = NULL, reason = NULL, "
                         "revoked_by = NULL WHERE issuer_id = $1 AND serial = $2 AND status = 'revoked' "
                         "AND reason = 6",
                   S_ARGS(S_TEXT(issuer), S_TEXT(serial)), &changed, why));
    if (changed == 1) {
        TRY(actor_count(tx, change, why));
        return change_mark(tx, change, "release", why);
    }
    TRY(row_find(tx, change, &row, why));
    if (row.is_revoked)
        return fail(why, ERR_REVOKED,
                    "%s is revoked for %s, which is final; only certificateHold is released", serial,
                    crl_reason_name(row.reason));
    return fail(why, ERR_WRONG_STATE, "%s is not on hold", serial);
}

static enum err change_publish(const struct change *change, struct issuer *issuer, const char *what,
                               struct why *why)
{
    struct why inner = { 0 };
    unsigned partition;
    TRY(crl_partition_of_text(issuer, change->revocation->serial, &partition, why));
    if (FAULT(partition_cover) && partition)
        partition = 1 + partition % issuer->partitions.count;
    enum err err =
        FAULT(revocation_published) ? OK : crl_cover(change->ca, issuer, partition, change->version, &inner);
    if (err != OK)
        return fail(why, err, "%s is %s, but no CRL says so yet: %s", change->revocation->serial, what,
                    inner.text);
    return OK;
}

enum err ca_revoke(struct ca *ca, struct issuer *issuer, const struct revocation *revocation,
                   bool *ret_changed, struct why *why)
{
    if (!FAULT(revocation_reason) &&
        (!crl_reason_name(revocation->reason) || revocation->reason == CRL_REMOVE_FROM_CRL))
        return fail(why, ERR_BAD_REQUEST,
                    "reason %d can't be given: removeFromCRL belongs into delta CRLs (RFC 5280 5.3.1)",
                    (int)revocation->reason);
    struct change change = { .ca = ca, .issuer = issuer, .revocation = revocation };
    TRY(store_write(ca->store, revoke_work, &change, why));
    *ret_changed = change.changed;
    return change_publish(&change, issuer, "revoked", why);
}

enum err ca_release(struct ca *ca, struct issuer *issuer, const char *serial, const char *actor,
                    struct why *why)
{
    const struct revocation released = { serial, actor, CRL_REMOVE_FROM_CRL };
    struct change change = { .ca = ca, .issuer = issuer, .revocation = &released };
    TRY(store_write(ca->store, release_work, &change, why));
    return change_publish(&change, issuer, "released", why);
}
