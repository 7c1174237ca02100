/* SPDX-License-Identifier: Apache-2.0 */
/* Operands and options into a record, a role's answer onto the terminal. */
#include "cli/ask.h"

#include "base/encode.h"
#include "base/fault.h"
#include "cli/cert_file.h"
#include <stdio.h>

static enum err wrong_usage(const char *argument, struct why *why)
{
    return fail(why, ERR_USAGE, "%s%s", argument ? "unexpected " : "operand missing",
                argument ? argument : "");
}

static const char *option_named(const struct ask *ask, const char *argument)
{
    if (argument[0] != '-' || argument[1] != '-')
        return NULL;
    const char *name = argument + 2;
    for (size_t i = 0; i < ASK_FIELDS_MAX && ask->options[i]; i++) {
        if (strcmp(name, ask->options[i] + (ask->options[i][0] == '@')) == 0)
            return ask->options[i];
    }
    return NULL;
}

static enum err option_put(const char *option, const char *value, struct buf *body, struct why *why)
{
    AUTO_VAL(cert_file) file = { 0 };
    AUTO_BUF text = { 0 };
    if (*option != '@') {
        record_put_str(body, option, value);
        return OK;
    }
    TRY(cert_file_read(value, &file, why));
    if (file.count != 1)
        return fail(why, ERR_USAGE, "%s holds %zu certificates, wanted one", value, file.count);
    base64_append(&text, buf_bytes(&file.ders[0]));
    record_put(body, option + 1, buf_bytes(&text));
    return OK;
}

static enum err fields_put(const struct ask *ask, int argc, char **argv, struct buf *body, struct why *why)
{
    size_t operand = 0;
    for (int i = 1; i < argc; i++) {
        const char *option = option_named(ask, argv[i]);
        if (option) {
            if (++i == argc)
                return wrong_usage(NULL, why);
            TRY(option_put(option, argv[i], body, why));
            continue;
        }
        bool more = operand < ASK_FIELDS_MAX && ask->operands[operand];
        const char *equals = ask->pairs && !more ? strchr(argv[i], '=') : NULL;
        if (equals) {
            AUTO_STR name = xstrndup(argv[i], (size_t)(equals - argv[i]));
            record_put_str(body, name, equals + 1);
            continue;
        }
        if (argv[i][0] == '-' || !more)
            return wrong_usage(argv[i], why);
        const char *name = ask->operands[operand++];
        record_put_str(body, *name == '?' ? name + 1 : name, argv[i]);
    }
    bool missing = operand < ASK_FIELDS_MAX && ask->operands[operand] && *ask->operands[operand] != '?';
    return missing ? wrong_usage(NULL, why) : OK;
}

/* Of what is given twice only the first would count, and nobody be told: "name=x" beside the operand NAME among it. */
static enum err fields_check(struct bytes body, struct why *why)
{
    struct record record;
    struct record_field field;
    struct bytes first;
    if (record_get(body, &record, NULL) != OK)
        return fail(why, ERR_USAGE, "an argument is no text in UTF-8");
    for (struct record rest = record; record_next_field(&rest, &field);) {
        AUTO_STR name = xstrndup((const char *)field.name.data, field.name.len);
        if (record_find(&record, name, &first) && first.data != field.value.data && !FAULT(given_twice))
            return fail(why, ERR_USAGE, "%s is given twice", name);
    }
    return OK;
}

enum err ask_run(const struct ask *ask, struct cli *cli, int argc, char **argv, struct why *why)
{
    AUTO_BUF body = { 0 };
    AUTO_BUF answer = { 0 };
    size_t mark = record_begin(&body);
    TRY(fields_put(ask, argc, argv, &body, why));
    record_end(&body, mark);
    TRY(fields_check(buf_bytes(&body), why));
    TRY(cli_call(cli, ask->role, ask->verb, buf_bytes(&body), &answer, why));
    switch (ask->show) {
    case ASK_LIST:
        return cli_print_list(cli, buf_bytes(&answer), why);
    case ASK_RECORDS:
        if (!cli_is_record(buf_bytes(&answer)))
            return cli_print_list(cli, buf_bytes(&answer), why);
        return cli_print_record(cli, buf_bytes(&answer), why);
    case ASK_RECORD:
        return cli_print_record(cli, buf_bytes(&answer), why);
    case ASK_JSON:
        cli->json = true;
        return cli_print_record(cli, buf_bytes(&answer), why);
    case ASK_FIELD:
        break;
    }
    return cli_print_field(cli, buf_bytes(&answer), ask->field, why);
}
