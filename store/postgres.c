/* SPDX-License-Identifier: Apache-2.0 */
/* The PostgreSQL driver: each unit in its own transaction on a borrowed connection, run again when the server
   chose it as a victim or went away before COMMIT. Lost during COMMIT, the outcome is unknown, and only the
   caller can ask. */
#include "base/clock.h"
#include "store/connections.h"
#include "store/postgres_connection.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define WRITERS         8
#define READERS_DEFAULT 4
#define RERUN_FOR_MS    3000 /* well below the ten seconds that a request may take (security.md D3) */
#define RERUN_PAUSE_MS  100  /* at most, between two runs */
#define SCHEMA_NAME_MAX 63   /* NAMEDATALEN - 1: longer names would be cut, and two could become one */

struct postgres {
    char *conninfo, *schema;
    int flush_delay_ms;
    struct connections *writers, *readers;
    struct batch *units; /* a thread for each connection that writes */
    atomic_uint_fast64_t commits;
};

static enum err connection_open(void *owner, void **ret_connection, struct why *why)
{
    struct postgres *postgres = owner;
    struct postgres_connection *connection;
    TRY(postgres_connect(postgres->conninfo, postgres->schema, &connection, why));
    *ret_connection = connection;
    return OK;
}

static void connection_close(void *connection)
{
    postgres_connection_free(connection);
}

static const struct connection_ops connection_ops = { .open = connection_open, .close = connection_close };

static enum err schema_check(const char *schema, struct why *why)
{
    size_t len = schema ? strspn(schema, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;
    if (!schema || len == 0 || schema[len] != '\0' || len > SCHEMA_NAME_MAX ||
        (schema[0] >= '0' && schema[0] <= '9') || strncmp(schema, "pg_", 3) == 0)
        return fail(why, ERR_CONFIG, "schema '%.80s': a-z, 0-9 and _, at most %d, no digit or pg_ in front",
                    schema ? schema : "", SCHEMA_NAME_MAX);
    return OK;
}

/* CREATE SCHEMA IF NOT EXISTS asks for the right to create even when there is nothing to create: look first,
   so that an administrator can prepare the schema for a role without that right. */
static enum err schema_make(const struct postgres *postgres, struct postgres_connection *connection,
                            struct why *why)
{
    AUTO(store_rows) rows = rows_new();
    struct result result = { .rows = rows };
    struct statement look = { "SELECT COUNT(*) FROM pg_catalog.pg_namespace WHERE nspname = $1",
                              S_ARGS(S_TEXT(postgres->schema)), true };
    TRY(postgres_run(connection, &look, &result, why));
    if (store_int(rows, 0, 0) > 0)
        return OK;
    AUTO_STR sql = xasprintf("CREATE SCHEMA IF NOT EXISTS \"%s\"", postgres->schema); /* a-z, 0-9, _ only */
    return postgres_script(connection, sql, why);
}

/* Several instances may start at once: one at a time makes and migrates. The number only has to be the same
 * for all. */
static enum err schema_ready(const struct postgres *postgres, const struct store_config *config,
                             struct why *why)
{
    AUTO(postgres_connection) connection = NULL;
    TRY(postgres_connect(postgres->conninfo, postgres->schema, &connection, why));
    TRY(postgres_script(connection, "SET lock_timeout = '60s'; SELECT pg_advisory_lock(4846791580151137091)",
                        why));
    TRY(schema_make(postgres, connection, why));
    return migrate(&store_postgres, connection, config, "BEGIN", why);
}

static void postgres_close(void *driver)
{
    struct postgres *postgres = driver;
    batch_free(postgres->units);
    connections_free(postgres->writers);
    connections_free(postgres->readers);
    free(postgres->conninfo);
    free(postgres->schema);
    free(postgres);
}

struct unit {
    struct postgres *postgres;
    store_work work;
    void *arg;
    bool writes;
    int64_t since_ms;
};

static enum err unit_commit(struct unit *unit, struct postgres_connection *connection, bool *ret_unknown,
                            struct why *why)
{
    if (unit->postgres->flush_delay_ms > 0)
        usleep((useconds_t)unit->postgres->flush_delay_ms * 1000);
    struct why inner = { 0 };
    enum err err = postgres_commit(connection, ret_unknown, &inner);
    if (err != OK)
        return fail(why, err, "%s%s", inner.text, *ret_unknown ? "; outcome unknown" : "");
    atomic_fetch_add(&unit->postgres->commits, 1);
    return OK;
}

/* *ret_again: nothing happened, and another run may succeed. Says so by the connection's state, not by what
   the work function returned: it may have translated the error. */
static enum err unit_attempt(struct unit *unit, struct postgres_connection *connection, bool *ret_again,
                             struct why *why)
{
    bool unknown = false;
    enum err err =
        unit->writes ? postgres_begin_write(connection, why) : postgres_begin_read(connection, why);
    if (err == OK)
        err = unit_run(&store_postgres, connection, unit->work, unit->arg, why);
    if (err == OK && postgres_state(connection) != POSTGRES_USABLE)
        err = fail(why, ERR_STORE, "the transaction was lost");
    if (err == OK && unit->writes)
        err = unit_commit(unit, connection, &unknown, why);
    *ret_again = err != OK && !unknown && postgres_state(connection) != POSTGRES_USABLE;
    if (err != OK || !unit->writes)
        postgres_rollback(connection);
    return err;
}

static enum err unit_once(struct unit *unit, bool *ret_again, struct why *why)
{
    struct postgres *postgres = unit->postgres;
    struct connections *connections = unit->writes ? postgres->writers : postgres->readers;
    void *connection;
    enum err err = connections_take(connections, &connection, why);
    if (err != OK) {
        *ret_again = true;
        return err;
    }
    err = unit_attempt(unit, connection, ret_again, why);
    bool lost = postgres_state(connection) == POSTGRES_LOST;
    if (lost)
        connections_drain(connections); /* the others went with the same server */
    connections_give(connections, connection, !lost);
    return err;
}

static enum err unit_until_done(struct unit *unit, struct why *why)
{
    int64_t deadline = unit->since_ms + RERUN_FOR_MS;
    for (int run = 0;; run++) {
        bool again = false;
        enum err err = unit_once(unit, &again, why);
        if (err == OK || !again || clock_mono_ms() >= deadline)
            return err;
        /* Uneven, so that two victims do not meet again. */
        int64_t pause_ms = run < 6 ? 1 << run : RERUN_PAUSE_MS;
        usleep((useconds_t)(pause_ms * 1000 + clock_mono_us() % (pause_ms * 500)));
    }
}

static void postgres_write(void *driver, struct batch_unit *units)
{
    struct store_unit *each = (struct store_unit *)units;
    struct unit unit = { driver, each->work, each->arg, true, each->since_ms };
    each->err = unit_until_done(&unit, &each->why);
    unit_finish(each);
}

static enum err writers_start(struct postgres *postgres, struct why *why)
{
    const struct batch_config config = {
        .threads = WRITERS, .units_max = 1, .run = postgres_write, .arg = postgres
    };
    struct why inner = { 0 };
    return batch_new(&config, &postgres->units, &inner) == OK ? OK : fail(why, ERR_STORE, "%s", inner.text);
}

static enum err postgres_open(const struct store_config *config, void **ret_driver, struct why *why)
{
    TRY(postgres_conninfo_check(config->path, why));
    TRY(schema_check(config->schema, why));
    struct postgres *postgres = xcalloc(1, sizeof(*postgres));
    postgres->conninfo = xstrdup(config->path);
    postgres->schema = xstrdup(config->schema);
    postgres->flush_delay_ms = config->flush_delay_ms;
    int readers = config->readers > 0 ? config->readers : READERS_DEFAULT;
    postgres->writers = connections_new(&connection_ops, postgres, WRITERS);
    postgres->readers = connections_new(&connection_ops, postgres, readers);
    enum err err = schema_ready(postgres, config, why);
    if (err == OK)
        err = writers_start(postgres, why);
    if (err != OK) {
        postgres_close(postgres);
        return err;
    }
    *ret_driver = postgres;
    return OK;
}

static struct batch *postgres_writers(void *driver)
{
    struct postgres *postgres = driver;
    return postgres->units;
}

static enum err postgres_read(void *driver, store_work work, void *arg, struct why *why)
{
    struct unit unit = { driver, work, arg, false, clock_mono_ms() };
    return unit_until_done(&unit, why);
}

static uint64_t postgres_commits(const void *driver)
{
    const struct postgres *postgres = driver;
    return atomic_load(&postgres->commits);
}

const struct store_ops store_postgres = {
    .is_remote = true,
    .name = "postgres",
    .open = postgres_open,
    .close = postgres_close,
    .writers = postgres_writers,
    .read = postgres_read,
    .commits = postgres_commits,
    .run = postgres_run,
    .script = postgres_script,
};
