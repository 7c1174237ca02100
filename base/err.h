/* SPDX-License-Identifier: Apache-2.0 */
/* One result type and one table that says each error to device, HTTP client, program and operator. */
#pragma once
#include "base/errors.h"
#include <stdbool.h>
#include <stddef.h>

#define NODISCARD __attribute__((warn_unused_result))

#define ERR_ENUM_(name, fail, retry, http, exit, hresult, api, conn, diag, text, remedy) name,
enum err { ERRORS(ERR_ENUM_) ERR_COUNT };
#undef ERR_ENUM_

#define TRY(call)                                                                                        \
    do {                                                                                                 \
        enum err err_ = (call);                                                                          \
        if (err_ != OK)                                                                                  \
            return err_;                                                                                 \
    } while (0)

/* Why something was refused: the rule and both values, for the log. Never sent to a device. */
struct why { enum err err; char text[480]; const char *remedy; };   /* remedy: instead of the row's; NULL: that one */

/* Records err and the sentence in *why (why may be NULL) and returns err: `return fail(why, ERR_X, "...", …);` */
enum err fail(struct why *why, enum err err, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same, with what to do about it here; remedy lives as long as the program. */
enum err fail_remedy(struct why *why, const char *remedy, enum err err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

struct err_row {
    const char *name;           /* "ERR_BAD_ALG"                                                  */
    int scep_fail_info;         /* RFC 8894 3.2.1.4, or FAIL_NONE                                 */
    bool retryable;             /* the same request may succeed later: 503 or PENDING, never FAILURE */
    int http_status;
    int exit_status;            /* of the command line tool (design.md section 8)                 */
    unsigned hresult;           /* as Windows shows it, 0 = none                                  */
    const char *api_code;       /* validation API `code`, "" = none                               */
    const char *connector_code; /* connector code, "" = none                                      */
    const char *diagnosis;      /* id of spec diagnosis entry, "" = none                          */
    const char *text;           /* one sentence for the operator                                  */
    const char *remedy;         /* what to do about it                                            */
};
const struct err_row *err_row(enum err err);
enum err err_by_name(const char *name, size_t len);          /* ERR_INTERNAL for an unknown name */

/* Ends the process in good order after logging: for our own bugs and for memory that is gone. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
