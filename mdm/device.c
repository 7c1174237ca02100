/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/device.h"

static const char *const state_names[] = {
    [DEVICE_ENROLLED] = "enrolled",
    [DEVICE_RETIRED] = "retired",
    [DEVICE_WIPED] = "wiped",
};
const struct words device_state_words = WORDS(state_names);

void device_free(struct device *device)
{
    free(device->id);
    free(device->directory_id);
    free(device->owner);
    free(device->serial);
    free(device->imei);
    free(device->meid);
    free(device->wifi_mac);
    free(device->name);
    free(device->fqdn);
    *device = (struct device){ 0 };
}
