/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the error table, and the two ways to say that something went wrong. */
#include "base/err.h"

#include "base/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERR_ROW_(name_, fail_, retry_, http_, exit_, hresult_, api_, conn_, diag_, text_, remedy_)           \
    [name_] = { .name = #name_,                                                                              \
                .scep_fail_info = fail_,                                                                     \
                .retryable = retry_,                                                                         \
                .http_status = http_,                                                                        \
                .exit_status = exit_,                                                                        \
                .hresult = hresult_,                                                                         \
                .api_code = api_,                                                                            \
                .connector_code = conn_,                                                                     \
                .diagnosis = diag_,                                                                          \
                .text = text_,                                                                               \
                .remedy = remedy_ },
static const struct err_row rows[ERR_COUNT] = { ERRORS(ERR_ROW_) };

const struct err_row *err_row(enum err err)
{
    return &rows[(unsigned)err < ERR_COUNT ? err : ERR_INTERNAL];
}

enum err err_by_name(const char *name, size_t len)
{
    for (int err = 0; err < ERR_COUNT; err++) {
        if (strlen(rows[err].name) == len && memcmp(rows[err].name, name, len) == 0)
            return (enum err)err;
    }
    return ERR_INTERNAL;
}

static __attribute__((format(printf, 3, 0))) void why_set(struct why *why, enum err err, const char *format,
                                                          va_list args)
{
    why->err = err;
    why->remedy = NULL;
    char text[sizeof(why->text)]; /* an argument may be why->text itself */
    vsnprintf(text, sizeof(text), format, args);
    memcpy(why->text, text, sizeof(text));
}

enum err fail(struct why *why, enum err err, const char *format, ...)
{
    if (!why)
        return err;
    va_list args;
    va_start(args, format);
    why_set(why, err, format, args);
    va_end(args);
    return err;
}

enum err fail_remedy(struct why *why, const char *remedy, enum err err, const char *format, ...)
{
    if (!why)
        return err;
    va_list args;
    va_start(args, format);
    why_set(why, err, format, args);
    why->remedy = remedy;
    va_end(args);
    return err;
}

void die(const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log_error(NULL, "role ends: %s", text);
    abort();
}
