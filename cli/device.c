/* SPDX-License-Identifier: Apache-2.0 */
/* chancery device: the devices of the directory. */
#include "cli/api.h"

#define ATTRIBUTES                                                                                           \
    "[--name NAME] [--serial TEXT] [--imei DIGITS] [--meid DIGITS] [--wifi-mac MAC]\n"                       \
    "       [--fqdn NAME] [--domain-joined true|false] [--directory-id UUID] [--mode MODE] [--owner USER] "  \
    "[--ownership company|personal]"
#define DEVICES  "/api/v1/devices"
#define A_DEVICE DEVICES "/{}"

static const struct api_option attributes[] = { { .name = "name" },
                                                { .name = "serial" },
                                                { .name = "imei" },
                                                { .name = "meid" },
                                                { .name = "wifi-mac" },
                                                { .name = "fqdn" },
                                                { .name = "domain-joined", .kind = API_FLAG },
                                                { .name = "directory-id" },
                                                { .name = "mode" },
                                                { .name = "owner" },
                                                { .name = "ownership" },
                                                { 0 } };
static const struct api_option filters[] = { { .name = "starts" },
                                             { .name = "platform" },
                                             { .name = "state" },
                                             { .name = "owner" },
                                             { .name = "ownership" },
                                             { .name = "serial" },
                                             { .name = "source" },
                                             { .name = "deleted", .kind = API_SWITCH, .value = "true" },
                                             { .name = "limit", .kind = API_COUNT },
                                             { 0 } };
static const struct api_option dry[] = { { .name = "dry-run", .kind = API_SWITCH, .value = "true" }, { 0 } };

API_COMMAND(device_add, "device", "add", "PLATFORM " ATTRIBUTES, "add a device to the directory",
            .method = "POST", .path = DEVICES, .operand = "platform", .options = attributes,
            .show = API_OBJECT)
API_COMMAND(device_list, "device", "list",
            "[--starts TEXT] [--platform P] [--state enrolled|retired|wiped] [--owner USER] [--ownership O] "
            "[--serial TEXT]\n"
            "       [--source local|import|directory] [--deleted] [--limit N]",
            "list devices", .method = "GET", .path = DEVICES, .options = filters,
            .columns = "id name platform serial owner state", .show = API_LIST)
API_COMMAND(device_show, "device", "show", "DEVICE", "show a device, named by its id, name or serial number",
            .method = "GET", .path = A_DEVICE, .show = API_OBJECT)
API_COMMAND(device_set, "device", "set", "DEVICE " ATTRIBUTES, "change a device; an empty value removes it",
            .method = "PATCH", .path = A_DEVICE, .options = attributes, .show = API_OBJECT)
API_COMMAND(device_retire, "device", "retire", "DEVICE", "manage a device no more", .method = "POST",
            .path = A_DEVICE "/retire", .show = API_OBJECT, .body = "")
API_COMMAND(device_delete, "device", "delete", "DEVICE",
            "delete a device that is retired; what certificates it had stays known", .method = "DELETE",
            .path = A_DEVICE)
API_COMMAND(device_import, "device", "import", "FILE [--dry-run]",
            "add all devices of a CSV or JSON file, or none", .method = "POST", .path = DEVICES "/import",
            .options = dry, .show = API_IMPORTED)
API_COMMAND(device_groups, "device", "groups", "DEVICE",
            "list the groups that a device is in, directly or by other groups", .method = "GET",
            .path = A_DEVICE "/groups", .columns = "id name kind source", .show = API_LIST)
API_COMMAND(device_profiles, "device", "profiles", "DEVICE",
            "list the profiles that reach a device, and why others that its groups have do not",
            .method = "GET", .path = A_DEVICE "/profiles", .columns = "name version type state why",
            .show = API_ITEMS)
