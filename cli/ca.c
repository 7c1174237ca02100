/* SPDX-License-Identifier: Apache-2.0 */
/* chancery ca flags: what is switched at a CA while it runs. "-EDITF_…" is no option, so this command reads its own operands. */
#include "cli/command.h"

static enum err flags_run(struct cli *cli, int argc, char **argv, struct why *why);

const struct command command_ca_flags = {
    .noun = "ca",
    .verb = "flags",
    .args = "[CA] [+EDITF_ATTRIBUTEENDDATE|-EDITF_ATTRIBUTEENDDATE]",
    .help = "show or switch the flags of a CA, at once: with EDITF_ATTRIBUTEENDDATE a request may ask for a "
            "shorter validity",
    .run = flags_run,
};

static enum err flags_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    AUTO_BUF body = { 0 }, answer = { 0 };
    const char *ca = NULL, *flag = NULL;
    for (int i = 1; i < argc; i++) {
        bool is_flag = argv[i][0] == '+' || argv[i][0] == '-';
        if (strncmp(argv[i], "--", 2) == 0 || (is_flag ? flag : ca))
            return fail(why, ERR_USAGE, "unexpected %s", argv[i]);
        *(is_flag ? &flag : &ca) = argv[i];
    }
    size_t mark = record_begin(&body);
    if (ca)
        record_put_str(&body, "ca", ca);
    if (flag)
        record_put_str(&body, "flag", flag);
    record_end(&body, mark);
    TRY(cli_call(cli, "ca", "ca_flags", buf_bytes(&body), &answer, why));
    return cli_print_record(cli, buf_bytes(&answer), why);
}
