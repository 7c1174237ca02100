/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that waits and is lent meanwhile. */
#include "base/wake.h"

#include "tests/unit/count.h"

struct loan {
    struct lender lender;
    pthread_t borrower;
    struct count steps;
    int length;
    pthread_t ran_on[64];
    bool from_outside; /* each step is asked for by another thread, and not by the one before */
};

static void end_or_go_on(struct loan *loan, int step);

static void on_step(void *arg)
{
    struct loan *loan = arg;
    int step = count_add(&loan->steps, 1);
    loan->ran_on[step % 64] = pthread_self();
    if (!loan->from_outside)
        end_or_go_on(loan, step);
}

static void end_or_go_on(struct loan *loan, int step)
{
    if (step < loan->length)
        lender_go_on(&loan->lender, on_step, loan);
    else
        lender_end(&loan->lender);
}

static void *borrow(void *arg)
{
    struct loan *loan = arg;
    for (int step = 0; step < loan->length; step++) {
        end_or_go_on(loan, step);
        if (!count_reaches(&loan->steps, step + 1))
            break;
    }
    lender_end(&loan->lender);
    return NULL;
}

static void assert_ran_here(const struct loan *loan)
{
    for (int i = 0; i < 64 && i < loan->length; i++)
        assert_true(pthread_equal(loan->ran_on[(i + 1) % 64], pthread_self()));
}

TEST(work_of_another_thread_runs_where_it_is_waited)
{
    struct loan loan = { .steps = COUNT_ZERO, .length = 3000, .from_outside = true };
    lender_open(&loan.lender);
    assert_int_equal(pthread_create(&loan.borrower, NULL, borrow, &loan), 0);
    lender_wait(&loan.lender);
    pthread_join(loan.borrower, NULL);
    assert_int_equal(count_now(&loan.steps), 3000);
    assert_ran_here(&loan);
}

TEST(work_may_go_on_with_more_and_end_by_itself)
{
    struct loan loan = { .steps = COUNT_ZERO, .length = 3000 };
    lender_open(&loan.lender);
    lender_go_on(&loan.lender, on_step, &loan); /* before anybody waits */
    assert_int_equal(count_now(&loan.steps), 0);
    lender_wait(&loan.lender);
    assert_int_equal(count_now(&loan.steps), 3000);
    assert_ran_here(&loan);
}

static void *just_end(void *arg)
{
    lender_end(arg);
    return NULL;
}

TEST(a_thread_that_nobody_needs_is_let_go)
{
    for (int i = 0; i < 1000; i++) {
        struct lender *lender = xcalloc(1, sizeof(*lender));
        pthread_t thread;
        lender_open(lender);
        if (i % 2)
            lender_end(lender);
        else
            assert_int_equal(pthread_create(&thread, NULL, just_end, lender), 0);
        lender_wait(lender);
        free(lender); /* whoever ended it has no more to do with it */
        if (i % 2 == 0)
            pthread_join(thread, NULL);
    }
}

static void on_last_step(void *arg)
{
    count_add(arg, 1);
}

TEST(an_end_that_follows_at_once_leaves_the_last_work_to_be_done)
{
    struct count steps = COUNT_ZERO;
    struct lender lender;
    lender_open(&lender);
    lender_go_on(&lender, on_last_step, &steps);
    lender_end(&lender);
    lender_wait(&lender);
    assert_int_equal(count_now(&steps), 1);
}

RUN(T(work_of_another_thread_runs_where_it_is_waited), T(work_may_go_on_with_more_and_end_by_itself),
    T(a_thread_that_nobody_needs_is_let_go), T(an_end_that_follows_at_once_leaves_the_last_work_to_be_done))
