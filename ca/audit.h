/* SPDX-License-Identifier: Apache-2.0 */
/* The audit trail: a numbered row per decision, written in the unit of work that decides. */
#pragma once
#include "ca/ca.h"

struct audit_entry { const char *issuer, *actor, *action, *object, *detail; };   /* never a secret in any of them */
NODISCARD enum err audit_write(struct store_tx *tx, const struct ca *ca, const struct audit_entry *entry, struct why *why);
