/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of a group commit: what is handed in is done once, in order, in groups that have a bound. */
#include "base/batch.h"

#include "tests/unit/count.h"

struct item {
    struct batch_unit base;
    struct batch *again; /* where it is handed in once more, `rounds` times */
    int number, rounds, runs;
};

/* What the batch of a test writes into; its own threads alone touch `groups` and `order`, of one thread. */
struct desk {
    struct count *door; /* each run waits there; or NULL */
    struct count runs, done, inside, settled;
    int groups[64], group_count;
    int order[4096], order_count;
    bool idle[64];
    bool settled_inside;
};

static void on_units(void *arg, struct batch_unit *units)
{
    struct desk *desk = arg;
    struct batch_unit *next;
    int size = 0;
    count_add(&desk->inside, 1);
    count_add(&desk->runs, 1);
    if (desk->door)
        count_await_open(desk->door);
    for (struct batch_unit *unit = units; unit; unit = next, size++) {
        struct item *item = (struct item *)unit;
        next = unit->next;
        item->runs++;
        if (desk->order_count < 4096)
            desk->order[desk->order_count++] = item->number;
        if (item->rounds-- > 0)
            batch_submit(item->again, unit);
        count_add(&desk->done, 1);
    }
    if (desk->group_count < 64)
        desk->groups[desk->group_count++] = size;
    count_add(&desk->inside, -1);
}

static void on_settle(void *arg, bool idle)
{
    struct desk *desk = arg;
    int turn = count_add(&desk->settled, 1);
    if (turn <= 64)
        desk->idle[turn - 1] = idle;
    desk->settled_inside |= count_now(&desk->inside) > 0;
}

static struct desk *desk_new(struct count *door)
{
    struct desk *desk = xcalloc(1, sizeof(*desk));
    *desk = (struct desk){
        .door = door, .runs = COUNT_ZERO, .done = COUNT_ZERO, .inside = COUNT_ZERO, .settled = COUNT_ZERO
    };
    return desk;
}

static struct batch *batch_of(struct desk *desk, unsigned threads, int units_max)
{
    struct batch *batch;
    struct why why;
    const struct batch_config config = {
        .threads = threads, .units_max = units_max, .run = on_units, .settle = on_settle, .arg = desk
    };
    ASSERT_OK(batch_new(&config, &batch, &why), &why);
    return batch;
}

static void submit(struct batch *batch, struct item *item, int number)
{
    item->number = number;
    batch_submit(batch, &item->base);
}

TEST(what_is_handed_in_is_done_in_its_order_and_in_groups_of_the_size_allowed)
{
    struct count door = COUNT_ZERO;
    struct item items[11] = { 0 };
    struct desk *desk = desk_new(&door);
    struct batch *batch = batch_of(desk, 0, 4);
    submit(batch, &items[0], 1);
    assert_true(count_reaches(&desk->runs, 1)); /* taken alone, and held */
    for (int i = 1; i < 11; i++)
        submit(batch, &items[i], i + 1);
    count_add(&door, 1);
    assert_true(count_reaches(&desk->done, 11));
    batch_free(batch);
    const int sizes[] = { 1, 4, 4, 2 };
    assert_int_equal(desk->group_count, 4);
    assert_memory_equal(desk->groups, sizes, sizeof(sizes));
    for (int i = 0; i < 11; i++)
        assert_int_equal(desk->order[i], i + 1);
    assert_int_equal(count_most(&desk->inside), 1); /* of no threads asked for, one */
    free(desk);
}

TEST(groups_of_one_are_groups_of_one)
{
    struct count door = COUNT_ZERO;
    struct item items[5] = { 0 };
    struct desk *desk = desk_new(&door);
    struct batch *batch = batch_of(desk, 1, 1);
    for (int i = 0; i < 5; i++)
        submit(batch, &items[i], i + 1);
    count_add(&door, 1);
    batch_free(batch);
    assert_int_equal(desk->group_count, 5);
    assert_int_equal(count_now(&desk->done), 5);
    free(desk);
}

TEST(a_sleeping_thread_is_woken_each_time)
{
    struct item item = { 0 };
    struct desk *desk = desk_new(NULL);
    struct batch *batch = batch_of(desk, 1, 16);
    for (int i = 1; i <= 2000; i++) {
        submit(batch, &item, i);
        assert_true(count_reaches(&desk->done, i));
    }
    batch_free(batch);
    assert_int_equal(item.runs, 2000);
    free(desk);
}

TEST(settling_follows_each_group_and_says_whether_more_waits)
{
    struct count door = COUNT_ZERO;
    struct item items[4] = { 0 };
    struct desk *desk = desk_new(&door);
    struct batch *batch = batch_of(desk, 1, 2);
    submit(batch, &items[0], 1);
    assert_true(count_reaches(&desk->runs, 1));
    for (int i = 1; i < 4; i++)
        submit(batch, &items[i], i + 1);
    count_add(&door, 1);
    assert_true(count_reaches(&desk->settled, 3)); /* 1, 2, 1 units */
    batch_free(batch);
    assert_int_equal(count_now(&desk->settled), 3);
    assert_false(desk->idle[0] || desk->idle[1]);
    assert_true(desk->idle[2]);
    assert_false(desk->settled_inside);
    free(desk);
}

TEST(without_settling_nothing_is_called)
{
    struct item item = { 0 };
    struct desk *desk = desk_new(NULL);
    struct batch *batch;
    struct why why;
    ASSERT_OK(batch_new(&(struct batch_config){ .units_max = 8, .run = on_units, .arg = desk }, &batch, &why),
              &why);
    submit(batch, &item, 1);
    batch_free(batch);
    assert_int_equal(item.runs, 1);
    free(desk);
}

TEST(a_unit_may_be_handed_in_again_from_its_own_run)
{
    struct desk *desk = desk_new(NULL);
    struct batch *batch = batch_of(desk, 1, 8);
    struct item items[3] = { { .again = batch, .rounds = 500 }, { .again = batch, .rounds = 500 } };
    for (int i = 0; i < 3; i++)
        submit(batch, &items[i], i + 1);
    assert_true(count_reaches(&desk->done, 501 + 501 + 1));
    batch_free(batch);
    assert_int_equal(items[0].runs, 501);
    assert_int_equal(items[1].runs, 501);
    assert_int_equal(items[2].runs, 1);
    assert_int_equal(count_most(&desk->inside), 1);
    free(desk);
}

TEST(ending_does_what_is_queued_and_what_that_hands_in_again)
{
    struct count door = COUNT_ZERO;
    struct desk *desk = desk_new(&door);
    struct batch *batch = batch_of(desk, 1, 2);
    struct item items[6] = { [5] = { .again = batch, .rounds = 3 } };
    for (int i = 0; i < 6; i++)
        submit(batch, &items[i], i + 1);
    count_add(&door, 1);
    batch_free(batch);
    for (int i = 0; i < 6; i++)
        assert_int_equal(items[i].runs, i < 5 ? 1 : 4);
    free(desk);
}

TEST(an_empty_batch_ends)
{
    struct desk *desk = desk_new(NULL);
    batch_free(batch_of(desk, 3, 2));
    batch_free(NULL);
    assert_int_equal(count_now(&desk->runs), 0);
    free(desk);
}

/* --- who is told may free the unit at once --- */

struct note {
    struct batch_unit base;
    struct count *done;
};

static void on_notes(void *arg, struct batch_unit *units)
{
    (void)arg;
    struct batch_unit *next;
    for (struct batch_unit *unit = units; unit; unit = next) {
        struct count *done = ((struct note *)unit)->done;
        next = unit->next;
        free(unit);
        count_add(done, 1);
    }
}

TEST(a_unit_may_be_gone_once_its_owner_is_told)
{
    struct count done = COUNT_ZERO;
    struct batch *batch;
    struct why why;
    ASSERT_OK(batch_new(&(struct batch_config){ .units_max = 3, .run = on_notes }, &batch, &why), &why);
    for (int i = 0; i < 1000; i++) {
        struct note *note = xcalloc(1, sizeof(*note));
        note->done = &done;
        batch_submit(batch, &note->base);
    }
    batch_free(batch);
    assert_int_equal(count_now(&done), 1000);
}

RUN(T(what_is_handed_in_is_done_in_its_order_and_in_groups_of_the_size_allowed),
    T(groups_of_one_are_groups_of_one), T(a_sleeping_thread_is_woken_each_time),
    T(settling_follows_each_group_and_says_whether_more_waits), T(without_settling_nothing_is_called),
    T(a_unit_may_be_handed_in_again_from_its_own_run),
    T(ending_does_what_is_queued_and_what_that_hands_in_again), T(an_empty_batch_ends),
    T(a_unit_may_be_gone_once_its_owner_is_told))
