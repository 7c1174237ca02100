/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the administration API: as they are with --json, else through the tables that every command has. */
#include "cli/api.h"

#include <jansson.h>
#include <stdio.h>

static void nested_put(struct buf *out, const char *name, const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2));
    record_put_str(out, name, text ? text : "");
    free(text);
}

static void member_put(struct buf *out, const char *name, const json_t *value)
{
    if (json_is_string(value))
        record_put(out, name, bytes_of(json_string_value(value), json_string_length(value)));
    else if (json_is_boolean(value))
        record_put_str(out, name, json_is_true(value) ? "true" : "false");
    else if (json_is_integer(value))
        record_put_int(out, name, json_integer_value(value));
    else if (json_is_object(value) || json_is_array(value))
        nested_put(out, name, value);
    else
        record_put_str(out, name, "");
}

/* What it found, a line each. */
void api_findings_show(const json_t *findings, const char *before)
{
    size_t index;
    json_t *finding;
    json_array_foreach(findings, index, finding)
    {
        const char *field = json_string_value(json_object_get(finding, "field"));
        const char *got = json_string_value(json_object_get(finding, "got"));
        const char *rule = json_string_value(json_object_get(finding, "rule"));
        fprintf(stderr, "%s%s%s%s%s: %s\n", before, field ? field : "", got ? " is \"" : " is not there",
                got ? got : "", got ? "\"" : "", rule ? rule : "");
    }
}

void api_warn(const json_t *answer)
{
    api_findings_show(json_object_get(answer, "warnings"), "warning: ");
}

static void object_put(struct buf *out, const json_t *object)
{
    const char *name;
    json_t *value;
    size_t mark = record_begin(out);
    json_object_foreach((json_t *)object, name, value)
    {
        if (strcmp(name, "warnings") != 0) /* api_warn has said them */
            member_put(out, name, value);
    }
    record_end(out, mark);
}

void api_show_object(const struct cli *cli, const json_t *object)
{
    AUTO_BUF list = { 0 };
    struct why why;
    if (cli->json) {
        cli_print_json(json_incref((json_t *)object));
        return;
    }
    size_t mark = records_begin(&list);
    object_put(&list, object);
    records_end(&list, mark);
    if (cli_print_record(cli, buf_bytes(&list), &why) != OK)
        die("an own record cannot be shown: %s", why.text);
}

void api_show_text(const struct cli *cli, const json_t *object)
{
    const char *text = json_string_value(json_object_get(object, "text"));
    if (cli->json)
        cli_print_json(json_incref((json_t *)object));
    else
        printf("%s", text ? text : "");
}

static void row_put(struct buf *out, const json_t *item, const char *columns)
{
    size_t mark = record_begin(out);
    for (const char *at = columns; *at;) {
        AUTO_STR name = xstrndup(at, strcspn(at, " "));
        member_put(out, name, json_object_get(item, name));
        at += strlen(name);
        at += *at == ' ';
    }
    record_end(out, mark);
}

void api_show_list(const struct cli *cli, const json_t *items, const char *columns)
{
    AUTO_BUF list = { 0 };
    struct why why;
    size_t index;
    json_t *item;
    if (cli->json) {
        cli_print_json(json_incref((json_t *)items));
        return;
    }
    size_t mark = records_begin(&list);
    json_array_foreach(items, index, item) row_put(&list, item, columns);
    records_end(&list, mark);
    if (cli_print_list(cli, buf_bytes(&list), &why) != OK)
        die("an own list cannot be shown: %s", why.text);
}
