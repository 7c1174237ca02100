/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite as one connection sees it. Each is used by one thread at a time. */
#include "store/sqlite_connection.h"

#include "store/cache.h"
#include <stdio.h>
#include <stdlib.h>

#define SQLITE_WAIT_MS 5000 /* for another connection's WAL recovery or checkpoint, never for a writer */

struct sqlite_connection {
    sqlite3 *db;
    struct cache cache;
    int wal_pages;
    bool poisoned, full;
};

/* trusted_schema off, defensive, no double-quoted strings: a damaged or planted file must not do more than
   fail. wal_autocheckpoint 0: the writer thread checkpoints after it has answered (store/sqlite.c). */
static const char owner_pragmas[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
    "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=FAST; PRAGMA cache_size=-8000;"
    "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=67108864";
static const char reader_pragmas[] =
    "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"
    "PRAGMA wal_autocheckpoint=0";

static enum err sqlite_fail(struct sqlite_connection *connection, const char *what, struct why *why)
{
    int code = sqlite3_extended_errcode(connection->db), kind = code & 0xff;
    if (kind == SQLITE_IOERR || kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB || kind == SQLITE_CANTOPEN)
        connection->poisoned = true;
    if (kind == SQLITE_FULL)
        connection->full = true;
    bool taken = code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
                 code == SQLITE_CONSTRAINT_ROWID;
    /* SQLite's messages name columns, never values. */
    return fail(why, taken ? ERR_CONFLICT : ERR_STORE, "%s: %s (SQLite %d)", what,
                sqlite3_errmsg(connection->db), code);
}

static int on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    struct sqlite_connection *connection = arg;
    connection->wal_pages = pages;
    return SQLITE_OK;
}

static enum err journal_check(struct sqlite_connection *connection, struct why *why)
{
    struct statement ask = { "PRAGMA journal_mode", S_NO_ARGS, true };
    AUTO(store_rows) rows = rows_new();
    struct result result = { .rows = rows };
    TRY(sqlite_run(connection, &ask, &result, why));
    const char *mode = store_rows_count(rows) ? store_str(rows, 0, 0) : "none";
    if (strcmp(mode, "wal") != 0)
        return fail(why, ERR_STORE,
                    "journal mode is %s, wal is needed: the file system must offer shared memory", mode);
    return OK;
}

static enum err connection_set_up(struct sqlite_connection *connection, enum sqlite_access access,
                                  struct why *why)
{
    sqlite3 *db = connection->db;
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, SQLITE_WAIT_MS);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, (int *)NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)NULL);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    TRY(sqlite_script(connection, access == ACCESS_OWNER ? owner_pragmas : reader_pragmas, why));
    if (access == ACCESS_OWNER)
        sqlite3_wal_hook(db, on_commit, connection);
    return journal_check(connection, why);
}

enum err sqlite_connect(const char *path, enum sqlite_access access, struct sqlite_connection **ret,
                        struct why *why)
{
    AUTO(sqlite_connection) connection = xcalloc(1, sizeof(*connection));
    /* Without a mutex of its own: one thread at a time. Not read-only even for readers: WAL shares memory
       through a file that a reader may have to create; query_only keeps it from writing. */
    if (sqlite3_open_v2(path, &connection->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        return fail(why, ERR_STORE, "cannot open %s: %s", path,
                    connection->db ? sqlite3_errmsg(connection->db) : "out of memory");
    struct why inner = { 0 };
    enum err err = connection_set_up(connection, access, &inner);
    if (err != OK)
        return fail(why, err, "%s: %s", path, inner.text);
    *ret = TAKE(connection);
    return OK;
}

/* A statement, and which of its parameters is $1, $2, …: $2 may come first in the text. */
struct prepared {
    sqlite3_stmt *handle;
    size_t count;
    int indexes[STORE_ARGS_MAX];
};

static void prepared_free(struct prepared *prepared)
{
    if (!prepared)
        return;
    sqlite3_finalize(prepared->handle);
    free(prepared);
}
AUTO_DECLARE(prepared)

static void statement_end(struct cache_slot *slot)
{
    prepared_free(slot->statement);
    cache_empty(slot);
}

void sqlite_connection_free(struct sqlite_connection *connection)
{
    if (!connection)
        return;
    for (size_t i = 0; i < CACHE_SLOTS; i++)
        statement_end(&connection->cache.slots[i]);
    sqlite3_close(connection->db);
    free(connection);
}

/* A parameter that has no place, or none of ours in it, would silently be NULL. */
static enum err parameters_find(struct prepared *prepared, const char *sql, struct why *why)
{
    int count = sqlite3_bind_parameter_count(prepared->handle);
    if (count > STORE_ARGS_MAX)
        return fail(why, ERR_STORE, "statement with %d parameters, limit %d: %s", count, STORE_ARGS_MAX, sql);
    prepared->count = (size_t)count;
    for (int i = 0; i < count; i++) {
        char name[24];
        snprintf(name, sizeof(name), "$%d", i + 1);
        prepared->indexes[i] = sqlite3_bind_parameter_index(prepared->handle, name);
        if (prepared->indexes[i] == 0)
            return fail(why, ERR_STORE, "statement has no parameter %s: %s", name, sql);
    }
    return OK;
}

static enum err prepare_fresh(struct sqlite_connection *connection, const char *sql, struct prepared **ret,
                              struct why *why)
{
    AUTO(prepared) fresh = xcalloc(1, sizeof(*fresh));
    const char *tail = NULL;
    if (sqlite3_prepare_v3(connection->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &fresh->handle, &tail) !=
        SQLITE_OK)
        return sqlite_fail(connection, sql, why);
    if (!fresh->handle || tail[strspn(tail, " \t\r\n;")] != '\0')
        return fail(why, ERR_STORE, "not one statement: %s", sql);
    TRY(parameters_find(fresh, sql, why));
    *ret = TAKE(fresh);
    return OK;
}

static enum err statement_prepare(struct sqlite_connection *connection, const char *sql,
                                  struct prepared **ret, struct why *why)
{
    struct cache_slot *slot = cache_find(&connection->cache, "", sql);
    if (!slot) {
        struct prepared *fresh = NULL;
        TRY(prepare_fresh(connection, sql, &fresh, why));
        slot = cache_oldest(&connection->cache);
        statement_end(slot);
        cache_fill(&connection->cache, slot, "", sql, fresh);
    }
    *ret = slot->statement;
    return OK;
}

static int bind_value(sqlite3_stmt *statement, int index, const struct store_value *value)
{
    /* A NULL pointer would bind NULL: empty is not NULL. Static: the values outlive the statement's run. */
    const char *data = value->bytes.data ? (const char *)value->bytes.data : "";
    switch (value->type) {
    case STORE_INT:
        return sqlite3_bind_int64(statement, index, value->integer);
    case STORE_TEXT:
        return sqlite3_bind_text64(statement, index, data, value->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
    case STORE_BYTES:
        return sqlite3_bind_blob64(statement, index, data, value->bytes.len, SQLITE_STATIC);
    case STORE_NULL:
        break;
    }
    return sqlite3_bind_null(statement, index);
}

static enum err bind_all(struct sqlite_connection *connection, const struct prepared *prepared,
                         const struct statement *statement, struct why *why)
{
    /* A parameter that nobody bound would silently be NULL. */
    if (prepared->count != statement->args.count)
        return fail(why, ERR_STORE, "statement takes %zu parameters, got %zu: %s", prepared->count,
                    statement->args.count, statement->sql);
    for (size_t i = 0; i < statement->args.count; i++) {
        if (bind_value(prepared->handle, prepared->indexes[i], &statement->args.values[i]) != SQLITE_OK)
            return sqlite_fail(connection, statement->sql, why);
    }
    return OK;
}

static enum err row_add(sqlite3_stmt *prepared, struct store_rows *rows, struct why *why)
{
    for (int column = 0; column < sqlite3_column_count(prepared); column++) {
        const void *data;
        switch (sqlite3_column_type(prepared, column)) {
        case SQLITE_NULL:
            rows_add_null(rows);
            break;
        case SQLITE_INTEGER:
            rows_add_int(rows, sqlite3_column_int64(prepared, column));
            break;
        case SQLITE_TEXT:
            data = sqlite3_column_text(prepared, column);
            rows_add_bytes(rows, STORE_TEXT, bytes_of(data, (size_t)sqlite3_column_bytes(prepared, column)));
            break;
        case SQLITE_BLOB:
            data = sqlite3_column_blob(prepared, column);
            rows_add_bytes(rows, STORE_BYTES, bytes_of(data, (size_t)sqlite3_column_bytes(prepared, column)));
            break;
        default:
            return fail(why, ERR_STORE, "column %d has a fractional number: cast it to BIGINT", column + 1);
        }
    }
    return OK;
}

static enum err step_all(struct sqlite_connection *connection, sqlite3_stmt *prepared, const char *sql,
                         struct result *result, struct why *why)
{
    rows_start(result->rows, (size_t)sqlite3_column_count(prepared));
    int code;
    while ((code = sqlite3_step(prepared)) == SQLITE_ROW) {
        TRY(row_add(prepared, result->rows, why));
        TRY(result_row_done(result, why));
    }
    if (code != SQLITE_DONE)
        return sqlite_fail(connection, sql, why);
    result->changed = sqlite3_stmt_readonly(prepared) ? 0 : sqlite3_changes64(connection->db);
    return OK;
}

enum err sqlite_run(void *arg, const struct statement *statement, struct result *result, struct why *why)
{
    struct sqlite_connection *connection = arg;
    struct prepared *prepared = NULL;
    TRY(statement_prepare(connection, statement->sql, &prepared, why));
    enum err err = bind_all(connection, prepared, statement, why);
    if (err == OK)
        err = step_all(connection, prepared->handle, statement->sql, result, why);
    sqlite3_reset(prepared->handle);
    sqlite3_clear_bindings(prepared->handle); /* they point at the caller's memory */
    return err;
}

enum err sqlite_do(struct sqlite_connection *connection, const char *sql, struct why *why)
{
    AUTO(store_rows) none = rows_new();
    struct result result = { .rows = none };
    struct statement statement = { sql, S_NO_ARGS, false };
    return sqlite_run(connection, &statement, &result, why);
}

enum err sqlite_script(void *arg, const char *sql, struct why *why)
{
    struct sqlite_connection *connection = arg;
    if (sqlite3_exec(connection->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(connection, "script", why);
    return OK;
}

bool sqlite_in_transaction(const struct sqlite_connection *connection)
{
    return !sqlite3_get_autocommit(connection->db);
}

bool sqlite_is_poisoned(const struct sqlite_connection *connection)
{
    return connection->poisoned;
}

bool sqlite_is_full(const struct sqlite_connection *connection)
{
    return connection->full;
}

int sqlite_wal_pages(const struct sqlite_connection *connection)
{
    return connection->wal_pages;
}

enum err sqlite_checkpoint(struct sqlite_connection *connection, enum sqlite_checkpoint how, struct why *why)
{
    int mode = how == CHECKPOINT_WHOLE ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int in_wal = 0, moved = 0;
    int code = sqlite3_wal_checkpoint_v2(connection->db, "main", mode, &in_wal, &moved);
    if (code == SQLITE_BUSY && how == CHECKPOINT_SOME)
        return OK;
    if (code != SQLITE_OK)
        return sqlite_fail(connection, "checkpoint", why);
    connection->full = false;
    /* All moved: the next commit starts the log anew. Otherwise a reader holds the rest back for a while. */
    connection->wal_pages = in_wal - moved;
    return OK;
}
