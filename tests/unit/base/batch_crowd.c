/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of a group commit between many threads on both sides. */
#include "base/batch.h"

#include "tests/unit/count.h"
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>

#define HANDS 4
#define UNITS 3000 /* of each */

struct unit {
    struct batch_unit base;
    int from, number;
    struct count *done; /* of whoever handed it in */
    atomic_int runs;
};

struct office {
    struct batch *batch;
    struct count done, inside;
    atomic_int groups, too_large, disordered, foreign;
    int units_max;
    bool one_thread;
    int last_of[HANDS]; /* of one thread alone */
};

static void on_units(void *arg, struct batch_unit *units)
{
    struct office *office = arg;
    struct batch_unit *next;
    int size = 0;
    count_add(&office->inside, 1);
    for (struct batch_unit *each = units; each; each = next, size++) {
        struct unit *unit = (struct unit *)each;
        next = each->next;
        unit->runs++;
        count_add(unit->done, 1);
        if (office->one_thread && unit->number != ++office->last_of[unit->from])
            office->disordered++;
    }
    office->groups++;
    office->too_large += size > office->units_max;
    office->foreign += !batch_is_own_thread(office->batch);
    count_add(&office->inside, -1);
    count_add(&office->done, size);
}

struct hand {
    struct office *office;
    struct unit units[UNITS];
    struct count done;
    pthread_t thread;
    int number;
    bool waits, is_own;
};

static void *hand_in(void *arg)
{
    struct hand *hand = arg;
    for (int i = 0; i < UNITS; i++) {
        hand->units[i].from = hand->number;
        hand->units[i].number = i + 1;
        hand->units[i].done = &hand->done;
        batch_submit(hand->office->batch, &hand->units[i].base);
        if (hand->waits) /* as a request does: the queue is often empty, and threads asleep */
            (void)count_reaches(&hand->done, i + 1);
    }
    hand->is_own = batch_is_own_thread(hand->office->batch);
    return NULL;
}

static void many_hands(unsigned threads, int units_max, bool wait)
{
    struct office *office = xcalloc(1, sizeof(*office));
    struct hand *hands = xcalloc(HANDS, sizeof(*hands));
    struct why why;
    *office = (struct office){
        .done = COUNT_ZERO, .inside = COUNT_ZERO, .units_max = units_max, .one_thread = threads == 1
    };
    const struct batch_config config = {
        .threads = threads, .units_max = units_max, .run = on_units, .arg = office
    };
    ASSERT_OK(batch_new(&config, &office->batch, &why), &why);
    for (int i = 0; i < HANDS; i++) {
        hands[i] = (struct hand){ .office = office, .done = COUNT_ZERO, .number = i, .waits = wait };
        assert_int_equal(pthread_create(&hands[i].thread, NULL, hand_in, &hands[i]), 0);
    }
    for (int i = 0; i < HANDS; i++)
        pthread_join(hands[i].thread, NULL);
    batch_free(office->batch); /* in the middle of it */
    for (int i = 0; i < HANDS; i++) {
        assert_false(hands[i].is_own);
        for (int k = 0; k < UNITS; k++)
            assert_int_equal(hands[i].units[k].runs, 1);
    }
    assert_int_equal(count_now(&office->done), HANDS * UNITS);
    assert_int_equal(office->too_large + office->disordered + office->foreign, 0);
    assert_in_range(count_most(&office->inside), 1, threads);
    assert_in_range(office->groups, HANDS * UNITS / units_max, HANDS * UNITS);
    free(hands);
    free(office);
}

TEST(one_thread_does_all_of_many_in_the_order_of_each)
{
    many_hands(1, 64, false);
    many_hands(1, 1, false);
}

TEST(several_threads_do_each_unit_once)
{
    many_hands(3, 1, false);
    many_hands(3, 7, false);
}

TEST(nobody_who_waits_is_forgotten)
{
    many_hands(1, 64, true);
    many_hands(3, 1, true);
}

/* --- several threads at the same time --- */

struct guest {
    struct batch_unit base;
    bool meets; /* it waits for two others */
};

static void meet(void *arg, struct batch_unit *units)
{
    struct office *office = arg;
    const struct guest *guest = (const struct guest *)units;
    if (guest->meets)
        count_add(&office->inside, 1);
    if (!guest->meets || count_reaches(&office->inside, 3))
        count_add(&office->done, 1);
}

TEST(each_thread_takes_what_is_there_while_others_are_busy)
{
    struct office office = { .done = COUNT_ZERO, .inside = COUNT_ZERO };
    struct guest alone[3000] = { 0 },
                 together[3] = { { .meets = true }, { .meets = true }, { .meets = true } };
    struct batch *batch;
    struct why why;
    const struct batch_config config = { .threads = 3, .units_max = 1, .run = meet, .arg = &office };
    ASSERT_OK(batch_new(&config, &batch, &why), &why);
    for (int i = 0; i < 3000; i++) { /* some are woken for what another one has taken meanwhile */
        batch_submit(batch, &alone[i].base);
        if (i % 3 == 0)
            assert_true(count_reaches(&office.done, i));
    }
    assert_true(count_reaches(&office.done, 3000));
    (void)poll(NULL, 0, 20); /* all of them fall asleep, and have to be woken */
    for (int i = 0; i < 3; i++)
        batch_submit(batch, &together[i].base);
    bool met = count_reaches(&office.inside, 3); /* and not only when the end wakes everybody */
    batch_free(batch);
    assert_true(met);
    assert_int_equal(count_now(&office.done), 3003);
}

static void look_around(void *arg, struct batch_unit *units)
{
    struct office *office = arg;
    sigset_t mask;
    (void)units;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    office->foreign += !batch_is_own_thread(office->batch);
    office->disordered += !sigismember(&mask, SIGTERM) || !sigismember(&mask, SIGHUP);
    count_add(&office->done, 1);
}

TEST(its_threads_know_themselves_and_leave_signals_alone)
{
    struct office office = { .done = COUNT_ZERO };
    struct unit units[20] = { 0 };
    struct why why;
    sigset_t mask;
    const struct batch_config config = { .threads = 4, .units_max = 1, .run = look_around, .arg = &office };
    ASSERT_OK(batch_new(&config, &office.batch, &why), &why);
    assert_false(batch_is_own_thread(office.batch));
    for (int i = 0; i < 20; i++)
        batch_submit(office.batch, &units[i].base);
    assert_true(count_reaches(&office.done, 20));
    batch_free(office.batch);
    assert_int_equal(office.foreign, 0);
    assert_int_equal(office.disordered, 0);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_false(sigismember(&mask, SIGTERM));
}

RUN(T(one_thread_does_all_of_many_in_the_order_of_each), T(several_threads_do_each_unit_once),
    T(nobody_who_waits_is_forgotten), T(each_thread_takes_what_is_there_while_others_are_busy),
    T(its_threads_know_themselves_and_leave_signals_alone))
