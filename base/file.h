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
/* As file_write, in pieces: somebody who knows most of it before the rest. Held by value; freed before its commit it leaves nothing. */
struct file_draft { char *path, *temporary; int fd; };
NODISCARD enum err file_draft_begin(const char *path, struct file_draft *ret, struct why *why);
NODISCARD enum err file_draft_write(struct file_draft *draft, size_t at, struct bytes data, struct why *why);
NODISCARD enum err file_draft_flush(struct file_draft *draft, struct why *why);   /* so that the commit has little left to */
NODISCARD enum err file_draft_commit(struct file_draft *draft, mode_t mode, struct why *why);
void file_draft_free(struct file_draft *draft);
/* Drafts that a crash left in a folder which has no other writer. A folder that is not there has none. */
void file_drafts_forget(const char *folder);
/* Makes a file's name durable: fsync of the folder that it is in. */
NODISCARD enum err file_flush_folder(const char *path, struct why *why);
NODISCARD enum err dir_make(const char *path, mode_t mode, struct why *why);   /* with parents; there already is fine */
NODISCARD bool write_all(int fd, struct bytes data);         /* loops over short writes and EINTR; errno stays */
