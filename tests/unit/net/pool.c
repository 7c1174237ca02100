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
#include <unistd.h>

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

static void work(void *arg, struct pool_place *place)
{
    (void)place;
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

static void look_at_signals(void *arg, struct pool_place *place)
{
    (void)place;
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

static void use_stack(void *arg, struct pool_place *place)
{
    (void)place;
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

/* --- addresses --- */

/* One worker that stands still until the gate opens, so that what is submitted meanwhile has to wait. */
struct line {
    struct pool *pool;
    struct gate gate;
    pthread_mutex_t lock;
    char served[64], refused[64];
    struct client {
        struct line *line;
        char name;
    } clients[26];
};

static void note(struct line *line, char *to, char name)
{
    pthread_mutex_lock(&line->lock);
    to[strlen(to)] = name;
    pthread_mutex_unlock(&line->lock);
}

static void on_served(void *arg, struct pool_place *place)
{
    (void)place;
    const struct client *client = arg;
    note(client->line, client->line->served, client->name);
}

static void on_refused(void *arg)
{
    const struct client *client = arg;
    note(client->line, client->line->refused, client->name);
}

static struct line *line_begin(const struct pool_config *config)
{
    struct line *line = xcalloc(1, sizeof(*line));
    struct why why;
    pthread_mutex_init(&line->lock, NULL);
    gate_set_up(&line->gate);
    ASSERT_OK(pool_new(config, &line->pool, &why), &why);
    assert_true(pool_submit(line->pool, work, &line->gate));
    sem_wait(&line->gate.inside);
    return line;
}

static bool join(struct line *line, char name)
{
    struct client *client = &line->clients[name - 'A'];
    *client = (struct client){ line, name };
    struct address from;
    char text[] = "192.0.2.?";
    text[8] = (char)('0' + (name - 'A'));
    assert_true(address_parse(bytes_str(text), &from));
    return pool_submit_from(line->pool, &(struct pool_job){ on_served, on_refused, client, &from, false });
}

static void line_end(struct line *line, const char *served, const char *refused)
{
    sem_post(&line->gate.open);
    pool_free(line->pool);
    assert_string_equal(line->served, served);
    assert_string_equal(line->refused, refused);
    free(line);
}

TEST(addresses_take_turns)
{
    struct line *line = line_begin(&(struct pool_config){ .threads = 1, .queue = 10 });
    for (const char *name = "AAAABBC"; *name; name++)
        assert_true(join(line, *name));
    line_end(line, "ABCABAA", "");
}

TEST(in_a_full_queue_the_longest_lane_makes_room_and_equals_do_not)
{
    struct line *line = line_begin(&(struct pool_config){ .threads = 1, .queue = 4 });
    for (const char *name = "AAAA"; *name; name++)
        assert_true(join(line, *name));
    assert_false(join(line, 'A'));
    assert_true(join(line, 'B'));
    assert_true(join(line, 'B'));  /* A 2, B 2 */
    assert_false(join(line, 'B')); /* not more than A */
    assert_true(join(line, 'C'));
    struct client ours = { line, '+' };
    assert_true(pool_submit(line->pool, on_served, &ours)); /* our own work is a lane like others */
    line_end(line, "BCA+", "AABA");
}

TEST(who_waited_too_long_is_refused_and_others_are_served)
{
    struct line *line = line_begin(&(struct pool_config){ .threads = 1, .queue = 4, .wait_ms = 100 });
    assert_true(join(line, 'A'));
    struct client ours = { line, '+' };
    assert_true(pool_submit(line->pool, on_served, &ours));
    usleep(150000);
    assert_true(join(line, 'B'));
    line_end(line, "+B", "A");
}

/* The gate's work, by an address. */
static bool hold(struct line *line, const char *address)
{
    struct address from;
    assert_true(address_parse(bytes_str(address), &from));
    return pool_submit_from(line->pool, &(struct pool_job){ work, on_refused, &line->gate, &from, false });
}

static int inside_now(struct line *line)
{
    int count = 0;
    usleep(100000);
    while (sem_trywait(&line->gate.inside) == 0)
        count++;
    return count;
}

TEST(alone_an_address_has_every_worker_and_its_share_when_others_are_active)
{
    struct line *line =
        line_begin(&(struct pool_config){ .threads = 12, .queue = 20, .running_per_address = 2 });
    for (int i = 0; i < 5; i++)
        assert_true(hold(line, "192.0.2.1"));
    assert_int_equal(5, inside_now(line));
    for (int i = 0; i < 4; i++)
        assert_true(hold(line, "192.0.2.2"));
    assert_int_equal(2, inside_now(line)); /* at its share; the workers that are left stay free */
    assert_true(hold(line, "192.0.2.1"));
    assert_int_equal(0, inside_now(line)); /* what it had begun goes on, nothing is added */
    assert_true(hold(line, "192.0.2.3"));
    assert_int_equal(1, inside_now(line));
    for (int i = 0; i < 11; i++)
        sem_post(&line->gate.open);
    line_end(line, "", ""); /* and in the end everybody was served: pool_free waits for that */
}

RUN(T(queue_takes_its_size_and_refuses_one_more), T(refused_work_can_be_offered_again),
    T(workers_leave_signals_to_the_loop_and_the_caller_keeps_its_own),
    T(defaults_give_all_threads_and_a_stack_of_use), T(a_stack_too_small_is_refused), T(addresses_take_turns),
    T(in_a_full_queue_the_longest_lane_makes_room_and_equals_do_not),
    T(who_waited_too_long_is_refused_and_others_are_served),
    T(alone_an_address_has_every_worker_and_its_share_when_others_are_active))
