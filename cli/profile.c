/* SPDX-License-Identifier: Apache-2.0 */
/* chancery profile: what devices are given. */
#include "cli/api.h"

#define PROFILES  "/api/v1/profiles"
#define A_PROFILE PROFILES "/{}"

static const struct api_option filters[] = { { .name = "starts" },
                                             { .name = "type" },
                                             { .name = "platform" },
                                             { .name = "deleted", .kind = API_SWITCH, .value = "true" },
                                             { .name = "limit", .kind = API_COUNT },
                                             { 0 } };
static const struct api_option limit[] = { { .name = "limit", .kind = API_COUNT }, { 0 } };

API_COMMAND(profile_add, "profile", "add", "-f FILE", "make a profile of a JSON file", .method = "POST",
            .path = PROFILES, .file = true, .show = API_OBJECT)
API_COMMAND(profile_list, "profile", "list",
            "[--starts TEXT] [--type T] [--platform P] [--deleted] [--limit N]", "list profiles",
            .method = "GET", .path = PROFILES, .options = filters,
            .columns = "id name version type platform description", .show = API_LIST)
API_COMMAND(profile_show, "profile", "show", "PROFILE", "show a profile, named by its name or id",
            .method = "GET", .path = A_PROFILE, .show = API_OBJECT)
API_COMMAND(profile_set, "profile", "set", "PROFILE -f FILE", "save the next version of a profile",
            .method = "PUT", .path = A_PROFILE, .file = true, .show = API_OBJECT)
API_COMMAND(profile_delete, "profile", "delete", "PROFILE", "delete a profile that is in use nowhere",
            .method = "DELETE", .path = A_PROFILE)

API_COMMAND(profile_preview, "profile", "preview", "PROFILE DEVICE",
            "show the request that a device would make, or why it would make none", .method = "GET",
            .path = A_PROFILE "/preview?device={}", .show = API_TOLD)

/* "profile versions" lists them, and with a number shows that one */
static enum err profile_versions_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_profile_versions;
const struct command command_profile_versions = {
    .noun = "profile",
    .verb = "versions",
    .args = "PROFILE [N] [--limit N]",
    .help = "list the versions of a profile, the newest first, or show one of them",
    .run = profile_versions_run,
};
static const struct api versions = { .method = "GET",
                                     .path = A_PROFILE "/versions",
                                     .options = limit,
                                     .columns = "version saved_at saved_by",
                                     .show = API_LIST };
static const struct api version = { .method = "GET", .path = A_PROFILE "/versions/{}", .show = API_OBJECT };

static enum err profile_versions_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    bool one = argc == 3 && argv[2][0] != '-';
    return api_run(one ? &version : &versions, cli, argc, argv, why);
}
