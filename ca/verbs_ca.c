/* SPDX-License-Identifier: Apache-2.0 */
/* One-time passwords, flags and the state of the CA, as administrators see them. */
#include "ca/challenge.h"
#include "ca/crl.h"
#include "ca/crp.h"
#include "ca/flags.h"
#include "ca/validator.h"
#include "ca/verbs.h"

#include "base/log.h"
#include <stdlib.h>

enum err verb_password_new(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                           struct why *why)
{
    struct ca *ca = role;
    struct record record;
    AUTO_STR name = NULL;
    char password[2 * CHALLENGE_PASSWORD_BYTES + 1];
    int64_t expires;
    TRY(record_get(body, &record, why));
    TRY(verb_field(&record, "endpoint", &name, why));
    const struct endpoint *endpoint = ca_find_endpoint(ca, bytes_str(name));
    if (!endpoint)
        return fail(why, ERR_NOT_FOUND, "there is no endpoint %s", name);
    if (endpoint->validator != &validator_once)
        return fail(why, ERR_WRONG_STATE,
                    "endpoint %s has the validator %s; one-time passwords are for one-time", name,
                    endpoint->validator->name);
    TRY(challenge_new(ca, endpoint, caller->principal, password, &expires, why));
    log_info(NULL, "one-time password made endpoint=%s by=%s", name, caller->principal);
    size_t list = records_begin(ret), mark = record_begin(ret);
    record_put_str(ret, "endpoint", name);
    record_put_str(ret, "password", password);
    record_put_time(ret, "expires", expires);
    record_end(ret, mark);
    records_end(ret, list);
    secret_wipe(password, sizeof(password));
    return OK;
}

static void flag_put(const struct issuer *issuer, struct buf *out)
{
    size_t list = records_begin(out), mark = record_begin(out);
    record_put_str(out, "ca", issuer->name);
    record_put_str(out, FLAG_ATTRIBUTE_END_DATE, atomic_load(&issuer->attribute_end_date) ? "on" : "off");
    record_end(out, mark);
    records_end(out, list);
}

/* The field flag, when there: "+NAME" or "-NAME". */
enum err verb_ca_flags(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                       struct why *why)
{
    struct record record;
    struct flag_change change = { .ca = role, .actor = caller->principal };
    TRY(record_get(body, &record, why));
    TRY(verb_issuer(role, &record, &change.issuer, why));
    AUTO_STR flag = record_str(&record, "flag");
    if (flag && *flag != '+' && *flag != '-')
        return fail(why, ERR_USAGE, "flag is \"%.80s\", wanted: + or - and a name", flag);
    if (flag) {
        change.name = flag + 1;
        change.on = *flag == '+';
        TRY(flag_set(&change, why));
        log_info(NULL, "ca flag %s ca=%s by=%s", flag, change.issuer->name, caller->principal);
    }
    flag_put(change.issuer, ret);
    return OK;
}

struct status_arg {
    const struct issuer *issuer;
    int64_t pending, sealing, valid, revoked, now;
};

static enum err status_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct status_arg *status = arg;
    struct store_value issuer = S_TEXT(status->issuer->name);
    AUTO(store_rows) open = NULL;
    AUTO(store_rows) valid = NULL;
    AUTO(store_rows) revoked = NULL;
    status->pending = status->sealing = 0;
    TRY(store_query(tx,
                    "SELECT disposition, COUNT(*) FROM request WHERE issuer_id = $1 "
                    "AND disposition IN ('sealing', 'pending') GROUP BY disposition",
                    S_ARGS(issuer), &open, why));
    for (size_t row = 0; row < store_rows_count(open); row++)
        *(strcmp(store_str(open, row, 0), "pending") == 0 ? &status->pending : &status->sealing) =
            store_int(open, row, 1);
    TRY(store_query(
        tx, "SELECT COUNT(*) FROM certificate WHERE issuer_id = $1 AND status = 'valid' AND not_after >= $2",
        S_ARGS(issuer, S_INT(status->now)), &valid, why));
    TRY(store_query(tx, "SELECT COUNT(*) FROM certificate WHERE issuer_id = $1 AND status = 'revoked'",
                    S_ARGS(issuer), &revoked, why));
    status->valid = store_int(valid, 0, 0);
    status->revoked = store_int(revoked, 0, 0);
    return OK;
}

/* There is one for all CAs: it stands with the first. */
static void crp_put(struct ca *ca, const struct issuer *issuer, struct buf *out)
{
    if (!ca->crp || issuer != ca->issuers[0])
        return;
    AUTO(kept_generations) keys = kept_key_hold(ca->crp);
    record_put_int(out, "crp_generation", keys->of[0].generation);
    record_put_time(out, "crp_not_after", keys->of[0].cert.not_after);
}

static enum err status_put(struct ca *ca, const struct issuer *issuer, struct buf *out, struct why *why)
{
    struct status_arg status = { .issuer = issuer, .now = clock_now(ca->clock) };
    struct crl_state crl;
    TRY(store_read(ca->store, status_work, &status, why));
    TRY(crl_overview(ca, issuer, &crl, why));
    pthread_mutex_lock(&ca->refusals_lock);
    int64_t refused = (int64_t)ca->refusal_total;
    pthread_mutex_unlock(&ca->refusals_lock);
    size_t mark = record_begin(out);
    record_put_str(out, "role", "ca");
    record_put_str(out, "ca", issuer->name);
    record_put_time(out, "ca_expires", issuer->cert.not_after);
    record_put_int(out, "valid", status.valid);
    record_put_int(out, "revoked", status.revoked);
    record_put_int(out, "pending", status.pending);
    record_put_int(out, "sealing", status.sealing);
    record_put_int(out, "refused_since_start", refused);
    record_put_int(out, "crl_number", crl.number);
    record_put_time(out, "crl_next_update", crl.next_update);
    crp_put(ca, issuer, out);
    record_put_str(out, "sandbox", ca->sandbox);
    record_end(out, mark);
    return OK;
}

enum err verb_status(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                     struct why *why)
{
    struct ca *ca = role;
    AUTO_BUF out = { 0 };
    (void)caller;
    (void)body;
    size_t list = records_begin(&out);
    for (size_t i = 0; i < ca->issuer_count; i++)
        TRY(status_put(ca, ca->issuers[i], &out, why));
    records_end(&out, list);
    *ret = TAKE_BUF(out);
    return OK;
}

/* signer answers to ca alone, so ca passes on what it says. */
enum err verb_signer_status(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                            struct why *why)
{
    struct ca *ca = role;
    struct record none;
    (void)caller;
    TRY(record_get(body, &none, why));
    if (!ca->sealer.status)
        return fail(why, ERR_UNAVAILABLE, "the signer says nothing of itself");
    return ca->sealer.status(ca->sealer.arg, ret, why);
}
