/* SPDX-License-Identifier: Apache-2.0 */
/* chancery group: groups of users and of devices, and who is in them. */
#include "cli/api.h"

#define GROUPS  "/api/v1/groups"
#define A_GROUP GROUPS "/{}"

static const struct api_option attributes[] = { { .name = "kind" }, { .name = "description" }, { 0 } };
static const struct api_option changes[] = { { .name = "name" }, { .name = "description" }, { 0 } };
static const struct api_option filters[] = { { .name = "starts" },
                                             { .name = "kind" },
                                             { .name = "deleted", .kind = API_SWITCH, .value = "true" },
                                             { .name = "limit", .kind = API_COUNT },
                                             { 0 } };
static const struct api_option nested[] = { { .name = "groups", .kind = API_SWITCH, .value = "true" },
                                            { .name = "limit", .kind = API_COUNT },
                                            { 0 } };
static const struct api_option added[] = {
    { .name = "group", .kind = API_SWITCH, .member = "kind", .value = "group" }, { 0 }
};
static const struct api_option removed[] = {
    { .name = "group", .kind = API_SWITCH, .member = "groups", .value = "true" }, { 0 }
};

API_COMMAND(group_add, "group", "add", "NAME --kind user|device [--description TEXT]",
            "make a group of users or of devices", .method = "POST", .path = GROUPS, .operand = "name",
            .options = attributes, .show = API_OBJECT)
API_COMMAND(group_list, "group", "list", "[--starts TEXT] [--kind user|device] [--deleted] [--limit N]",
            "list groups", .method = "GET", .path = GROUPS, .options = filters,
            .columns = "id name kind source description", .show = API_LIST)
API_COMMAND(group_show, "group", "show", "GROUP", "show a group, named by its name or id", .method = "GET",
            .path = A_GROUP, .show = API_OBJECT)
API_COMMAND(group_set, "group", "set", "GROUP [--name NAME] [--description TEXT]", "change a group",
            .method = "PATCH", .path = A_GROUP, .options = changes, .show = API_OBJECT)
API_COMMAND(group_delete, "group", "delete", "GROUP", "delete a group; its members stay", .method = "DELETE",
            .path = A_GROUP)
API_COMMAND(group_members, "group", "members", "GROUP [--groups] [--limit N]",
            "list the users or devices in a group, or the groups in it", .method = "GET",
            .path = A_GROUP "/members", .options = nested, .columns = "id upn name kind platform serial",
            .show = API_LIST)
API_COMMAND(group_groups, "group", "groups", "GROUP",
            "list the groups that a group is in, directly or by other groups", .method = "GET",
            .path = A_GROUP "/groups", .columns = "id name kind source", .show = API_LIST)

/* "group member add" and "group member remove" */
static enum err group_member_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_group_member;
const struct command command_group_member = {
    .noun = "group",
    .verb = "member",
    .args = "add|remove GROUP USER|DEVICE|GROUP [--group]",
    .help = "put a user or device, or with --group a group, into a group, or take it out",
    .run = group_member_run,
};
static const struct api member_added = {
    .method = "POST", .path = A_GROUP "/members", .operand = "member", .options = added
};
static const struct api member_removed = { .method = "DELETE",
                                           .path = A_GROUP "/members/{}",
                                           .options = removed };

static enum err group_member_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    if (argc > 1 && strcmp(argv[1], "add") == 0)
        return api_run(&member_added, cli, argc - 1, argv + 1, why);
    if (argc > 1 && strcmp(argv[1], "remove") == 0)
        return api_run(&member_removed, cli, argc - 1, argv + 1, why);
    return fail(why, ERR_USAGE, "neither add nor remove: chancery group member %s",
                command_group_member.args);
}
