/* SPDX-License-Identifier: Apache-2.0 */
/* chancery user: the people of the directory. */
#include "cli/api.h"

#define ATTRIBUTES                                                                                           \
    "[--name NAME] [--email ADDRESS] [--distinguished-name DN] [--sam-name NAME]\n"                          \
    "       [--sid SID] [--enabled true|false]"
#define USERS  "/api/v1/users"
#define A_USER USERS "/{}"

static const struct api_option attributes[] = { { .name = "name" },
                                                { .name = "email" },
                                                { .name = "distinguished-name" },
                                                { .name = "sam-name" },
                                                { .name = "sid" },
                                                { .name = "enabled", .kind = API_FLAG },
                                                { 0 } };
static const struct api_option changes[] = { { .name = "upn" },
                                             { .name = "name" },
                                             { .name = "email" },
                                             { .name = "distinguished-name" },
                                             { .name = "sam-name" },
                                             { .name = "sid" },
                                             { .name = "enabled", .kind = API_FLAG },
                                             { 0 } };
static const struct api_option filters[] = { { .name = "starts" },
                                             { .name = "enabled", .kind = API_FLAG },
                                             { .name = "email" },
                                             { .name = "source" },
                                             { .name = "deleted", .kind = API_SWITCH, .value = "true" },
                                             { .name = "limit", .kind = API_COUNT },
                                             { 0 } };
static const struct api_option dry[] = { { .name = "dry-run", .kind = API_SWITCH, .value = "true" }, { 0 } };

API_COMMAND(user_add, "user", "add", "UPN " ATTRIBUTES, "add a user to the directory", .method = "POST",
            .path = USERS, .operand = "upn", .options = attributes, .show = API_OBJECT)
API_COMMAND(user_list, "user", "list",
            "[--starts TEXT] [--enabled true|false] [--email ADDRESS] [--source local|import|directory] "
            "[--deleted] [--limit N]",
            "list users", .method = "GET", .path = USERS, .options = filters,
            .columns = "id upn name enabled source", .show = API_LIST)
API_COMMAND(user_show, "user", "show", "USER", "show a user, named by UPN or id", .method = "GET",
            .path = A_USER, .show = API_OBJECT)
API_COMMAND(user_set, "user", "set", "USER [--upn UPN] " ATTRIBUTES,
            "change a user; an empty value removes it", .method = "PATCH", .path = A_USER, .options = changes,
            .show = API_OBJECT)
API_COMMAND(user_disable, "user", "disable", "USER", "disable a user's account", .method = "PATCH",
            .path = A_USER, .body = "{\"enabled\":false}", .show = API_OBJECT)
API_COMMAND(user_enable, "user", "enable", "USER", "enable a user's account again", .method = "PATCH",
            .path = A_USER, .body = "{\"enabled\":true}", .show = API_OBJECT)
API_COMMAND(user_delete, "user", "delete", "USER", "delete a user; what certificates they had stays known",
            .method = "DELETE", .path = A_USER)
API_COMMAND(user_import, "user", "import", "FILE [--dry-run]", "add all users of a CSV or JSON file, or none",
            .method = "POST", .path = USERS "/import", .options = dry, .show = API_IMPORTED)
API_COMMAND(user_groups, "user", "groups", "USER",
            "list the groups that a user is in, directly or by other groups", .method = "GET",
            .path = A_USER "/groups", .columns = "id name kind source", .show = API_LIST)
