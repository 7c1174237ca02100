/* SPDX-License-Identifier: Apache-2.0 */
/* One line per event to stderr, in one write, so that lines of several threads never mix. */
#include "base/log.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/utf8.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *log_role = "chancery";
static atomic_int log_least = LOG_LEVEL_INFO;
static const char *const level_names[] = { "debug", "info", "warn", "error" };

void log_open(const char *role, enum log_level least)
{
    log_role = role;
    log_level_set(least);
}

void log_level_set(enum log_level least)
{
    atomic_store(&log_least, (int)least);
}

bool log_level_by_name(const char *name, enum log_level *ret_level)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(*level_names); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* C0, DEL and C1 control characters move a terminal's cursor; line and paragraph separators end a line for
   some readers; bidirectional controls show a line in another order than it has. */
static bool is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x061C || point == 0x200E ||
           point == 0x200F || (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

/* How many characters at the start stand for themselves everywhere: nearly always all. */
static size_t plain_run(const char *text, size_t len)
{
    size_t i = 0;
    while (i < len && text[i] >= 0x20 && text[i] < 0x7F && text[i] != '"' && text[i] != '\\')
        i++;
    return i;
}

static void escape(const char *text, size_t len, bool quotes, char *out, size_t out_size)
{
    size_t used = 0;
    for (size_t i = 0; i < len && used + 5 < out_size;) {
        size_t room = out_size - used - 5, left = len - i,
               plain = plain_run(text + i, left < room ? left : room);
        if (plain) {
            memcpy(out + used, text + i, plain);
            used += plain;
            i += plain;
            continue;
        }
        struct bytes rest = bytes_of(text + i, len - i);
        uint32_t point;
        size_t sequence = utf8_sequence(rest, &point);
        if ((!FAULT(log_escape) && (sequence == 0 || is_control(point))) ||
            (quotes && (point == '"' || point == '\\'))) { /* octet by octet: what follows is judged anew */
            used += (size_t)snprintf(out + used, out_size - used, "\\x%02X", rest.data[0]);
            i++;
            continue;
        }
        memcpy(out + used, rest.data, sequence);
        used += sequence;
        i += sequence;
    }
    if (out_size)
        out[used] = '\0';
}

void log_escape(const char *text, size_t len, char *out, size_t out_size)
{
    escape(text, len, false, out, out_size);
}

void log_word(const char *text, size_t len, char *out, size_t out_size)
{
    log_escape(text, len, out, out_size);
    for (size_t i = 0; out_size && out[i]; i++) {
        if (out[i] == ' ' && !FAULT(log_word))
            out[i] = '_';
    }
}

void log_quote(const char *text, size_t len, char *out, size_t out_size)
{
    escape(text, len, true, out, out_size);
}

void log_at(enum log_level level, const char *ctx, const char *format, ...)
{
    if ((int)level < atomic_load(&log_least))
        return;
    char text[1024], clean[2048], subject[512], line[2688], when[21];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log_escape(text, strlen(text), clean, sizeof(clean));
    log_escape(ctx ? ctx : "", ctx ? strlen(ctx) : 0, subject,
               sizeof(subject)); /* holds what a peer sent, too */
    clock_rfc3339(clock_now(&clock_system), when);
    int len = snprintf(line, sizeof(line), "%s %s %s%s%s %s\n", when, level_names[level], log_role,
                       *subject ? " " : "", subject, clean);
    if (len >= (int)sizeof(line)) {
        len = (int)sizeof(line) - 1;
        line[len - 1] = '\n';
    }
    ssize_t ignored = write(STDERR_FILENO, line, (size_t)len);
    (void)ignored; /* nowhere left to say that the log is gone */
}
