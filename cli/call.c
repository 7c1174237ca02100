/* SPDX-License-Identifier: Apache-2.0 */
/* What every command needs: the configuration, a role's answer, the number of its operands. */
#include "cli/call.h"

#include "base/limits.h"
#include "ipc/channel.h"
#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#define CALL_TIMEOUT_MS 30000
#define HELLO_TIMEOUT_MS                                                                                     \
    3000 /* the supervisor holds the socket of a role that does not start: connecting says nothing */

enum err cli_config(struct cli *cli, const struct config **ret, struct why *why)
{
    if (!cli->config)
        TRY(config_load(cli->config_path, &cli->config, why));
    *ret = cli->config;
    return OK;
}

/* --- asking roles --- */

/* Whoever may not enter the folder of the socket is told who may. */
static enum err fail_forbidden(const struct config *config, const char *path, struct cli_question *question)
{
    AUTO_STR folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));
    bool system_mode = strcmp(config_str(config_top(config), "mode"), "system") == 0;
    struct stat info = { 0 };
    const struct passwd *owner = !system_mode && stat(folder, &info) == 0 ? getpwuid(info.st_uid) : NULL;
    const char *user = owner ? owner->pw_name : "root";
    return fail_remedy(&question->why, "run the command as that user, or as root", ERR_NOT_AUTHORISED,
                       "only %s%s may ask the role %s: this is uid %d, which may not enter %s", user,
                       strcmp(user, "root") == 0 ? "" : " or root", question->role, (int)geteuid(), folder);
}

/* A role that is not there, or not yet. */
static enum err fail_absent(struct cli_question *question)
{
    return fail_remedy(&question->why,
                       "the daemon's log says why: journalctl -u chanceryd, or wherever chanceryd's standard "
                       "error goes",
                       question->err, "%s", question->why.text);
}

static void on_answered(void *arg, enum err err, struct bytes body, const struct why *why)
{
    struct cli_question *question = arg;
    buf_append(&question->answer, body);
    await_end(&question->ended, err, why);
}

static void question_begin(struct cli_question *question, const char *path)
{
    const struct channel_config channel_config = { .path = path,
                                                   .fd = -1,
                                                   .principal = "cli",
                                                   .hello_ms = HELLO_TIMEOUT_MS,
                                                   .max_frame = LIMIT_CRL_FRAME_BYTES };
    question->err = channel_new(&channel_config, &question->channel, &question->why);
    if (question->err != OK)
        return;
    await_open(&question->ended);
    channel_submit(question->channel,
                   &(struct channel_request){ question->verb, question->body, question->timeout_ms,
                                              on_answered, question });
}

static void question_end(const struct config *config, struct cli_question *question, const char *path)
{
    if (question->channel)
        question->err = await_outcome(&question->ended, &question->why);
    channel_free(question->channel);
    question->channel = NULL;
    if (question->err == ERR_UNAVAILABLE && access(path, W_OK) != 0 && errno == EACCES)
        question->err = fail_forbidden(config, path, question);
    else if (question->err == ERR_UNAVAILABLE || question->err == ERR_TIMEOUT)
        question->err = fail_absent(question);
}

enum err cli_ask(struct cli *cli, struct cli_question *questions, size_t count, struct why *why)
{
    const struct config *config;
    TRY(cli_config(cli, &config, why));
    for (size_t i = 0; i < count; i++) {
        AUTO_STR path = config_socket_path(config, questions[i].role, "cli");
        question_begin(&questions[i], path);
    }
    for (size_t i = 0; i < count; i++) {
        AUTO_STR path = config_socket_path(config, questions[i].role, "cli");
        question_end(config, &questions[i], path);
    }
    return OK;
}

enum err cli_ask_one(struct cli *cli, struct cli_question *question, struct why *why)
{
    TRY(cli_ask(cli, question, 1, why));
    if (question->err == ERR_UNAVAILABLE || question->err == ERR_TIMEOUT)
        (void)fail_remedy(why, question->why.remedy, question->err, "role %s: %s", question->role,
                          question->why.text);
    else if (question->err != OK)
        *why = question->why;
    return question->err;
}

enum err cli_call(struct cli *cli, const char *role, const char *verb, struct bytes body,
                  struct buf *ret_answer, struct why *why)
{
    struct cli_question question = {
        .role = role, .verb = verb, .body = body, .timeout_ms = CALL_TIMEOUT_MS
    };
    TRY(cli_ask_one(cli, &question, why));
    *ret_answer = question.answer;
    return OK;
}

enum err cli_operands(int argc, int count, struct why *why)
{
    if (argc - 1 == count)
        return OK;
    return fail(why, ERR_USAGE, "%d operands given, %d wanted", argc - 1, count);
}
