/* SPDX-License-Identifier: Apache-2.0 */
/* chancery status: each role on this host, whether it answers, and what it says of itself. */
#include "cli/status.h"
#include "cli/call.h"

#include <assert.h>
#include <stdio.h>

#define STATUS_TIMEOUT_MS 5000 /* of all of them: they are asked at the same time */

const struct status_end status_ends[] = {
    { "ca_expires", "ca", "ca" },
    { "root_not_after", "root", "endpoint" },
    { "ra_not_after", "ra", "endpoint" },
    { "tls_not_after", "tls", NULL },
    { "ocsp_not_after", "ocsp", "ca" },
    { "crl_not_after", "crl", "file" },
    { "certificate_not_after", "certificate", "file" },
    { "crp_not_after", "crp", NULL },
    { NULL, NULL, NULL },
};

bool role_runs_here(const struct config *config, const char *role)
{
    const struct config_section *top = config_top(config);
    for (size_t i = 0; i < config_list_count(top, "roles"); i++) {
        if (strcmp(config_list_at(top, "roles", i), role) == 0)
            return true;
    }
    return false;
}

static void role_put_question(struct statuses *statuses, struct cli_question *questions, const char *role,
                              struct bytes body)
{
    bool signer = strcmp(role, "signer") == 0; /* it answers to ca alone, which passes it on */
    assert(statuses->count < STATUS_ROLES_MAX);
    questions[statuses->count] = (struct cli_question){ .role = signer ? "ca" : role,
                                                        .verb = signer ? "signer_status" : "status",
                                                        .body = body,
                                                        .timeout_ms = STATUS_TIMEOUT_MS };
    statuses->of[statuses->count++].role = role;
}

static void role_take_answer(struct statuses *statuses, struct role_status *status,
                             const struct cli_question *question)
{
    struct der_reader list;
    status->err = question->err;
    status->why = question->why;
    status->answer = question->answer;
    if (status->err == OK)
        status->err = records_get(buf_bytes(&status->answer), &list, &status->why);
    if (status->err != OK && statuses->down++ == 0)
        statuses->first_down = status;
}

static enum err all_ask(struct cli *cli, const char *const *roles, struct statuses *ret, struct why *why)
{
    struct cli_question questions[STATUS_ROLES_MAX];
    const struct config *config;
    AUTO_BUF body = { 0 };
    *ret = (struct statuses){ 0 };
    TRY(cli_config(cli, &config, why));
    record_end(&body, record_begin(&body));
    for (; *roles; roles++) {
        if (role_runs_here(config, *roles))
            role_put_question(ret, questions, *roles, buf_bytes(&body));
    }
    TRY(cli_ask(cli, questions, ret->count, why));
    for (size_t i = 0; i < ret->count; i++)
        role_take_answer(ret, &ret->of[i], &questions[i]);
    return OK;
}

enum err statuses_ask(struct cli *cli, struct statuses *ret, struct why *why)
{
    return all_ask(cli, (const char *const[]){ "ca", "scep", "va", "mdm", NULL }, ret, why);
}

enum err statuses_fail(const struct statuses *statuses, enum err err, struct why *why)
{
    const struct role_status *first = statuses->first_down;
    if (first->err == ERR_NOT_AUTHORISED) {
        *why = first->why;
        return first->err;
    }
    return fail_remedy(why, first->why.remedy, err, "%zu of %zu roles do not answer, among them %s: %s",
                       statuses->down, statuses->count, first->role, first->why.text);
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
    TRY(cli_operands(argc, 0, why));
    TRY(all_ask(cli, (const char *const[]){ "ca", "scep", "va", "mdm", "signer", NULL }, &statuses, why));
    size_t mark = records_begin(&list);
    for (size_t i = 0; i < statuses.count; i++)
        role_put(&statuses.of[i], &list);
    records_end(&list, mark);
    TRY(cli_print_list(cli, buf_bytes(&list), why));
    return statuses.down ? statuses_fail(&statuses, ERR_UNAVAILABLE, why) : OK;
}
