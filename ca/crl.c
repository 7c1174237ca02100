/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of crl and delta_crl. */
#include "ca/crl.h"

#include "ca/audit.h"
#include <stdio.h>

const char *crl_kind_name(enum crl_kind kind)
{
    return kind == CRL_DELTA ? "delta" : "full";
}

#define FULL_COLUMNS  "number, this_update, next_update, entries, status_version, is_base"
#define DELTA_COLUMNS "number, this_update, next_update, entries, status_version, base_number"
#define LAST(table)   " FROM " table " WHERE issuer_id = $1 ORDER BY number DESC LIMIT 1"

/* What may have 40 MB is moved once. insert is no SELECT with its condition in it, which SQLite would write into a table of its
   own first; forget looks at the length, which reads no content, as IS NOT NULL would. */
static const struct {
    const char *last, *last_der, *insert, *forget;
} statements[CRL_KINDS] = {
    [CRL_FULL] = { "SELECT " FULL_COLUMNS LAST("crl"), "SELECT " FULL_COLUMNS ", der" LAST("crl"),
                   "INSERT INTO crl (issuer_id, number, node_id, this_update, next_update, entries, "
                   "status_version, is_base, der) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                   "UPDATE crl SET der = NULL WHERE issuer_id = $1 AND number < $2 AND length(der) > 0" },
    [CRL_DELTA] = { "SELECT " DELTA_COLUMNS LAST("delta_crl"),
                    "SELECT " DELTA_COLUMNS ", der" LAST("delta_crl"),
                    "INSERT INTO delta_crl (issuer_id, number, node_id, this_update, next_update, entries, "
                    "status_version, base_number, der) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                    "UPDATE delta_crl SET der = NULL "
                    "WHERE issuer_id = $1 AND number < $2 AND length(der) > 0" },
};

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

enum err crl_last(struct store_tx *tx, const struct issuer *issuer, enum crl_kind kind, struct crl_state *ret,
                  struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, statements[kind].last, S_ARGS(S_TEXT(issuer->name)), &rows, why));
    *ret = state_of(rows, kind);
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
    const struct issuer *issuer;
    enum crl_kind kind;
    bool wants_der;
    struct crl_state state;
    struct buf der;
};

static enum err current_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct current_arg *current = arg;
    const char *sql =
        current->wants_der ? statements[current->kind].last_der : statements[current->kind].last;
    AUTO(store_rows) rows = NULL;
    buf_clear(&current->der);
    TRY(store_query(tx, sql, S_ARGS(S_TEXT(current->issuer->name)), &rows, why));
    current->state = state_of(rows, current->kind);
    if (current->wants_der && current->state.exists)
        buf_append(&current->der, store_bytes(rows, 0, 6));
    return OK;
}

enum err crl_current(struct ca *ca, const struct issuer *issuer, enum crl_kind kind, struct crl_state *ret,
                     struct buf *ret_der, struct why *why)
{
    struct current_arg current = { .issuer = issuer, .kind = kind, .wants_der = ret_der != NULL };
    enum err err = store_read(ca->store, current_work, &current, why);
    AUTO_BUF der = TAKE_BUF(current.der);
    if (err != OK)
        return err;
    *ret = current.state;
    if (ret_der)
        *ret_der = TAKE_BUF(der);
    return OK;
}

enum err crl_keep(struct store_tx *tx, const struct crl_keep *keep, struct why *why)
{
    const struct crl_state *state = keep->state;
    const char *issuer = keep->issuer->name;
    bool is_delta = keep->kind == CRL_DELTA;
    char object[64];
    struct crl_state last;
    TRY(crl_last(tx, keep->issuer, keep->kind, &last, why));
    if (last.exists && last.number >= state->number)
        return fail(why, ERR_BUSY, "a later %s CRL than %lld of ca %s is published already",
                    crl_kind_name(keep->kind), (long long)state->number, issuer);
    TRY(store_exec(tx, statements[keep->kind].insert,
                   S_ARGS(S_TEXT(issuer), S_INT(state->number), S_TEXT(keep->ca->node),
                          S_INT(state->this_update), S_INT(state->next_update), S_INT(state->entries),
                          S_INT(state->version), S_INT(is_delta ? state->base_number : state->is_base),
                          S_BYTES(keep->der)),
                   NULL, why));
    TRY(store_exec(tx, statements[keep->kind].forget, S_ARGS(S_TEXT(issuer), S_INT(state->number)), NULL,
                   why));
    snprintf(object, sizeof(object), "%sCRL %lld", is_delta ? "delta " : "", (long long)state->number);
    struct audit_entry entry = { issuer, "ca", "crl_publish", object, "" };
    return audit_write(tx, keep->ca, &entry, why);
}
