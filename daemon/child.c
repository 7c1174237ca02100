/* SPDX-License-Identifier: Apache-2.0 */
/* Restart and stop rules of one role. */
#include "daemon/child.h"

#include "base/log.h"
#include <signal.h>
#include <unistd.h>

void child_started(struct child *child, int ready_fd)
{
    child->ready_fd = ready_fd;
    child->ready = false;
    child->term_sent = false;
    child->kill_at_ms = 0;
}

bool child_read_ready(struct child *child, int64_t now)
{
    char byte;
    ssize_t got = read(child->ready_fd, &byte, 1);
    close(child->ready_fd);
    child->ready_fd = -1;
    if (got != 1)
        return false; /* ended before it served; its death tells the rest */
    child->ready = child->was_ready = true;
    child->ready_at_ms = now;
    return true;
}

void child_died(struct child *child, int64_t now)
{
    if (child->ready_fd >= 0)
        close(child->ready_fd);
    child->ready_fd = -1;
    child->pid = 0;
    bool lived = child->ready && now - child->ready_at_ms >= DEATHS_WINDOW_MS;
    child->ready = false;
    child->kill_at_ms = 0;
    for (size_t i = DEATHS_REMEMBERED - 1; i > 0; i--)
        child->deaths[i] = child->deaths[i - 1];
    child->deaths[0] = now;
    if (child->death_count < DEATHS_REMEMBERED)
        child->death_count++;
    bool too_often = child->death_count == DEATHS_REMEMBERED &&
                     now - child->deaths[DEATHS_REMEMBERED - 1] < DEATHS_WINDOW_MS;
    /* A role that we ended because its pair died did not fail itself. */
    if (child->term_sent)
        too_often = false;
    /* While it backs off its deaths grow further apart; only a life ends that. */
    too_often = too_often || (child->backoff_ms && !lived && !child->term_sent);
    child->backoff_ms = !too_often ? 0 : child->backoff_ms ? child->backoff_ms * 2 : 1000;
    if (child->backoff_ms > BACKOFF_MAX_MS)
        child->backoff_ms = BACKOFF_MAX_MS;
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
