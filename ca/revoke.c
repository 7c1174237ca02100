/* SPDX-License-Identifier: Apache-2.0 */
/* Revoking a certificate: for good, and in a CRL before anybody is told that it is done. */
#include "base/fault.h"
#include "ca/audit.h"
#include "ca/crl_publish.h"

struct revoke_arg {
    struct ca *ca;
    const struct issuer *issuer;
    const struct revocation *revocation;
};

/* Never before the last CRL, which lacked it, even when the clock was set back: what is revoked since is what the next one
   is due for. */
static enum err revoked_at(struct store_tx *tx, const struct revoke_arg *revoke, int64_t *ret,
                           struct why *why)
{
    int64_t now = clock_now(revoke->ca->clock);
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT this_update FROM crl WHERE issuer_id = $1 ORDER BY number DESC LIMIT 1",
                    S_ARGS(S_TEXT(revoke->issuer->name)), &rows, why));
    int64_t last = store_rows_count(rows) ? store_int(rows, 0, 0) : now;
    *ret = now > last ? now : last;
    return OK;
}

static enum err revoke_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct revoke_arg *revoke = arg;
    const struct revocation *revocation = revoke->revocation;
    const char *issuer = revoke->issuer->name;
    int64_t changed = 0, at;
    TRY(revoked_at(tx, revoke, &at, why));
    TRY(store_exec(tx,
                   "UPDATE certificate SET status = 'revoked', revoked_at = $1, reason = $2, revoked_by = $3 "
                   "WHERE issuer_id = $4 AND serial = $5 AND status = 'valid'",
                   S_ARGS(S_INT(at), S_INT(revocation->reason), S_TEXT(revocation->actor), S_TEXT(issuer),
                          S_TEXT(revocation->serial)),
                   &changed, why));
    if (changed == 1) {
        struct audit_entry entry = { issuer, revocation->actor, "revoke", revocation->serial,
                                     crl_reason_name(revocation->reason) };
        return audit_write(tx, revoke->ca, &entry, why);
    }
    AUTO(store_rows) rows = NULL;
    TRY(store_query(
        tx, "SELECT status FROM certificate WHERE issuer_id = $1 AND serial = $2 AND status = 'revoked'",
        S_ARGS(S_TEXT(issuer), S_TEXT(revocation->serial)), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_FOUND, "ca %s has issued no certificate %s", issuer, revocation->serial);
    return OK;
}

enum err ca_revoke(struct ca *ca, struct issuer *issuer, const struct revocation *revocation, struct why *why)
{
    if (!FAULT(revocation_reason) &&
        (!crl_reason_name(revocation->reason) || revocation->reason == CRL_REMOVE_FROM_CRL))
        return fail(why, ERR_BAD_REQUEST,
                    "reason %d can't be given: removeFromCRL belongs into delta CRLs (RFC 5280 5.3.1)",
                    (int)revocation->reason);
    struct revoke_arg arg = { ca, issuer, revocation };
    TRY(store_write(ca->store, revoke_work, &arg, why));
    struct why inner = { 0 };
    enum err err = FAULT(revocation_published) ? OK : crl_publish(ca, issuer, &inner);
    if (err != OK)
        return fail(why, err, "%s is revoked, but no CRL says so yet: %s", revocation->serial, inner.text);
    return OK;
}
