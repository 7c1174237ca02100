/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that are given out once, in order. Whoever has the next one keeps others waiting until its unit of work has ended. */
#pragma once
#include "store/store.h"

NODISCARD enum err counter_next(struct store_tx *tx, const char *name, int64_t *ret, struct why *why);
