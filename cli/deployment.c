/* SPDX-License-Identifier: Apache-2.0 */
/* chancery deployment: how profiles stand on devices. */
#include "cli/api.h"

#define DEPLOYMENTS "/api/v1/deployments"

static const struct api_option filters[] = { { .name = "device" },
                                             { .name = "profile" },
                                             { .name = "state" },
                                             { .name = "limit", .kind = API_COUNT },
                                             { 0 } };
static const struct api_option one[] = { { .name = "profile" }, { 0 } };

API_COMMAND(deployment_list, "deployment", "list",
            "[--device DEVICE] [--profile PROFILE] [--state pending|delivered|challenge-verified|issued|\n"
            "       installed|renewing|revoked|removed|error] [--limit N]",
            "list how profiles stand on devices", .method = "GET", .path = DEPLOYMENTS, .options = filters,
            .columns = "device_name profile_name version state step code serial expires_at", .show = API_LIST)
API_COMMAND(deployment_summary, "deployment", "summary", "[--profile PROFILE]",
            "count the deployments of each profile in each state", .method = "GET",
            .path = DEPLOYMENTS "/summary", .options = one, .columns = "profile_name state count",
            .show = API_ITEMS)
API_COMMAND(deployment_history, "deployment", "history", "DEVICE PROFILE",
            "list what happened to a profile on a device, the last event first", .method = "GET",
            .path = "/api/v1/devices/{}/deployments/{}/history",
            .columns = "at version event state step code detail", .show = API_ITEMS)
