/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files, read under a limit and written so that a crash leaves the old or the new one. */
#pragma once
#include "base/bytes.h"
#include <sys/types.h>

/* errno says why path cannot be opened: ERR_NOT_FOUND or ERR_IO. */
enum err fail_open(const char *path, struct why *why);
NODISCARD enum err file_read(const char *path, size_t max, struct buf *ret, struct why *why);
NODISCARD enum err file_read_open(int fd, const char *path, size_t max, struct buf *ret, struct why *why);   /* path: for messages */
/* Temporary file beside it, fsync, rename, fsync of the folder. mode e.g. 0400. */
NODISCARD enum err file_write(const char *path, struct bytes data, mode_t mode, struct why *why);
/* As file_write, but refuses (ERR_CONFLICT) when path exists: keys are never overwritten. */
NODISCARD enum err file_write_new(const char *path, struct bytes data, mode_t mode, struct why *why);
/* Makes a file's name durable: fsync of the folder that it is in. */
NODISCARD enum err file_flush_folder(const char *path, struct why *why);
NODISCARD enum err dir_make(const char *path, mode_t mode, struct why *why);   /* with parents; there already is fine */
NODISCARD bool write_all(int fd, struct bytes data);         /* loops over short writes and EINTR; errno stays */
