/* SPDX-License-Identifier: Apache-2.0 */
/* One supervised role: when it is started again, when it is killed. Time is passed in, in monotonic milliseconds. */
#pragma once
#include "daemon/sockets.h"

#define CHILDREN_MAX 8
#define DEATHS_REMEMBERED 3                     /* three deaths … */
#define DEATHS_WINDOW_MS 10000                  /* … in ten seconds, and only then it backs off (design.md section 1) */
#define BACKOFF_SERVED_MS 250                   /* for a role that served in between: devices are to find it again within 2 s */
#define BACKOFF_FIRST_MS 1000                   /* for one that dies before it serves: doubled each time … */
#define BACKOFF_MAX_MS 30000                    /* … up to this */

struct child {
    const struct role_row *role;
    struct role_ids ids;
    pid_t pid;                                  /* 0: not running */
    int ready_fd, broker_fd;                    /* our ends; -1: none */
    bool ready, was_ready, term_sent, reload_wanted;
    int64_t deaths[DEATHS_REMEMBERED]; size_t death_count;
    int64_t backoff_ms, restart_at_ms, kill_at_ms;
};
void child_started(struct child *child, int ready_fd, int broker_fd);       /* pid is set; takes both */
bool child_read_ready(struct child *child);                 /* true: just became ready */
void child_hung_up(struct child *child);                     /* nothing more comes from its broker end */
void child_died(struct child *child, int64_t now);           /* sets restart_at_ms */
bool child_is_due(const struct child *child, int64_t now);   /* not running, and may be started */
void child_stop(struct child *child, int64_t now, int64_t patience_ms);   /* SIGTERM once; SIGKILL after patience */
void child_kill_if_due(struct child *child, int64_t now);
int64_t child_wakes_at(const struct child *child);           /* 0: nothing is due */
