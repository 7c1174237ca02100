/* SPDX-License-Identifier: Apache-2.0 */
/* chancery ra: the certificates of the SCEP service. */
#include "cli/ask.h"

ASK_COMMAND(ra_show, "ra", "show", "", "show the RA certificates of every set, old generations too",
            .role = "scep", .verb = "ra_show", .show = ASK_LIST)

static enum err ra_renew_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_ra_renew;
const struct command command_ra_renew = {
    .noun = "ra",
    .verb = "renew",
    .args = "[SET] [--now]",
    .help = "renew RA certificates that are due, or with --now any: new keys under the old names, in service "
            "at once",
    .run = ra_renew_run,
};

static enum err ra_renew_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    const char *set = "", *now = "no";
    AUTO_BUF body = { 0 }, answer = { 0 };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--now") == 0)
            now = "yes";
        else if (argv[i][0] != '-' && !*set)
            set = argv[i];
        else
            return fail(why, ERR_USAGE, "unexpected %s", argv[i]);
    }
    size_t mark = record_begin(&body);
    record_put_str(&body, "set", set);
    record_put_str(&body, "now", now);
    record_end(&body, mark);
    TRY(cli_call(cli, "scep", "ra_renew", buf_bytes(&body), &answer, why));
    return cli_print_list(cli, buf_bytes(&answer), why);
}
