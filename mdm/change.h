/* SPDX-License-Identifier: Apache-2.0 */
/* Changes are numbered, and each object has the number of the last one that concerns it: a device that was judged by a number asks only
   whether itself, its user or one of its groups has a newer one (docs/decisions/018). */
#pragma once
#include "store/store.h"

/* The number of this unit's change: first of all that the unit does, for units that have it in hand wait for one another, so that
   none sees half of another, and numbers are seen in their order. */
NODISCARD enum err change_next(struct store_tx *tx, int64_t *ret, struct why *why);
struct object;
/* The object was changed by it, at that time. */
void change_stamp(struct object *object, int64_t change, int64_t now);
