/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the roles, for people and for programs. */
#include "cli/command.h"

#include "base/log.h"
#include <jansson.h>
#include <stdio.h>

#define COLUMNS_MAX      24
#define FIELD_WIDTH      22
#define COLUMN_WIDTH_MAX 48 /* wider values are shown whole, but don't widen every row */

json_t *cli_record_json(struct record record)
{
    json_t *object = json_object();
    struct record_field field;
    while (record_next_field(&record, &field)) {
        AUTO_STR name = xstrndup((const char *)field.name.data, field.name.len);
        json_object_set_new(object, name, json_stringn((const char *)field.value.data, field.value.len));
    }
    return object;
}

void cli_print_json(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(value);
}

static size_t print_width(struct bytes text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.len; i++)
        width += (text.data[i] & 0xC0) != 0x80;
    return width;
}

/* A certificate's subject is a stranger's text: nothing in it may move the administrator's cursor. */
static void print_clean(struct bytes text, size_t width)
{
    char clean[4096];
    log_escape((const char *)text.data, text.len, clean, sizeof(clean));
    size_t shown = print_width(bytes_str(clean));
    printf("%s%*s", clean, shown < width ? (int)(width - shown) : 0, "");
}

bool cli_row_next(struct der_reader *list, struct record *ret, struct cli_more *more)
{
    if (!records_next(list, ret))
        return false;
    more->are = record_find(ret, "more", &more->before);
    return !more->are;
}

static void widths_measure(struct der_reader list, size_t *widths)
{
    struct record record;
    struct record_field field;
    struct cli_more more;
    while (cli_row_next(&list, &record, &more)) {
        for (size_t i = 0; i < COLUMNS_MAX && record_next_field(&record, &field); i++) {
            size_t name = print_width(field.name), value = print_width(field.value);
            size_t width = value > name ? value : name;
            if (width > COLUMN_WIDTH_MAX)
                width = COLUMN_WIDTH_MAX;
            if (width > widths[i])
                widths[i] = width;
        }
    }
}

static void print_row(struct record record, const size_t *widths, bool names)
{
    struct record_field field;
    for (size_t i = 0; i < COLUMNS_MAX && record_next_field(&record, &field); i++) {
        if (i)
            fputs("  ", stdout);
        struct bytes text = names ? field.name : field.value.len ? field.value : BYTES_LIT("-");
        print_clean(text, record.fields.len ? widths[i] : 0);
    }
    putchar('\n');
}

static void more_say(struct bytes before)
{
    if (before.len)
        fprintf(stderr, "There are more: go on with --before %.*s.\n", (int)before.len, before.data);
    else
        fputs("There are more: ask for less, or raise --limit.\n", stderr);
}

static void list_print_json(struct der_reader list, struct cli_more *more)
{
    struct record record;
    json_t *array = json_array();
    while (cli_row_next(&list, &record, more))
        json_array_append_new(array, cli_record_json(record));
    cli_print_json(array);
}

static void list_print(struct der_reader list, struct cli_more *more)
{
    struct record record;
    size_t widths[COLUMNS_MAX] = { 0 };
    widths_measure(list, widths);
    for (bool first = true; cli_row_next(&list, &record, more); first = false) {
        if (first)
            print_row(record, widths, true);
        print_row(record, widths, false);
    }
}

enum err cli_print_list(const struct cli *cli, struct bytes answer, struct why *why)
{
    struct der_reader list;
    struct cli_more more = { 0 };
    TRY(records_get(answer, &list, why));
    if (cli->json)
        list_print_json(list, &more);
    else
        list_print(list, &more);
    if (more.are)
        more_say(more.before);
    return OK;
}

enum err cli_record(struct bytes answer, struct record *ret, struct why *why)
{
    struct der_reader list;
    TRY(records_get(answer, &list, why));
    if (!records_next(&list, ret) || !der_at_end(&list))
        return fail(why, ERR_PROTOCOL, "the answer is not one record");
    return OK;
}

bool cli_is_record(struct bytes answer)
{
    struct record record;
    return cli_record(answer, &record, NULL) == OK;
}

/* A value of several lines (a template's rules) stands below itself. */
static void print_field(struct record_field field)
{
    print_clean(field.name, FIELD_WIDTH);
    struct bytes rest = field.value;
    for (bool first = true; first || rest.len; first = false) {
        const uint8_t *end = rest.len ? memchr(rest.data, '\n', rest.len) : NULL;
        size_t len = end ? (size_t)(end - rest.data) : rest.len;
        printf("%*s", first ? 1 : FIELD_WIDTH + 1, "");
        print_clean(bytes_of(rest.data, len), 0);
        putchar('\n');
        len += end != NULL;
        rest = bytes_of(rest.data + len, rest.len - len);
    }
}

enum err cli_print_record(const struct cli *cli, struct bytes answer, struct why *why)
{
    struct record record;
    TRY(cli_record(answer, &record, why));
    if (cli->json) {
        cli_print_json(cli_record_json(record));
        return OK;
    }
    struct record_field field;
    while (record_next_field(&record, &field))
        print_field(field);
    return OK;
}

enum err cli_print_field(const struct cli *cli, struct bytes answer, const char *field, struct why *why)
{
    struct record record;
    struct bytes value;
    TRY(cli_record(answer, &record, why));
    if (!record_find(&record, field, &value))
        return fail(why, ERR_PROTOCOL, "the answer has no field %s", field);
    if (cli->json) {
        cli_print_json(cli_record_json(record));
        return OK;
    }
    fwrite(value.data, 1, value.len, stdout);
    if (value.len && value.data[value.len - 1] != '\n')
        putchar('\n');
    return OK;
}
