/* SPDX-License-Identifier: Apache-2.0 */
/* chancery status: each role on this host, whether it answers, and what it says of itself. */
#include "cli/status.h"

#include <assert.h>
#include <stdio.h>

static const char *const asked[] = { "ca", "scep", "va" };

const struct status_end status_ends[] = {
    { "ca_expires", "ca", "ca" },
    { "root_not_after", "root", "endpoint" },
    { "ra_not_after", "ra", "endpoint" },
    { "tls_not_after", "tls", NULL },
    { "ocsp_not_after", "ocsp", "ca" },
    { "crl_not_after", "crl", "file" },
    { "certificate_not_after", "certificate", "file" },
    { NULL, NULL, NULL },
};

static bool runs_here(const struct config *config, const char *role)
{
    const struct config_section *top = config_top(config);
    for (size_t i = 0; i < config_list_count(top, "roles"); i++) {
        if (strcmp(config_list_at(top, "roles", i), role) == 0)
            return true;
    }
    return false;
}

static void role_ask(struct cli *cli, struct role_status *status, const char *role, const char *verb)
{
    AUTO_BUF question = { 0 };
    struct der_reader list;
    record_end(&question, record_begin(&question));
    status->err = cli_call(cli, role, verb, buf_bytes(&question), &status->answer, &status->why);
    if (status->err == OK)
        status->err = records_get(buf_bytes(&status->answer), &list, &status->why);
}

/* signer answers to ca alone, which passes it on. */
static void role_add(struct cli *cli, struct statuses *statuses, const char *role)
{
    bool signer = strcmp(role, "signer") == 0;
    assert(statuses->count < STATUS_ROLES_MAX);
    struct role_status *status = &statuses->of[statuses->count++];
    status->role = role;
    role_ask(cli, status, signer ? "ca" : role, signer ? "signer_status" : "status");
    statuses->down += status->err != OK;
}

enum err statuses_ask(struct cli *cli, struct statuses *ret, struct why *why)
{
    const struct config *config;
    TRY(cli_config(cli, &config, why));
    *ret = (struct statuses){ 0 };
    for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
        if (!runs_here(config, asked[i]))
            continue;
        role_add(cli, ret, asked[i]);
    }
    return OK;
}

void statuses_free(struct statuses *statuses)
{
    for (size_t i = 0; i < statuses->count; i++)
        buf_free(&statuses->of[i].answer);
    *statuses = (struct statuses){ 0 };
}

static void record_append(struct record record, struct buf *out)
{
    struct record_field field;
    while (record_next_field(&record, &field)) {
        buf_printf(out, "%s%.*s=%.*s", out->len ? " " : "", (int)field.name.len,
                   (const char *)field.name.data, (int)field.value.len, (const char *)field.value.data);
    }
}

static void role_put(const struct role_status *status, struct buf *list)
{
    AUTO_BUF detail = { 0 };
    struct der_reader said;
    struct record record;
    if (status->err == OK && records_get(buf_bytes(&status->answer), &said, NULL) == OK) {
        while (records_next(&said, &record))
            record_append(record, &detail);
    }
    size_t mark = record_begin(list);
    record_put_str(list, "role", status->role);
    record_put_str(list, "state", status->err == OK ? "serving" : "unreachable");
    record_put_str(list, "detail", status->err == OK ? buf_text(&detail) : status->why.text);
    record_end(list, mark);
}

static enum err status_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_status;
const struct command command_status = {
    .noun = "status", .verb = "", .args = "", .help = "show which roles serve", .run = status_run
};

static enum err status_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    (void)argv;
    AUTO_VAL(statuses) statuses = { 0 };
    AUTO_BUF list = { 0 };
    TRY(cli_operands(&command_status, argc, 0, why));
    TRY(statuses_ask(cli, &statuses, why));
    if (runs_here(cli->config, "signer"))
        role_add(cli, &statuses, "signer");
    size_t mark = records_begin(&list);
    for (size_t i = 0; i < statuses.count; i++)
        role_put(&statuses.of[i], &list);
    records_end(&list, mark);
    TRY(cli_print_list(cli, buf_bytes(&list), why));
    return statuses.down ? fail(why, ERR_UNAVAILABLE, "not every role answers") : OK;
}
