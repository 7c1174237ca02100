/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for a worker, one lane per client address; lanes take turns, so whoever sends most waits most. The caller
   locks. */
#pragma once
#include "base/auto.h"
#include "base/network.h"

struct lanes;
struct lane;
struct pool_place;
struct lanes_config {
    size_t size;                                             /* jobs that may wait, of all lanes */
    unsigned running_per_address;                            /* of one lane at once while others are active; 0: no bound */
};
struct lane_job {
    void (*work)(void *arg, struct pool_place *place);       /* net/pool.h */
    void (*refuse)(void *arg);                               /* NULL: it can neither be displaced nor come too late */
    void *arg;
    bool brief;                                              /* net/pool.h */
    int64_t since_ms;
};
NODISCARD enum err lanes_new(const struct lanes_config *config, struct lanes **ret, struct why *why);
void lanes_free(struct lanes *lanes);                        /* what still waits is dropped */
AUTO_DECLARE(lanes)
enum lanes_put { LANES_TAKEN, LANES_DISPLACED, LANES_FULL };
/* from NULL: our own work, in a lane without bounds. LANES_DISPLACED: taken in place of the oldest job of the longest lane,
   which is *ret_displaced: the caller refuses it. */
enum lanes_put lanes_put(struct lanes *lanes, const struct address *from, const struct lane_job *job,
                         struct lane_job *ret_displaced);
/* The next whose turn it is; lanes_done when it is finished. False: none may start now. brief_too: whether brief ones may. */
bool lanes_take(struct lanes *lanes, bool brief_too, struct lane_job *ret, struct lane **ret_lane);
void lanes_done(struct lanes *lanes, struct lane *lane);
bool lanes_ready(const struct lanes *lanes, bool brief_too); /* whether lanes_take would give one */
size_t lanes_waiting(const struct lanes *lanes);
