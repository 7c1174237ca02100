/* SPDX-License-Identifier: Apache-2.0 */
/* Appending with one flush for all who wait: the first to come writes and flushes for everybody in the queue. */
#include "signer/journal.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/wake.h"
#include "signer/journal_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct pending {
    struct pending *next;
    const struct journal_entry *entry;
    uint64_t offset;
    struct wake woken; /* once: it is durable or has failed (done), or its owner is to lead */
    bool done;
    enum err err;
    struct why why;
};
struct journal {
    int fd;
    char *path;
    pthread_mutex_t lock; /* the queue; the rest belongs to the leader */
    struct pending *first, **last;
    bool leading;
    uint64_t end; /* everything before it is whole and durable */
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
    journal->last = &journal->first;
    pthread_mutex_init(&journal->lock, NULL);
    TRY(open_checked(journal, each, arg, why));
    *ret = TAKE(journal);
    return OK;
}

void journal_free(struct journal *journal)
{
    if (!journal)
        return;
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

/* All records of the batch, one after the other; chain is where they would leave it. */
static enum err batch_build(const struct journal *journal, struct pending *batch, uint8_t *chain,
                            struct buf *out, struct why *why)
{
    memcpy(chain, journal->chain, JOURNAL_CHAIN_BYTES);
    for (struct pending *each = batch; each; each = each->next) {
        each->offset = journal->end + out->len;
        TRY(journal_record_put(out, each->entry, chain, why));
    }
    return OK;
}

/* OK: written and durable. Otherwise the file is as it was before. */
static enum err batch_write(struct journal *journal, struct pending *batch, struct why *why)
{
    AUTO_BUF records = { 0 };
    uint8_t chain[JOURNAL_CHAIN_BYTES];
    TRY(batch_build(journal, batch, chain, &records, why));
    if (!write_at(journal->fd, journal->end, buf_bytes(&records))) {
        int error = errno;
        /* Half a record in the middle could never be told from tampering. */
        if (ftruncate(journal->fd, (off_t)journal->end) != 0)
            die("journal %s: a partial record cannot be cut off: %s", journal->path, strerror(errno));
        return fail(why, ERR_IO, "cannot write %zu bytes to %s: %s", records.len, journal->path,
                    strerror(error));
    }
    /* After a failed flush the kernel may drop the pages and call the next flush a success: never try again. */
    if (!FAULT(journal_flush) && fdatasync(journal->fd) != 0)
        die("journal %s cannot be made durable: %s", journal->path, strerror(errno));
    journal->end += records.len;
    memcpy(journal->chain, chain, sizeof(chain));
    return OK;
}

static struct pending *queue_take(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    struct pending *batch = journal->first;
    journal->first = NULL;
    journal->last = &journal->first;
    pthread_mutex_unlock(&journal->lock);
    return batch;
}

/* Whoever came while the batch was written goes on with the next one. */
static void lead_pass_on(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    struct pending *next = journal->first;
    journal->leading = next;
    pthread_mutex_unlock(&journal->lock);
    if (next)
        wake_send(&next->woken);
}

static void lead(struct journal *journal, struct pending *mine)
{
    struct why why = { 0 };
    (void)
        sched_yield(); /* others who are about to append share this flush; nobody waits when there are none */
    struct pending *batch = queue_take(journal);
    enum err err = batch_write(journal, batch, &why);
    lead_pass_on(journal);
    while (batch) {
        struct pending *each = batch;
        batch = each->next; /* its owner is gone as soon as it is woken */
        each->err = err;
        each->why = why;
        each->done = true;
        if (each != mine)
            wake_send(&each->woken);
    }
}

enum err journal_append(struct journal *journal, const struct journal_entry *entry, uint64_t *ret_offset,
                        struct why *why)
{
    struct pending mine = { .entry = entry };
    wake_open(&mine.woken);
    pthread_mutex_lock(&journal->lock);
    *journal->last = &mine;
    journal->last = &mine.next;
    bool leads = !journal->leading;
    journal->leading = true;
    pthread_mutex_unlock(&journal->lock);
    if (!leads)
        wake_wait(&mine.woken);
    if (!mine.done)
        lead(journal, &mine);
    wake_close(&mine.woken);
    if (mine.err != OK)
        return fail(why, mine.err, "%s", mine.why.text);
    *ret_offset = mine.offset;
    return OK;
}
