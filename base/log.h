/* SPDX-License-Identifier: Apache-2.0 */
/* Structured log lines to stderr: `TIME LEVEL ROLE [CTX] subject … key=value …`. Modules return errors; roles log
   them once. Control characters and line ends in what is logged are escaped, so no peer can forge a line. */
#pragma once
#include "base/err.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

void log_open(const char *role, enum log_level least);       /* once, in main; role is kept, not copied */
void log_level_set(enum log_level least);
bool log_level_by_name(const char *name, enum log_level *ret_level);
/* ctx: "tx=5f3c peer=192.0.2.7" or NULL. */
void log_at(enum log_level level, const char *ctx, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define log_debug(ctx, ...) log_at(LOG_LEVEL_DEBUG, ctx, __VA_ARGS__)
#define log_info(ctx, ...)  log_at(LOG_LEVEL_INFO, ctx, __VA_ARGS__)
#define log_warn(ctx, ...)  log_at(LOG_LEVEL_WARN, ctx, __VA_ARGS__)
#define log_error(ctx, ...) log_at(LOG_LEVEL_ERROR, ctx, __VA_ARGS__)
/* Copies text with everything outside printable ASCII and UTF-8 written as \xNN; used for log and audit lines. */
void log_escape(const char *text, size_t len, char *out, size_t out_size);
/* As log_escape, and blanks become _: for a stranger's text where a blank would end the field. */
void log_word(const char *text, size_t len, char *out, size_t out_size);
/* As log_escape, and quotes and backslashes too: for a stranger's text inside quotes of a line. */
void log_quote(const char *text, size_t len, char *out, size_t out_size);
