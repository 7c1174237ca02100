/* SPDX-License-Identifier: Apache-2.0 */
/* chancery assign: whom profiles are for. */
#include "cli/api.h"

#define ASSIGNMENTS "/api/v1/profiles/{}/assignments"

static const struct api_option exclude[] = {
    { .name = "exclude", .kind = API_SWITCH, .member = "mode", .value = "exclude" }, { 0 }
};
static const struct api_option limit[] = { { .name = "limit", .kind = API_COUNT }, { 0 } };

API_COMMAND(assign_add, "assign", "add", "PROFILE GROUP [--exclude]",
            "give a profile to the users or devices of a group, or with --exclude keep it from them",
            .method = "POST", .path = ASSIGNMENTS, .operand = "group", .options = exclude)
API_COMMAND(assign_remove, "assign", "remove", "PROFILE GROUP", "take a group from those that a profile has",
            .method = "DELETE", .path = ASSIGNMENTS "/{}")

/* "assign list PROFILE" and "assign list --group GROUP" */
static enum err assign_list_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_assign_list;
const struct command command_assign_list = {
    .noun = "assign",
    .verb = "list",
    .args = "PROFILE | --group GROUP [--limit N]",
    .help = "list the groups that a profile is assigned to, or the profiles that are assigned to a group",
    .run = assign_list_run,
};
static const struct api groups = {
    .method = "GET", .path = ASSIGNMENTS, .options = limit, .columns = "id name kind mode", .show = API_LIST
};
static const struct api profiles = { .method = "GET",
                                     .path = "/api/v1/groups/{}/assignments",
                                     .options = limit,
                                     .columns = "id name type platform mode",
                                     .show = API_LIST };

static enum err assign_list_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    bool of_group = argc > 1 && strcmp(argv[1], "--group") == 0;
    return of_group ? api_run(&profiles, cli, argc - 1, argv + 1, why)
                    : api_run(&groups, cli, argc, argv, why);
}
