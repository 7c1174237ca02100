/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit: callers hand in units and sleep, one writer thread runs whatever is waiting and flushes once for all. */
#pragma once
#include "base/wake.h"
#include "store/store.h"
#include <pthread.h>

#define GROUP_UNITS_MAX 64               /* as many as there are workers; bounds how long the first one waits */

struct group_unit {
    store_work work;
    void *arg;
    enum err err;
    struct why why;
    bool ran;
    struct wake finished;
    struct group_unit *next;
};

struct group_ops {
    /* Runs the list and makes it durable in one go; sets err (and why) of each unit. Only the writer thread calls it. */
    void (*flush)(void *driver, struct group_unit *units);
    /* After the callers were woken: upkeep that nobody should wait for. idle: nothing else is queued. */
    void (*settle)(void *driver, bool idle);
};
struct group;
NODISCARD enum err group_start(const struct group_ops *ops, void *driver, struct group **ret, struct why *why);
void group_free(struct group *group);                        /* after what is queued */
NODISCARD enum err group_submit(struct group *group, store_work work, void *arg, struct why *why);
