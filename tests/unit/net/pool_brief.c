/* SPDX-License-Identifier: Apache-2.0 */
/* Brief jobs: at most so many on threads at once, and what that means for all others. */
#include "net/pool.h"

#include "tests/unit/count.h"

struct visit {
    struct count *inside; /* how many are, of several visits */
    struct count *door;   /* it waits there; or NULL */
    struct pool_place *place;
    struct count begun;
};
#define VISIT(inside, door)                                                                                  \
    {                                                                                                        \
        inside, door, NULL, COUNT_ZERO                                                                       \
    }

static void call_in(void *arg, struct pool_place *place)
{
    (void)place;
    struct visit *visit = arg;
    if (visit->inside)
        count_add(visit->inside, 1);
    count_add(&visit->begun, 1);
    if (visit->door)
        count_await_open(visit->door);
    if (visit->inside)
        count_add(visit->inside, -1);
}

static void stay(void *arg, struct pool_place *place)
{
    struct visit *visit = arg;
    pool_keep(place);
    visit->place = place;
    count_add(&visit->begun, 1);
}

static void stay_behind_the_door(void *arg, struct pool_place *place)
{
    struct visit *visit = arg;
    pool_keep(place);
    visit->place = place;
    count_add(&visit->begun, 1);
    count_await_open(visit->door);
}

static struct pool *pool_of(unsigned threads, unsigned brief)
{
    struct pool *pool;
    struct why why;
    const struct pool_config config = { .threads = threads, .queue = 1000, .brief = brief };
    ASSERT_OK(pool_new(&config, &pool, &why), &why);
    return pool;
}

/* host: of 192.0.2.0/24; each has a lane of its own, so that it cannot stand behind another. */
static void submit(struct pool *pool, int host, bool brief, pool_work work, struct visit *visit)
{
    struct address from;
    char text[32];
    snprintf(text, sizeof(text), "192.0.2.%d", host);
    assert_true(address_parse(bytes_str(text), &from));
    const struct pool_job job = { .work = work, .arg = visit, .from = &from, .brief = brief };
    assert_true(pool_submit_from(pool, &job));
}

static void settle_in(struct pool *pool, struct visit *visit)
{
    submit(pool, 99, false, stay, visit);
    assert_true(count_reaches(&visit->begun, 1));
}

TEST(as_many_brief_ones_as_configured_and_no_more_at_once)
{
    struct count inside = COUNT_ZERO, door = COUNT_ZERO;
    struct visit brief[6], other = VISIT(NULL, NULL);
    struct pool *pool = pool_of(6, 2);
    for (int i = 0; i < 6; i++) {
        brief[i] = (struct visit)VISIT(&inside, &door);
        submit(pool, i, true, call_in, &brief[i]);
    }
    assert_true(count_reaches(&inside, 2));
    submit(pool, 10, false, call_in, &other); /* came last, and a worker had the choice */
    assert_true(count_reaches(&other.begun, 1));
    assert_int_equal(count_now(&inside), 2);
    count_add(&door, 1);
    for (int i = 0; i < 6; i++)
        assert_true(count_reaches(&brief[i].begun, 1));
    pool_free(pool);
    assert_int_equal(count_most(&inside), 2);
}

TEST(without_a_bound_every_worker_may_have_a_brief_one)
{
    struct count inside = COUNT_ZERO, door = COUNT_ZERO;
    struct visit brief[6];
    struct pool *pool = pool_of(6, 0);
    for (int i = 0; i < 6; i++) {
        brief[i] = (struct visit)VISIT(&inside, &door);
        submit(pool, i, true, call_in, &brief[i]);
    }
    assert_true(count_reaches(&inside, 6));
    count_add(&door, 1);
    pool_free(pool);
}

TEST(who_waits_without_a_thread_is_none_of_the_brief_ones)
{
    struct visit kept = VISIT(NULL, NULL), next = VISIT(NULL, NULL);
    struct pool *pool = pool_of(2, 1);
    submit(pool, 1, true, stay, &kept);
    assert_true(count_reaches(&kept.begun, 1));
    submit(pool, 2, true, call_in, &next);
    assert_true(count_reaches(&next.begun, 1));
    pool_leave(kept.place);
    pool_free(pool);
}

/* The thread counts, and not the job: what waits inside is brief no more. */
TEST(a_brief_job_that_goes_on_otherwise_leaves_its_turn_to_others)
{
    struct count door = COUNT_ZERO;
    struct visit kept = VISIT(NULL, &door), next = VISIT(NULL, NULL);
    struct pool *pool = pool_of(2, 1);
    submit(pool, 1, true, stay, &kept);
    assert_true(count_reaches(&kept.begun, 1));
    pool_go_on(kept.place, call_in, &kept, false);
    assert_true(count_reaches(&kept.begun, 2));
    submit(pool, 2, true, call_in, &next);
    assert_true(count_reaches(&next.begun, 1));
    count_add(&door, 1);
    pool_leave(kept.place);
    pool_free(pool);
}

TEST(who_goes_on_briefly_is_counted_with_the_others)
{
    struct count inside = COUNT_ZERO, door = COUNT_ZERO;
    struct visit kept[3], brief = VISIT(&inside, &door), other = VISIT(NULL, NULL);
    struct pool *pool = pool_of(6, 1);
    for (int i = 0; i < 3; i++) {
        kept[i] = (struct visit)VISIT(&inside, &door);
        settle_in(pool, &kept[i]);
    }
    for (int i = 0; i < 3; i++)
        pool_go_on(kept[i].place, call_in, &kept[i], true);
    assert_true(count_reaches(&inside, 1));
    submit(pool, 1, true, call_in, &brief);
    submit(pool, 2, false, call_in, &other);
    assert_true(count_reaches(&other.begun, 1));
    assert_int_equal(count_now(&inside), 1);
    count_add(&door, 1);
    for (int i = 0; i < 3; i++) {
        assert_true(count_reaches(&kept[i].begun, 2));
        pool_leave(kept[i].place);
    }
    pool_free(pool);
    assert_int_equal(count_now(&brief.begun), 1);
    assert_int_equal(count_most(&inside), 1);
}

TEST(a_thread_that_is_not_back_counts_although_its_job_goes_on_elsewhere)
{
    struct count door = COUNT_ZERO;
    struct visit kept = VISIT(NULL, &door), step = VISIT(NULL, NULL), other = VISIT(NULL, NULL);
    struct pool *pool = pool_of(3, 1);
    submit(pool, 1, true, stay_behind_the_door, &kept);
    assert_true(count_reaches(&kept.begun, 1));
    pool_go_on(kept.place, call_in, &step, true);
    submit(pool, 2, false, call_in, &other);
    assert_true(count_reaches(&other.begun, 1));
    assert_int_equal(count_now(&step.begun), 0);
    count_add(&door, 1);
    assert_true(count_reaches(&step.begun, 1));
    pool_leave(kept.place);
    pool_free(pool);
}

TEST(who_goes_on_and_may_wait_is_not_kept_back_by_brief_ones)
{
    struct count door = COUNT_ZERO;
    struct visit brief = VISIT(NULL, &door), first = VISIT(NULL, NULL), second = VISIT(NULL, NULL);
    struct pool *pool = pool_of(4, 1);
    settle_in(pool, &first);
    settle_in(pool, &second);
    submit(pool, 1, true, call_in, &brief);
    assert_true(count_reaches(&brief.begun, 1));
    pool_go_on(first.place, call_in, &first, true);
    pool_go_on(second.place, call_in, &second, false);
    bool went_on = count_reaches(&second.begun, 2); /* before the brief ones have ended */
    int waits = count_now(&first.begun);
    count_add(&door, 1);
    assert_true(count_reaches(&first.begun, 2));
    pool_leave(first.place);
    pool_leave(second.place);
    pool_free(pool);
    assert_true(went_on);
    assert_int_equal(waits, 1);
}

struct relay {
    struct count ended, inside;
};

static void run_a_lap(void *arg, struct pool_place *place)
{
    (void)place;
    struct relay *relay = arg;
    count_add(&relay->inside, 1);
    count_add(&relay->inside, -1);
    count_add(&relay->ended, 1);
}

TEST(each_that_ends_lets_the_next_one_begin)
{
    struct relay relay = { COUNT_ZERO, COUNT_ZERO };
    struct pool *pool = pool_of(8, 1);
    for (int i = 0; i < 3000; i++) {
        const struct pool_job job = { .work = run_a_lap, .arg = &relay, .brief = true };
        if (!pool_submit_from(pool, &job)) {
            assert_true(count_reaches(&relay.ended, i)); /* the queue was full: it gets empty by itself */
            assert_true(pool_submit_from(pool, &job));
        }
    }
    assert_true(count_reaches(&relay.ended, 3000));
    pool_free(pool);
    assert_int_equal(count_now(&relay.ended), 3000);
    assert_int_equal(count_most(&relay.inside), 1);
}

RUN(T(as_many_brief_ones_as_configured_and_no_more_at_once),
    T(without_a_bound_every_worker_may_have_a_brief_one),
    T(who_waits_without_a_thread_is_none_of_the_brief_ones),
    T(a_brief_job_that_goes_on_otherwise_leaves_its_turn_to_others),
    T(who_goes_on_briefly_is_counted_with_the_others),
    T(a_thread_that_is_not_back_counts_although_its_job_goes_on_elsewhere),
    T(who_goes_on_and_may_wait_is_not_kept_back_by_brief_ones), T(each_that_ends_lets_the_next_one_begin))
