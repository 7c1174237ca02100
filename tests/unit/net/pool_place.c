/* SPDX-License-Identifier: Apache-2.0 */
/* Places: a job that goes on after its function has returned, without a thread, until it leaves. */
#include "net/pool.h"

#include "tests/unit/count.h"
#include <poll.h>

/* What ran, in its order. */
struct trail {
    pthread_mutex_t lock;
    char text[256];
};
#define TRAIL_EMPTY                                                                                          \
    {                                                                                                        \
        PTHREAD_MUTEX_INITIALIZER, ""                                                                        \
    }

static void trail_add(struct trail *trail, char name)
{
    pthread_mutex_lock(&trail->lock);
    size_t len = strlen(trail->text);
    if (len < sizeof(trail->text) - 1)
        trail->text[len] = name;
    pthread_mutex_unlock(&trail->lock);
}

static void assert_trail(struct trail *trail, const char *expected)
{
    pthread_mutex_lock(&trail->lock);
    char text[sizeof(trail->text)];
    memcpy(text, trail->text, sizeof(text));
    pthread_mutex_unlock(&trail->lock);
    assert_string_equal(text, expected);
}

struct guest {
    char name;
    struct trail *trail;
    struct count *door; /* it waits there; or NULL */
    struct pool_place *place;
    struct count kept, steps;
};
#define GUEST(name, trail)                                                                                   \
    {                                                                                                        \
        name, trail, NULL, NULL, COUNT_ZERO, COUNT_ZERO                                                      \
    }

static void step(void *arg, struct pool_place *place)
{
    (void)place;
    struct guest *guest = arg;
    if (guest->trail)
        trail_add(guest->trail, guest->name);
    count_add(&guest->steps, 1);
    if (guest->door)
        count_await_open(guest->door);
}

static void stay(void *arg, struct pool_place *place)
{
    struct guest *guest = arg;
    pool_keep(place);
    guest->place = place;
    count_add(&guest->kept, 1);
}

static void step_and_leave(void *arg, struct pool_place *place)
{
    struct guest *guest = arg;
    if (guest->trail)
        trail_add(guest->trail, guest->name);
    pool_leave(place);
    count_add(&guest->steps, 1);
}

static struct pool *pool_of(unsigned threads, size_t queue)
{
    struct pool *pool;
    struct why why;
    ASSERT_OK(pool_new(&(struct pool_config){ .threads = threads, .queue = queue }, &pool, &why), &why);
    return pool;
}

static void settle_in(struct pool *pool, struct guest *guest)
{
    assert_true(pool_submit(pool, stay, guest));
    assert_true(count_reaches(&guest->kept, 1));
}

TEST(a_kept_place_is_taken_until_it_is_left)
{
    struct trail trail = TRAIL_EMPTY;
    struct guest first = GUEST('a', NULL), next = GUEST('b', &trail);
    struct pool *pool = pool_of(1, 1);
    settle_in(pool, &first);
    assert_true(pool_submit(pool, step, &next));
    /* Each step brings the only worker past the queue once more. */
    for (int i = 1; i <= 100; i++) {
        pool_go_on(first.place, step, &first, false);
        assert_true(count_reaches(&first.steps, i));
        assert_trail(&trail, "");
    }
    assert_false(pool_submit(pool, step, &next)); /* so the queue is still full */
    (void)poll(NULL, 0, 20);                      /* the worker falls asleep, and has to be woken */
    pool_leave(first.place);
    assert_true(count_reaches(&next.steps, 1));
    pool_free(pool);
    assert_int_equal(count_now(&first.steps), 100);
    assert_int_equal(count_now(&next.steps), 1);
}

TEST(a_job_that_keeps_nothing_is_over_when_it_returns)
{
    struct guest guests[3] = { GUEST('a', NULL), GUEST('b', NULL), GUEST('c', NULL) };
    struct pool *pool = pool_of(1, 3);
    for (int i = 0; i < 3; i++)
        assert_true(pool_submit(pool, step, &guests[i]));
    for (int i = 0; i < 3; i++)
        assert_true(count_reaches(&guests[i].steps, 1));
    pool_free(pool);
}

TEST(whoever_goes_on_comes_before_whoever_has_no_place)
{
    struct trail trail = TRAIL_EMPTY;
    struct count door_a = COUNT_ZERO, door_b = COUNT_ZERO;
    struct guest a = GUEST('-', NULL), b = GUEST('-', NULL), next = GUEST('a', &trail),
                 late = GUEST('n', &trail);
    struct pool *pool = pool_of(2, 4);
    settle_in(pool, &a);
    settle_in(pool, &b);
    a.door = &door_a;
    b.door = &door_b;
    pool_go_on(a.place, step, &a, false);
    pool_go_on(b.place, step, &b, false);
    assert_true(count_reaches(&a.steps, 1) && count_reaches(&b.steps, 1)); /* both workers stand still */
    assert_true(pool_submit(pool, step, &late));
    pool_go_on(a.place, step, &next, false);
    pool_leave(b.place); /* a place for the late one, and soon a worker, for whom both wait */
    count_add(&door_b, 1);
    assert_true(count_reaches(&late.steps, 1));
    assert_trail(&trail, "an");
    count_add(&door_a, 1);
    pool_leave(a.place);
    pool_free(pool);
}

static void in_their_order(bool first_is_brief)
{
    struct trail trail = TRAIL_EMPTY;
    struct count doors[3] = { COUNT_ZERO, COUNT_ZERO, COUNT_ZERO };
    struct guest guests[3], next[3];
    struct pool *pool = pool_of(3, 4);
    for (int i = 0; i < 3; i++) {
        guests[i] = (struct guest)GUEST('-', NULL);
        next[i] = (struct guest)GUEST((char)('1' + i), &trail);
        settle_in(pool, &guests[i]);
        guests[i].door = &doors[i];
        pool_go_on(guests[i].place, step, &guests[i], false);
        assert_true(count_reaches(&guests[i].steps, 1));
    }
    for (int i = 0; i < 3; i++)
        pool_go_on(guests[i].place, step, &next[i], first_is_brief == (i % 2 == 0));
    count_add(&doors[1], 1); /* one worker for all of them */
    assert_true(count_reaches(&next[2].steps, 1));
    assert_trail(&trail, "123");
    count_add(&doors[0], 1);
    count_add(&doors[2], 1);
    for (int i = 0; i < 3; i++)
        pool_leave(guests[i].place);
    pool_free(pool);
}

TEST(those_who_go_on_do_so_in_the_order_in_which_they_were_told)
{
    in_their_order(true);
    in_their_order(false);
}

static void submit_from(struct pool *pool, const char *address, pool_work work, struct guest *guest)
{
    struct address from;
    assert_true(address_parse(bytes_str(address), &from));
    assert_true(pool_submit_from(pool, &(struct pool_job){ .work = work, .arg = guest, .from = &from }));
}

TEST(a_kept_place_counts_for_its_address)
{
    struct guest kept = GUEST('-', NULL), second = GUEST('s', NULL), other = GUEST('o', NULL);
    struct pool *pool;
    struct why why;
    const struct pool_config config = { .threads = 3, .running_per_address = 1 };
    ASSERT_OK(pool_new(&config, &pool, &why), &why);
    submit_from(pool, "192.0.2.1", stay, &kept);
    submit_from(pool, "192.0.2.2", step, &other);
    assert_true(count_reaches(&kept.kept, 1));
    submit_from(pool, "192.0.2.1", step, &second);
    for (int i = 1; i <= 100; i++) { /* workers come past it */
        submit_from(pool, "192.0.2.2", step, &other);
        assert_true(count_reaches(&other.steps, i));
    }
    assert_int_equal(count_now(&second.steps), 0);
    pool_leave(kept.place);
    assert_true(count_reaches(&second.steps, 1));
    pool_free(pool);
}

struct chain {
    struct count steps, inside;
    int length;
};
#define CHAIN(length)                                                                                        \
    {                                                                                                        \
        COUNT_ZERO, COUNT_ZERO, length                                                                       \
    }

static void link_on(void *arg, struct pool_place *place)
{
    struct chain *chain = arg;
    pool_keep(place); /* no matter whether it is kept already */
    count_add(&chain->inside, 1);
    int step = count_add(&chain->steps, 1);
    count_add(&chain->inside, -1);
    if (step < chain->length)
        pool_go_on(place, link_on, chain, false);
    else
        pool_leave(place);
}

TEST(a_job_goes_on_as_often_as_it_likes_from_its_own_work)
{
    struct chain chains[3] = { CHAIN(2000), CHAIN(2000), CHAIN(1) };
    struct pool *pool = pool_of(2, 4);
    for (int i = 0; i < 3; i++)
        assert_true(pool_submit(pool, link_on, &chains[i]));
    for (int i = 0; i < 3; i++)
        assert_true(count_reaches(&chains[i].steps, chains[i].length));
    pool_free(pool);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(count_now(&chains[i].steps), chains[i].length);
        assert_int_equal(count_most(&chains[i].inside), 1);
    }
}

TEST(a_job_may_leave_from_its_own_work)
{
    struct guest a = GUEST('a', NULL), next = GUEST('b', NULL);
    struct pool *pool = pool_of(1, 1);
    settle_in(pool, &a);
    assert_true(pool_submit(pool, step, &next));
    pool_go_on(a.place, step_and_leave, &a, false);
    assert_true(count_reaches(&a.steps, 1));
    assert_true(count_reaches(&next.steps, 1));
    pool_free(pool);
    assert_int_equal(count_now(&a.steps), 1);
}

static void *free_it(void *arg)
{
    pool_free(arg);
    return NULL;
}

/* Returns once the pool takes nothing more, and how much it took until then; its queue is never full. */
static int submit_until_the_end(struct pool *pool, struct guest *guest)
{
    int taken = 0;
    for (; pool_submit(pool, step, guest); taken++)
        (void)poll(NULL, 0, 1);
    return taken;
}

TEST(freeing_the_pool_finishes_what_is_kept_and_what_is_queued)
{
    struct trail trail = TRAIL_EMPTY;
    struct guest a = GUEST('a', &trail), b = GUEST('b', &trail), queued = GUEST('q', &trail);
    struct guest last = GUEST('-', NULL);
    struct pool *pool = pool_of(2, 1000000);
    pthread_t thread;
    settle_in(pool, &a);
    settle_in(pool, &b);
    assert_true(pool_submit(pool, step, &queued));
    assert_int_equal(pthread_create(&thread, NULL, free_it, pool), 0);
    int taken = submit_until_the_end(pool, &last);
    pool_go_on(a.place, step, &a, false);
    assert_true(count_reaches(&a.steps, 1));
    pool_go_on(b.place, step_and_leave, &b, false);
    assert_true(count_reaches(&queued.steps, 1));
    pool_go_on(a.place, step_and_leave, &a, false);
    pthread_join(thread, NULL);
    assert_trail(&trail, "abqa");
    assert_int_equal(count_now(&last.steps), taken);
}

TEST(freeing_the_pool_waits_for_a_place_that_is_left_last_of_all)
{
    struct guest a = GUEST('a', NULL), last = GUEST('-', NULL);
    struct pool *pool = pool_of(3, 1000000);
    pthread_t thread;
    settle_in(pool, &a);
    assert_int_equal(pthread_create(&thread, NULL, free_it, pool), 0);
    int taken = submit_until_the_end(pool, &last);
    assert_true(count_reaches(&last.steps, taken));
    pool_leave(a.place); /* freed memory, had the pool not waited */
    pthread_join(thread, NULL);
}

RUN(T(a_kept_place_is_taken_until_it_is_left), T(a_job_that_keeps_nothing_is_over_when_it_returns),
    T(whoever_goes_on_comes_before_whoever_has_no_place),
    T(those_who_go_on_do_so_in_the_order_in_which_they_were_told), T(a_kept_place_counts_for_its_address),
    T(a_job_goes_on_as_often_as_it_likes_from_its_own_work), T(a_job_may_leave_from_its_own_work),
    T(freeing_the_pool_finishes_what_is_kept_and_what_is_queued),
    T(freeing_the_pool_waits_for_a_place_that_is_left_last_of_all))
