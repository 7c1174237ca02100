/* SPDX-License-Identifier: Apache-2.0 */
/* W3C extended log, the fields of the guides' IIS examples (spec scep.md). Used on the loop thread alone. */
#pragma once
#include "base/auto.h"
#include "base/clock.h"
#include "http/server.h"

struct access_log;
struct access_log_config { const char *path; const struct clock *clock; bool sc_bytes; size_t query_bytes; };
                                                             /* query_bytes: what is logged of a query; 0: 1024 */
NODISCARD enum err access_log_open(const struct access_log_config *config, struct access_log **ret, struct why *why);
NODISCARD enum err access_log_reopen(struct access_log *log, struct why *why);   /* SIGHUP, logrotate */
void access_log_free(struct access_log *log);
AUTO_DECLARE(access_log)
struct access_entry {
    const struct http_request *request;                      /* NULL: nothing is known (fields are '-') */
    const struct http_answer *answer;
    size_t sent_bytes;
    const char *method_text;                                 /* as the client wrote it; NULL: from request->method */
    int64_t finished_us;                                     /* clock_mono_us when the answer was out */
};
void access_log_write(struct access_log *log, const struct access_entry *entry);
/* A write failed and no later one worked; why the text of it. For status displays. */
bool access_log_is_failing(const struct access_log *log, struct why *ret_why);
/* The line itself, for tests. */
void access_log_line(const struct access_log *log, const struct access_entry *entry, struct buf *ret);
