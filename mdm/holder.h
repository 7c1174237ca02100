/* SPDX-License-Identifier: Apache-2.0 */
/* A device and its user, as the store has them. */
#pragma once
#include "mdm/variable.h"
#include "store/store.h"

struct kept_holder { struct device device; struct user user; };
void kept_holder_free(struct kept_holder *holder);           /* held by value */
NODISCARD enum err holder_load(struct store_tx *tx, const char *device, struct kept_holder *ret, struct why *why);
struct holder holder_of(const struct kept_holder *kept);     /* views into it */
