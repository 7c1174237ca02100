/* SPDX-License-Identifier: Apache-2.0 */
/* chancery directory: the LDAP servers that users and groups come from. */
#include "cli/api.h"

#include "base/clock.h"
#include <getopt.h>
#include <jansson.h>
#include <time.h>

#define DIRECTORIES "/api/v1/directories"
#define POLL_MS     250

API_COMMAND(directory_list, "directory", "list", "", "list the directories that users and groups come from",
            .method = "GET", .path = DIRECTORIES,
            .columns = "name schema outcome succeeded_at next_at running", .show = API_ITEMS)
API_COMMAND(directory_show, "directory", "show", "NAME",
            "show how a directory's last run went, its counts, and what of it is refused", .method = "GET",
            .path = DIRECTORIES "/{}", .show = API_OBJECT)

static enum err directory_sync_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_directory_sync;
const struct command command_directory_sync = {
    .noun = "directory",
    .verb = "sync",
    .args = "[NAME] [--full] [--allow-deletions] [--no-wait]",
    .help = "read a directory, or all of them, at once; --full reads all of it, --allow-deletions also lets "
            "go what was "
            "held",
    .run = directory_sync_run,
};

struct sync {
    bool full, allow_deletions, no_wait;
    const char *name;
};

static enum err options_read(int argc, char **argv, struct sync *ret, struct why *why)
{
    static const struct option options[] = { { "full", no_argument, NULL, 'f' },
                                             { "allow-deletions", no_argument, NULL, 'd' },
                                             { "no-wait", no_argument, NULL, 'n' },
                                             { 0 } };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == '?')
            return fail(why, ERR_USAGE, "unknown or incomplete option %s", argv[optind - 1]);
        ret->full |= option == 'f';
        ret->allow_deletions |= option == 'd';
        ret->no_wait |= option == 'n';
    }
    if (argc - optind > 1)
        return fail(why, ERR_USAGE, "unexpected %s", argv[optind + 1]);
    ret->name = argv[optind];
    return OK;
}

static char *path_of(const char *name, const char *behind)
{
    AUTO_BUF path = { 0 };
    buf_append_str(&path, DIRECTORIES "/");
    api_encode(&path, name);
    buf_append_str(&path, behind);
    return xstrdup(buf_text(&path));
}

static enum err get(struct cli *cli, const char *path, json_t **ret, struct why *why)
{
    const struct api_message message = { "GET", bytes_str(path), BYTES_NONE, BYTES_NONE };
    return api_call(cli, &message, ret, why);
}

/* The request's number, for who waits for it. */
static enum err ask(struct cli *cli, const struct sync *sync, const char *name, json_int_t *ret,
                    struct why *why)
{
    AUTO_STR path = path_of(name, "/sync");
    AUTO_STR body = xasprintf("{\"full\":%s,\"allow_deletions\":%s}", sync->full ? "true" : "false",
                              sync->allow_deletions ? "true" : "false");
    const struct api_message message = { "POST", bytes_str(path), BYTES_LIT("application/json"),
                                         bytes_str(body) };
    json_t *answer = NULL;
    TRY(api_call(cli, &message, &answer, why));
    *ret = json_integer_value(json_object_get(answer, "request"));
    json_decref(answer);
    return OK;
}

static enum err wait_for(struct cli *cli, const char *name, json_int_t request, json_t **ret, struct why *why)
{
    AUTO_STR path = path_of(name, "");
    for (;;) {
        const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
        json_t *answer = NULL;
        TRY(get(cli, path, &answer, why));
        if (json_integer_value(json_object_get(answer, "done")) >= request) {
            *ret = answer;
            return OK;
        }
        json_decref(answer);
        (void)nanosleep(&pause, NULL);
    }
}

/* It is shown however it went; a failure is also the command's. */
static enum err outcome(struct cli *cli, const char *name, const json_t *answer, struct why *why)
{
    const char *text = json_string_value(json_object_get(answer, "outcome"));
    const char *detail = json_string_value(json_object_get(answer, "detail"));
    json_int_t held = json_integer_value(json_object_get(json_object_get(answer, "counts"), "held"));
    api_show_object(cli, answer);
    if (text && strcmp(text, "succeeded") == 0)
        return OK;
    if (text && strcmp(text, "held") == 0)
        return fail_remedy(why,
                           "see whether the server has lost them; if they are to go: chancery directory sync "
                           "NAME --allow-deletions",
                           ERR_PARTIAL, "directory %s: %lld deletions and memberships are held", name,
                           (long long)held);
    return fail(why, ERR_UNAVAILABLE, "directory %s: %s", name, detail ? detail : "");
}

static enum err sync_one(struct cli *cli, const struct sync *sync, const char *name, struct why *why)
{
    json_int_t request = 0;
    json_t *answer = NULL;
    TRY(ask(cli, sync, name, &request, why));
    if (sync->no_wait)
        return OK;
    TRY(wait_for(cli, name, request, &answer, why));
    enum err err = outcome(cli, name, answer, why);
    json_decref(answer);
    return err;
}

/* Each of them, whatever becomes of the others; the first error is the command's. */
static enum err sync_all(struct cli *cli, const struct sync *sync, struct why *why)
{
    json_t *answer = NULL, *item;
    size_t index;
    enum err first = OK;
    TRY(get(cli, DIRECTORIES, &answer, why));
    json_array_foreach(json_object_get(answer, "items"), index, item)
    {
        struct why inner = { 0 };
        enum err err = sync_one(cli, sync, json_string_value(json_object_get(item, "name")), &inner);
        if (err != OK && first == OK) {
            first = err;
            *why = inner;
        }
    }
    bool none = json_array_size(json_object_get(answer, "items")) == 0;
    json_decref(answer);
    return none ? fail(why, ERR_NOT_FOUND, "the configuration has no directory") : first;
}

static enum err directory_sync_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    struct sync sync = { 0 };
    TRY(options_read(argc, argv, &sync, why));
    return sync.name ? sync_one(cli, &sync, sync.name, why) : sync_all(cli, &sync, why);
}
