/* SPDX-License-Identifier: Apache-2.0 */
/* The worker pool: plain sequential code in many threads with small stacks, behind a bounded queue. */
#pragma once
#include "base/auto.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

struct pool;
struct pool_config { unsigned threads; size_t queue; size_t stack_bytes; };   /* 0: LIMIT_POOL_*, queue 4 × threads */
NODISCARD enum err pool_new(const struct pool_config *config, struct pool **ret, struct why *why);
/* false: the queue is full (ERR_BUSY, 503); nothing was taken. */
NODISCARD bool pool_submit(struct pool *pool, void (*work)(void *arg), void *arg);
void pool_free(struct pool *pool);                           /* finishes what is queued, then joins */
AUTO_DECLARE(pool)
