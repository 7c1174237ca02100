/* SPDX-License-Identifier: Apache-2.0 */
/* Devices, as far as the directory knows them. */
#pragma once
#include "mdm/device.h"
#include "mdm/object.h"

extern const struct object_class device_class;
/* The same as what profiles work with; the caller frees it. */
void device_of(const struct object *object, struct device *ret);
/* By id, in a unit of work; deleted ones, too. */
NODISCARD enum err device_load(struct store_tx *tx, const char *id, struct device *ret, struct why *why);

/* The states that there are ways to: enrolled to retired or wiped, and no way back. ERR_CONFLICT otherwise. Changes the object alone. */
NODISCARD enum err device_set_state(struct object *device, enum device_state state, struct why *why);
/* Of the devices of that change one whose platform and serial number an enrolled device from before has; *ret_serial NULL: there is none.
   Both are the caller's to free. */
NODISCARD enum err device_find_again(struct store_tx *tx, int64_t change, char **ret_serial, char **ret_id, struct why *why);
