/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite driver: one process owns the file, one thread writes it in groups, readers have snapshots.

   After an I/O error nothing that the connections believe is trusted: they are closed and opened again (with
   the last one goes the shared memory, so the log is read anew), and a whole checkpoint, written and flushed,
   has to succeed before the next unit is run. Until then every store_write is ERR_STORE. PostgreSQL does the
   same by its PANIC: a flush that is only repeated may lie. */
#include "base/clock.h"
#include "base/file.h"
#include "store/connections.h"
#include "store/driver.h"
#include "store/sqlite_connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP_UNITS_MAX 64   /* of one flush; as many as a role has workers */
#define CAREFUL_GROUPS  16   /* after a unit that failed: whoever sends such things sends more */
#define OWNER_WAIT_MS   5000 /* for a predecessor that is still ending */
#define READERS_DEFAULT 8
/* 16 MB of log: pages that are written again and again are moved into the file once. */
#define CHECKPOINT_PAGES      4000
#define CHECKPOINT_PAGES_BUSY 8000 /* without an idle moment until here, callers have to wait for one */

struct sqlite {
    char *path;
    int lock; /* of path.lock, held while we own the file */
    int flush_delay_ms;
    bool distrusted; /* these two only the writer thread */
    int careful;     /* so many groups from now on run each unit in a savepoint */
    struct sqlite_connection *writer;
    struct connections *readers;
    struct batch *writers; /* one thread */
    atomic_uint_fast64_t commits;
};

static enum err reader_open(void *owner, void **ret_connection, struct why *why)
{
    struct sqlite *sqlite = owner;
    struct sqlite_connection *reader;
    TRY(sqlite_connect(sqlite->path, ACCESS_READER, &reader, why));
    *ret_connection = reader;
    return OK;
}

static void reader_close(void *connection)
{
    sqlite_connection_free(connection);
}

static const struct connection_ops reader_ops = { .open = reader_open, .close = reader_close };

/* Two owners would each believe in their own group commit and counters; SQLite's locks alone would let both
 * write. */
static enum err ownership_take(struct sqlite *sqlite, struct why *why)
{
    AUTO_STR name = xasprintf("%s.lock", sqlite->path);
    sqlite->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (sqlite->lock < 0)
        return fail(why, ERR_STORE, "cannot open %s: %s", name, strerror(errno));
    int64_t deadline = clock_mono_ms() + OWNER_WAIT_MS;
    while (flock(sqlite->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return fail(why, ERR_STORE, "cannot lock %s: %s", name, strerror(errno));
        if (clock_mono_ms() >= deadline)
            return fail(why, ERR_STORE, "%s is owned by another process (waited %d ms for %s)", sqlite->path,
                        OWNER_WAIT_MS, name);
        usleep(20 * 1000);
    }
    return OK;
}

/* As everything that the store cannot do with its file: ERR_STORE. */
static enum err folder_flush(const char *path, struct why *why)
{
    struct why inner = { 0 };
    return file_flush_folder(path, &inner) == OK ? OK : fail(why, ERR_STORE, "%s", inner.text);
}

/* Before SQLite opens it: SQLite would create it by the umask, and give log and shared memory the same mode.
 */
static enum err file_prepare(const char *path, struct why *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(why, ERR_STORE, "cannot open %s: %s", path, strerror(errno));
    struct stat info;
    bool done = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                ((info.st_mode & 0077) == 0 || fchmod(fd, 0600) == 0);
    int saved = errno;
    close(fd);
    if (!done)
        return fail(why, ERR_STORE, "%s has to be a file of mode 0600: %s", path, strerror(saved));
    return info.st_size == 0 ? folder_flush(path, why) : OK;
}

static enum err sqlite_set_up(struct sqlite *sqlite, const struct store_config *config, struct why *why)
{
    TRY(ownership_take(sqlite, why));
    TRY(file_prepare(sqlite->path, why));
    TRY(sqlite_connect(sqlite->path, ACCESS_OWNER, &sqlite->writer, why));
    return migrate(&store_sqlite, sqlite->writer, config, "BEGIN IMMEDIATE", why);
}

static void sqlite_close(void *driver)
{
    struct sqlite *sqlite = driver;
    batch_free(sqlite->writers);
    connections_free(sqlite->readers);
    sqlite_connection_free(sqlite->writer); /* the last one: moves the log into the file */
    if (sqlite->lock >= 0)
        close(sqlite->lock);
    free(sqlite->path);
    free(sqlite);
}

static struct store_unit *unit_next(const struct store_unit *unit)
{
    return (struct store_unit *)unit->base.next;
}

/* OK: the transaction goes on, whatever became of the unit. */
static enum err unit_in_savepoint(struct sqlite *sqlite, struct store_unit *unit, struct why *why)
{
    struct sqlite_connection *writer = sqlite->writer;
    TRY(sqlite_do(writer, "SAVEPOINT unit", why));
    unit->why = (struct why){ 0 };
    unit->err = unit_run(&store_sqlite, writer, unit->work, unit->arg, &unit->why);
    /* Full disk, no memory and I/O errors may roll back everything (SQLite, "Response To Errors Within A
     * Transaction"). */
    if (!sqlite_in_transaction(writer) || sqlite_is_poisoned(writer))
        return fail(why, ERR_STORE, "the group was rolled back: %s", unit->why.text);
    if (unit->err != OK)
        TRY(sqlite_do(writer, "ROLLBACK TO unit", why));
    return sqlite_do(writer, "RELEASE unit", why);
}

static enum err group_commit(struct sqlite *sqlite, bool anything, struct why *why)
{
    if (!anything)
        return sqlite_do(sqlite->writer, "ROLLBACK", why);
    if (sqlite->flush_delay_ms > 0)
        usleep((useconds_t)sqlite->flush_delay_ms * 1000);
    TRY(sqlite_do(sqlite->writer, "COMMIT", why));
    atomic_fetch_add(&sqlite->commits, 1);
    return OK;
}

/* See the head of this file. */
static enum err trust_again(struct sqlite *sqlite, struct why *why)
{
    if (sqlite->writer && sqlite_is_poisoned(sqlite->writer))
        sqlite->distrusted = true;
    if (!sqlite->distrusted)
        return OK;
    connections_drain(sqlite->readers);
    sqlite_connection_free(TAKE(sqlite->writer));
    TRY(sqlite_connect(sqlite->path, ACCESS_OWNER, &sqlite->writer, why));
    TRY(sqlite_checkpoint(sqlite->writer, CHECKPOINT_WHOLE, why));
    sqlite->distrusted = false;
    return OK;
}

/* All units in one go, as nearly always nothing is wrong with any. *ret_all false: nothing was done, since one of them did not
   succeed; each has to be run by itself. */
static enum err run_together(struct sqlite *sqlite, struct store_unit *units, bool *ret_all, struct why *why)
{
    struct sqlite_connection *writer = sqlite->writer;
    TRY(sqlite_do(writer, "BEGIN IMMEDIATE", why));
    for (struct store_unit *unit = units; unit; unit = unit_next(unit)) {
        unit->why = (struct why){ 0 };
        unit->err = unit_run(&store_sqlite, writer, unit->work, unit->arg, &unit->why);
        if (!sqlite_in_transaction(writer) || sqlite_is_poisoned(writer))
            return fail(why, ERR_STORE, "the group was rolled back: %s", unit->why.text);
        if (unit->err != OK) {
            *ret_all = false;
            return sqlite_do(writer, "ROLLBACK", why);
        }
    }
    *ret_all = true;
    return group_commit(sqlite, true, why);
}

static enum err run_one_by_one(struct sqlite *sqlite, struct store_unit *units, struct why *why)
{
    bool anything = false;
    TRY(sqlite_do(sqlite->writer, "BEGIN IMMEDIATE", why));
    for (struct store_unit *unit = units; unit; unit = unit_next(unit)) {
        TRY(unit_in_savepoint(sqlite, unit, why));
        anything |= unit->err == OK;
    }
    return group_commit(sqlite, anything, why);
}

static enum err flush_group(struct sqlite *sqlite, struct store_unit *units, struct why *why)
{
    bool all = false;
    TRY(trust_again(sqlite, why));
    if (sqlite->careful > 0) {
        sqlite->careful--;
        return run_one_by_one(sqlite, units, why);
    }
    TRY(run_together(sqlite, units, &all, why));
    if (all)
        return OK;
    sqlite->careful = CAREFUL_GROUPS;
    return run_one_by_one(sqlite, units, why);
}

static void group_failed(struct sqlite *sqlite, struct store_unit *units, const struct why *why)
{
    struct why second;
    if (sqlite->writer && sqlite_in_transaction(sqlite->writer) &&
        sqlite_do(sqlite->writer, "ROLLBACK", &second) != OK)
        sqlite->distrusted = true;
    /* A refusal does not stand either: it may have been for what another unit of the group had done. */
    for (struct store_unit *unit = units; unit; unit = unit_next(unit))
        unit->err = fail(&unit->why, ERR_STORE, "not acknowledged: %s", why->text);
}

static void sqlite_flush(void *driver, struct batch_unit *group)
{
    struct sqlite *sqlite = driver;
    struct store_unit *next, *units = (struct store_unit *)group;
    struct why why = { 0 };
    if (flush_group(sqlite, units, &why) != OK)
        group_failed(sqlite, units, &why);
    for (struct store_unit *unit = units; unit; unit = next) {
        next = unit_next(unit);
        unit_finish(unit);
    }
}

/* Checkpoints cost 10 to 20 ms at times (spec performance.md b): taken after the callers went on. */
static void sqlite_settle(void *driver, bool idle)
{
    struct sqlite *sqlite = driver;
    if (!sqlite->writer || sqlite->distrusted || sqlite_is_poisoned(sqlite->writer))
        return;
    int pages = sqlite_wal_pages(sqlite->writer);
    struct why why;
    /* The log may be what fills the disk: moved into the file, it starts anew in the space that it has. */
    if (sqlite_is_full(sqlite->writer) || pages >= (idle ? CHECKPOINT_PAGES : CHECKPOINT_PAGES_BUSY))
        (void)!sqlite_checkpoint(sqlite->writer, CHECKPOINT_SOME, &why); /* tried again after the next */
}

static enum err writers_start(struct sqlite *sqlite, struct why *why)
{
    const struct batch_config config = {
        .units_max = GROUP_UNITS_MAX, .run = sqlite_flush, .settle = sqlite_settle, .arg = sqlite
    };
    struct why inner = { 0 };
    return batch_new(&config, &sqlite->writers, &inner) == OK ? OK : fail(why, ERR_STORE, "%s", inner.text);
}

static enum err sqlite_open(const struct store_config *config, void **ret_driver, struct why *why)
{
    struct sqlite *sqlite = xcalloc(1, sizeof(*sqlite));
    sqlite->path = xstrdup(config->path);
    sqlite->lock = -1;
    sqlite->flush_delay_ms = config->flush_delay_ms;
    sqlite->readers =
        connections_new(&reader_ops, sqlite, config->readers > 0 ? config->readers : READERS_DEFAULT);
    enum err err = sqlite_set_up(sqlite, config, why);
    if (err == OK)
        err = writers_start(sqlite, why);
    if (err != OK) {
        sqlite_close(sqlite);
        return err;
    }
    *ret_driver = sqlite;
    return OK;
}

static struct batch *sqlite_writers(void *driver)
{
    struct sqlite *sqlite = driver;
    return sqlite->writers;
}

static enum err sqlite_read(void *driver, store_work work, void *arg, struct why *why)
{
    struct sqlite *sqlite = driver;
    void *connection;
    TRY(connections_take(sqlite->readers, &connection, why));
    struct sqlite_connection *reader = connection;
    enum err err = sqlite_do(reader, "BEGIN", why);
    if (err == OK)
        err = unit_run(&store_sqlite, reader, work, arg, why);
    struct why second;
    bool ended = !sqlite_in_transaction(reader) || sqlite_do(reader, "ROLLBACK", &second) == OK;
    connections_give(sqlite->readers, connection, ended && !sqlite_is_poisoned(reader));
    return err;
}

static uint64_t sqlite_commits(const void *driver)
{
    const struct sqlite *sqlite = driver;
    return atomic_load(&sqlite->commits);
}

const struct store_ops store_sqlite = {
    .name = "sqlite",
    .open = sqlite_open,
    .close = sqlite_close,
    .writers = sqlite_writers,
    .read = sqlite_read,
    .commits = sqlite_commits,
    .run = sqlite_run,
    .script = sqlite_script,
};
