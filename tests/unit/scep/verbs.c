/* SPDX-License-Identifier: Apache-2.0 */
/* Whom scep answers: every verb there is, from every principal there could be. */
#include "scep/service.h"
#include "tests/unit/ipc/matrix.h"

/* What is meant to be: the table of scep/service.c is judged by it, so that a changed row is seen. */
static const struct matrix_row meant[] = {
    { "status", "cli" },   { "reload", "cli" },   { "ra_show", "cli" },
    { "ra_renew", "cli" }, { "tls_show", "cli" }, { "tls_renew", "cli" },
};

TEST(every_verb_is_reached_by_whom_it_is_for_and_by_nobody_else)
{
    const struct matrix matrix = { scep_verbs, scep_verb_count, meant, sizeof(meant) / sizeof(*meant) };
    matrix_check(&matrix);
}

RUN(T(every_verb_is_reached_by_whom_it_is_for_and_by_nobody_else))
