/* SPDX-License-Identifier: Apache-2.0 */
/* The front of the store: what holds for every database is checked here, the rest is the driver's. */
#include "store/driver.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/utf8.h"
#include "base/wake.h"
#include <assert.h>
#include <stdlib.h>
#include <strings.h>

struct store {
    const struct store_ops *ops;
    void *driver;
};
struct store_tx {
    const struct store_ops *ops;
    void *connection;
    bool busy;         /* inside store_for_each */
    struct why broken; /* the first database error that was not a conflict */
};

static const struct store_ops *const drivers[] = {
    [STORE_SQLITE] = &store_sqlite,
    [STORE_POSTGRES] = &store_postgres,
};

enum err store_open(const struct store_config *config, struct store **ret, struct why *why)
{
    if ((size_t)config->kind >= sizeof(drivers) / sizeof(drivers[0]) || !config->path || !*config->path)
        return fail(why, ERR_CONFIG, "no store of kind %d at '%s'", (int)config->kind,
                    config->path ? config->path : "");
    for (size_t i = 0; i < config->migration_count; i++) {
        if (config->migrations[i].version != (int)i + 1)
            return fail(why, ERR_INTERNAL, "migration %zu has version %d, versions count up from 1", i + 1,
                        config->migrations[i].version);
    }
    void *driver;
    TRY(drivers[config->kind]->open(config, &driver, why));
    struct store *store = xcalloc(1, sizeof(*store));
    store->ops = drivers[config->kind];
    store->driver = driver;
    *ret = store;
    return OK;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    store->ops->close(store->driver);
    free(store);
}

bool store_is_remote(const struct store *store)
{
    return store->ops->is_remote;
}

uint64_t store_commits(const struct store *store)
{
    return store->ops->commits(store->driver);
}

void store_submit(struct store *store, store_work work, store_done done, void *arg)
{
    struct store_unit *unit = xcalloc(1, sizeof(*unit));
    *unit = (struct store_unit){ .work = work, .done = done, .arg = arg, .since_ms = clock_mono_ms() };
    batch_submit(store->ops->writers(store->driver), &unit->base);
}

void unit_finish(struct store_unit *unit)
{
    unit->done(unit->arg, unit->err, &unit->why);
    free(unit);
}

struct waiting {
    struct await outcome;
    store_work work;
    void *arg;
};

static enum err waiting_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct waiting *waiting = arg;
    return waiting->work(tx, waiting->arg, why);
}

static void on_finished(void *arg, enum err err, const struct why *why)
{
    struct waiting *waiting = arg;
    await_end(&waiting->outcome, err, why);
}

enum err store_write(struct store *store, store_work work, void *arg, struct why *why)
{
    if (batch_is_own_thread(store->ops->writers(store->driver)))
        return fail(why, ERR_INTERNAL, "store_write inside a unit of store_write");
    struct waiting waiting = { .work = work, .arg = arg };
    await_open(&waiting.outcome);
    store_submit(store, waiting_work, on_finished, &waiting);
    return await_outcome(&waiting.outcome, why);
}

enum err store_read(struct store *store, store_work work, void *arg, struct why *why)
{
    return store->ops->read(store->driver, work, arg, why);
}

enum err unit_run(const struct store_ops *ops, void *connection, store_work work, void *arg, struct why *why)
{
    struct store_tx tx = { .ops = ops, .connection = connection };
    enum err err = work(&tx, arg, why);
    if (err == OK && tx.broken.err != OK)
        return fail(why, tx.broken.err, "%s", tx.broken.text);
    return err;
}

struct store_value store_text_of(struct bytes utf8)
{
    return (struct store_value){ STORE_TEXT, 0, utf8.len ? utf8 : BYTES_LIT("") };
}

struct store_value store_text(const char *text)
{
    return text ? (struct store_value){ STORE_TEXT, 0, bytes_str(text) } : S_NULL;
}

struct store_value store_bytes_or_null(struct bytes bytes)
{
    return bytes.len ? S_BYTES(bytes) : S_NULL;
}

/* PostgreSQL refuses such text and SQLite keeps it: one rule for both, and a refusal that is not worth a
 * retry. */
static enum err args_check(struct store_args args, struct why *why)
{
    if (args.count > STORE_ARGS_MAX)
        return fail(why, ERR_INTERNAL, "statement with %zu parameters, limit %d", args.count, STORE_ARGS_MAX);
    for (size_t i = 0; i < args.count; i++) {
        if (args.values[i].bytes.len > INT32_MAX)
            return fail(why, ERR_LIMIT, "parameter $%zu has %zu bytes, limit %d", i + 1,
                        args.values[i].bytes.len, INT32_MAX);
        if (args.values[i].type == STORE_TEXT && !utf8_is_valid(args.values[i].bytes))
            return fail(why, ERR_MALFORMED, "parameter $%zu is not UTF-8 without NUL", i + 1);
    }
    return OK;
}

static bool begins_with(const char *sql, const char *word)
{
    size_t len = strlen(word);
    return strncasecmp(sql, word, len) == 0 && (sql[len] == ' ' || sql[len] == '\n' || sql[len] == '\t');
}

/* Only these: a unit may not end or nest the transaction it is in, nor reconfigure the connection others will
 * use. */
static bool statement_is_allowed(const char *sql)
{
    static const char *const words[] = { "SELECT", "INSERT", "UPDATE", "DELETE", "WITH" };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (begins_with(sql, words[i]))
            return true;
    }
    return false;
}

static enum err statement_run(struct store_tx *tx, const struct statement *statement, struct result *result,
                              struct why *why)
{
    if (tx->broken.err != OK)
        return fail(why, tx->broken.err, "%s", tx->broken.text);
    struct why local = { 0 };
    enum err err = tx->ops->run(tx->connection, statement, result, &local);
    if (err == ERR_STORE)
        tx->broken = local;
    return err == OK ? OK : fail(why, err, "%s", local.text);
}

static enum err tx_run(struct store_tx *tx, const char *sql, struct store_args args, struct result *result,
                       struct why *why)
{
    struct statement statement = { .sql = sql, .args = args, .reads = begins_with(sql, "SELECT") };
    if (tx->busy)
        return fail(why, ERR_INTERNAL, "statement inside store_for_each: %s", sql);
    if (!FAULT(store_statement) && !statement_is_allowed(sql))
        return fail(why, ERR_INTERNAL, "not a statement for a unit: %s", sql);
    TRY(args_check(args, why));
    tx->busy = true;
    enum err err = statement_run(tx, &statement, result, why);
    tx->busy = false;
    return err;
}

enum err store_query(struct store_tx *tx, const char *sql, struct store_args args, struct store_rows **ret,
                     struct why *why)
{
    AUTO(store_rows) rows = rows_new();
    struct result result = { .rows = rows };
    TRY(tx_run(tx, sql, args, &result, why));
    *ret = TAKE(rows);
    return OK;
}

enum err store_exec(struct store_tx *tx, const char *sql, struct store_args args, int64_t *ret_changed,
                    struct why *why)
{
    AUTO(store_rows) rows = rows_new();
    struct result result = { .rows = rows };
    TRY(tx_run(tx, sql, args, &result, why));
    if (ret_changed)
        *ret_changed = result.changed;
    return OK;
}

enum err store_for_each(struct store_tx *tx, const char *sql, struct store_args args, store_each each,
                        void *arg, struct why *why)
{
    assert(each);
    AUTO(store_rows) rows = rows_new();
    struct result result = { .rows = rows, .each = each, .arg = arg };
    return tx_run(tx, sql, args, &result, why);
}
