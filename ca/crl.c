/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of crl and delta_crl. */
#include "ca/crl.h"

#include "base/encode.h"
#include "base/fault.h"
#include "ca/audit.h"
#include <stdio.h>

const char *crl_kind_name(enum crl_kind kind)
{
    return kind == CRL_DELTA ? "delta" : "full";
}

#define FULL_COLUMNS  "number, this_update, next_update, entries, status_version, is_base"
#define DELTA_COLUMNS "number, this_update, next_update, entries, status_version, base_number"
#define OF_SCOPE      "issuer_id = $1 AND crl_partition = $2"
#define LAST(table)   " FROM " table " WHERE " OF_SCOPE " ORDER BY number DESC LIMIT 1"
#define FORGET(table) "UPDATE " table " SET der = NULL WHERE " OF_SCOPE " AND number < $3 AND length(der) > 0"
#define INSERT(table, last)                                                                                  \
    "INSERT INTO " table " (issuer_id, crl_partition, number, node_id, this_update, next_update, entries, "  \
    "status_version, " last ", der) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"

/* What may have 40 MB is moved once. insert is no SELECT with its condition in it, which SQLite would write into a table of its
   own first; forget looks at the length, which reads no content, as IS NOT NULL would. */
static const struct {
    const char *last, *last_der, *insert, *forget;
} statements[CRL_KINDS] = {
    [CRL_FULL] = { "SELECT " FULL_COLUMNS LAST("crl"), "SELECT " FULL_COLUMNS ", der" LAST("crl"),
                   INSERT("crl", "is_base"), FORGET("crl") },
    [CRL_DELTA] = { "SELECT " DELTA_COLUMNS LAST("delta_crl"),
                    "SELECT " DELTA_COLUMNS ", der" LAST("delta_crl"), INSERT("delta_crl", "base_number"),
                    FORGET("delta_crl") },
};

enum err crl_partition_of_text(const struct issuer *issuer, const char *serial, unsigned *ret,
                               struct why *why)
{
    AUTO_BUF octets = { 0 };
    if (!hex_decode(bytes_str(serial), &octets))
        return fail(why, ERR_STORE, "serial %s in the store is not hexadecimal", serial);
    *ret = crl_partition_of(issuer->partitions.count, buf_bytes(&octets));
    return OK;
}

/* A CRL of before there were versions has none: it may lack any change. */
static struct crl_state state_of(const struct store_rows *rows, enum crl_kind kind)
{
    if (store_rows_count(rows) == 0)
        return (struct crl_state){ .version = -1 };
    struct crl_state state = { .exists = true,
                               .number = store_int(rows, 0, 0),
                               .this_update = store_int(rows, 0, 1),
                               .next_update = store_int(rows, 0, 2),
                               .entries = store_int(rows, 0, 3),
                               .version = store_is_null(rows, 0, 4) ? -1 : store_int(rows, 0, 4) };
    if (kind == CRL_DELTA)
        state.base_number = store_int(rows, 0, 5);
    else
        state.is_base = store_int(rows, 0, 5) != 0;
    return state;
}

enum err crl_last(struct store_tx *tx, const struct crl_scope *scope, struct crl_state *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, statements[scope->kind].last,
                    S_ARGS(S_TEXT(scope->issuer->name), S_INT(scope->partition)), &rows, why));
    *ret = state_of(rows, scope->kind);
    return OK;
}

enum err crl_base(struct store_tx *tx, const struct issuer *issuer, int64_t number, struct crl_state *ret,
                  struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT " FULL_COLUMNS " FROM crl WHERE issuer_id = $1 AND is_base = 1 AND number <= $2 "
                    "ORDER BY CASE WHEN number = $2 THEN 1 ELSE 0 END, number DESC LIMIT 1",
                    S_ARGS(S_TEXT(issuer->name), S_INT(number)), &rows, why));
    *ret = state_of(rows, CRL_FULL);
    return OK;
}

struct current_arg {
    const struct crl_scope *scope;
    bool wants_der;
    struct crl_state state;
    struct buf der;
};

static enum err current_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct current_arg *current = arg;
    const struct crl_scope *scope = current->scope;
    AUTO(store_rows) rows = NULL;
    buf_clear(&current->der);
    if (!current->wants_der)
        return crl_last(tx, scope, &current->state, why);
    TRY(store_query(tx, statements[scope->kind].last_der,
                    S_ARGS(S_TEXT(scope->issuer->name), S_INT(scope->partition)), &rows, why));
    current->state = state_of(rows, scope->kind);
    if (current->state.exists)
        buf_append(&current->der, store_bytes(rows, 0, 6));
    return OK;
}

enum err crl_current(struct ca *ca, const struct crl_scope *scope, struct crl_state *ret, struct buf *ret_der,
                     struct why *why)
{
    struct current_arg current = { .scope = scope, .wants_der = ret_der != NULL };
    enum err err = store_read(ca->store, current_work, &current, why);
    AUTO_BUF der = TAKE_BUF(current.der);
    if (err != OK)
        return err;
    *ret = current.state;
    if (ret_der)
        *ret_der = TAKE_BUF(der);
    return OK;
}

/* --- of all partitions --- */

struct overview_arg {
    const struct issuer *issuer;
    struct crl_state all;
};

/* The oldest decides: what it lacks is lacking. */
static enum err overview_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct overview_arg *overview = arg;
    const struct issuer *issuer = overview->issuer;
    struct crl_state all = { .exists = true, .this_update = INT64_MAX, .next_update = INT64_MAX };
    for (unsigned i = partition_first(issuer); i <= partition_last(issuer); i++) {
        const struct crl_scope scope = { issuer, CRL_FULL, i };
        struct crl_state one;
        TRY(crl_last(tx, &scope, &one, why));
        bool is_older = one.next_update < all.next_update && !FAULT(crl_oldest);
        all.exists = all.exists && one.exists;
        all.number = one.number > all.number ? one.number : all.number;
        all.this_update = one.this_update < all.this_update ? one.this_update : all.this_update;
        all.next_update = is_older || i == partition_first(issuer) ? one.next_update : all.next_update;
        all.entries += one.entries;
    }
    overview->all = all;
    return OK;
}

enum err crl_overview(struct ca *ca, const struct issuer *issuer, struct crl_state *ret, struct why *why)
{
    struct overview_arg overview = { .issuer = issuer };
    TRY(store_read(ca->store, overview_work, &overview, why));
    *ret = overview.all;
    return OK;
}

struct after_arg {
    const struct issuer *issuer;
    int64_t number;
    struct buf der;
};

/* By the numbers' index: of each partition the last one alone has octets. */
static enum err after_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct after_arg *after = arg;
    AUTO(store_rows) rows = NULL;
    buf_clear(&after->der);
    TRY(store_query(tx,
                    "SELECT der FROM crl WHERE issuer_id = $1 AND number > $2 AND crl_partition > 0 "
                    "AND der IS NOT NULL ORDER BY number LIMIT 1",
                    S_ARGS(S_TEXT(after->issuer->name), S_INT(after->number)), &rows, why));
    if (store_rows_count(rows))
        buf_append(&after->der, store_bytes(rows, 0, 0));
    return OK;
}

enum err crl_after(struct ca *ca, const struct issuer *issuer, int64_t number, struct buf *ret_der,
                   struct why *why)
{
    struct after_arg after = { .issuer = issuer, .number = number };
    enum err err = store_read(ca->store, after_work, &after, why);
    AUTO_BUF der = TAKE_BUF(after.der);
    if (err == OK)
        *ret_der = TAKE_BUF(der);
    return err;
}

/* --- keeping --- */

static void object_text(const struct crl_keep *keep, char *ret, size_t len)
{
    const struct crl_scope *scope = keep->scope;
    long long number = (long long)keep->state->number;
    if (scope->partition)
        snprintf(ret, len, "CRL %lld of partition %u", number, scope->partition);
    else
        snprintf(ret, len, "%sCRL %lld", scope->kind == CRL_DELTA ? "delta " : "", number);
}

/* Also when two ca nodes publish at once. Over all partitions, for who asks for what is after a number would never be told of one
   that came before it later. */
static enum err order_check(struct store_tx *tx, const struct crl_keep *keep, const char *object,
                            struct why *why)
{
    const struct crl_scope *scope = keep->scope;
    const char *counter = scope->kind == CRL_DELTA ? "delta_crl_published" : "crl_published";
    bool raised;
    TRY(counter_raise(tx, scope->issuer->name, counter, keep->state->number, &raised, why));
    if (!raised && !FAULT(crl_order))
        return fail(why, ERR_BUSY, "ca %s has published %s already, or one after it", scope->issuer->name,
                    object);
    return OK;
}

enum err crl_keep(struct store_tx *tx, const struct crl_keep *keep, struct why *why)
{
    const struct crl_state *state = keep->state;
    const struct crl_scope *scope = keep->scope;
    const struct store_value issuer = S_TEXT(scope->issuer->name), partition = S_INT(scope->partition);
    char object[64];
    object_text(keep, object, sizeof(object));
    TRY(order_check(tx, keep, object, why));
    TRY(store_exec(
        tx, statements[scope->kind].insert,
        S_ARGS(issuer, partition, S_INT(state->number), S_TEXT(keep->ca->node), S_INT(state->this_update),
               S_INT(state->next_update), S_INT(state->entries), S_INT(state->version),
               S_INT(scope->kind == CRL_DELTA ? state->base_number : state->is_base), S_BYTES(keep->der)),
        NULL, why));
    TRY(store_exec(tx, statements[scope->kind].forget, S_ARGS(issuer, partition, S_INT(state->number)), NULL,
                   why));
    struct audit_entry entry = { scope->issuer->name, "ca", "crl_publish", object, "" };
    return audit_write(tx, keep->ca, &entry, why);
}
