/* SPDX-License-Identifier: Apache-2.0 */
/* chancery config show: every option with its value, default and place. */
#include "cli/command.h"

#include <stdio.h>

extern const struct command command_config_show;

static enum err config_show_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    (void)argv;
    TRY(cli_operands(argc, 0, why));
    const struct config *config;
    TRY(cli_config(cli, &config, why));
    AUTO_BUF text = { 0 };
    config_show(config, &text);
    fwrite(text.data, 1, text.len, stdout);
    return OK;
}

const struct command command_config_show = {
    .noun = "config",
    .verb = "show",
    .args = "",
    .help = "judge the configuration, show every option and where it is set",
    .run = config_show_run
};
