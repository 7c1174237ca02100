/* SPDX-License-Identifier: Apache-2.0 */
/* chancery password: the challenges that devices present. `new` makes a one-time one; `set` keeps the static
   one of an endpoint, as a keyed digest only. */
#include "cli/ask.h"
#include "cli/passphrase.h"

#include "ca/bootstrap.h"
#include "cli/site.h"
#include <stdio.h>

ASK_COMMAND(password_new, "password", "new", "ENDPOINT", "make a one-time challenge password", .role = "ca",
            .verb = "password_new", .operands = { "endpoint" }, .show = ASK_FIELD, .field = "password")

static enum err password_set_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_password_set;
const struct command command_password_set = {
    .noun = "password",
    .verb = "set",
    .args = "ENDPOINT [--from FILE]",
    .help = "set an endpoint's static challenge password (asked for, or a line of standard input); reload "
            "afterwards",
    .run = password_set_run,
};

static enum err password_set_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    const char *from = NULL;
    if (argc == 4 && strcmp(argv[2], "--from") == 0)
        from = argv[3];
    else
        TRY(cli_operands(argc, 1, why));
    const struct config *config;
    TRY(cli_config(cli, &config, why));
    const struct config_section *endpoint = config_find(config, "endpoint", argv[1]);
    if (endpoint && strcmp(config_str(endpoint, "validator"), "static") != 0)
        return fail_remedy(
            why,
            "one-time passwords are made by chancery password new, and manual endpoints have none; for one "
            "that "
            "stays, set the endpoint's validator to \"static\" first",
            ERR_USAGE, "endpoint \"%s\" has validator \"%s\"; a password is set only where it is \"static\"",
            argv[1], config_str(endpoint, "validator"));
    struct secret password = { 0 };
    TRY(passphrase_read(from, "challenge password", &password, why));
    enum err err = static_password_set(config, argv[1], secret_bytes(&password), why);
    secret_free(&password);
    TRY(err);
    AUTO_STR name = xasprintf("static-%s", argv[1]);
    AUTO_STR path = config_secret_path(config, "ca", name);
    TRY(site_give(config, "ca", path, why));
    fprintf(stderr, "The digest is in %s. Make the daemon read it: systemctl reload chanceryd, or SIGHUP.\n",
            path);
    return OK;
}
