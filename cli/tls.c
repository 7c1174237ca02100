/* SPDX-License-Identifier: Apache-2.0 */
/* chancery tls: the certificates of the HTTPS listeners. */
#include "cli/status.h"

static const char *const tls_roles[] = { "scep", "mdm" };
#define TLS_ROLES (sizeof(tls_roles) / sizeof(*tls_roles))

/* Of a role, or NULL for each one here: the records of all answers, in one list. */
static enum err ask(struct cli *cli, const char *verb, const char *role, struct buf *ret, struct why *why)
{
    const struct config *config;
    AUTO_BUF body = { 0 };
    TRY(cli_config(cli, &config, why));
    record_end(&body, record_begin(&body));
    size_t list = records_begin(ret);
    for (size_t i = 0; i < TLS_ROLES; i++) {
        AUTO_BUF answer = { 0 };
        struct der_reader in, records;
        if (role ? strcmp(role, tls_roles[i]) != 0 : !role_runs_here(config, tls_roles[i]))
            continue;
        TRY(cli_call(cli, tls_roles[i], verb, buf_bytes(&body), &answer, why));
        in = der_reader_over(buf_bytes(&answer));
        if (!der_get_sequence(&in, &records))
            return fail(why, ERR_PROTOCOL, "%s answers %s with something else than a list", tls_roles[i],
                        verb);
        buf_append(ret, records.rest);
    }
    records_end(ret, list);
    return OK;
}

static enum err run(struct cli *cli, const char *verb, int argc, char **argv, struct why *why)
{
    AUTO_BUF list = { 0 };
    if (argc > 2)
        return fail(why, ERR_USAGE, "unexpected %s", argv[2]);
    if (argc == 2 && strcmp(argv[1], "scep") != 0 && strcmp(argv[1], "mdm") != 0)
        return fail(why, ERR_USAGE, "%s has no TLS certificate; wanted: scep or mdm", argv[1]);
    TRY(ask(cli, verb, argc == 2 ? argv[1] : NULL, &list, why));
    return cli_print_list(cli, buf_bytes(&list), why);
}

static enum err tls_show_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    return run(cli, "tls_show", argc, argv, why);
}

static enum err tls_renew_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    return run(cli, "tls_renew", argc, argv, why);
}

extern const struct command command_tls_show, command_tls_renew;
const struct command command_tls_show = {
    .noun = "tls",
    .verb = "show",
    .args = "[ROLE]",
    .help = "show the TLS certificates of the HTTPS listeners, old generations too",
    .run = tls_show_run,
};
const struct command command_tls_renew = {
    .noun = "tls",
    .verb = "renew",
    .args = "[ROLE]",
    .help =
        "renew the TLS certificates of the HTTPS listeners now: new keys, the same names, in service at once",
    .run = tls_renew_run,
};
