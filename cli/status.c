/* SPDX-License-Identifier: Apache-2.0 */
/* chancery status: each role on this host, whether it answers, and what it says of itself. */
#include "cli/command.h"

#include <stdio.h>

static const char *const asked[] = { "ca", "scep", "va" }; /* signer answers to ca alone */

static void record_append(struct record record, struct buf *out)
{
    struct record_field field;
    while (record_next_field(&record, &field)) {
        buf_printf(out, "%s%.*s=%.*s", out->len ? " " : "", (int)field.name.len,
                   (const char *)field.name.data, (int)field.value.len, (const char *)field.value.data);
    }
}

static enum err role_put(struct cli *cli, const char *role, struct buf *list)
{
    struct why why = { 0 };
    AUTO_BUF question = { 0 };
    AUTO_BUF answer = { 0 };
    AUTO_BUF detail = { 0 };
    struct der_reader said;
    struct record record;
    record_end(&question, record_begin(&question));
    enum err err = cli_call(cli, role, "status", buf_bytes(&question), &answer, &why);
    if (err == OK)
        err = records_get(buf_bytes(&answer), &said, &why);
    while (err == OK && records_next(&said, &record))
        record_append(record, &detail);
    size_t mark = record_begin(list);
    record_put_str(list, "role", role);
    record_put_str(list, "state", err == OK ? "serving" : "unreachable");
    record_put_str(list, "detail", err == OK ? buf_text(&detail) : why.text);
    record_end(list, mark);
    return err;
}

static enum err status_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_status;
const struct command command_status = {
    .noun = "status", .verb = "", .args = "", .help = "show which roles serve", .run = status_run
};

static enum err status_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    (void)argv;
    TRY(cli_operands(&command_status, argc, 0, why));
    const struct config *config;
    TRY(cli_config(cli, &config, why));
    AUTO_BUF list = { 0 };
    size_t mark = records_begin(&list);
    enum err worst = OK;
    for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
        const struct config_section *top = config_top(config);
        for (size_t r = 0; r < config_list_count(top, "roles"); r++) {
            if (strcmp(config_list_at(top, "roles", r), asked[i]) != 0)
                continue;
            enum err err = role_put(cli, asked[i], &list);
            worst = err == OK ? worst : err;
        }
    }
    records_end(&list, mark);
    TRY(cli_print_list(cli, buf_bytes(&list), why));
    return worst == OK ? OK : fail(why, ERR_UNAVAILABLE, "not every role answers");
}
