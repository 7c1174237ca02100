/* SPDX-License-Identifier: Apache-2.0 */
/* chancery admin and apitoken: who signs in over HTTPS, and what their programs show. Passwords come from a terminal or a private file, never from
   the command line. */
#include "cli/api.h"
#include "cli/passphrase.h"

#include <jansson.h>

#define ADMINS    "/api/v1/administrators"
#define AN_ADMIN  ADMINS "/{}"
#define APITOKENS "/api/v1/apitokens"

static const struct api_option attributes[] = {
    { .name = "roles" }, { .name = "display-name" }, { .name = "enabled", .kind = API_FLAG }, { 0 }
};
static const struct api_option filters[] = { { .name = "starts" },
                                             { .name = "enabled", .kind = API_FLAG },
                                             { .name = "deleted", .kind = API_SWITCH, .value = "true" },
                                             { .name = "limit", .kind = API_COUNT },
                                             { 0 } };
static const struct api_option token_wanted[] = { { .name = "admin", .member = "administrator" },
                                                  { .name = "roles" },
                                                  { .name = "days", .kind = API_NUMBER },
                                                  { 0 } };
static const struct api_option token_filters[] = {
    { .name = "admin", .member = "administrator" },
    { .name = "revoked", .kind = API_SWITCH, .member = "deleted", .value = "true" },
    { .name = "limit", .kind = API_COUNT },
    { 0 }
};

API_COMMAND(admin_add, "admin", "add",
            "NAME --roles ROLE[,ROLE...] [--display-name TEXT] [--enabled true|false]",
            "add an administrator, who signs in over HTTPS once admin password has been run",
            .method = "POST", .path = ADMINS, .operand = "name", .options = attributes, .show = API_OBJECT)
API_COMMAND(admin_list, "admin", "list", "[--starts TEXT] [--enabled true|false] [--deleted] [--limit N]",
            "list administrators", .method = "GET", .path = ADMINS, .options = filters,
            .columns = "id name roles enabled password_set_at", .show = API_LIST)
API_COMMAND(admin_show, "admin", "show", "NAME", "show an administrator", .method = "GET", .path = AN_ADMIN,
            .show = API_OBJECT)
API_COMMAND(admin_set, "admin", "set",
            "NAME [--roles ROLE[,ROLE...]] [--display-name TEXT] [--enabled true|false]",
            "change an administrator; with other roles their sessions end", .method = "PATCH",
            .path = AN_ADMIN, .options = attributes, .show = API_OBJECT)
API_COMMAND(admin_disable, "admin", "disable", "NAME", "let an administrator in no more; their sessions end",
            .method = "PATCH", .path = AN_ADMIN, .body = "{\"enabled\":false}", .show = API_OBJECT)
API_COMMAND(admin_enable, "admin", "enable", "NAME", "let an administrator in again", .method = "PATCH",
            .path = AN_ADMIN, .body = "{\"enabled\":true}", .show = API_OBJECT)
API_COMMAND(admin_delete, "admin", "delete", "NAME", "delete an administrator", .method = "DELETE",
            .path = AN_ADMIN)

API_COMMAND(apitoken_add, "apitoken", "add", "NAME --admin NAME --roles ROLE[,ROLE...] [--days N]",
            "make a token that a program shows in an administrator's stead; it is shown this once",
            .method = "POST", .path = APITOKENS, .operand = "name", .options = token_wanted,
            .show = API_OBJECT)
API_COMMAND(apitoken_list, "apitoken", "list", "[--admin ID] [--revoked] [--limit N]",
            "list API tokens, without what they are", .method = "GET", .path = APITOKENS,
            .options = token_filters, .columns = "id name administrator roles expires_at", .show = API_LIST)
API_COMMAND(apitoken_revoke, "apitoken", "revoke", "NAME", "end an API token, named by its id or name",
            .method = "DELETE", .path = APITOKENS "/{}")

/* --- passwords --- */

static enum err password_send(struct cli *cli, const char *name, struct bytes password, struct why *why)
{
    AUTO_BUF target = { 0 };
    json_t *answer = NULL, *body = json_object(),
           *text = json_stringn((const char *)password.data, password.len);
    if (!text) {
        json_decref(body);
        return fail(why, ERR_USAGE, "the password is no text in UTF-8");
    }
    json_object_set_new(body, "password", text);
    char *line = json_dumps(body, JSON_COMPACT);
    buf_append_str(&target, ADMINS "/");
    api_encode(&target, name);
    buf_append_str(&target, "/password");
    const struct api_message message = { "PUT", buf_bytes(&target), BYTES_LIT("application/json"),
                                         bytes_str(line) };
    enum err err = api_call(cli, &message, &answer, why);
    secret_wipe(line, strlen(line));
    free(line);
    json_decref(body);
    json_decref(answer);
    return err;
}

static enum err admin_password_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    const char *from = NULL;
    struct secret password = { 0 };
    if (argc == 4 && strcmp(argv[2], "--from") == 0)
        from = argv[3];
    else
        TRY(cli_operands(argc, 1, why));
    TRY(passphrase_read(from, "password", &password, why));
    enum err err = password_send(cli, argv[1], secret_bytes(&password), why);
    secret_free(&password);
    return err;
}

extern const struct command command_admin_password;
const struct command command_admin_password = {
    .noun = "admin",
    .verb = "password",
    .args = "NAME [--from FILE]",
    .help = "give an administrator a password of 12 to 128 characters; their sessions end",
    .run = admin_password_run,
};
