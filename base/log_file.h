/* SPDX-License-Identifier: Apache-2.0 */
/* A log file beside the log on stderr: for lines whose form somebody else has set (the access log of IIS, the CRP log of the
   guides). Whoever cannot write it goes on without: a full disk stops no service. Any thread may write. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

struct log_file;
/* what: "access log", for messages; kept, not copied. Makes the file, mode 0640; ERR_IO for a link or anything but a file. */
NODISCARD enum err log_file_open(const char *path, const char *what, struct log_file **ret, struct why *why);
struct log_file *log_file_later(const char *path, const char *what);   /* the same, made by its first line */
NODISCARD enum err log_file_reopen(struct log_file *log, struct why *why);   /* SIGHUP, logrotate; on failure the old one stays */
void log_file_free(struct log_file *log);
AUTO_DECLARE(log_file)
bool log_file_was_empty(const struct log_file *log);         /* when it was opened: before any header */
/* Whole lines, in one write. The first failure goes to the error log, and so does its end: not one line per request. A half
   line that an earlier write left is ended first. */
void log_file_write(struct log_file *log, struct bytes lines);
/* A write failed and no later one worked; why the text of it. */
bool log_file_is_failing(struct log_file *log, struct why *ret_why);
