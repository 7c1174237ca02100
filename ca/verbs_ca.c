/* SPDX-License-Identifier: Apache-2.0 */
/* Templates, one-time passwords and the state of the CA, as administrators see them. */
#include "ca/challenge.h"
#include "ca/crl.h"
#include "ca/template.h"
#include "ca/validator.h"
#include "ca/verbs.h"

#include "base/log.h"
#include "x509/extension.h"
#include <stdlib.h>

static const struct verb_column template_columns[] = {
    { "name", COLUMN_TEXT },   { "display_name", COLUMN_TEXT }, { "purpose", COLUMN_TEXT },
    { "version", COLUMN_INT }, { "published", COLUMN_TEXT },    { "changed", COLUMN_TIME },
};

enum err verb_template_list(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                            struct why *why)
{
    struct record record;
    (void)caller;
    TRY(record_get(body, &record, why));
    struct verb_listing listing = { "SELECT name, display_name, purpose, version, "
                                    "CASE WHEN published = 1 THEN 'yes' ELSE 'no' END, changed_at "
                                    "FROM template ORDER BY name",
                                    S_NO_ARGS, COLUMNS(template_columns), 0, "" };
    return verb_list(role, &listing, ret, why);
}

enum err verb_template_show(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                            struct why *why)
{
    struct ca *ca = role;
    struct record record;
    AUTO_STR name = NULL;
    AUTO(template) template = NULL;
    AUTO_BUF usage = { 0 };
    (void)caller;
    TRY(record_get(body, &record, why));
    TRY(verb_field(&record, "name", &name, why));
    TRY(template_load(ca->store, bytes_str(name), &template, why));
    key_usage_append_text(&usage, template->key_usage);
    size_t list = records_begin(ret), mark = record_begin(ret);
    record_put_str(ret, "name", template->name);
    record_put_str(ret, "display_name", template->display_name);
    record_put_str(ret, "purpose", template->purpose);
    record_put_str(ret, "key_usage", buf_text(&usage));
    record_put_str(ret, "eku", template->eku_text);
    record_put_int(ret, "validity_s", template->validity_s);
    record_put_int(ret, "renewal_s", template->renewal_s);
    record_put_int(ret, "min_rsa_bits", template->min_rsa_bits);
    record_put_str(ret, "key_algorithms", template->key_algorithms);
    record_put_str(ret, "subject_rule", template->subject_rule);
    record_put_str(ret, "san_rule", template->san_rule);
    record_put_int(ret, "version", template->version);
    record_put_str(ret, "published", template->published ? "yes" : "no");
    record_end(ret, mark);
    records_end(ret, list);
    return OK;
}

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
        return fail(why, ERR_BAD_REQUEST,
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

static enum err status_put(struct ca *ca, const struct issuer *issuer, struct buf *out, struct why *why)
{
    struct status_arg status = { .issuer = issuer, .now = clock_now(ca->clock) };
    struct crl_state crl;
    TRY(store_read(ca->store, status_work, &status, why));
    TRY(crl_current(ca, issuer, CRL_FULL, &crl, NULL, why));
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
