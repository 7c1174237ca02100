/* SPDX-License-Identifier: Apache-2.0 */
/* Lines appended to a file, each call one write, so that a reader never sees half of one. */
#include "base/log_file.h"

#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

struct log_file {
    char *path;
    const char *what;
    pthread_mutex_t lock; /* of what follows */
    int fd;
    bool was_empty;
    bool torn; /* the last write stopped inside a line */
    bool failing;
    struct why why;
};

static enum err file_open(struct log_file *log, struct why *why)
{
    int fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return fail(why, ERR_IO, "cannot open %s %s: %s", log->what, log->path, strerror(errno));
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return fail(why, ERR_IO, "%s %s is not a regular file", log->what, log->path);
    }
    if (info.st_size == 0 && fchmod(fd, 0640) != 0)
        log_warn(NULL, "%s keeps mode %03o path=%s", log->what, (unsigned)info.st_mode & 0777, log->path);
    pthread_mutex_lock(&log->lock);
    if (log->fd >= 0)
        close(log->fd);
    log->fd = fd;
    log->was_empty = info.st_size == 0;
    log->torn = false;
    pthread_mutex_unlock(&log->lock);
    return OK;
}

struct log_file *log_file_later(const char *path, const char *what)
{
    struct log_file *log = xcalloc(1, sizeof(*log));
    pthread_mutex_init(&log->lock, NULL);
    log->path = xstrdup(path);
    log->what = what;
    log->fd = -1;
    return log;
}

enum err log_file_open(const char *path, const char *what, struct log_file **ret, struct why *why)
{
    AUTO(log_file) log = log_file_later(path, what);
    TRY(file_open(log, why));
    *ret = TAKE(log);
    return OK;
}

static bool is_open(struct log_file *log)
{
    pthread_mutex_lock(&log->lock);
    bool open = log->fd >= 0;
    pthread_mutex_unlock(&log->lock);
    return open;
}

enum err log_file_reopen(struct log_file *log, struct why *why)
{
    return is_open(log) ? file_open(log, why) : OK;
}

void log_file_free(struct log_file *log)
{
    if (!log)
        return;
    if (log->fd >= 0)
        close(log->fd);
    pthread_mutex_destroy(&log->lock);
    free(log->path);
    free(log);
}

bool log_file_was_empty(const struct log_file *log)
{
    return log->was_empty;
}

/* Said once, until a line is written again. */
static void lost(struct log_file *log, const struct why *why)
{
    if (log->failing)
        return;
    log->failing = true;
    log->why = *why;
    log_error(NULL, "%s; service goes on without it, lines are lost until it can be written", log->why.text);
}

static void note(struct log_file *log, ssize_t written, size_t wanted)
{
    struct why why = { 0 };
    if (written == (ssize_t)wanted) {
        if (log->failing)
            log_info(NULL, "%s is written again path=%s", log->what, log->path);
        log->failing = log->torn = false;
        return;
    }
    log->torn = log->torn || written > 0;
    fail(&why, ERR_IO, "%s %s: %s", log->what, log->path,
         written < 0 ? strerror(errno) : "write came up short");
    lost(log, &why);
}

/* One for later may have to be made first. */
static bool make(struct log_file *log)
{
    struct why why = { 0 };
    if (is_open(log) || file_open(log, &why) == OK)
        return true;
    pthread_mutex_lock(&log->lock);
    lost(log, &why);
    pthread_mutex_unlock(&log->lock);
    return false;
}

void log_file_write(struct log_file *log, struct bytes lines)
{
    AUTO_BUF after = { 0 };
    ssize_t written;
    if (!make(log))
        return;
    pthread_mutex_lock(&log->lock);
    if (log->torn) {
        buf_append_byte(&after, '\n');
        buf_append(&after, lines);
        lines = buf_bytes(&after);
    }
    do
        written = write(log->fd, lines.data, lines.len);
    while (written < 0 && errno == EINTR);
    note(log, written, lines.len);
    pthread_mutex_unlock(&log->lock);
}

bool log_file_is_failing(struct log_file *log, struct why *ret_why)
{
    pthread_mutex_lock(&log->lock);
    bool failing = log->failing;
    if (failing)
        *ret_why = log->why;
    pthread_mutex_unlock(&log->lock);
    return failing;
}
