/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL as one connection sees it. Parameters and results travel in binary, with their types said. */
#include "store/postgres_connection.h"

#include "store/cache.h"
#include <endian.h>
#include <libpq-fe.h>
#include <stdlib.h>

enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25
};
enum { OID_UNKNOWN = 705, OID_VARCHAR = 1043 }; /* catalog/pg_type.dat: fixed for ever */

struct postgres_connection {
    PGconn *link;
    struct cache cache;
    uint64_t named; /* prepared statements so far: their names are not used twice */
    enum postgres_state state;
    bool in_unit; /* inside postgres_begin_write */
    bool guarded; /* nothing was written since the savepoint */
};

/* libpq's texts end in a line feed and may have several lines. */
static void message_trim(const char *from, char *to, size_t size)
{
    size_t len = 0;
    for (; *from && len + 1 < size; from++)
        to[len++] = *from == '\n' || *from == '\r' ? ' ' : *from;
    while (len && to[len - 1] == ' ')
        len--;
    to[len] = '\0';
}

/* A server that shuts down says so in an error before it closes: 57P01 to 57P03, and 08xxx. FATAL and PANIC
   end the session whatever the code. */
static enum postgres_state state_after(const PGconn *link, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (!state || PQstatus(link) != CONNECTION_OK || strncmp(state, "57P0", 4) == 0 ||
        strncmp(state, "08", 2) == 0 || (severity && strcmp(severity, "ERROR") != 0))
        return POSTGRES_LOST;
    bool victim = strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0;
    return victim ? POSTGRES_RERUN : POSTGRES_USABLE;
}

/* result NULL: nothing came back. Only the primary message: DETAIL has values of the row. */
static enum err postgres_fail(struct postgres_connection *connection, const PGresult *result,
                              const char *what, struct why *why)
{
    enum postgres_state state = state_after(connection->link, result);
    if (state > connection->state)
        connection->state = state;
    const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    char text[256];
    message_trim(message ? message : PQerrorMessage(connection->link), text, sizeof(text));
    bool taken = code && strcmp(code, "23505") == 0;
    return fail(why, taken ? ERR_CONFLICT : ERR_STORE, "%.150s: %s (PostgreSQL %s)", what, text,
                code ? code : "connection");
}

enum err postgres_script(void *arg, const char *sql, struct why *why)
{
    struct postgres_connection *connection = arg;
    PGresult *result = PQexec(connection->link, sql);
    ExecStatusType status = PQresultStatus(result);
    enum err err = OK;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        err = postgres_fail(connection, result, sql, why);
    PQclear(result);
    return err;
}

static void notice_ignore(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result; /* "already exists, skipping": libpq would write it to stderr */
}

enum err postgres_conninfo_check(const char *conninfo, struct why *why)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &message);
    PQfreemem(message); /* not shown: it quotes the text, which may hold the password */
    if (!options)
        return fail(why, ERR_CONFIG, "the connection text is malformed (libpq: Connection Strings)");
    bool has_password = false;
    for (const PQconninfoOption *option = options; option->keyword; option++)
        has_password |= strcmp(option->keyword, "password") == 0 && option->val && *option->val;
    PQconninfoFree(options);
    if (has_password)
        return fail(why, ERR_CONFIG,
                    "the connection text has a password: put it in a file of mode 0600 and name that "
                    "with passfile=");
    return OK;
}

/* What an administrator raised (remote_apply) stays; what was lowered is raised. */
static const char session_sql[] =
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local');"
    "SET client_min_messages = warning; SET lock_timeout = '10s'; SET standard_conforming_strings = on";

static enum err session_set_up(struct postgres_connection *connection, const char *schema, struct why *why)
{
    char *quoted = PQescapeIdentifier(connection->link, schema, strlen(schema));
    if (!quoted)
        return fail(why, ERR_STORE, "cannot quote the schema's name");
    /* Two quotes around a name of 63 bytes at most (store/postgres.c). */
    AUTO_STR path = xasprintf("SET search_path TO %s", quoted);
    PQfreemem(quoted);
    TRY(postgres_script(connection, session_sql, why));
    return postgres_script(connection, path, why);
}

enum err postgres_connect(const char *conninfo, const char *schema, struct postgres_connection **ret,
                          struct why *why)
{
    /* dbname last: what the administrator wrote there goes before these. A peer that vanished is noticed in
     * 15 s. */
    static const char *const keywords[] = {
        "connect_timeout",  "keepalives_idle",  "keepalives_interval",
        "keepalives_count", "tcp_user_timeout", "fallback_application_name",
        "client_encoding",  "dbname",           NULL
    };
    const char *const values[] = { "5", "5", "5", "2", "15000", "chancery", "UTF8", conninfo, NULL };
    AUTO(postgres_connection) connection = xcalloc(1, sizeof(*connection));
    connection->link = PQconnectdbParams(keywords, values, 1);
    if (PQstatus(connection->link) != CONNECTION_OK) {
        char text[256];
        message_trim(PQerrorMessage(connection->link), text, sizeof(text));
        return fail(why, ERR_STORE, "cannot connect: %s", text);
    }
    PQsetNoticeReceiver(connection->link, notice_ignore, NULL);
    TRY(session_set_up(connection, schema, why));
    *ret = TAKE(connection);
    return OK;
}

void postgres_connection_free(struct postgres_connection *connection)
{
    if (!connection)
        return;
    for (size_t i = 0; i < CACHE_SLOTS; i++) {
        free(connection->cache.slots[i].statement);
        cache_empty(&connection->cache.slots[i]);
    }
    PQfinish(connection->link);
    free(connection);
}

enum postgres_state postgres_state(const struct postgres_connection *connection)
{
    return connection->state;
}

/* Parameters as libpq wants them. */
struct parameters {
    char types[STORE_ARGS_MAX + 1]; /* 'i', 't', 'b', 'n': part of the statement's identity */
    Oid oids[STORE_ARGS_MAX];
    const char *values[STORE_ARGS_MAX];
    int lengths[STORE_ARGS_MAX], formats[STORE_ARGS_MAX];
    uint64_t integers[STORE_ARGS_MAX];
};

static void parameters_set(struct parameters *to, struct store_args args)
{
    static const char letters[] = {
        [STORE_NULL] = 'n', [STORE_INT] = 'i', [STORE_TEXT] = 't', [STORE_BYTES] = 'b'
    };
    static const Oid oids[] = {
        [STORE_NULL] = 0, [STORE_INT] = OID_INT8, [STORE_TEXT] = OID_TEXT, [STORE_BYTES] = OID_BYTEA
    };
    for (size_t i = 0; i < args.count; i++) {
        const struct store_value *value = &args.values[i];
        to->types[i] = letters[value->type];
        to->oids[i] = oids[value->type]; /* 0: the server infers NULL's type from its place */
        to->formats[i] = 1;
        to->integers[i] = htobe64((uint64_t)value->integer);
        to->lengths[i] = value->type == STORE_INT ? (int)sizeof(uint64_t) : (int)value->bytes.len;
        to->values[i] = value->type == STORE_INT    ? (const char *)&to->integers[i]
                        : value->type == STORE_NULL ? NULL
                        : value->bytes.data         ? (const char *)value->bytes.data
                                                    : "";
    }
    to->types[args.count] = '\0';
}

/* The statement that a full cache lets go of. */
static enum err statement_end(struct postgres_connection *connection, struct cache_slot *slot,
                              struct why *why)
{
    if (!slot->sql)
        return OK;
    AUTO_STR name = TAKE(slot->statement);
    cache_empty(slot);
    AUTO_STR sql = xasprintf("DEALLOCATE %s", name);
    return postgres_script(connection, sql, why);
}

/* *ret_name belongs to the cache. */
static enum err statement_prepare(struct postgres_connection *connection, const struct statement *statement,
                                  const struct parameters *parameters, const char **ret_name, struct why *why)
{
    struct cache_slot *slot = cache_find(&connection->cache, parameters->types, statement->sql);
    if (!slot) {
        slot = cache_oldest(&connection->cache);
        TRY(statement_end(connection, slot, why));
        AUTO_STR name = xasprintf("s%llu", (unsigned long long)++connection->named);
        PGresult *result =
            PQprepare(connection->link, name, statement->sql, (int)statement->args.count, parameters->oids);
        enum err err = OK;
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            err = postgres_fail(connection, result, statement->sql, why);
        PQclear(result);
        TRY(err);
        cache_fill(&connection->cache, slot, parameters->types, statement->sql, TAKE(name));
    }
    *ret_name = slot->statement;
    return OK;
}

static enum err cell_add(const PGresult *result, int row, int column, struct store_rows *rows,
                         struct why *why)
{
    if (PQgetisnull(result, row, column)) {
        rows_add_null(rows);
        return OK;
    }
    const char *data = PQgetvalue(result, row, column);
    struct bytes value = bytes_of(data, (size_t)PQgetlength(result, row, column));
    Oid type = PQftype(result, column);
    if (type == OID_INT8 || type == OID_INT4 || type == OID_INT2 || type == OID_BOOL) {
        /* Big-endian two's complement of 8, 4, 2 or 1 bytes. */
        uint64_t number = type != OID_BOOL && value.len && (value.data[0] & 0x80) ? UINT64_MAX : 0;
        for (size_t i = 0; i < value.len; i++)
            number = number << 8 | value.data[i];
        rows_add_int(rows, (int64_t)number);
    } else if (type == OID_TEXT || type == OID_VARCHAR || type == OID_NAME || type == OID_UNKNOWN) {
        rows_add_bytes(rows, STORE_TEXT, value);
    } else if (type == OID_BYTEA) {
        rows_add_bytes(rows, STORE_BYTES, value);
    } else {
        return fail(why, ERR_STORE, "column %d has type %u: cast it to BIGINT, TEXT or BYTEA", column + 1,
                    type);
    }
    return OK;
}

static enum err rows_take(const PGresult *from, struct result *result, struct why *why)
{
    int columns = PQnfields(from);
    for (int row = 0; row < PQntuples(from); row++) {
        for (int column = 0; column < columns; column++)
            TRY(cell_add(from, row, column, result->rows, why));
        TRY(result_row_done(result, why));
    }
    return OK;
}

/* "INSERT 0 3", "UPDATE 3": and "SELECT 3", which changed nothing. */
static int64_t changed_count(PGresult *result)
{
    const char *count = PQcmdTuples(result);
    return strncmp(PQcmdStatus(result), "SELECT", 6) == 0 || !*count ? 0 : strtoll(count, NULL, 10);
}

/* Reads to the end even after an error of ours: the connection takes no other statement before. */
static enum err answers_take(struct postgres_connection *connection, const char *sql, struct result *result,
                             struct why *why)
{
    enum err err = OK;
    bool started = false;
    PGresult *answer;
    while ((answer = PQgetResult(connection->link))) {
        ExecStatusType status = PQresultStatus(answer);
        bool rows = status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE;
        if (rows && !started)
            rows_start(result->rows, (size_t)PQnfields(answer));
        started |= rows;
        if (!rows && status != PGRES_COMMAND_OK && err == OK)
            err = postgres_fail(connection, answer, sql, why);
        if (rows && err == OK)
            err = rows_take(answer, result, why);
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
            result->changed = changed_count(answer);
        PQclear(answer);
    }
    if (PQstatus(connection->link) != CONNECTION_OK) {
        connection->state = POSTGRES_LOST;
        err = err == OK ? fail(why, ERR_STORE, "%.150s: connection lost", sql) : err;
    }
    return err;
}

static enum err statement_send(struct postgres_connection *connection, const struct statement *statement,
                               struct result *result, struct why *why)
{
    struct parameters parameters;
    const char *name = NULL;
    parameters_set(&parameters, statement->args);
    TRY(statement_prepare(connection, statement, &parameters, &name, why));
    if (!PQsendQueryPrepared(connection->link, name, (int)statement->args.count, parameters.values,
                             parameters.lengths, parameters.formats, 1))
        return postgres_fail(connection, NULL, statement->sql, why);
    if (result->each)
        PQsetSingleRowMode(connection->link); /* refused, it would only cost memory */
    return answers_take(connection, statement->sql, result, why);
}

/* PostgreSQL ends a transaction at its first error. A savepoint right before each statement that may meet a
   unique constraint keeps the unit alive; the first one comes with BEGIN, later ones cost one round trip. */
static enum err guard(struct postgres_connection *connection, struct why *why)
{
    if (connection->guarded)
        return OK;
    TRY(postgres_script(connection, "RELEASE SAVEPOINT unit; SAVEPOINT unit", why));
    connection->guarded = true;
    return OK;
}

enum err postgres_run(void *arg, const struct statement *statement, struct result *result, struct why *why)
{
    struct postgres_connection *connection = arg;
    bool guards = connection->in_unit && !statement->reads;
    if (guards)
        TRY(guard(connection, why));
    enum err err = statement_send(connection, statement, result, why);
    if (!guards)
        return err;
    if (err == ERR_CONFLICT && connection->state == POSTGRES_USABLE) {
        struct why second;
        if (postgres_script(connection, "ROLLBACK TO SAVEPOINT unit", &second) != OK)
            return fail(why, ERR_STORE, "%s", second.text);
        return err;
    }
    connection->guarded = false;
    return err;
}

enum err postgres_begin_write(struct postgres_connection *connection, struct why *why)
{
    TRY(postgres_script(connection, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SAVEPOINT unit", why));
    connection->in_unit = true;
    connection->guarded = true;
    return OK;
}

enum err postgres_begin_read(struct postgres_connection *connection, struct why *why)
{
    return postgres_script(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", why);
}

enum err postgres_commit(struct postgres_connection *connection, bool *ret_unknown, struct why *why)
{
    connection->in_unit = false;
    PGresult *result = PQexec(connection->link, "COMMIT");
    enum err err = OK;
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        err = postgres_fail(connection, result, "COMMIT", why);
    else if (strcmp(PQcmdStatus(result), "COMMIT") != 0) /* "ROLLBACK": the transaction had failed before */
        err = fail(why, ERR_STORE, "COMMIT was answered by %s", PQcmdStatus(result));
    *ret_unknown = err != OK && connection->state == POSTGRES_LOST;
    PQclear(result);
    return err;
}

void postgres_rollback(struct postgres_connection *connection)
{
    struct why why;
    connection->in_unit = false;
    if (connection->state == POSTGRES_LOST)
        return;
    connection->state = POSTGRES_USABLE;
    if (postgres_script(connection, "ROLLBACK", &why) != OK)
        connection->state = POSTGRES_LOST;
}
