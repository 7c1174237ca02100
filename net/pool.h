/* SPDX-License-Identifier: Apache-2.0 */
/* The worker pool: plain sequential code in many threads with small stacks, behind a bounded queue in which client
   addresses take turns (net/lanes.h). */
#pragma once
#include "base/auto.h"
#include "base/network.h"

struct pool;
struct pool_config {                                         /* 0: LIMIT_POOL_*, queue 4 × threads, no bound of the others */
    unsigned threads;
    size_t queue;
    size_t stack_bytes;
    unsigned running_per_address;                            /* of one address at once while others are active */
    int wait_ms;                                             /* who waited longer is refused */
};
NODISCARD enum err pool_new(const struct pool_config *config, struct pool **ret, struct why *why);
/* Work of our own. false: the queue is full (ERR_BUSY, 503); nothing was taken. */
NODISCARD bool pool_submit(struct pool *pool, void (*work)(void *arg), void *arg);
struct pool_job {
    void (*work)(void *arg);
    void (*refuse)(void *arg);                               /* instead of work, from any thread: another address needed
                                                                the place, or wait_ms went by */
    void *arg;
    const struct address *from;
};
NODISCARD bool pool_submit_from(struct pool *pool, const struct pool_job *job);
void pool_free(struct pool *pool);                           /* finishes what is queued, then joins */
AUTO_DECLARE(pool)
