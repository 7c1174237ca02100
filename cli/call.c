/* SPDX-License-Identifier: Apache-2.0 */
/* What every command needs: the configuration, a role's answer, the number of its operands. */
#include "cli/command.h"

#include "base/limits.h"
#include "ipc/channel.h"

#define CALL_TIMEOUT_MS 30000

enum err cli_config(struct cli *cli, const struct config **ret, struct why *why)
{
    if (!cli->config)
        TRY(config_load(cli->config_path, &cli->config, why));
    *ret = cli->config;
    return OK;
}

enum err cli_call_within(struct cli *cli, const char *role, const char *verb, struct bytes body,
                         int timeout_ms, struct buf *ret_answer, struct why *why)
{
    const struct config *config;
    TRY(cli_config(cli, &config, why));
    AUTO_STR path = config_socket_path(config, role, "cli");
    const struct channel_config channel_config = {
        .path = path, .fd = -1, .principal = "cli", .max_frame = LIMIT_CRL_FRAME_BYTES
    };
    AUTO(channel) channel = NULL;
    TRY(channel_new(&channel_config, &channel, why));
    return channel_call(channel, verb, body, timeout_ms, ret_answer, why);
}

enum err cli_call(struct cli *cli, const char *role, const char *verb, struct bytes body,
                  struct buf *ret_answer, struct why *why)
{
    return cli_call_within(cli, role, verb, body, CALL_TIMEOUT_MS, ret_answer, why);
}

enum err cli_operands(const struct command *command, int argc, int count, struct why *why)
{
    if (argc - 1 == count)
        return OK;
    return fail(why, ERR_USAGE, "%d operands given, %d wanted: chancery %s %s %s", argc - 1, count,
                command->noun, command->verb, command->args);
}
