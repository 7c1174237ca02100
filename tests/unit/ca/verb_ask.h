/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs as an administrator asks them, through the table that the server uses. */
#pragma once
#include "ipc/record.h"
#include "tests/unit/ca/fixture.h"
#include "tests/unit/ca/verb_call.h"

/* name, value, name, value, …, NULL, as one record. */
void record_of(struct buf *out, const char *const *fields);
NODISCARD enum err ask_body(struct world *world, const char *verb, struct bytes body, struct buf *ret, struct why *why);
NODISCARD enum err ask_fields(struct world *world, const char *verb, const char *const *fields, struct buf *ret, struct why *why);
size_t answer_count(const struct buf *answer);               /* records */
/* A field of the first record. */
void answer_assert(const struct buf *answer, const char *name, const char *expected);
/* Of a test's own `world`. */
#define CALL(verb, ret, why, ...)                                                                            \
    ask_fields(world, (verb), (const char *const[]){ __VA_ARGS__, NULL }, (ret), (why))
