/* SPDX-License-Identifier: Apache-2.0 */
/* The worker pool: plain sequential code in many threads with small stacks, behind a bounded queue in which client
   addresses take turns (net/lanes.h). A job has a place from its start to its end; there are as many as threads. */
#pragma once
#include "base/auto.h"
#include "base/network.h"

struct pool;
struct pool_place;
struct pool_config {                                         /* 0: LIMIT_POOL_*, queue 4 × threads, no bound of the others */
    unsigned threads;
    size_t queue;
    size_t stack_bytes;
    unsigned running_per_address;                            /* of one address at once while others are active */
    unsigned brief;                                          /* brief jobs on threads at once: as many as there are cores */
    int wait_ms;                                             /* who waited longer is refused */
};
NODISCARD enum err pool_new(const struct pool_config *config, struct pool **ret, struct why *why);
typedef void (*pool_work)(void *arg, struct pool_place *place);
/* Work of our own. false: the queue is full (ERR_BUSY, 503); nothing was taken. */
NODISCARD bool pool_submit(struct pool *pool, pool_work work, void *arg);
struct pool_job {
    pool_work work;
    void (*refuse)(void *arg);                               /* instead of work, from any thread: another address needed
                                                                the place, or wait_ms went by; NULL: never refused */
    void *arg;
    const struct address *from;                              /* NULL: ours */
    bool brief;                                              /* it only computes: it never waits for a disk, a peer or a lock
                                                                that is held for long. So one a core is enough at a time,
                                                                and more would only take turns */
};
NODISCARD bool pool_submit_from(struct pool *pool, const struct pool_job *job);
/* The job is not over when work returns: it waits for something without a thread. It goes on with pool_go_on, as often as it
   likes, and is over with pool_leave; both from any thread. Called by work. */
void pool_keep(struct pool_place *place);
/* On a worker, before whatever has no place yet. */
void pool_go_on(struct pool_place *place, pool_work work, void *arg, bool brief);
void pool_leave(struct pool_place *place);
void pool_free(struct pool *pool);                           /* finishes what is queued and what is kept, then joins */
AUTO_DECLARE(pool)
