/* SPDX-License-Identifier: Apache-2.0 */
/* One line per event to stderr, in one write, so that lines of several threads never mix. */
#include "base/log.h"

#include "base/clock.h"
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

/* Length of the well-formed UTF-8 sequence at text (RFC 3629), 0 if there is none. */
static size_t utf8_len(const uint8_t *text, size_t len)
{
    static const struct { uint8_t mask, lead; size_t len; uint32_t least; } forms[] = {
        { 0x80, 0x00, 1, 0 }, { 0xE0, 0xC0, 2, 0x80 }, { 0xF0, 0xE0, 3, 0x800 }, { 0xF8, 0xF0, 4, 0x10000 }
    };
    for (size_t f = 0; f < 4; f++) {
        if ((text[0] & forms[f].mask) != forms[f].lead)
            continue;
        if (forms[f].len > len)
            return 0;
        uint32_t point = text[0] & (uint8_t)~forms[f].mask;
        for (size_t i = 1; i < forms[f].len; i++) {
            if ((text[i] & 0xC0) != 0x80)
                return 0;
            point = point << 6 | (text[i] & 0x3F);
        }
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        return point >= forms[f].least && point <= 0x10FFFF && !surrogate ? forms[f].len : 0;
    }
    return 0;
}

void log_escape(const char *text, size_t len, char *out, size_t out_size)
{
    size_t used = 0;
    for (size_t i = 0; i < len && used + 5 < out_size;) {
        const uint8_t *at = (const uint8_t *)text + i;
        size_t sequence = utf8_len(at, len - i);
        /* C0, DEL and C1 control characters move a terminal's cursor: escaped. */
        bool control = sequence == 0 || (sequence == 1 && (*at < 0x20 || *at == 0x7F)) ||
                       (sequence == 2 && at[0] == 0xC2 && at[1] < 0xA0);
        if (control) {
            used += (size_t)snprintf(out + used, out_size - used, "\\x%02X", *at);
            i++;
            continue;
        }
        memcpy(out + used, at, sequence);
        used += sequence;
        i += sequence;
    }
    if (out_size)
        out[used < out_size ? used : out_size - 1] = '\0';
}

void log_at(enum log_level level, const char *ctx, const char *format, ...)
{
    if ((int)level < atomic_load(&log_least))
        return;
    char text[1024], clean[2048], line[2304], when[21];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log_escape(text, strlen(text), clean, sizeof(clean));
    clock_rfc3339(clock_now(&clock_system), when);
    int len = snprintf(line, sizeof(line), "%s %s %s%s%s %s\n", when, level_names[level], log_role,
                       ctx && *ctx ? " " : "", ctx ? ctx : "", clean);
    if (len >= (int)sizeof(line)) {
        len = (int)sizeof(line) - 1;
        line[len - 1] = '\n';
    }
    ssize_t ignored = write(STDERR_FILENO, line, (size_t)len);
    (void)ignored;                              /* nowhere left to say that the log is gone */
}
