/* SPDX-License-Identifier: Apache-2.0 */
/* Claims of challenges, as rows whose key decides. */
#include "ca/managed_claim.h"

#include "base/fault.h"
#include "ca/authorisation_end.h"

static struct store_value id_of(const struct managed_claim *claim)
{
    return S_BYTES(BYTES_ARR(claim->managed->opened.challenge.id));
}

/* *ret_new false: the row was there. */
static enum err row_insert(struct store_tx *tx, const struct managed_claim *claim, bool *ret_new,
                           struct why *why)
{
    const struct challenge *challenge = &claim->managed->opened.challenge;
    int64_t changed = 0;
    TRY(store_exec(
        tx,
        "INSERT INTO managed_claim (challenge_id, issuer_id, node_id, authority, request_id, "
        "profile, version, device, user_id, claimed_at, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (challenge_id) DO NOTHING",
        S_ARGS(id_of(claim), S_TEXT(claim->issuer->name), S_TEXT(claim->ca->node),
               S_TEXT(claim->managed->authority), S_INT(claim->request_id), store_text_of(challenge->profile),
               S_INT(challenge->profile_version), store_text_of(challenge->device),
               store_text_of(challenge->user), S_INT(claim->now), S_INT(challenge->expires)),
        &changed, why));
    *ret_new = changed == 1;
    return OK;
}

/* The latest end of those whose claims are gone. A clock that was ahead may have had them forgotten: set back, the challenges
   could be opened again, and nobody would know of their use. */
#define FORGOTTEN "managed_forgotten"

static enum err not_forgotten(struct store_tx *tx, const struct managed_claim *claim, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    char until[21];
    TRY(store_query(tx, "SELECT value FROM counter WHERE issuer_id = '' AND name = $1",
                    S_ARGS(S_TEXT(FORGOTTEN)), &rows, why));
    if (store_rows_count(rows) == 0 || FAULT(managed_forgotten) ||
        claim->managed->opened.challenge.expires > store_int(rows, 0, 0))
        return OK;
    clock_rfc3339(store_int(rows, 0, 0), until);
    return fail(why, ERR_CHALLENGE_EXPIRED,
                "which challenges were used that end until %s is known no more: the clock was ahead", until);
}

static enum err holder_of(struct store_tx *tx, const struct managed_claim *claim, struct store_rows **ret,
                          struct why *why)
{
    return store_query(tx, "SELECT issuer_id, request_id FROM managed_claim WHERE challenge_id = $1",
                       S_ARGS(id_of(claim)), ret, why);
}

static enum err refuse_used(const struct store_rows *rows, struct why *why)
{
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_CHALLENGE_USED, "the challenge was just used");
    return fail(why, ERR_CHALLENGE_USED, "the challenge was used by request %lld of ca %s",
                (long long)store_int(rows, 0, 1), store_str(rows, 0, 0));
}

enum err managed_claim_take(struct store_tx *tx, const struct managed_claim *claim, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    bool is_new;
    TRY(row_insert(tx, claim, &is_new, why));
    if (!is_new && !FAULT(managed_claim)) {
        TRY(holder_of(tx, claim, &rows, why));
        return refuse_used(rows, why);
    }
    TRY(not_forgotten(tx, claim, why));
    return FAULT(managed_end_in_t1) ? OK : authorisation_judge(tx, claim->issuer, claim->managed, why);
}

enum err managed_claim_spend(struct store_tx *tx, const struct managed_claim *claim, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    bool is_new;
    TRY(row_insert(tx, claim, &is_new, why));
    if (is_new || FAULT(managed_spend))
        return OK;
    TRY(holder_of(tx, claim, &rows, why));
    bool own = store_rows_count(rows) && store_int(rows, 0, 1) == claim->request_id &&
               strcmp(store_str(rows, 0, 0), claim->issuer->name) == 0;
    return own ? OK : refuse_used(rows, why);
}

enum err managed_claim_release(struct store_tx *tx, const char *issuer, int64_t request_id, struct why *why)
{
    return store_exec(tx, "DELETE FROM managed_claim WHERE issuer_id = $1 AND request_id = $2",
                      S_ARGS(S_TEXT(issuer), S_INT(request_id)), NULL, why);
}

static enum err forget_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct store_args before = S_ARGS(S_INT(*(const int64_t *)arg));
    AUTO(store_rows) rows = NULL;
    bool raised;
    TRY(store_query(tx, "SELECT MAX(expires_at) FROM managed_claim WHERE expires_at < $1", before, &rows,
                    why));
    if (store_is_null(rows, 0, 0))
        return OK;
    TRY(counter_raise(tx, "", FORGOTTEN, store_int(rows, 0, 0), &raised, why));
    return store_exec(tx, "DELETE FROM managed_claim WHERE expires_at < $1", before, NULL, why);
}

enum err managed_claims_forget(struct ca *ca, struct why *why)
{
    int64_t before = clock_now(ca->clock) - MANAGED_KEPT_S;
    if (FAULT(managed_forget))
        before = INT64_MAX;
    return store_write(ca->store, forget_work, &before, why);
}
