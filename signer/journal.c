/* SPDX-License-Identifier: Apache-2.0 */
/* Appending with one flush for all who wait. */
#include "signer/journal.h"

#include "base/batch.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/wake.h"
#include "signer/journal_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_MAX   256       /* records of one flush; all that a role has in flight */
#define LARGE_BYTES (1 << 20) /* a CRL is written from where it is; what is smaller shares a system call */

struct pending {
    struct batch_unit base;
    const struct journal_entry *entry;
    uint64_t offset;
    journal_done done;
    void *arg;
};
struct journal {
    int fd;
    char *path;
    pthread_mutex_t lock; /* of the pointer alone */
    struct batch *
        writer; /* one thread, made with the first entry: by then the role is confined, and so is the thread */
    uint64_t end; /* everything before it is whole and durable. This and chain are the writer's */
    uint8_t chain[JOURNAL_CHAIN_BYTES];
};

/* --- opening --- */

static enum err file_size(int fd, const char *path, uint64_t *ret, struct why *why)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return fail(why, ERR_IO, "%s is not a regular file", path);
    *ret = (uint64_t)info.st_size;
    return OK;
}

static enum err cut(struct journal_scan *scan, struct why *why)
{
    if (scan->offset == scan->size)
        return OK;
    log_warn(NULL, "journal: an unfinished last record is cut off path=%s offset=%llu bytes=%llu", scan->path,
             (unsigned long long)scan->offset, (unsigned long long)(scan->size - scan->offset));
    if (ftruncate(scan->fd, (off_t)scan->offset) != 0)
        return fail(why, ERR_IO, "cannot cut %s at offset %llu: %s", scan->path,
                    (unsigned long long)scan->offset, strerror(errno));
    return OK;
}

/* A new journal, or one whose first line a crash cut short. */
static enum err head_write(struct journal_scan *scan, struct why *why)
{
    if (scan->offset > 0)
        return OK;
    if (lseek(scan->fd, 0, SEEK_SET) != 0 || !write_all(scan->fd, BYTES_LIT(JOURNAL_HEAD)))
        return fail(why, ERR_IO, "cannot write %s: %s", scan->path, strerror(errno));
    scan->offset = sizeof(JOURNAL_HEAD) - 1;
    return OK;
}

static enum err open_checked(struct journal *journal, journal_fn each, void *arg, struct why *why)
{
    struct journal_scan scan = { .fd = journal->fd, .path = journal->path };
    if (!FAULT(journal_lock) && flock(journal->fd, LOCK_EX | LOCK_NB) != 0)
        return fail(why, ERR_CONFLICT, "journal %s is in use by another signer: %s", journal->path,
                    strerror(errno));
    TRY(file_size(journal->fd, journal->path, &scan.size, why));
    TRY(journal_scan(&scan, each, arg, why));
    TRY(cut(&scan, why));
    TRY(head_write(&scan, why));
    /* Whole records of a batch whose flush a crash prevented stay: what is remembered must also be durable. */
    if (fsync(journal->fd) != 0)
        return fail(why, ERR_IO, "cannot flush %s: %s", journal->path, strerror(errno));
    TRY(file_flush_folder(journal->path, why));
    journal->end = scan.offset;
    memcpy(journal->chain, scan.chain, sizeof(journal->chain));
    return OK;
}

enum err journal_open(const char *path, journal_fn each, void *arg, struct journal **ret, struct why *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(why, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    AUTO(journal) journal = xcalloc(1, sizeof(*journal));
    journal->fd = fd;
    journal->path = xstrdup(path);
    pthread_mutex_init(&journal->lock, NULL);
    TRY(open_checked(journal, each, arg, why));
    *ret = TAKE(journal);
    return OK;
}

void journal_free(struct journal *journal)
{
    if (!journal)
        return;
    batch_free(journal->writer);
    close(journal->fd);
    pthread_mutex_destroy(&journal->lock);
    free(journal->path);
    free(journal);
}

enum err journal_each(const char *path, journal_fn each, void *arg, uint64_t *ret_torn, struct why *why)
{
    struct journal_scan scan = { .fd = open(path, O_RDONLY | O_CLOEXEC), .path = path };
    if (scan.fd < 0)
        return fail(why, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open %s: %s", path,
                    strerror(errno));
    enum err err = file_size(scan.fd, path, &scan.size, why);
    if (err == OK)
        err = journal_scan(&scan, each, arg, why);
    close(scan.fd);
    TRY(err);
    *ret_torn = scan.size - scan.offset;
    return OK;
}

enum err journal_read(struct journal *journal, uint64_t offset, struct buf *ret_buf,
                      struct journal_entry *ret_entry, struct why *why)
{
    uint8_t prefix[JOURNAL_PREFIX_BYTES];
    if (!read_at(journal->fd, offset, prefix, sizeof(prefix)))
        return fail(why, ERR_IO, "cannot read %s at offset %llu: %s", journal->path,
                    (unsigned long long)offset, strerror(errno));
    /* The length was judged when this offset was made; the file is ours alone. */
    size_t len = (size_t)prefix[0] << 24 | (size_t)prefix[1] << 16 | (size_t)prefix[2] << 8 | prefix[3];
    AUTO_BUF payload = { 0 };
    buf_reserve(&payload, len);
    payload.len = len;
    if (!read_at(journal->fd, offset + sizeof(prefix), payload.data, len))
        return fail(why, ERR_IO, "cannot read %s at offset %llu: %s", journal->path,
                    (unsigned long long)offset, strerror(errno));
    TRY(journal_payload_get(buf_bytes(&payload), ret_entry, why));
    *ret_buf = TAKE_BUF(payload);
    return OK;
}

/* --- appending --- */

static bool write_at(int fd, uint64_t offset, struct bytes data)
{
    while (data.len) {
        ssize_t wrote = pwrite(fd, data.data, data.len, (off_t)offset);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        data.data += wrote;
        data.len -= (size_t)wrote;
        offset += (size_t)wrote;
    }
    return true;
}

static struct pending *pending_next(const struct pending *pending)
{
    return (struct pending *)pending->base.next;
}

/* Records on their way to the file, one after the other. */
struct writing {
    const struct journal *journal;
    uint64_t end;       /* what was written so far ends there, */
    struct buf records; /* and this comes next */
    uint8_t chain[JOURNAL_CHAIN_BYTES];
};

static enum err piece_write(struct writing *writing, struct bytes piece, struct why *why)
{
    const struct journal *journal = writing->journal;
    if (!write_at(journal->fd, writing->end, piece))
        return fail(why, ERR_IO, "cannot write %zu bytes to %s: %s", piece.len, journal->path,
                    strerror(errno));
    writing->end += piece.len;
    return OK;
}

static enum err records_write(struct writing *writing, struct why *why)
{
    TRY(piece_write(writing, buf_bytes(&writing->records), why));
    buf_clear(&writing->records);
    return OK;
}

static enum err record_write(struct writing *writing, struct pending *pending, struct why *why)
{
    struct bytes der = pending->entry->der;
    pending->offset = writing->end + writing->records.len;
    TRY(journal_record_begin(&writing->records, pending->entry, writing->chain, why));
    if (der.len >= LARGE_BYTES) {
        TRY(records_write(writing, why));
        TRY(piece_write(writing, der, why));
    } else {
        buf_append(&writing->records, der);
    }
    buf_append(&writing->records, BYTES_ARR(writing->chain));
    return OK;
}

static enum err batch_put(struct writing *writing, struct pending *batch, struct why *why)
{
    for (struct pending *each = batch; each; each = pending_next(each))
        TRY(record_write(writing, each, why));
    return records_write(writing, why);
}

/* OK: written and durable. Otherwise the file is as it was before. */
static enum err batch_write(struct journal *journal, struct pending *batch, struct why *why)
{
    struct writing writing = { .journal = journal, .end = journal->end };
    memcpy(writing.chain, journal->chain, sizeof(writing.chain));
    enum err err = batch_put(&writing, batch, why);
    buf_free(&writing.records);
    /* Half a record in the middle could never be told from tampering. */
    if (err != OK && ftruncate(journal->fd, (off_t)journal->end) != 0)
        die("journal %s: a partial record cannot be cut off: %s", journal->path, strerror(errno));
    TRY(err);
    /* After a failed flush the kernel may drop the pages and call the next flush a success: never try again. */
    if (!FAULT(journal_flush) && fdatasync(journal->fd) != 0)
        die("journal %s cannot be made durable: %s", journal->path, strerror(errno));
    journal->end = writing.end;
    memcpy(journal->chain, writing.chain, sizeof(journal->chain));
    return OK;
}

static void write_all_of(void *arg, struct batch_unit *units)
{
    struct journal *journal = arg;
    struct pending *next, *batch = (struct pending *)units;
    struct why why = { 0 };
    enum err err = batch_write(journal, batch, &why);
    for (struct pending *each = batch; each; each = next) {
        next = pending_next(each);
        each->done(each->arg, err, each->offset, &why);
        free(each);
    }
}

static enum err writer_get(struct journal *journal, struct batch **ret, struct why *why)
{
    const struct batch_config config = { .units_max = BATCH_MAX, .run = write_all_of, .arg = journal };
    enum err err = OK;
    pthread_mutex_lock(&journal->lock);
    if (!journal->writer)
        err = batch_new(&config, &journal->writer, why);
    *ret = journal->writer;
    pthread_mutex_unlock(&journal->lock);
    return err;
}

void journal_submit(struct journal *journal, const struct journal_entry *entry, journal_done done, void *arg)
{
    struct batch *writer;
    struct why why = { 0 };
    enum err err = writer_get(journal, &writer, &why);
    if (err != OK) {
        done(arg, err, 0, &why);
        return;
    }
    struct pending *pending = xcalloc(1, sizeof(*pending));
    *pending = (struct pending){ .entry = entry, .done = done, .arg = arg };
    batch_submit(writer, &pending->base);
}

struct waiting {
    struct await outcome;
    uint64_t offset;
};

static void on_written(void *arg, enum err err, uint64_t offset, const struct why *why)
{
    struct waiting *waiting = arg;
    waiting->offset = offset;
    await_end(&waiting->outcome, err, why);
}

enum err journal_append(struct journal *journal, const struct journal_entry *entry, uint64_t *ret_offset,
                        struct why *why)
{
    struct waiting waiting = { 0 };
    await_open(&waiting.outcome);
    journal_submit(journal, entry, on_written, &waiting);
    TRY(await_outcome(&waiting.outcome, why));
    *ret_offset = waiting.offset;
    return OK;
}
