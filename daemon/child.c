/* SPDX-License-Identifier: Apache-2.0 */
/* Restart and stop rules of one role. */
#include "daemon/child.h"

#include "base/log.h"
#include <signal.h>
#include <unistd.h>

void child_started(struct child *child, int ready_fd, int broker_fd)
{
    child->ready_fd = ready_fd;
    child->broker_fd = broker_fd;
    child->ready = false;
    child->term_sent = false;
    child->kill_at_ms = 0;
}

static void end_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

bool child_read_ready(struct child *child)
{
    char byte;
    ssize_t got = read(child->ready_fd, &byte, 1);
    end_close(&child->ready_fd);
    if (got != 1)
        return false; /* ended before it served; its death tells the rest */
    child->ready = child->was_ready = true;
    return true;
}

static int64_t backoff_after(const struct child *child, int64_t now, bool served)
{
    bool too_often = child->death_count == DEATHS_REMEMBERED &&
                     now - child->deaths[DEATHS_REMEMBERED - 1] < DEATHS_WINDOW_MS;
    /* A role that we ended because its pair died did not fail itself. */
    if (child->term_sent)
        return 0;
    /* One that comes up and serves is worth having back soon, however often it dies: a growing pause would give whoever can
       kill it once the whole of the pause, and make the fleet wait. */
    if (served)
        return too_often ? BACKOFF_SERVED_MS : 0;
    /* While it backs off its deaths grow further apart; only a life that serves ends that. */
    if (!too_often && !child->backoff_ms)
        return 0;
    int64_t doubled = child->backoff_ms < BACKOFF_FIRST_MS ? BACKOFF_FIRST_MS : 2 * child->backoff_ms;
    return doubled < BACKOFF_MAX_MS ? doubled : BACKOFF_MAX_MS;
}

void child_hung_up(struct child *child)
{
    end_close(&child->broker_fd);
}

void child_died(struct child *child, int64_t now)
{
    end_close(&child->ready_fd);
    end_close(&child->broker_fd);
    child->pid = 0;
    bool served = child->ready;
    child->ready = false;
    child->kill_at_ms = 0;
    for (size_t i = DEATHS_REMEMBERED - 1; i > 0; i--)
        child->deaths[i] = child->deaths[i - 1];
    child->deaths[0] = now;
    if (child->death_count < DEATHS_REMEMBERED)
        child->death_count++;
    child->backoff_ms = backoff_after(child, now, served);
    child->restart_at_ms = now + child->backoff_ms;
}

bool child_is_due(const struct child *child, int64_t now)
{
    return child->pid == 0 && now >= child->restart_at_ms;
}

void child_stop(struct child *child, int64_t now, int64_t patience_ms)
{
    if (!child->pid || child->term_sent)
        return;
    child->term_sent = true;
    child->kill_at_ms = now + patience_ms;
    kill(child->pid, SIGTERM);
}

void child_kill_if_due(struct child *child, int64_t now)
{
    if (!child->pid || !child->kill_at_ms || now < child->kill_at_ms)
        return;
    log_error(NULL, "role did not end in time and is killed role=%s pid=%d", child->role->name,
              (int)child->pid);
    kill(child->pid, SIGKILL);
    child->kill_at_ms = 0;
}

int64_t child_wakes_at(const struct child *child)
{
    return child->pid ? child->kill_at_ms : child->restart_at_ms;
}
