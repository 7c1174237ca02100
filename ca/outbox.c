/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox: written, leased, delivered. */
#include "ca/outbox.h"

#include "base/encode.h"
#include "base/fault.h"
#include "challenge/challenge.h"
#include "ipc/record.h"
#include "x509/crl.h"

#define PAGE_BYTES (LIMIT_FRAME_BYTES / 2) /* a page ends after the row that exceeds it: that one fits, too */

/* --- written --- */

enum err outbox_put(struct store_tx *tx, const struct ca *ca, const struct outbox_event *event,
                    struct why *why)
{
    bool own = event->authority && *event->authority;
    int64_t number = 0;
    if (!own && strcmp(event->kind, "issued") != 0)
        return OK;
    if (own)
        TRY(counter_next(tx, event->issuer, "outbox", &number, why));
    return store_exec(
        tx,
        "INSERT INTO outbox (issuer_id, request_id, kind, node_id, created_at, authority, event, error, "
        "reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
        "ON CONFLICT (issuer_id, request_id, kind) DO UPDATE SET created_at = $5, event = $7, error = $8, "
        "reason = $9, leased_until = NULL, lease_holder = NULL, delivered_at = NULL",
        S_ARGS(S_TEXT(event->issuer), S_INT(event->request_id), S_TEXT(event->kind), S_TEXT(ca->node),
               S_INT(clock_now(ca->clock)), S_TEXT(own ? event->authority : NULL),
               own ? S_INT(number) : S_NULL, S_TEXT(event->error), S_TEXT(event->reason)),
        NULL, why);
}

/* --- leased --- */

struct lease_arg {
    struct ca *ca;
    const struct outbox_lease *lease;
    int64_t now;
    struct buf out;
};

enum column {
    EVENT,
    REQUEST,
    KIND,
    AT,
    ERROR,
    REASON,
    CHALLENGE,
    TRANSACTION,
    PROFILE_TEMPLATE,
    SERIAL,
    DER,
    NOT_AFTER,
    SERVER
};
/* A row is of a request of ours, or of another SCEP server's (ca/registration.h). */
#define WAITING                                                                                              \
    "SELECT o.event, o.request_id, o.kind, o.created_at, o.error, o.reason, "                                \
    "COALESCE(r.challenge, g.challenge), COALESCE(r.transaction_id, g.transaction_id), "                     \
    "COALESCE(r.template, g.template), COALESCE(c.serial, g.serial), COALESCE(c.der, g.der), "               \
    "COALESCE(c.not_after, g.not_after), g.server FROM outbox o "                                            \
    "LEFT JOIN request r ON r.issuer_id = o.issuer_id AND r.request_id = o.request_id "                      \
    "LEFT JOIN registration g ON g.issuer_id = o.issuer_id AND g.request_id = o.request_id "                 \
    "LEFT JOIN certificate c ON c.issuer_id = r.issuer_id AND c.serial = r.serial "                          \
    "WHERE o.issuer_id = $1 AND o.authority = $2 AND o.delivered_at IS NULL "                                \
    "AND (o.leased_until IS NULL OR o.leased_until <= $3) ORDER BY o.event LIMIT $4"

/* The condition decides who has it, not the look before it. */
static enum err row_take(struct store_tx *tx, const struct lease_arg *arg, int64_t event, bool *ret_taken,
                         struct why *why)
{
    const struct outbox_lease *lease = arg->lease;
    int64_t changed = 0;
    TRY(store_exec(tx,
                   FAULT(outbox_lease)
                       ? "UPDATE outbox SET leased_until = $1, lease_holder = $2 WHERE issuer_id = $3 "
                         "AND authority = $2 AND event = $4 AND delivered_at IS NULL AND $5 = $5"
                       : "UPDATE outbox SET leased_until = $1, lease_holder = $2 WHERE issuer_id = $3 "
                         "AND authority = $2 AND event = $4 AND delivered_at IS NULL "
                         "AND (leased_until IS NULL OR leased_until <= $5)",
                   S_ARGS(S_INT(arg->now + lease->lease_s), S_TEXT(lease->authority),
                          S_TEXT(lease->issuer->name), S_INT(event), S_INT(arg->now)),
                   &changed, why));
    *ret_taken = changed == 1;
    return OK;
}

static enum err challenge_put(struct bytes der, struct buf *out, struct why *why)
{
    struct challenge challenge;
    AUTO_BUF id = { 0 };
    if (!der.len)
        return OK;
    TRY(challenge_decode(der, &challenge, why));
    hex_append(&id, BYTES_ARR(challenge.id));
    record_put(out, "challenge", buf_bytes(&id));
    record_put(out, "device", challenge.device);
    record_put(out, "user", challenge.user);
    record_put(out, "profile", challenge.profile);
    record_put_int(out, "version", challenge.profile_version);
    return OK;
}

static void certificate_put(const struct store_rows *rows, size_t row, struct buf *out)
{
    struct bytes der = store_bytes(rows, row, DER);
    uint8_t digest[DIGEST_MAX_BYTES];
    AUTO_BUF text = { 0 }, thumbprint = { 0 };
    if (!der.len)
        return;
    record_put_str(out, "serial", store_str(rows, row, SERIAL));
    base64_append(&text, der);
    record_put(out, "certificate", buf_bytes(&text));
    if (digest_compute(DIGEST_SHA1, der, digest, NULL) == OK)
        hex_append_upper(&thumbprint, bytes_of(digest, digest_size(DIGEST_SHA1)));
    record_put(out, "thumbprint", buf_bytes(&thumbprint));
    record_put_int(out, "expires", store_int(rows, row, NOT_AFTER));
}

static void error_put(const char *name, struct buf *out)
{
    if (!*name)
        return;
    const struct err_row *error = err_row(err_by_name(name, strlen(name)));
    record_put_str(out, "error", name);
    record_put_str(out, "code", error->api_code);
    record_put_str(out, "diagnosis", error->diagnosis);
    AUTO_STR hresult = xasprintf("0x%08x", error->hresult);
    record_put_str(out, "hresult", hresult);
}

static enum err row_put(const struct lease_arg *arg, const struct store_rows *rows, size_t row,
                        struct buf *out, struct why *why)
{
    AUTO_BUF transaction = { 0 };
    size_t mark = record_begin(out);
    record_put_int(out, "id", store_int(rows, row, EVENT));
    record_put_str(out, "ca", arg->lease->issuer->name);
    record_put_str(out, "kind", store_str(rows, row, KIND));
    record_put_int(out, "at", store_int(rows, row, AT));
    record_put_int(out, "request", store_int(rows, row, REQUEST));
    record_put_str(out, "template", store_str(rows, row, PROFILE_TEMPLATE));
    if (!store_is_null(rows, row, SERVER))
        record_put_str(out, "server", store_str(rows, row, SERVER));
    hex_append(&transaction, store_bytes(rows, row, TRANSACTION));
    record_put(out, "transaction", buf_bytes(&transaction));
    TRY(challenge_put(store_bytes(rows, row, CHALLENGE), out, why));
    certificate_put(rows, row, out);
    error_put(store_str(rows, row, ERROR), out);
    record_put_str(out, "reason", store_str(rows, row, REASON));
    record_end(out, mark);
    return OK;
}

static enum err lease_work(struct store_tx *tx, void *context, struct why *why)
{
    struct lease_arg *arg = context;
    const struct outbox_lease *lease = arg->lease;
    AUTO(store_rows) rows = NULL;
    buf_clear(&arg->out);
    TRY(store_query(
        tx, WAITING,
        S_ARGS(S_TEXT(lease->issuer->name), S_TEXT(lease->authority), S_INT(arg->now), S_INT(lease->limit)),
        &rows, why));
    size_t list = records_begin(&arg->out);
    for (size_t row = 0; row < store_rows_count(rows) && arg->out.len <= PAGE_BYTES; row++) {
        bool taken;
        TRY(row_take(tx, arg, store_int(rows, row, EVENT), &taken, why));
        if (taken)
            TRY(row_put(arg, rows, row, &arg->out, why));
    }
    records_end(&arg->out, list);
    return OK;
}

enum err outbox_lease(struct ca *ca, const struct outbox_lease *lease, struct buf *ret, struct why *why)
{
    struct lease_arg arg = { .ca = ca, .lease = lease, .now = clock_now(ca->clock) };
    enum err err = store_write(ca->store, lease_work, &arg, why);
    AUTO_BUF out = TAKE_BUF(arg.out);
    if (err != OK)
        return err;
    *ret = TAKE_BUF(out);
    return OK;
}

/* --- delivered --- */

struct done_arg {
    struct ca *ca;
    const struct outbox_done *done;
    int64_t count;
};

static enum err done_work(struct store_tx *tx, void *context, struct why *why)
{
    struct done_arg *arg = context;
    const struct outbox_done *done = arg->done;
    arg->count = 0;
    for (size_t i = 0; i < done->count; i++) {
        int64_t changed = 0;
        TRY(store_exec(tx,
                       FAULT(outbox_own) ? "UPDATE outbox SET delivered_at = $1 WHERE issuer_id = $2 "
                                           "AND $3 = $3 AND event = $4 AND delivered_at IS NULL"
                                         : "UPDATE outbox SET delivered_at = $1 WHERE issuer_id = $2 "
                                           "AND authority = $3 AND event = $4 AND delivered_at IS NULL",
                       S_ARGS(S_INT(clock_now(arg->ca->clock)), S_TEXT(done->issuer->name),
                              S_TEXT(done->authority), S_INT(done->events[i])),
                       &changed, why));
        arg->count += changed;
    }
    return OK;
}

enum err outbox_done(struct ca *ca, const struct outbox_done *done, int64_t *ret_done, struct why *why)
{
    struct done_arg arg = { .ca = ca, .done = done };
    TRY(store_write(ca->store, done_work, &arg, why));
    *ret_done = arg.count;
    return OK;
}

static enum err forget_work(struct store_tx *tx, void *arg, struct why *why)
{
    return store_exec(tx, "DELETE FROM outbox WHERE delivered_at < $1", S_ARGS(S_INT(*(const int64_t *)arg)),
                      NULL, why);
}

enum err outbox_forget(struct ca *ca, struct why *why)
{
    int64_t before = clock_now(ca->clock) - OUTBOX_KEPT_S;
    return store_write(ca->store, forget_work, &before, why);
}

enum err outbox_remove(struct store_tx *tx, const char *issuer, const char *authority, struct why *why)
{
    return store_exec(tx, "DELETE FROM outbox WHERE issuer_id = $1 AND authority = $2",
                      S_ARGS(S_TEXT(issuer), S_TEXT(authority)), NULL, why);
}
