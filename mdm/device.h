/* SPDX-License-Identifier: Apache-2.0 */
/* A device: what the directory knows of it, and what it says of itself. Texts are UTF-8; NULL or empty: no value. */
#pragma once
#include "base/auto.h"
#include "mdm/platform.h"

enum device_state { DEVICE_ENROLLED, DEVICE_RETIRED, DEVICE_WIPED, DEVICE_STATE_COUNT };
extern const struct words device_state_words;

struct device {
    char *id;                                                /* UUID, lower case */
    char *directory_id;                                      /* the directory's own id of the device */
    char *owner;                                             /* id of its user; NULL: nobody's, as a kiosk */
    enum platform platform;
    enum android_mode mode;
    enum device_state state;
    bool domain_joined;
    char *serial, *imei, *meid, *wifi_mac, *name, *fqdn;     /* its own word: whoever holds it can forge them */
};
void device_free(struct device *device);
