/* SPDX-License-Identifier: Apache-2.0 */
/* A number that other threads raise and a test waits for. cmocka ends a test with longjmp, so threads never assert: they
   count, and the test judges. */
#pragma once
#include "tests/unit/test.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

struct count {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int value, most; /* most: the largest that it ever was */
};
#define COUNT_ZERO { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 }

static inline int count_add(struct count *count, int more)
{
    pthread_mutex_lock(&count->lock);
    int value = count->value += more;
    if (value > count->most)
        count->most = value;
    pthread_cond_broadcast(&count->changed);
    pthread_mutex_unlock(&count->lock);
    return value;
}

static inline int count_now(struct count *count)
{
    pthread_mutex_lock(&count->lock);
    int value = count->value;
    pthread_mutex_unlock(&count->lock);
    return value;
}

static inline int count_most(struct count *count)
{
    pthread_mutex_lock(&count->lock);
    int most = count->most;
    pthread_mutex_unlock(&count->lock);
    return most;
}

/* False: it never came, as long as a test may wait. */
static inline bool count_reaches(struct count *count, int least)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += test_patience_s();
    pthread_mutex_lock(&count->lock);
    while (count->value < least && pthread_cond_timedwait(&count->changed, &count->lock, &until) != ETIMEDOUT) {}
    bool reached = count->value >= least;
    pthread_mutex_unlock(&count->lock);
    return reached;
}

/* A door that stays shut for threads until the test opens it. */
static inline void count_await_open(struct count *door)
{
    (void)count_reaches(door, 1);
}
