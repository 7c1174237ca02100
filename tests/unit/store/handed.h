/* SPDX-License-Identifier: Apache-2.0 */
/* Units that are submitted, and what their owners were told of them. */
#pragma once
#include "tests/unit/store/place.h"
#include "tests/unit/store/units.h"
#include "tests/unit/told.h"
#include <stdatomic.h>

struct handed {
    struct thing thing;
    enum err wanted;                                         /* what the unit returns once it has written */
    struct store *seen_in;                                   /* done looks whether the thing is there; NULL: it does not */
    struct told *told;
    int64_t number;                                          /* result: of the counter, in the last run */
    enum err err; struct why why;                            /* what done was told */
    bool seen;
    int turn;                                                /* its place among all of `told`, from 0 */
    atomic_int runs, dones;
};

/* The thing, and the next number of a counter that starts at 1. */
static inline enum err handed_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct handed *handed = arg;
    atomic_fetch_add(&handed->runs, 1);
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "INSERT INTO thing (id, number) VALUES (-1, 1) "
                    "ON CONFLICT (id) DO UPDATE SET number = thing.number + 1 RETURNING number",
                    S_NO_ARGS, &rows, why));
    handed->number = store_int(rows, 0, 0);
    TRY(thing_add(tx, &handed->thing, why));
    return handed->wanted == OK ? OK : fail(why, handed->wanted, "thing %lld", (long long)handed->thing.id);
}

static inline enum err thing_is_there(struct store_tx *tx, void *arg, struct why *why)
{
    struct handed *handed = arg;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT id FROM thing WHERE id = $1", S_ARGS(S_INT(handed->thing.id)), &rows, why));
    handed->seen = store_rows_count(rows) == 1;
    return OK;
}

static inline void handed_done(void *arg, enum err err, const struct why *why)
{
    struct handed *handed = arg;
    handed->err = err;
    handed->why = *why;
    if (handed->seen_in && store_read(handed->seen_in, thing_is_there, handed, NULL) != OK)
        handed->seen = false;
    atomic_fetch_add(&handed->dones, 1);
    told_one(handed->told, &handed->turn);
}

static inline void handed_submit(struct store *store, struct handed *handed, int64_t id, struct told *told)
{
    handed->thing = (struct thing){ .id = id, .number = S_NULL };
    handed->told = told;
    store_submit(store, handed_work, handed_done, handed);
}

/* Its owner's error and sentence, once; a number and a row only with OK. */
static inline void handed_check(const struct handed *handed)
{
    char text[40];
    snprintf(text, sizeof(text), "thing %lld", (long long)handed->thing.id);
    assert_int_equal(1, handed->dones);
    if (handed->err != handed->wanted)
        fail_msg("%s was told %s (%s)", text, err_row(handed->err)->name, handed->why.text);
    if (handed->wanted != OK)
        assert_string_equal(text, handed->why.text);
    if (handed->seen_in)
        assert_int_equal(handed->wanted == OK, handed->seen);
}

/* Writers that stand still until the gate opens, so that what is submitted meanwhile waits together. */
struct gate { struct store *store; pthread_mutex_t lock; pthread_cond_t change; int inside; bool open; struct told told; };
#define GATE_NONE                                                                                        \
    { .lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER, .told = TOLD_NONE }
static inline enum err gate_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct gate *gate = arg;
    (void)tx, (void)why;
    pthread_mutex_lock(&gate->lock);
    gate->inside++;
    pthread_cond_broadcast(&gate->change);
    while (!gate->open)
        pthread_cond_wait(&gate->change, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
    return OK;
}
static inline void gate_done(void *arg, enum err err, const struct why *why)
{
    struct gate *gate = arg;
    (void)err, (void)why;
    told_one(&gate->told, NULL);
}
/* Returns once all writers are inside: one of SQLite, eight of PostgreSQL. */
static inline int gate_close(struct gate *gate, struct store *store, enum store_kind kind)
{
    int writers = kind == STORE_POSTGRES ? 8 : 1;
    gate->store = store;
    for (int i = 0; i < writers; i++)
        store_submit(store, gate_work, gate_done, gate);
    pthread_mutex_lock(&gate->lock);
    while (gate->inside < writers)
        pthread_cond_wait(&gate->change, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
    return writers;
}
static inline void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->change);
    pthread_mutex_unlock(&gate->lock);
}
