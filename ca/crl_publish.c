/* SPDX-License-Identifier: Apache-2.0 */
/* The full CRL: numbered, built in one pass over the store, sealed, stored, written to its file. */
#include "ca/crl_publish.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "ca/audit.h"
#include <stdio.h>

struct crl_work {
    struct ca *ca;
    const struct issuer *issuer;
    struct crl_builder *builder;
    struct crl_state last, next;
    int64_t expired_before;
    struct bytes der;
    bool wants_der;
    struct buf *out;
    bool lacking;
};

static enum err state_read(struct store_tx *tx, struct crl_work *work, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    work->last = (struct crl_state){ 0 };
    TRY(store_query(
        tx,
        work->wants_der
            ? "SELECT number, this_update, next_update, entries, der FROM crl WHERE issuer_id = $1 "
              "ORDER BY number DESC LIMIT 1"
            : "SELECT number, this_update, next_update, entries FROM crl WHERE issuer_id = $1 "
              "ORDER BY number DESC LIMIT 1",
        S_ARGS(S_TEXT(work->issuer->name)), &rows, why));
    if (store_rows_count(rows) == 0)
        return OK;
    work->last = (struct crl_state){ true, store_int(rows, 0, 0), store_int(rows, 0, 1),
                                     store_int(rows, 0, 2), store_int(rows, 0, 3) };
    if (work->wants_der) {
        buf_clear(work->out);
        buf_append(work->out, store_bytes(rows, 0, 4));
    }
    return OK;
}

static enum err current_work(struct store_tx *tx, void *arg, struct why *why)
{
    return state_read(tx, arg, why);
}

enum err crl_current(struct ca *ca, const struct issuer *issuer, struct crl_state *ret, struct buf *ret_der,
                     struct why *why)
{
    AUTO_BUF der = { 0 };
    struct crl_work work = { .ca = ca, .issuer = issuer, .wants_der = ret_der != NULL, .out = &der };
    TRY(store_read(ca->store, current_work, &work, why));
    *ret = work.last;
    if (ret_der)
        *ret_der = TAKE_BUF(der);
    return OK;
}

static enum err number_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct crl_work *work = arg;
    TRY(state_read(tx, work, why));
    return counter_next(tx, work->issuer->name, "crl", &work->next.number, why);
}

static enum err entry_add(const struct store_rows *row, void *arg, struct why *why)
{
    struct crl_work *work = arg;
    AUTO_BUF serial = { 0 };
    if (!hex_decode(store_bytes(row, 0, 0), &serial))
        return fail(why, ERR_STORE, "serial %s in the store is not hexadecimal", store_str(row, 0, 0));
    struct crl_entry entry = { buf_bytes(&serial), store_int(row, 0, 1),
                               (enum crl_reason)store_int(row, 0, 2) };
    crl_add(work->builder, &entry);
    work->next.entries++;
    return OK;
}

/* May be run again: begins its CRL afresh each time. */
static enum err entries_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct crl_work *work = arg;
    const struct crl_params *params = work->builder->params;
    buf_free(&work->builder->tbs);
    crl_begin(work->builder, params);
    work->next.entries = 0;
    return store_for_each(
        tx,
        "SELECT serial, revoked_at, reason FROM certificate WHERE issuer_id = $1 AND status = 'revoked' "
        "AND not_after >= $2",
        S_ARGS(S_TEXT(work->issuer->name), S_INT(work->expired_before)), entry_add, work, why);
}

static enum err crl_seal(struct crl_work *work, struct bytes tbs, struct buf *ret_der, struct why *why)
{
    const struct issuer *issuer = work->issuer;
    struct seal_request request = { bytes_str(issuer->name), SEAL_CRL, tbs };
    AUTO_BUF der = { 0 };
    struct crl crl;
    TRY(work->ca->sealer.seal(work->ca->sealer.arg, &request, &der, why));
    if (crl_parse(buf_bytes(&der), &crl, why) != OK || (!FAULT(sealed_crl) && !bytes_equal(crl.tbs, tbs)))
        return fail(why, ERR_PROTOCOL, "the signer sealed something else than CRL %lld",
                    (long long)work->next.number);
    if (public_key_verify(issuer->key, crl.algorithm, crl.tbs, crl.signature, why) != OK)
        return fail(why, ERR_PROTOCOL, "the signer's signature under CRL %lld does not verify",
                    (long long)work->next.number);
    *ret_der = TAKE_BUF(der);
    return OK;
}

static enum err save_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct crl_work *work = arg;
    const struct crl_state *next = &work->next;
    const char *issuer = work->issuer->name;
    char object[64];
    int64_t changed = 0;
    TRY(store_exec(tx,
                   "INSERT INTO crl (issuer_id, number, node_id, this_update, next_update, entries, der) "
                   "SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS "
                   "(SELECT 1 FROM crl WHERE issuer_id = $1 AND number >= $2)",
                   S_ARGS(S_TEXT(issuer), S_INT(next->number), S_TEXT(work->ca->node),
                          S_INT(next->this_update), S_INT(next->next_update), S_INT(next->entries),
                          S_BYTES(work->der)),
                   &changed, why));
    if (changed != 1)
        return fail(why, ERR_BUSY, "a later CRL than %lld of ca %s is published already",
                    (long long)next->number, issuer);
    TRY(store_exec(tx, "UPDATE crl SET der = NULL WHERE issuer_id = $1 AND number < $2 AND der IS NOT NULL",
                   S_ARGS(S_TEXT(issuer), S_INT(next->number)), NULL, why));
    snprintf(object, sizeof(object), "CRL %lld", (long long)next->number);
    struct audit_entry entry = { issuer, "ca", "crl_publish", object, "" };
    return audit_write(tx, work->ca, &entry, why);
}

/* Under crl_lock: the last CRL of the store, into its file, unless this process has done that. */
static enum err file_publish(struct ca *ca, struct issuer *issuer, struct why *why)
{
    AUTO_BUF der = { 0 };
    struct crl_state last;
    if (!ca->crl_dir || issuer->crl_file_is_last)
        return OK;
    TRY(crl_current(ca, issuer, &last, &der, why));
    AUTO_STR path = xasprintf("%s/%s.crl", ca->crl_dir, issuer->name);
    TRY(dir_make(ca->crl_dir, 0755, why));
    TRY(file_write(path, buf_bytes(&der), 0444, why));
    issuer->crl_file_is_last = true;
    return OK;
}

/* RFC 5280 3.3: an expired entry stays through one more scheduled CRL; so, at least, for one period after its end. */
static void period_make(struct crl_work *work)
{
    const struct issuer *issuer = work->issuer;
    int64_t now = clock_now(work->ca->clock);
    work->next.this_update = FAULT(crl_time) || now > work->last.this_update ? now : work->last.this_update;
    work->next.next_update = work->next.this_update + issuer->crl_validity_s + issuer->crl_overlap_s;
    work->expired_before = work->next.this_update - issuer->crl_validity_s - issuer->crl_overlap_s;
    if (work->last.exists && work->last.this_update < work->expired_before)
        work->expired_before = work->last.this_update;
}

static enum err publish_locked(struct ca *ca, struct issuer *issuer, struct why *why)
{
    struct crl_builder builder = { 0 };
    struct crl_work work = { .ca = ca, .issuer = issuer, .builder = &builder };
    AUTO_BUF tbs = { 0 }, der = { 0 };
    TRY(store_write(ca->store, number_work, &work, why));
    period_make(&work);
    struct crl_params params = { .algorithm = issuer->algorithm,
                                 .issuer = issuer->cert.subject,
                                 .issuer_key_id = issuer->aki,
                                 .this_update = work.next.this_update,
                                 .next_update = work.next.next_update,
                                 .number = work.next.number };
    builder.params = &params;
    enum err err = store_read(ca->store, entries_work, &work, why);
    if (err != OK) {
        buf_free(&builder.tbs);
        return err;
    }
    crl_end(&builder, &tbs);
    TRY(crl_seal(&work, buf_bytes(&tbs), &der, why));
    work.der = buf_bytes(&der);
    issuer->crl_file_is_last = false;
    return store_write(ca->store, save_work, &work, why);
}

/* One ticket per wish: a CRL begun after a wish was made fulfils it, so many revocations at once need few CRLs. */
enum err crl_publish(struct ca *ca, struct issuer *issuer, struct why *why)
{
    pthread_mutex_lock(&issuer->wanted_lock);
    int64_t ticket = ++issuer->crl_wanted;
    pthread_mutex_unlock(&issuer->wanted_lock);
    enum err err = OK;
    pthread_mutex_lock(&issuer->crl_lock);
    if (issuer->crl_done < ticket) {
        pthread_mutex_lock(&issuer->wanted_lock);
        int64_t covers = issuer->crl_wanted;
        pthread_mutex_unlock(&issuer->wanted_lock);
        err = publish_locked(ca, issuer, why);
        if (err == OK)
            issuer->crl_done = covers;
    }
    if (err == OK)
        err = file_publish(ca, issuer, why);
    pthread_mutex_unlock(&issuer->crl_lock);
    return err;
}

static enum err lacking_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct crl_work *work = arg;
    AUTO(store_rows) rows = NULL;
    TRY(state_read(tx, work, why));
    TRY(store_query(
        tx,
        "SELECT COUNT(*) FROM certificate WHERE issuer_id = $1 AND status = 'revoked' AND not_after >= $2 "
        "AND revoked_at >= $2",
        S_ARGS(S_TEXT(work->issuer->name), S_INT(work->last.this_update)), &rows, why));
    /* Revoked in the second of the last CRL: perhaps after it was begun. */
    work->lacking = store_int(rows, 0, 0) > 0;
    return OK;
}

enum err crl_publish_due(struct ca *ca, struct issuer *issuer, struct why *why)
{
    struct crl_work work = { .ca = ca, .issuer = issuer };
    int64_t now = clock_now(ca->clock);
    TRY(store_read(ca->store, lacking_work, &work, why));
    pthread_mutex_lock(&issuer->crl_lock);
    bool ours = issuer->crl_done > 0; /* this process published it: its tickets know what it lacks */
    pthread_mutex_lock(&issuer->wanted_lock);
    bool lacking = ours ? issuer->crl_done < issuer->crl_wanted : work.lacking;
    pthread_mutex_unlock(&issuer->wanted_lock);
    bool due = !work.last.exists || (lacking && !FAULT(crl_catch_up)) ||
               now >= work.last.next_update - issuer->crl_overlap_s;
    enum err err = due ? OK : file_publish(ca, issuer, why);
    pthread_mutex_unlock(&issuer->crl_lock);
    return due ? crl_publish(ca, issuer, why) : err;
}
