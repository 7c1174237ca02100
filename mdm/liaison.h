/* SPDX-License-Identifier: Apache-2.0 */
/* What goes on between this service and ca while nobody asks: its certificates, its outbox, our errands, and devices that are judged without
   coming. */
#pragma once
#include "mdm/mdm.h"

#define LIAISON_TICK_MS 1000                                /* how often liaison_is_due is asked */
#define LIAISON_EVERY_MS 5000                               /* while no device was given a challenge lately; else at every tick */

struct liaison;
struct liaison *liaison_new(struct mdm *mdm);              /* mdm: borrowed, with its link */
void liaison_free(struct liaison *liaison);
AUTO_DECLARE(liaison)
bool liaison_is_due(const struct liaison *liaison);
/* Once through all of it, on a worker, one at a time; what fails is logged, and tried again the next time. */
void liaison_run(struct liaison *liaison);
