/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files; a write is a temporary file, fsync, rename, fsync of the folder. */
#include "base/file.h"

#include "base/auto.h"
#include "base/fault.h"
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

static enum err write_temporary(const char *temporary, struct bytes data, mode_t mode, struct why *why)
{
    unlink(temporary); /* left by a crash */
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(why, ERR_IO, "cannot create %s: %s", temporary, strerror(errno));
    bool done = write_all(fd, data) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int saved = errno;
    if (close(fd) != 0 && done) {
        done = false;
        saved = errno;
    }
    if (!done) {
        unlink(temporary);
        return fail(why, ERR_IO, "cannot write %s: %s", temporary, strerror(saved));
    }
    return OK;
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

static enum err file_replace(const char *path, struct bytes data, mode_t mode, bool fresh, struct why *why)
{
    /* Its own for each thread: with one name for all, a second writer could have its half of a file renamed
     * by the first. */
    AUTO_STR temporary = xasprintf("%s.%d.%d.new", path, (int)getpid(), (int)gettid());
    TRY(write_temporary(temporary, data, mode, why));
    int moved = fresh && !FAULT(key_overwritten) ? move_new(temporary, path) : rename(temporary, path);
    if (moved != 0) {
        int saved = errno;
        unlink(temporary);
        if (saved == EEXIST)
            return fail(why, ERR_CONFLICT, "%s exists and is not overwritten", path);
        return fail(why, ERR_IO, "cannot put %s in place: %s", path, strerror(saved));
    }
    return file_flush_folder(path, why);
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
