/* SPDX-License-Identifier: Apache-2.0 */
/* How many of those who do not wait have been told. Whoever waits for them gives up when nothing comes. */
#pragma once
#include "tests/unit/count.h"

struct told { struct count all; };
#define TOLD_NONE { COUNT_ZERO }

/* *ret_turn (may be NULL): its place among all, from 0. Written before anybody can see that it was told. */
static inline void told_one(struct told *told, int *ret_turn)
{
    pthread_mutex_lock(&told->all.lock);
    if (ret_turn)
        *ret_turn = told->all.value;
    told->all.value++;
    pthread_cond_broadcast(&told->all.changed);
    pthread_mutex_unlock(&told->all.lock);
}

static inline int told_count(struct told *told)
{
    return count_now(&told->all);
}

static inline void told_wait(struct told *told, int count)
{
    if (!count_reaches(&told->all, count))
        fail_msg("%d were told, waited for %d", told_count(told), count);
}
