/* SPDX-License-Identifier: Apache-2.0 */
/* What store.h promises of store_submit, the same on both databases. */
#include "tests/unit/store/handed.h"

#include <stdlib.h>

struct bench {
    struct place place;
    struct store *store;
};

static int bench_open(void **state)
{
    struct bench *bench = *state;
    struct why why = { 0 };
    struct store_config config = place_config(&bench->place, units_schema, 1);
    config.flush_delay_ms = 2; /* so that units gather behind a flush */
    enum err err = store_open(&config, &bench->store, &why);
    if (err != OK)
        fprintf(stderr, "%s: %s\n", err_row(err)->name, why.text);
    return err == OK ? 0 : -1;
}

static int bench_close(void **state)
{
    struct bench *bench = *state;
    store_free(TAKE(bench->store));
    return 0;
}

static int64_t count_again(struct bench *bench)
{
    struct why why = { 0 };
    struct store_config config = place_config_again(&bench->place, units_schema, 1);
    store_free(TAKE(bench->store));
    ASSERT_OK(store_open(&config, &bench->store, &why), &why);
    return thing_total(bench->store);
}

#define MANY 200
/* The numbers of those that were acknowledged are 1 to as many as there are, each once. */
static void numbers_check(const struct handed *handed, int many)
{
    bool *given = xcalloc((size_t)many + 1, sizeof(*given));
    int acknowledged = 0;
    for (int i = 0; i < many; i++)
        acknowledged += handed[i].err == OK;
    for (int i = 0; i < many; i++) {
        if (handed[i].err != OK)
            continue;
        assert_in_range(handed[i].number, 1, acknowledged);
        assert_false(given[handed[i].number]);
        given[handed[i].number] = true;
    }
    free(given);
}

TEST(each_unit_is_told_once_and_what_was_acknowledged_is_there_by_then)
{
    struct bench *bench = *state_;
    struct told told = TOLD_NONE;
    struct handed *handed = xcalloc(MANY, sizeof(*handed));
    for (int i = 0; i < MANY; i++) {
        handed[i].seen_in = bench->store;
        handed_submit(bench->store, &handed[i], i, &told);
    }
    told_wait(&told, MANY);
    assert_int_equal(MANY + 1, count_again(bench)); /* and the counter */
    for (int i = 0; i < MANY; i++)
        handed_check(&handed[i]); /* after the end of the store: nobody is told again */
    numbers_check(handed, MANY);
    free(handed);
}

TEST(a_unit_that_fails_is_told_its_own_error_once_and_leaves_no_trace)
{
    struct bench *bench = *state_;
    struct told told = TOLD_NONE;
    struct handed *handed = xcalloc(MANY, sizeof(*handed));
    static const enum err errors[] = { OK, ERR_CONFLICT, OK, OK, ERR_DENIED, ERR_STORE };
    int good = 0;
    for (int i = 0; i < MANY; i++) {
        handed[i].seen_in = bench->store;
        handed[i].wanted = errors[i % 6];
        good += handed[i].wanted == OK;
        handed_submit(bench->store, &handed[i], i, &told);
    }
    told_wait(&told, MANY);
    assert_int_equal(good + 1, count_again(bench));
    for (int i = 0; i < MANY; i++)
        handed_check(&handed[i]);
    numbers_check(handed, MANY);
    free(handed);
}

#define SUBMITTERS 16
struct submitter {
    struct bench *bench;
    pthread_barrier_t *start;
    struct told *told;
    struct handed *handed; /* of this one */
    int64_t first;
    pthread_t thread;
};

static void *submit_all(void *arg)
{
    struct submitter *mine = arg;
    pthread_barrier_wait(mine->start);
    for (int i = 0; i < MANY / 4; i++) {
        mine->handed[i].wanted = i % 7 == 3 ? ERR_LIMIT : OK;
        handed_submit(mine->bench->store, &mine->handed[i], mine->first + i, mine->told);
    }
    return NULL;
}

TEST(of_many_threads_each_unit_is_told_once_and_numbers_have_no_gap)
{
    struct bench *bench = *state_;
    struct told told = TOLD_NONE;
    struct submitter all[SUBMITTERS];
    int many = SUBMITTERS * MANY / 4;
    struct handed *handed = xcalloc((size_t)many, sizeof(*handed));
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, SUBMITTERS);
    for (int i = 0; i < SUBMITTERS; i++) {
        int first = i * MANY / 4;
        all[i] = (struct submitter){
            .bench = bench, .start = &start, .told = &told, .handed = handed + first, .first = first
        };
        assert_int_equal(0, pthread_create(&all[i].thread, NULL, submit_all, &all[i]));
    }
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_join(all[i].thread, NULL);
    told_wait(&told, many);
    count_again(bench);
    for (int i = 0; i < many; i++)
        handed_check(&handed[i]);
    numbers_check(handed, many);
    pthread_barrier_destroy(&start);
    free(handed);
}

/* Its own memory, which done gives back: the store touches neither it nor the unit afterwards. */
struct chain {
    struct store *store;
    struct told *told;
    int64_t id, last;
    atomic_int *wrong;
};

static enum err chain_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct thing thing = { .id = ((struct chain *)arg)->id, .number = S_NULL };
    return thing_add(tx, &thing, why);
}

static void chain_done(void *arg, enum err err, const struct why *why)
{
    struct chain next = *(struct chain *)arg;
    struct thing another = { .id = -next.id, .number = S_NULL };
    (void)why;
    free(arg);
    if (err != OK || store_write(next.store, thing_add, &another, NULL) != ERR_INTERNAL)
        atomic_fetch_add(next.wrong, 1);
    if (next.id == next.last) {
        told_one(next.told, NULL);
        return;
    }
    next.id++;
    store_submit(next.store, chain_work, chain_done, memcpy(xcalloc(1, sizeof(next)), &next, sizeof(next)));
}

static void chain_start(struct store *store, int64_t first, int64_t last, struct told *told,
                        atomic_int *wrong)
{
    struct chain *chain = xcalloc(1, sizeof(*chain));
    *chain = (struct chain){ store, told, first, last, wrong };
    store_submit(store, chain_work, chain_done, chain);
}

TEST(done_may_submit_again_and_must_not_wait)
{
    struct bench *bench = *state_;
    struct told told = TOLD_NONE;
    atomic_int wrong = 0;
    for (int64_t i = 1; i <= 20; i++)
        chain_start(bench->store, i * 100, i * 100 + 19, &told, &wrong);
    told_wait(&told, 20);
    assert_int_equal(0, wrong);
    assert_int_equal(20 * 20, thing_total(bench->store));
}

TEST(closing_waits_for_what_is_queued_and_for_what_that_submits)
{
    struct bench *bench = *state_;
    struct told told = TOLD_NONE;
    struct gate gate = GATE_NONE;
    atomic_int wrong = 0;
    struct handed *handed = xcalloc(MANY, sizeof(*handed));
    int writers = gate_close(&gate, bench->store, bench->place.kind);
    for (int i = 0; i < MANY; i++) {
        handed[i].wanted = i % 5 == 0 ? ERR_DENIED : OK;
        handed_submit(bench->store, &handed[i], i, &told);
    }
    chain_start(bench->store, 1000, 1019, &told, &wrong);
    gate_open(&gate);
    assert_int_equal(MANY * 4 / 5 + 20 + 1, count_again(bench));
    assert_int_equal(writers, told_count(&gate.told));
    assert_int_equal(MANY + 1, told_count(&told));
    assert_int_equal(0, wrong);
    for (int i = 0; i < MANY; i++)
        handed_check(&handed[i]);
    free(handed);
}

struct waiter {
    struct store *store;
    int64_t first;
    atomic_int *failed;
    pthread_t thread;
};
static void *write_many(void *arg)
{
    struct waiter *waiter = arg;
    for (int i = 0; i < 25; i++) {
        struct thing thing = { .id = waiter->first + i, .number = S_NULL };
        if (store_write(waiter->store, thing_add, &thing, NULL) != OK)
            atomic_fetch_add(waiter->failed, 1);
    }
    return NULL;
}

TEST(those_who_wait_and_those_who_do_not_share_the_store)
{
    struct bench *bench = *state_;
    struct told told = TOLD_NONE;
    struct waiter waiters[8];
    atomic_int failed = 0;
    struct handed *handed = xcalloc(MANY, sizeof(*handed));
    for (int i = 0; i < 8; i++) {
        waiters[i] = (struct waiter){ bench->store, 10000 + i * 100, &failed, 0 };
        assert_int_equal(0, pthread_create(&waiters[i].thread, NULL, write_many, &waiters[i]));
    }
    for (int i = 0; i < MANY; i++) {
        handed[i].wanted = i % 9 == 0 ? ERR_DENIED : OK;
        handed_submit(bench->store, &handed[i], i, &told);
    }
    for (int i = 0; i < 8; i++)
        pthread_join(waiters[i].thread, NULL);
    told_wait(&told, MANY);
    for (int i = 0; i < MANY; i++)
        handed_check(&handed[i]);
    assert_int_equal(0, failed);
    numbers_check(handed, MANY);
    free(handed);
}

#define ON(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)
int main(int argc, char **argv)
{
    struct bench bench = { 0 };
    place_make(&bench.place, argc > 1 ? argv[1] : "sqlite");
    struct CMUnitTest tests[] = {
        ON(each_unit_is_told_once_and_what_was_acknowledged_is_there_by_then),
        ON(a_unit_that_fails_is_told_its_own_error_once_and_leaves_no_trace),
        ON(of_many_threads_each_unit_is_told_once_and_numbers_have_no_gap),
        ON(done_may_submit_again_and_must_not_wait),
        ON(closing_waits_for_what_is_queued_and_for_what_that_submits),
        ON(those_who_wait_and_those_who_do_not_share_the_store),
    };
    return place_run(&bench.place, &bench, tests, sizeof(tests) / sizeof(tests[0]));
}
