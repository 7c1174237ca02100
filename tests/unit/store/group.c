/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's group commit: units that waited together, one of which fails, or whose flush does. */
#include "tests/unit/store/breaking.h"
#include "tests/unit/store/handed.h"

#include <stdlib.h>

struct bench {
    struct place place;
    struct store *store;
    int64_t things; /* acknowledged so far, with the counter */
    int64_t next;   /* id */
};

static int bench_open(void **state)
{
    struct bench *bench = *state;
    struct why why = { 0 };
    struct store_config config = place_config(&bench->place, units_schema, 1);
    bench->things = bench->next = 0;
    return store_open(&config, &bench->store, &why) == OK ? 0 : -1;
}

static int bench_close(void **state)
{
    struct bench *bench = *state;
    breaking_syncs = breaking_writes = 0;
    store_free(TAKE(bench->store));
    return 0;
}

#define GROUP 24 /* below what one flush takes */

static void group_submit(struct bench *bench, struct handed group[GROUP], const enum err wanted[GROUP],
                         struct told *told)
{
    memset(group, 0, GROUP * sizeof(*group));
    for (int i = 0; i < GROUP; i++) {
        group[i].wanted = wanted[i];
        handed_submit(bench->store, &group[i], bench->next++, told);
    }
}

/* Has GROUP units wait together, and then told. wanted: of each. breaks: set before their turn comes, or NULL. */
static void group_run(struct bench *bench, struct handed group[GROUP], const enum err wanted[GROUP],
                      atomic_int *breaks)
{
    struct gate gate = GATE_NONE;
    struct told told = TOLD_NONE;
    gate_close(&gate, bench->store, STORE_SQLITE);
    group_submit(bench, group, wanted, &told);
    if (breaks)
        *breaks = 1;
    gate_open(&gate);
    told_wait(&told, GROUP);
    told_wait(&gate.told, 1);
}

/* Each got what it wanted; numbers go up in the order in which they came, over the failures as if those had never been. */
static void group_check(struct bench *bench, const struct handed group[GROUP])
{
    bool any = false;
    int64_t number = bench->things ? bench->things - 1 : 0;
    for (int i = 0; i < GROUP; i++) {
        handed_check(&group[i]);
        assert_int_equal(i, group[i].turn);
        assert_true(group[i].runs >= 1);
        any |= group[i].err == OK;
        if (group[i].err == OK)
            assert_int_equal(++number, group[i].number);
    }
    bench->things = any || bench->things ? number + 1 : 0;
    assert_int_equal(bench->things, thing_total(bench->store));
}

static void group_expect(struct bench *bench, const enum err wanted[GROUP])
{
    struct handed group[GROUP];
    bool any = false;
    uint64_t before = store_commits(bench->store);
    group_run(bench, group, wanted, NULL);
    for (int i = 0; i < GROUP; i++)
        any |= wanted[i] == OK;
    assert_int_equal(before + 1 + any, store_commits(bench->store)); /* the gate's own, and theirs */
    group_check(bench, group);
}

TEST(units_that_wait_together_share_one_flush_and_keep_their_order)
{
    static const enum err good[GROUP] = { OK };
    for (int i = 0; i < 3; i++)
        group_expect(*state_, good);
}

TEST(one_failure_anywhere_in_a_group_leaves_the_others_alone)
{
    for (int at = 0; at < GROUP; at += at == 0 ? 1 : 11) {
        enum err wanted[GROUP] = { OK };
        wanted[at] = at % 2 ? ERR_DENIED : ERR_CONFLICT;
        group_expect(*state_, wanted);
    }
}

TEST(nearly_all_and_all_of_a_group_may_fail)
{
    enum err wanted[GROUP];
    for (int good = -1; good < GROUP; good += 12) {
        for (int i = 0; i < GROUP; i++)
            wanted[i] = i == good ? OK : i % 3 ? ERR_DENIED : ERR_STORE;
        group_expect(*state_, wanted);
    }
}

/* Longer than the store takes care after a failure, with failures in between and at its end, until it trusts again. */
TEST(groups_after_a_failure_are_like_those_before)
{
    for (int i = 0; i < 60; i++) {
        enum err wanted[GROUP] = { OK };
        if (i % 20 < 3 || i == 37)
            wanted[i % GROUP] = ERR_DENIED;
        group_expect(*state_, wanted);
    }
}

/* All of them want the same name: the first to come that does not fail has it. */
static enum err name_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct handed *handed = arg;
    struct thing thing = { .id = handed->thing.id, .name = "the one", .number = S_NULL };
    TRY(thing_add(tx, &thing, why));
    return handed->wanted == ERR_DENIED ? fail(why, ERR_DENIED, "not me") : OK;
}

TEST(what_a_failing_unit_took_is_free_for_the_next_of_its_group)
{
    struct bench *bench = *state_;
    for (int first = 0; first < 4; first++) {
        struct gate gate = GATE_NONE;
        struct told told = TOLD_NONE;
        struct handed group[GROUP] = { 0 };
        gate_close(&gate, bench->store, STORE_SQLITE);
        for (int i = 0; i < GROUP; i++) {
            group[i] = (struct handed){ .thing.id = i, .told = &told, .wanted = i < first ? ERR_DENIED : OK };
            store_submit(bench->store, name_work, handed_done, &group[i]);
        }
        gate_open(&gate);
        told_wait(&told, GROUP);
        for (int i = 0; i < GROUP; i++)
            assert_int_equal(i < first ? ERR_DENIED : i == first ? OK : ERR_CONFLICT, group[i].err);
        assert_int_equal(1, thing_total(bench->store));
        bench_close(state_);
        bench_open(state_);
    }
}

/* A statement that the database refuses, which the unit does not pass on: it is not OK all the same. */
static enum err broken_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct handed *handed = arg;
    TRY(thing_add(tx, &handed->thing, why));
    (void)!store_exec(tx, "INSERT INTO no_such_table (id) VALUES (1)", S_NO_ARGS, NULL, why);
    return OK;
}

TEST(a_unit_that_hides_an_error_of_the_database_fails_alone)
{
    struct bench *bench = *state_;
    struct gate gate = GATE_NONE;
    struct told told = TOLD_NONE;
    struct handed group[GROUP] = { 0 };
    gate_close(&gate, bench->store, STORE_SQLITE);
    for (int i = 0; i < GROUP; i++) {
        group[i] = (struct handed){ .thing = { .id = i, .number = S_NULL }, .told = &told };
        store_submit(bench->store, i == 5 ? broken_work : handed_work, handed_done, &group[i]);
    }
    gate_open(&gate);
    told_wait(&told, GROUP);
    for (int i = 0; i < GROUP; i++)
        assert_int_equal(i == 5 ? ERR_STORE : OK, group[i].err);
    assert_non_null(strstr(group[5].why.text, "no_such_table"));
    assert_int_equal(GROUP - 1 + 1, thing_total(bench->store));
}

static int acknowledged_of(const struct handed group[GROUP])
{
    int good = 0;
    for (int i = 0; i < GROUP; i++) {
        assert_int_equal(1, group[i].dones);
        good += group[i].err == OK;
    }
    return good;
}

static void expect_unacknowledged(const struct handed group[GROUP])
{
    assert_int_equal(0, acknowledged_of(group));
    for (int i = 0; i < GROUP; i++) {
        bool own = group[i].wanted != OK && group[i].err == group[i].wanted;
        if (!own && (group[i].err != ERR_STORE || !strstr(group[i].why.text, "not acknowledged")))
            fail_msg("unit %d was told %s (%s)", i, err_row(group[i].err)->name, group[i].why.text);
    }
}

/* One group that waited together when it broke, and those who come while it is broken. */
static void break_and_heal(struct bench *bench, atomic_int *breaks, bool one_fails)
{
    struct handed group[GROUP];
    struct told told = TOLD_NONE;
    enum err wanted[GROUP] = { OK };
    if (one_fails)
        wanted[7] = ERR_DENIED;
    group_run(bench, group, wanted, breaks);
    expect_unacknowledged(group);
    group_submit(bench, group, wanted, &told);
    told_wait(&told, GROUP);
    expect_unacknowledged(group);
    *breaks = 0;
}

static const enum err all_good[GROUP] = { OK };

/* What reached the disk before the failure is nobody's to say. */
TEST(when_the_flush_fails_nobody_of_the_group_is_acknowledged)
{
    struct bench *bench = *state_;
    struct handed group[GROUP];
    for (int round = 0; round < 4; round++) {
        break_and_heal(bench, &breaking_syncs, round % 2);
        group_run(bench, group, all_good, NULL);
        assert_int_equal(GROUP, acknowledged_of(group));
        assert_true(thing_total(bench->store) > (round + 1) * GROUP);
    }
}

TEST(when_the_disk_is_full_nobody_of_the_group_is_acknowledged_and_nothing_of_it_stays)
{
    struct bench *bench = *state_;
    for (int round = 0; round < 4; round++) {
        group_expect(bench, all_good);
        break_and_heal(bench, &breaking_writes, round % 2);
        assert_int_equal(bench->things, thing_total(bench->store));
    }
    group_expect(bench, all_good);
}

TEST(closing_on_a_broken_disk_tells_everybody_once)
{
    struct bench *bench = *state_;
    struct gate gate = GATE_NONE;
    struct told told = TOLD_NONE;
    struct handed *handed = xcalloc(200, sizeof(*handed)); /* several groups */
    gate_close(&gate, bench->store, STORE_SQLITE);
    for (int i = 0; i < 200; i++)
        handed_submit(bench->store, &handed[i], i, &told);
    breaking_syncs = 1;
    gate_open(&gate);
    store_free(TAKE(bench->store));
    assert_int_equal(200, told_count(&told));
    for (int i = 0; i < 200; i++) {
        assert_int_equal(1, handed[i].dones);
        assert_int_equal(ERR_STORE, handed[i].err);
    }
    free(handed);
}

#define ON(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)
int main(void)
{
    struct bench bench = { 0 };
    place_make(&bench.place, "sqlite");
    breaking_install();
    struct CMUnitTest tests[] = {
        ON(units_that_wait_together_share_one_flush_and_keep_their_order),
        ON(one_failure_anywhere_in_a_group_leaves_the_others_alone),
        ON(nearly_all_and_all_of_a_group_may_fail),
        ON(groups_after_a_failure_are_like_those_before),
        ON(what_a_failing_unit_took_is_free_for_the_next_of_its_group),
        ON(a_unit_that_hides_an_error_of_the_database_fails_alone),
        ON(when_the_flush_fails_nobody_of_the_group_is_acknowledged),
        ON(when_the_disk_is_full_nobody_of_the_group_is_acknowledged_and_nothing_of_it_stays),
        ON(closing_on_a_broken_disk_tells_everybody_once),
    };
    return place_run(&bench.place, &bench, tests, sizeof(tests) / sizeof(tests[0]));
}
