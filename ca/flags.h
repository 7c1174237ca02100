/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator switches at a CA while it runs: kept in the store, in force at once. */
#pragma once
#include "ca/ca.h"

#define FLAG_ATTRIBUTE_END_DATE "EDITF_ATTRIBUTEENDDATE"     /* AD CS's name, which the guides use */

/* Every CA's, from the store: at start. */
NODISCARD enum err flags_load(struct ca *ca, struct why *why);
struct flag_change { struct ca *ca; struct issuer *issuer; const char *actor, *name; bool on; };
/* As a part of a unit of work: flags_load once it is done. *ret_changed: it was off, or on, before. ERR_USAGE: no such flag. */
NODISCARD enum err flag_change_in(struct store_tx *tx, const struct flag_change *change, bool *ret_changed, struct why *why);
NODISCARD enum err flag_set(const struct flag_change *change, struct why *why);
