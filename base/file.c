/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files; a write is a temporary file, fsync, rename, fsync of the folder. */
#include "base/file.h"

#include "base/auto.h"
#include "base/fault.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool write_all(int fd, struct bytes data)
{
    while (data.len) {
        ssize_t wrote = write(fd, data.data, data.len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        data.data += wrote;
        data.len -= (size_t)wrote;
    }
    return true;
}

enum err file_read_open(int fd, const char *path, size_t max, struct buf *ret, struct why *why)
{
    AUTO_BUF text = { 0 };
    enum err err = OK;
    for (;;) {
        buf_reserve(&text, 8192);
        ssize_t got = read(fd, text.data + text.len, 8192);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            err = fail(why, ERR_IO, "cannot read %s: %s", path, strerror(errno));
        if (got <= 0)
            break;
        text.len += (size_t)got;
        if (text.len > max) {
            err = fail(why, ERR_LIMIT, "%s is larger than %zu bytes", path, max);
            break;
        }
    }
    if (err == OK)
        *ret = TAKE_BUF(text);
    return err;
}

enum err fail_open(const char *path, struct why *why)
{
    if (errno == ENOENT)
        return fail_remedy(why, "give the name of a file that is there", ERR_NOT_FOUND, "cannot open %s: %s",
                           path, strerror(errno));
    return fail(why, ERR_IO, "cannot open %s: %s", path, strerror(errno));
}

enum err file_read(const char *path, size_t max, struct buf *ret, struct why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_open(path, why);
    enum err err = file_read_open(fd, path, max, ret, why);
    close(fd);
    return err;
}

enum err file_flush_folder(const char *path, struct why *why)
{
    AUTO_STR copy = xstrdup(path);
    const char *folder = dirname(copy);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        int saved = errno;
        if (fd >= 0)
            close(fd);
        return fail(why, ERR_IO, "cannot flush the folder %s: %s", folder, strerror(saved));
    }
    close(fd);
    return OK;
}

/* --- drafts --- */

#define DRAFT_SUFFIX ".new"

static enum err draft_fail(const struct file_draft *draft, struct why *why)
{
    return fail(why, ERR_IO, "cannot write %s: %s", draft->temporary, strerror(errno));
}

void file_draft_free(struct file_draft *draft)
{
    if (draft->fd >= 0 && draft->temporary) {
        close(draft->fd);
        unlink(draft->temporary);
    }
    free(draft->temporary);
    free(draft->path);
    *draft = (struct file_draft){ .fd = -1 };
}

enum err file_draft_begin(const char *path, struct file_draft *ret, struct why *why)
{
    /* Its own for each thread: with one name for all, a second writer could have its half of a file renamed
     * by the first. */
    AUTO_VAL(file_draft)
    draft = { xstrdup(path), xasprintf("%s.%d.%d" DRAFT_SUFFIX, path, (int)getpid(), (int)gettid()), -1 };
    unlink(draft.temporary); /* left by a crash */
    draft.fd = open(draft.temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (draft.fd < 0)
        return fail(why, ERR_IO, "cannot create %s: %s", draft.temporary, strerror(errno));
    *ret = draft;
    draft = (struct file_draft){ .fd = -1 };
    return OK;
}

enum err file_draft_write(struct file_draft *draft, size_t at, struct bytes data, struct why *why)
{
    bool done = lseek(draft->fd, (off_t)at, SEEK_SET) >= 0 && write_all(draft->fd, data);
    return done ? OK : draft_fail(draft, why);
}

enum err file_draft_flush(struct file_draft *draft, struct why *why)
{
    return fdatasync(draft->fd) == 0 ? OK : draft_fail(draft, why);
}

void file_drafts_forget(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        size_t len = strlen(entry->d_name), tail = strlen(DRAFT_SUFFIX);
        if (len > tail && strcmp(entry->d_name + len - tail, DRAFT_SUFFIX) == 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir)
        closedir(dir);
}

/* Never over another file. A file system that cannot rename so has links; a confined role has none, and keeps its keys where this works. */
static int move_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if ((errno != EINVAL && errno != ENOSYS) || link(from, to) != 0)
        return -1;
    unlink(from);
    return 0;
}

/* Takes what it has: afterwards it is empty, whatever came of it. */
static enum err draft_finish(struct file_draft *taken, mode_t mode, bool fresh, struct why *why)
{
    AUTO_VAL(file_draft) draft = *taken;
    *taken = (struct file_draft){ .fd = -1 };
    assert(draft.temporary && draft.path); /* begun, and not committed yet */
    if (fchmod(draft.fd, mode) != 0 || fsync(draft.fd) != 0)
        return draft_fail(&draft, why);
    int fd = draft.fd;
    bool moved = fresh && !FAULT(key_overwritten) ? move_new(draft.temporary, draft.path) == 0
                                                  : rename(draft.temporary, draft.path) == 0;
    if (!moved && errno == EEXIST)
        return fail(why, ERR_CONFLICT, "%s exists and is not overwritten", draft.path);
    if (!moved)
        return fail(why, ERR_IO, "cannot put %s in place: %s", draft.path, strerror(errno));
    draft.fd = -1; /* nothing to take back */
    close(fd);
    return file_flush_folder(draft.path, why);
}

enum err file_draft_commit(struct file_draft *draft, mode_t mode, struct why *why)
{
    return draft_finish(draft, mode, false, why);
}

static enum err file_replace(const char *path, struct bytes data, mode_t mode, bool fresh, struct why *why)
{
    AUTO_VAL(file_draft) draft = { .fd = -1 };
    TRY(file_draft_begin(path, &draft, why));
    TRY(file_draft_write(&draft, 0, data, why));
    return draft_finish(&draft, mode, fresh, why);
}

enum err file_write(const char *path, struct bytes data, mode_t mode, struct why *why)
{
    return file_replace(path, data, mode, false, why);
}

enum err file_write_new(const char *path, struct bytes data, mode_t mode, struct why *why)
{
    return file_replace(path, data, mode, true, why);
}

/* By descriptor: a confined role has no chmod. */
static bool dir_set_mode(const char *path, mode_t mode)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool done = fd >= 0 && fchmod(fd, mode) == 0;
    int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return done;
}

enum err dir_make(const char *path, mode_t mode, struct why *why)
{
    if (!*path)
        return fail(why, ERR_IO, "cannot make a folder without a name");
    AUTO_STR copy = xstrdup(path);
    for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
        copy[len - 1] = '\0'; /* the last name gets `mode`, with or without a slash */
    for (char *at = copy + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST)
            return fail(why, ERR_IO, "cannot make the folder %s: %s", copy, strerror(errno));
        *at = '/';
    }
    if (mkdir(copy, mode) == 0)
        return dir_set_mode(copy, mode)
                   ? OK
                   : fail(why, ERR_IO, "cannot set the mode of %s: %s", copy, strerror(errno));
    struct stat info;
    if (errno == EEXIST && stat(copy, &info) == 0 && S_ISDIR(info.st_mode))
        return OK;
    return fail(why, ERR_IO, "cannot make the folder %s: %s", copy, strerror(errno));
}
