/* SPDX-License-Identifier: Apache-2.0 */
/* The worker pool and its bounded queue. */
#include "net/pool.h"

#include "base/limits.h"
#include "tests/unit/test.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>

struct gate {
    sem_t open, inside;
    atomic_int done;
};

static void gate_set_up(struct gate *gate)
{
    sem_init(&gate->open, 0, 0);
    sem_init(&gate->inside, 0, 0);
    atomic_init(&gate->done, 0);
}

static void work(void *arg)
{
    struct gate *gate = arg;
    sem_post(&gate->inside);
    while (sem_wait(&gate->open) != 0 && errno == EINTR)
        continue;
    atomic_fetch_add(&gate->done, 1);
}

TEST(queue_takes_its_size_and_refuses_one_more)
{
    struct gate gate;
    struct pool *pool;
    struct why why;
    gate_set_up(&gate);
    ASSERT_OK(pool_new(&(struct pool_config){ .threads = 2, .queue = 3 }, &pool, &why), &why);
    assert_true(pool_submit(pool, work, &gate));
    assert_true(pool_submit(pool, work, &gate));
    sem_wait(&gate.inside);
    sem_wait(&gate.inside);
    for (int i = 0; i < 3; i++)
        assert_true(pool_submit(pool, work, &gate));
    assert_false(pool_submit(pool, work, &gate));
    for (int i = 0; i < 5; i++)
        sem_post(&gate.open);
    pool_free(pool);
    assert_int_equal(5, atomic_load(&gate.done));
}

TEST(refused_work_can_be_offered_again)
{
    struct gate gate;
    struct pool *pool;
    struct why why;
    gate_set_up(&gate);
    ASSERT_OK(pool_new(&(struct pool_config){ .threads = 1, .queue = 1 }, &pool, &why), &why);
    assert_true(pool_submit(pool, work, &gate));
    sem_wait(&gate.inside);
    assert_true(pool_submit(pool, work, &gate));
    assert_false(pool_submit(pool, work, &gate));
    sem_post(&gate.open);
    sem_wait(&gate.inside);
    assert_true(pool_submit(pool, work, &gate));
    sem_post(&gate.open);
    sem_post(&gate.open);
    pool_free(pool);
    assert_int_equal(3, atomic_load(&gate.done));
}

static void look_at_signals(void *arg)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    atomic_store((atomic_int *)arg, sigismember(&mask, SIGHUP) && sigismember(&mask, SIGTERM));
}

TEST(workers_leave_signals_to_the_loop_and_the_caller_keeps_its_own)
{
    struct pool *pool;
    struct why why;
    atomic_int blocked = 0;
    ASSERT_OK(pool_new(&(struct pool_config){ .threads = 1 }, &pool, &why), &why);
    assert_true(pool_submit(pool, look_at_signals, &blocked));
    pool_free(pool);
    assert_int_equal(1, atomic_load(&blocked));
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_false(sigismember(&mask, SIGHUP));
}

static void use_stack(void *arg)
{
    volatile char frame[128 * 1024];
    for (size_t i = 0; i < sizeof(frame); i += 512)
        frame[i] = 1;
    atomic_store((atomic_int *)arg, frame[512]);
}

TEST(defaults_give_all_threads_and_a_stack_of_use)
{
    struct pool *pool;
    struct why why;
    atomic_int done = 0;
    ASSERT_OK(pool_new(&(struct pool_config){ 0 }, &pool, &why), &why);
    assert_true(pool_submit(pool, use_stack, &done));
    pool_free(pool);
    assert_int_equal(1, atomic_load(&done));
    struct gate gate;
    gate_set_up(&gate);
    ASSERT_OK(pool_new(&(struct pool_config){ 0 }, &pool, &why), &why);
    for (int i = 0; i < LIMIT_POOL_THREADS; i++)
        assert_true(pool_submit(pool, work, &gate));
    for (int i = 0; i < LIMIT_POOL_THREADS; i++)
        sem_wait(&gate.inside); /* all of them at the same time */
    for (int i = 0; i < LIMIT_POOL_THREADS; i++)
        sem_post(&gate.open);
    pool_free(pool);
}

TEST(a_stack_too_small_is_refused)
{
    struct pool *pool = NULL;
    struct why why;
    ASSERT_ERR(ERR_CONFIG, pool_new(&(struct pool_config){ .threads = 1, .stack_bytes = 16 }, &pool, &why),
               &why);
    assert_null(pool);
    pool_free(NULL);
}

RUN(T(queue_takes_its_size_and_refuses_one_more), T(refused_work_can_be_offered_again),
    T(workers_leave_signals_to_the_loop_and_the_caller_keeps_its_own),
    T(defaults_give_all_threads_and_a_stack_of_use), T(a_stack_too_small_is_refused))
