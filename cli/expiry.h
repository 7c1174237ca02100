/* SPDX-License-Identifier: Apache-2.0 */
/* What ends within a span: the service's own certificates first, then what was issued. */
#pragma once
#include "cli/command.h"

struct expiry_span { const char *text; int64_t now, within_s; };          /* text: "30d" */
struct expiries {
    struct buf list;                                         /* records {kind, of, subject, serial, template, expires} */
    size_t count;
    bool more;                                               /* a CA has more of them than one answer holds */
    struct buf missing;                                      /* what could not be asked, in sentences; empty: nothing */
    size_t asked, failed;                                    /* questions to roles */
};
/* Questions that get no answer are counted, and are no error. */
NODISCARD enum err expiries_collect(struct cli *cli, const struct expiry_span *span, struct expiries *ret, struct why *why);
void expiries_free(struct expiries *expiries);
