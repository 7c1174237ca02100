/* SPDX-License-Identifier: Apache-2.0 */
/* One table and the units that most store tests write it with. */
#pragma once
#include "store/store.h"
#include "tests/unit/test.h"

static const struct migration units_schema[] = {
    { 1, "CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT UNIQUE, data BYTEA, number BIGINT);"
         "CREATE INDEX thing_number ON thing (number)" },
};

struct thing { int64_t id; const char *name; struct bytes data; struct store_value number; };
static inline enum err thing_add(struct store_tx *tx, void *arg, struct why *why)
{
    const struct thing *thing = arg;
    return store_exec(tx, "INSERT INTO thing (id, name, data, number) VALUES ($1, $2, $3, $4)",
                      S_ARGS(S_INT(thing->id), S_TEXT(thing->name), S_BYTES(thing->data), thing->number), NULL, why);
}

/* *arg: int64_t, the number of things. */
static inline enum err thing_count(struct store_tx *tx, void *arg, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT COUNT(*) FROM thing", S_NO_ARGS, &rows, why));
    *(int64_t *)arg = store_int(rows, 0, 0);
    return OK;
}

static inline int64_t thing_total(struct store *store)
{
    struct why why = { 0 };
    int64_t things = -1;
    ASSERT_OK(store_read(store, thing_count, &things, &why), &why);
    return things;
}
