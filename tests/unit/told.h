/* SPDX-License-Identifier: Apache-2.0 */
/* How many of those who do not wait have been told. Whoever waits for them gives up when nothing comes. */
#pragma once
#include "tests/unit/test.h"
#include <pthread.h>
#include <time.h>

struct told { pthread_mutex_t lock; pthread_cond_t more; int count; };
#define TOLD_NONE { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER }

/* *ret_turn (may be NULL): its place among all, from 0. Written before anybody can see that it was told. */
static inline void told_one(struct told *told, int *ret_turn)
{
    pthread_mutex_lock(&told->lock);
    if (ret_turn)
        *ret_turn = told->count;
    told->count++;
    pthread_cond_broadcast(&told->more);
    pthread_mutex_unlock(&told->lock);
}

static inline int told_count(struct told *told)
{
    pthread_mutex_lock(&told->lock);
    int count = told->count;
    pthread_mutex_unlock(&told->lock);
    return count;
}

static inline void told_wait(struct told *told, int count)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += test_patience_s();
    int late = 0;
    pthread_mutex_lock(&told->lock);
    while (told->count < count && !late)
        late = pthread_cond_timedwait(&told->more, &told->lock, &until);
    int found = told->count;
    pthread_mutex_unlock(&told->lock);
    if (found < count)
        fail_msg("%d were told, waited for %d", found, count);
}
