/* SPDX-License-Identifier: Apache-2.0 */
/* W3C extended log, the fields of the guides' IIS examples (spec scep.md). */
#pragma once
#include "base/auto.h"
#include "base/clock.h"
#include "http/server.h"

struct access_log;
struct access_log_config { const char *path; const struct clock *clock; bool sc_bytes; size_t query_bytes; };
NODISCARD enum err access_log_open(const struct access_log_config *config, struct access_log **ret, struct why *why);
NODISCARD enum err access_log_reopen(struct access_log *log, struct why *why);   /* SIGHUP, logrotate */
void access_log_free(struct access_log *log);
AUTO_DECLARE(access_log)
struct access_entry { const struct http_request *request; const struct http_answer *answer; size_t sent_bytes;
                      const char *method_text; };            /* request may be NULL: a refused one (fields are '-') */
void access_log_write(struct access_log *log, const struct access_entry *entry);
/* The line itself, for tests. */
void access_log_line(const struct access_log *log, const struct access_entry *entry, struct buf *ret);
