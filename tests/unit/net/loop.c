/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: posts from other threads, timers, signals, descriptors. */
#include "net/loop.h"

#include "tests/unit/test.h"
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

struct record {
    struct loop *loop;
    char seen[64];
    size_t count;
    struct loop_timer *timer;
};

static void note(struct record *record, char c)
{
    if (record->count < sizeof(record->seen) - 1)
        record->seen[record->count] = c;
    record->count++;
}

static void on_a(void *arg)
{
    note(arg, 'a');
}

static void on_b(void *arg)
{
    note(arg, 'b');
}

static void on_stop(void *arg)
{
    struct record *record = arg;
    note(record, 's');
    loop_stop(record->loop);
}

static struct record begin(void)
{
    struct record record = { 0 };
    struct why why;
    ASSERT_OK(loop_new(&record.loop, &why), &why);
    return record;
}

TEST(posts_run_in_order_also_those_from_before_the_loop)
{
    struct record record = begin();
    loop_post(record.loop, on_a, &record);
    loop_post(record.loop, on_b, &record);
    loop_post(record.loop, on_a, &record);
    loop_post(record.loop, on_stop, &record);
    loop_run(record.loop);
    assert_string_equal("abas", record.seen);
    loop_free(record.loop);
}

TEST(stop_before_run_ends_the_run)
{
    struct record record = begin();
    loop_stop(record.loop);
    loop_run(record.loop);
    loop_free(record.loop);
}

static void *post_many(void *arg)
{
    struct record *record = arg;
    for (int i = 0; i < 10000; i++)
        loop_post(record->loop, on_a, record);
    return NULL;
}

static void on_joined(int fd, void *arg)
{
    char byte;
    assert_int_equal(1, read(fd, &byte, 1));
    loop_post(((struct record *)arg)->loop, on_stop, arg);
}

TEST(posts_of_four_threads_all_arrive)
{
    struct record record = begin();
    pthread_t threads[4];
    int ends[2];
    assert_int_equal(0, pipe(ends));
    loop_on_readable(record.loop, ends[0], on_joined, &record);
    for (int i = 0; i < 4; i++)
        assert_int_equal(0, pthread_create(&threads[i], NULL, post_many, &record));
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(1, write(ends[1], "x", 1));
    loop_run(record.loop);
    assert_int_equal(40001, record.count);
    loop_free(record.loop);
    close(ends[0]);
    close(ends[1]);
}

static void on_post_again(void *arg)
{
    struct record *record = arg;
    record->count++;
    loop_post(record->loop, on_post_again, record);
}

TEST(a_function_that_posts_itself_leaves_room_for_timers)
{
    struct record record = begin();
    loop_post(record.loop, on_post_again, &record);
    loop_after(record.loop, 20, on_stop, &record);
    loop_run(record.loop);
    assert_true(record.count > 1);
    loop_free(record.loop);
}

TEST(timers_run_in_order_of_their_time_and_once)
{
    struct record record = begin();
    loop_after(record.loop, 60, on_stop, &record);
    loop_after(record.loop, 30, on_b, &record);
    loop_after(record.loop, 0, on_a, &record);
    loop_run(record.loop);
    assert_string_equal("abs", record.seen);
    loop_free(record.loop);
}

static void on_third(void *arg)
{
    struct record *record = arg;
    note(record, 't');
    if (record->count == 3) {
        loop_timer_free(record->timer);
        loop_after(record->loop, 30, on_stop, record);
    }
}

TEST(ticking_ends_when_freed_even_from_its_own_call)
{
    struct record record = begin();
    record.timer = loop_every(record.loop, 5, on_third, &record);
    loop_run(record.loop);
    assert_string_equal("ttts", record.seen);
    loop_timer_free(NULL);
    loop_free(record.loop);
}

TEST(forgotten_posts_and_timers_do_not_run)
{
    struct record record = begin(), other = { 0 };
    loop_post(record.loop, on_a, &other);
    loop_post(record.loop, on_a, &record);
    loop_post(record.loop, on_b, &other);
    loop_after(record.loop, 0, on_b, &other);
    loop_after(record.loop, 5, on_b, &record);
    loop_after(record.loop, 30, on_stop, &record);
    assert_int_equal(3, loop_forget(record.loop, &other));
    assert_int_equal(0, loop_forget(record.loop, &other));
    loop_post(record.loop, on_a, &record);
    loop_run(record.loop);
    assert_string_equal("aabs", record.seen);
    assert_int_equal(0, other.count);
    loop_free(record.loop);
}

static void on_hup(int number, void *arg)
{
    struct record *record = arg;
    note(record, number == SIGHUP ? 'h' : '?');
    loop_stop(record->loop);
}

TEST(signals_arrive_on_the_loop)
{
    struct record record = begin();
    loop_on_signal(record.loop, SIGHUP, on_hup, &record);
    kill(getpid(), SIGHUP);
    loop_run(record.loop);
    assert_string_equal("h", record.seen);
    loop_free(record.loop);
}

TEST(what_never_ran_is_freed_with_the_loop)
{
    struct record record = begin();
    loop_post(record.loop, on_a, &record);
    loop_after(record.loop, 1000, on_a, &record);
    loop_every(record.loop, 1000, on_a, &record);
    loop_free(record.loop);
    assert_int_equal(0, record.count);
    loop_free(NULL);
}

RUN(T(posts_run_in_order_also_those_from_before_the_loop), T(stop_before_run_ends_the_run),
    T(posts_of_four_threads_all_arrive), T(a_function_that_posts_itself_leaves_room_for_timers),
    T(timers_run_in_order_of_their_time_and_once), T(ticking_ends_when_freed_even_from_its_own_call),
    T(forgotten_posts_and_timers_do_not_run), T(signals_arrive_on_the_loop),
    T(what_never_ran_is_freed_with_the_loop))
