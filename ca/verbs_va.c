/* SPDX-License-Identifier: Apache-2.0 */
/* What the validation authority asks: certificates of CAs, the status of serials and its changes, CRLs. */
#include "ca/certificate.h"
#include "ca/crl.h"
#include "ca/status.h"
#include "ca/verbs.h"

#include <stdlib.h>

enum err verb_ca_get(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                     struct why *why)
{
    struct record record;
    struct issuer *issuer;
    (void)caller;
    TRY(record_get(body, &record, why));
    TRY(verb_issuer(role, &record, &issuer, why));
    der_put_octets(ret, buf_bytes(&issuer->der));
    return OK;
}

enum err verb_status_get(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                         struct why *why)
{
    struct record record;
    struct issuer *issuer;
    struct cert_status status;
    AUTO_STR text = NULL;
    AUTO_STR serial = NULL;
    (void)caller;
    TRY(record_get(body, &record, why));
    TRY(verb_issuer(role, &record, &issuer, why));
    TRY(verb_field(&record, "serial", &text, why));
    TRY(serial_from_text(text, &serial, why));
    TRY(status_get(role, issuer, serial, &status, why));
    size_t list = records_begin(ret), mark = record_begin(ret);
    record_put_str(ret, "status", standing_name(status.standing));
    record_put_int(ret, "revoked_at", status.revoked_at);
    record_put_int(ret, "reason", status.reason);
    record_put_int(ret, "version", status.version);
    record_end(ret, mark);
    records_end(ret, list);
    return OK;
}

/* --- changes --- */

struct changes_arg {
    const struct issuer *issuer;
    int64_t since;
    struct buf out;
};

static void change_put(struct buf *out, const struct store_rows *rows, size_t row)
{
    size_t mark = record_begin(out);
    record_put_str(out, "serial", store_str(rows, row, 0));
    record_put_str(out, "status", strcmp(store_str(rows, row, 1), "revoked") == 0 ? "revoked" : "good");
    record_put_int(out, "revoked_at", store_int(rows, row, 2));
    record_put_int(out, "reason", store_int(rows, row, 3));
    record_put_int(out, "version", store_int(rows, row, 4));
    record_end(out, mark);
}

static enum err changes_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct changes_arg *changes = arg;
    AUTO(store_rows) rows = NULL;
    int64_t version;
    TRY(status_version(tx, changes->issuer, &version, why));
    TRY(store_query(tx,
                    "SELECT serial, status, revoked_at, reason, status_version FROM certificate "
                    "WHERE issuer_id = $1 AND status_version > $2 ORDER BY status_version LIMIT $3",
                    S_ARGS(S_TEXT(changes->issuer->name), S_INT(changes->since), S_INT(LIST_MAX)), &rows,
                    why));
    size_t count = store_rows_count(rows);
    /* What has changed twice is told once, under its last number: the last row may be older than the newest change. */
    if (count == LIST_MAX)
        version = store_int(rows, count - 1, 4);
    buf_clear(&changes->out);
    size_t list = records_begin(&changes->out), mark = record_begin(&changes->out);
    record_put_int(&changes->out, "version", version);
    record_put_str(&changes->out, "more", count == LIST_MAX ? "yes" : "no");
    record_end(&changes->out, mark);
    for (size_t row = 0; row < count; row++)
        change_put(&changes->out, rows, row);
    records_end(&changes->out, list);
    return OK;
}

enum err verb_status_changes(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                             struct why *why)
{
    struct ca *ca = role;
    struct record record;
    struct issuer *issuer;
    (void)caller;
    TRY(record_get(body, &record, why));
    TRY(verb_issuer(ca, &record, &issuer, why));
    struct changes_arg changes = { .issuer = issuer, .since = record_int(&record, "since", 0) };
    enum err err = store_read(ca->store, changes_work, &changes, why);
    AUTO_BUF out = TAKE_BUF(changes.out);
    if (err != OK)
        return err;
    *ret = TAKE_BUF(out);
    return OK;
}

/* --- CRLs --- */

static void crl_answer(struct bytes der, struct buf *ret)
{
    if (der.len)
        der_put_octets(ret, der);
    else
        der_put(ret, DER_NULL, BYTES_NONE);
}

/* The partitions' CRLs have one sequence of numbers: the asker goes on from the last that it has. */
static enum err next_answer(struct ca *ca, const struct issuer *issuer, int64_t known, struct buf *ret,
                            struct why *why)
{
    AUTO_BUF der = { 0 };
    TRY(crl_after(ca, issuer, known, &der, why));
    crl_answer(buf_bytes(&der), ret);
    return OK;
}

/* NULL when there is none, or none with another number than the asker has. */
enum err verb_crl_get(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                      struct why *why)
{
    struct record record;
    struct issuer *issuer;
    struct crl_state state;
    struct crl_scope scope = { 0 };
    AUTO_BUF der = { 0 };
    (void)caller;
    TRY(record_get(body, &record, why));
    TRY(verb_issuer(role, &record, &issuer, why));
    TRY(verb_crl_kind(&record, &scope.kind, why));
    int64_t known = record_int(&record, "number", 0);
    if (scope.kind == CRL_FULL && crl_is_partitioned(&issuer->partitions))
        return next_answer(role, issuer, known, ret, why);
    scope.issuer = issuer;
    TRY(crl_current(role, &scope, &state, NULL, why));
    bool has_none = !state.exists || (scope.kind == CRL_DELTA && !issuer->delta_validity_s);
    if (!has_none && state.number != known) {
        /* Not beside a publication: each needs a large CRL twice, and the asker will want the next one anyway. */
        pthread_mutex_lock(&issuer->crl_lock);
        enum err err = crl_current(role, &scope, &state, &der, why);
        pthread_mutex_unlock(&issuer->crl_lock);
        TRY(err);
    }
    crl_answer(buf_bytes(&der), ret);
    return OK;
}
