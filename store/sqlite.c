/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite driver: one process owns the file, one thread writes it in groups, readers have snapshots.

   After an I/O error nothing that the connections believe is trusted: they are closed and opened again (with
   the last one goes the shared memory, so the log is read anew), and a whole checkpoint, written and flushed,
   has to succeed before the next unit is run. Until then every store_write is ERR_STORE. PostgreSQL does the
   same by its PANIC: a flush that is only repeated may lie. */
#include "base/clock.h"
#include "base/file.h"
#include "store/connections.h"
#include "store/group.h"
#include "store/sqlite_connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWNER_WAIT_MS         5000 /* for a predecessor that is still ending */
#define READERS_DEFAULT       8
#define CHECKPOINT_PAGES      1000 /* 4 MB of log: SQLite's own default */
#define CHECKPOINT_PAGES_BUSY 8000 /* without an idle moment until here, callers have to wait for one */

struct sqlite {
    char *path;
    int lock; /* of path.lock, held while we own the file */
    int flush_delay_ms;
    bool distrusted; /* only the writer thread */
    struct sqlite_connection *writer;
    struct connections *readers;
    struct group *group;
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
    group_free(sqlite->group);
    connections_free(sqlite->readers);
    sqlite_connection_free(sqlite->writer); /* the last one: moves the log into the file */
    if (sqlite->lock >= 0)
        close(sqlite->lock);
    free(sqlite->path);
    free(sqlite);
}

/* OK: the transaction goes on, whatever became of the unit. */
static enum err unit_in_savepoint(struct sqlite *sqlite, struct group_unit *unit, struct why *why)
{
    struct sqlite_connection *writer = sqlite->writer;
    TRY(sqlite_do(writer, "SAVEPOINT unit", why));
    unit->why = (struct why){ 0 };
    unit->err = unit_run(&store_sqlite, writer, unit->work, unit->arg, &unit->why);
    unit->ran = true;
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

static enum err flush_group(struct sqlite *sqlite, struct group_unit *units, struct why *why)
{
    bool anything = false;
    TRY(trust_again(sqlite, why));
    TRY(sqlite_do(sqlite->writer, "BEGIN IMMEDIATE", why));
    for (struct group_unit *unit = units; unit; unit = unit->next) {
        TRY(unit_in_savepoint(sqlite, unit, why));
        anything |= unit->err == OK;
    }
    return group_commit(sqlite, anything, why);
}

static void sqlite_flush(void *driver, struct group_unit *units)
{
    struct sqlite *sqlite = driver;
    struct why why = { 0 }, second;
    enum err err = flush_group(sqlite, units, &why);
    if (err == OK)
        return;
    if (sqlite->writer && sqlite_in_transaction(sqlite->writer) &&
        sqlite_do(sqlite->writer, "ROLLBACK", &second) != OK)
        sqlite->distrusted = true;
    for (struct group_unit *unit = units; unit; unit = unit->next) {
        if (!unit->ran || unit->err == OK)
            unit->err = fail(&unit->why, ERR_STORE, "not acknowledged: %s", why.text);
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

static const struct group_ops group_ops = { .flush = sqlite_flush, .settle = sqlite_settle };

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
        err = group_start(&group_ops, sqlite, &sqlite->group, why);
    if (err != OK) {
        sqlite_close(sqlite);
        return err;
    }
    *ret_driver = sqlite;
    return OK;
}

static enum err sqlite_write(void *driver, store_work work, void *arg, struct why *why)
{
    struct sqlite *sqlite = driver;
    return group_submit(sqlite->group, work, arg, why);
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
    .write = sqlite_write,
    .read = sqlite_read,
    .commits = sqlite_commits,
    .run = sqlite_run,
    .script = sqlite_script,
};
