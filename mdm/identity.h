/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates by which devices are known: which of them count. */
#pragma once
#include "mdm/device_ca.h"
#include "store/store.h"

/* In a unit of work: from now on the device is known by that one, too. */
NODISCARD enum err identity_add(struct store_tx *tx, const char *device, const struct device_certificate *certificate, int64_t now,
                                struct why *why);
/* Is it one that counts? ERR_NOT_AUTHORISED: it was replaced, or the device is known by none. *ret_replaces: one from before it counts,
   too, which the use of this one ends. */
NODISCARD enum err identity_check(struct store_tx *tx, const struct device_identity *identity, bool *ret_replaces, struct why *why);
/* The device's certificates but that one count no more; but NULL: none does. */
NODISCARD enum err identity_end(struct store_tx *tx, const char *device, const char *but, int64_t now, struct why *why);
/* Did it ever have one? */
NODISCARD enum err identity_had(struct store_tx *tx, const char *device, bool *ret, struct why *why);
