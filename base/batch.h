/* SPDX-License-Identifier: Apache-2.0 */
/* What many threads hand in and another does in one go: a group commit. Nobody waits for it; who hands in is told later. */
#pragma once
#include "base/auto.h"
#include "base/err.h"
#include <stdbool.h>

struct batch;
struct batch_unit { struct batch_unit *next; };              /* embedded first in what is handed in */
struct batch_config {
    unsigned threads;                                        /* that do it, each what it takes; 0: one */
    int units_max;                                           /* taken at once: bounds how long the first one waits */
    /* All of the list, in the order in which it came. Tells each owner, by whose own function the unit may be gone. */
    void (*run)(void *arg, struct batch_unit *units);
    void (*settle)(void *arg, bool idle);                    /* afterwards, what nobody waits for; idle: nothing is queued; or NULL */
    void *arg;
};
NODISCARD enum err batch_new(const struct batch_config *config, struct batch **ret, struct why *why);
void batch_submit(struct batch *batch, struct batch_unit *unit);   /* from any thread, its own too */
bool batch_is_own_thread(const struct batch *batch);         /* who waits here for a unit waits for ever */
void batch_free(struct batch *batch);                        /* after what is queued */
AUTO_DECLARE(batch)
