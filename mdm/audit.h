/* SPDX-License-Identifier: Apache-2.0 */
/* Who did what: a row for each act of an administrator, kept in the same unit of work as the act. */
#pragma once
#include "store/store.h"

struct audit_entry { const char *actor, *action, *object, *detail; int64_t at; };
NODISCARD enum err audit_write(struct store_tx *tx, const struct audit_entry *entry, struct why *why);
