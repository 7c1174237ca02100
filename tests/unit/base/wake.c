/* SPDX-License-Identifier: Apache-2.0 */
/* One thread waits until another is done: the bare wake, the thread that is lent, the outcome that is awaited. */
#include "base/wake.h"

#include "base/clock.h"
#include "tests/unit/count.h"
#include <signal.h>

struct sleeper {
    struct wake wake;
    struct count ready, sent;
    int said, seen; /* written before the wake is sent, and read after the wait: no lock */
    bool woken;
};

static void *sleep_until_sent(void *arg)
{
    struct sleeper *sleeper = arg;
    count_add(&sleeper->ready, 1);
    wake_wait(&sleeper->wake);
    sleeper->seen = sleeper->said;
    return NULL;
}

TEST(what_was_written_before_is_seen_after)
{
    struct sleeper sleeper = { .ready = COUNT_ZERO };
    pthread_t thread;
    wake_open(&sleeper.wake);
    assert_int_equal(pthread_create(&thread, NULL, sleep_until_sent, &sleeper), 0);
    assert_true(count_reaches(&sleeper.ready, 1));
    sleeper.said = 7;
    wake_send(&sleeper.wake);
    pthread_join(thread, NULL);
    assert_int_equal(sleeper.seen, 7);
    wake_close(&sleeper.wake);
}

TEST(what_was_sent_before_the_wait_is_not_lost)
{
    struct wake wake;
    wake_open(&wake);
    wake_send(&wake);
    wake_wait(&wake);
    wake_send(&wake);
    assert_true(wake_wait_until(&wake, clock_mono_ms() + 1000 * test_patience_s()));
    wake_send(&wake);
    assert_true(wake_wait_until(&wake, 0)); /* long past, but it is there */
    wake_close(&wake);
}

TEST(a_deadline_ends_the_wait_and_the_next_wait_still_gets_it)
{
    struct wake wake;
    wake_open(&wake);
    assert_false(wake_wait_until(&wake, 0));
    assert_false(wake_wait_until(&wake, clock_mono_ms() - 1));
    assert_false(wake_wait_until(&wake, clock_mono_ms() + 20));
    wake_send(&wake);
    wake_wait(&wake);
    wake_close(&wake);
}

static void on_signal(int number)
{
    (void)number;
}

static void *sleep_under_signals(void *arg)
{
    struct sleeper *sleeper = arg;
    count_add(&sleeper->ready, 1);
    wake_wait(&sleeper->wake);
    sleeper->seen = sleeper->said;
    count_add(&sleeper->ready, 1);
    sleeper->woken = wake_wait_until(&sleeper->wake, clock_mono_ms() + 1000 * test_patience_s()) &&
                     count_now(&sleeper->sent) == 2;
    return NULL;
}

TEST(signals_end_no_wait)
{
    const struct sigaction action = { .sa_handler = on_signal }; /* not SA_RESTART */
    struct sigaction before;
    struct sleeper sleeper = { .ready = COUNT_ZERO, .sent = COUNT_ZERO };
    pthread_t thread;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    wake_open(&sleeper.wake);
    assert_int_equal(pthread_create(&thread, NULL, sleep_under_signals, &sleeper), 0);
    for (int round = 1; round <= 2; round++) {
        assert_true(count_reaches(&sleeper.ready, round));
        for (int i = 0; i < 50; i++) {
            assert_int_equal(pthread_kill(thread, SIGUSR1), 0);
            (void)nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
        }
        if (round == 1)
            sleeper.said = 1;
        count_add(&sleeper.sent, 1);
        wake_send(&sleeper.wake);
    }
    pthread_join(thread, NULL);
    assert_true(sleeper.woken);
    assert_int_equal(sleeper.seen, 1);
    wake_close(&sleeper.wake);
    sigaction(SIGUSR1, &before, NULL);
}

/* --- the outcome --- */

static void *end_awaits(void *arg)
{
    struct await **awaits = arg;
    for (int i = 0; awaits[i]; i++) {
        struct why why = { 0 };
        enum err err = i % 2 ? fail(&why, ERR_STORE, "round %d", i) : OK;
        await_end(awaits[i], err, err == OK ? NULL : &why);
    }
    return NULL;
}

TEST(an_outcome_comes_with_its_reason_and_its_place_is_free_at_once)
{
    enum { COUNT = 5000 };
    static struct await *awaits[COUNT + 1];
    pthread_t thread;
    for (int i = 0; i < COUNT; i++) {
        awaits[i] = xcalloc(1, sizeof(**awaits));
        await_open(awaits[i]);
    }
    assert_int_equal(pthread_create(&thread, NULL, end_awaits, awaits), 0);
    for (int i = 0; i < COUNT; i++) {
        struct why why = { 0 };
        enum err err = await_outcome(awaits[i], &why);
        free(awaits[i]); /* whoever ended it has no more to do with it */
        char text[32] = "";
        if (i % 2)
            snprintf(text, sizeof(text), "round %d", i);
        assert_int_equal(err, i % 2 ? ERR_STORE : OK);
        assert_int_equal(why.err, err);
        assert_string_equal(why.text, text);
    }
    pthread_join(thread, NULL);
}

TEST(an_outcome_may_come_first_and_its_reason_be_of_no_interest)
{
    struct await await;
    struct why why = { 0 }, kept = { .err = ERR_BUSY, .text = "as before" };
    await_open(&await);
    await_end(&await, fail(&why, ERR_LIMIT, "too many"), &why);
    assert_int_equal(await_outcome(&await, NULL), ERR_LIMIT);
    await_open(&await);
    await_end(&await, OK, NULL);
    assert_int_equal(await_outcome(&await, &kept), OK);
    assert_string_equal(kept.text, "as before");
}

RUN(T(what_was_written_before_is_seen_after), T(what_was_sent_before_the_wait_is_not_lost),
    T(a_deadline_ends_the_wait_and_the_next_wait_still_gets_it), T(signals_end_no_wait),
    T(an_outcome_comes_with_its_reason_and_its_place_is_free_at_once),
    T(an_outcome_may_come_first_and_its_reason_be_of_no_interest))
