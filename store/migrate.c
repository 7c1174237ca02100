/* SPDX-License-Identifier: Apache-2.0 */
/* Brings a schema up, one transaction per version together with its row, so that a kill in between leaves a
   whole older version which the next start continues from. */
#include "store/driver.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"

static const char create_table[] = "CREATE TABLE IF NOT EXISTS schema_migration "
                                   "(version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)";

static enum err run(const struct store_ops *ops, void *connection, const struct statement *statement,
                    struct store_rows *rows, struct why *why)
{
    struct result result = { .rows = rows };
    return ops->run(connection, statement, &result, why);
}

/* *ret_version: 0 for a database without any migration. */
static enum err version_read(const struct store_ops *ops, void *connection, int64_t *ret_version,
                             struct why *why)
{
    AUTO(store_rows) rows = rows_new();
    struct statement statement = {
        "SELECT COUNT(*), COALESCE(MAX(version), 0), COALESCE(MIN(version), 1) FROM schema_migration",
        S_NO_ARGS, true
    };
    TRY(run(ops, connection, &statement, rows, why));
    int64_t count = store_int(rows, 0, 0), newest = store_int(rows, 0, 1), oldest = store_int(rows, 0, 2);
    if (count != newest || oldest != 1)
        return fail(why, ERR_STORE,
                    "schema_migration has %lld rows from %lld up to version %lld, none may be missing",
                    (long long)count, (long long)oldest, (long long)newest);
    *ret_version = newest;
    return OK;
}

static enum err migration_apply(const struct store_ops *ops, void *connection,
                                const struct migration *migration, struct why *why)
{
    TRY(ops->script(connection, migration->sql, why));
    AUTO(store_rows) none = rows_new();
    struct statement statement = { "INSERT INTO schema_migration (version, applied_at) VALUES ($1, $2)",
                                   S_ARGS(S_INT(migration->version), S_INT(clock_now(&clock_system))),
                                   false };
    return run(ops, connection, &statement, none, why);
}

struct progress {
    bool is_new, more;
};

/* In one transaction: looks again, since another process may have been first, and takes the next step. */
static enum err step(const struct store_ops *ops, void *connection, const struct store_config *config,
                     struct progress *progress, struct why *why)
{
    int64_t version = 0;
    TRY(ops->script(connection, create_table, why));
    TRY(version_read(ops, connection, &version, why));
    int64_t newest = (int64_t)config->migration_count;
    if (!FAULT(newer_schema) && version > newest)
        return fail(why, ERR_STORE_SCHEMA, "the store has schema version %lld, this program knows up to %lld",
                    (long long)version, (long long)newest);
    progress->is_new = progress->is_new || version == 0;
    progress->more = version < newest;
    if (progress->more && !progress->is_new)
        log_info(NULL, "store is brought up from=%lld to=%lld (takes minutes when it is large)",
                 (long long)version, (long long)newest);
    return progress->more ? migration_apply(ops, connection, &config->migrations[version], why) : OK;
}

enum err migrate(const struct store_ops *ops, void *connection, const struct store_config *config,
                 const char *begin, struct why *why)
{
    struct progress progress = { .more = true };
    while (progress.more) {
        TRY(ops->script(connection, begin, why));
        enum err err = step(ops, connection, config, &progress, why);
        if (err == OK)
            err = ops->script(connection, "COMMIT", why);
        if (err != OK) {
            struct why second; /* the first reason is the one that counts */
            (void)!ops->script(connection, "ROLLBACK", &second);
            return err;
        }
    }
    return OK;
}
