/* SPDX-License-Identifier: Apache-2.0 */
/* The restart rules: at once, and backing off only after three deaths in ten seconds. */
#include "tests/unit/test.h"

#include "daemon/child.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct role_row role = { .name = "test" };

static struct child child_that_ran(void)
{
    return (struct child){ .role = &role, .pid = 1, .ready_fd = -1, .broker_fd = -1 };
}

static void served_and_dies(struct child *child, int64_t now)
{
    child->ready = child->was_ready = true;
    child->pid = 1;
    child_died(child, now);
}

static void dies(struct child *child, int64_t now)
{
    child->pid = 1;
    child_died(child, now);
}

TEST(the_first_two_deaths_restart_at_once)
{
    struct child child = child_that_ran();
    dies(&child, 1000);
    assert_true(child_is_due(&child, 1000));
    dies(&child, 1001);
    assert_true(child_is_due(&child, 1001));
}

TEST(three_deaths_in_ten_seconds_back_off_and_double)
{
    struct child child = child_that_ran();
    dies(&child, 1000);
    dies(&child, 2000);
    dies(&child, 10999);
    assert_false(child_is_due(&child, 11998));
    assert_true(child_is_due(&child, 11999));
    dies(&child, 11999);
    assert_false(child_is_due(&child, 13998));
    assert_true(child_is_due(&child, 13999));
}

/* Two hundred kills in a row must not make a fleet wait (tests/history/kills). */
TEST(a_role_that_served_waits_a_quarter_second_however_often_it_dies)
{
    struct child child = child_that_ran();
    int64_t now = 1000;
    served_and_dies(&child, now);
    served_and_dies(&child, now += 100);
    assert_true(child_is_due(&child, now));
    for (int i = 0; i < 50; i++) {
        served_and_dies(&child, now += 100);
        assert_int_equal(child.restart_at_ms, now + BACKOFF_SERVED_MS);
    }
    dies(&child, now += 600); /* this one did not come up */
    assert_int_equal(child.restart_at_ms, now + BACKOFF_FIRST_MS);
    dies(&child, now += 1100);
    assert_int_equal(child.restart_at_ms, now + 2 * BACKOFF_FIRST_MS);
    served_and_dies(&child, now += 2100);
    assert_int_equal(child.restart_at_ms, now + BACKOFF_SERVED_MS);
    served_and_dies(&child, now += DEATHS_WINDOW_MS);
    assert_true(child_is_due(&child, now));
}

TEST(three_deaths_in_more_than_ten_seconds_do_not_back_off)
{
    struct child child = child_that_ran();
    dies(&child, 1000);
    dies(&child, 2000);
    dies(&child, 11000);
    assert_true(child_is_due(&child, 11000));
}

TEST(the_backoff_has_a_limit_and_ends_when_the_role_lives)
{
    struct child child = child_that_ran();
    int64_t now = 0;
    for (int i = 0; i < 12; i++)
        dies(&child, now += 100);
    assert_int_equal(child.restart_at_ms, now + BACKOFF_MAX_MS);
    dies(&child, now += 60000); /* it never served: its deaths are only rarer */
    assert_int_equal(child.restart_at_ms, now + BACKOFF_MAX_MS);
    child.ready = true;
    dies(&child, now += DEATHS_WINDOW_MS);
    assert_true(child_is_due(&child, now));
}

TEST(a_role_that_we_ended_does_not_back_off)
{
    struct child child = child_that_ran();
    for (int i = 0; i < 5; i++) {
        child.term_sent = true;
        dies(&child, 1000 + i);
        assert_true(child_is_due(&child, 1000 + i));
    }
}

TEST(a_running_role_is_never_due)
{
    struct child child = child_that_ran();
    assert_false(child_is_due(&child, 1 << 30));
}

TEST(one_that_ignores_sigterm_is_killed_after_its_patience)
{
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGTERM, SIG_IGN);
        (void)!write(pipe_ends[1], "x", 1);
        for (;;)
            pause();
    }
    char ready;
    assert_int_equal(read(pipe_ends[0], &ready, 1), 1);
    struct child child = { .role = &role, .pid = pid, .ready_fd = -1, .broker_fd = -1 };
    child_stop(&child, 1000, 500);
    child_stop(&child, 1400, 500); /* asked twice, the first patience counts */
    assert_int_equal(child_wakes_at(&child), 1500);
    child_kill_if_due(&child, 1499);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    child_kill_if_due(&child, 1500);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

TEST(a_role_that_ends_before_it_is_ready_was_never_ready)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct child child = child_that_ran();
    child_started(&child, ends[0], -1);
    close(ends[1]);
    assert_false(child_read_ready(&child));
    assert_false(child.was_ready);
    assert_int_equal(child.ready_fd, -1);
}

TEST(every_role_of_the_table_has_a_pair_that_knows_it)
{
    for (size_t i = 0; role_row_at(i); i++) {
        const struct role_row *row = role_row_at(i);
        assert_ptr_equal(role_row_find(row->name), row);
        assert_true(row->stop_order > 0);
        if (row->peer)
            assert_string_equal(role_row_find(row->peer)->peer, row->name);
    }
    assert_null(role_row_find("mdm "));
}

RUN(T(the_first_two_deaths_restart_at_once), T(three_deaths_in_ten_seconds_back_off_and_double),
    T(a_role_that_served_waits_a_quarter_second_however_often_it_dies),
    T(three_deaths_in_more_than_ten_seconds_do_not_back_off),
    T(the_backoff_has_a_limit_and_ends_when_the_role_lives), T(a_role_that_we_ended_does_not_back_off),
    T(a_running_role_is_never_due), T(one_that_ignores_sigterm_is_killed_after_its_patience),
    T(a_role_that_ends_before_it_is_ready_was_never_ready),
    T(every_role_of_the_table_has_a_pair_that_knows_it))
