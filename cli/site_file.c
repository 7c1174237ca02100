/* SPDX-License-Identifier: Apache-2.0 */
/* chancery apply and chancery export: templates and flags of CAs as one JSON document (chancery(1), "Site files"). The document
   and the records of ca's verbs say the same; what a value may be is judged by ca, and what it is called by both. */
#include "cli/command.h"

#include "base/file.h"
#include "base/limits.h"
#include "ca/template_property.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static enum err apply_run(struct cli *cli, int argc, char **argv, struct why *why);
static enum err export_run(struct cli *cli, int argc, char **argv, struct why *why);
static enum err template_export_run(struct cli *cli, int argc, char **argv, struct why *why);

const struct command command_apply = {
    .noun = "apply",
    .verb = "",
    .args = "-f FILE [--dry-run] [--prune]",
    .help = "show how a site file differs from the site, then make the site so: all of it, or nothing",
    .run = apply_run,
};
const struct command command_export = {
    .noun = "export",
    .verb = "",
    .args = "[--out FILE]",
    .help = "print the site's templates and flags as a site file, for apply",
    .run = export_run,
};
const struct command command_template_export = {
    .noun = "template",
    .verb = "export",
    .args = "NAME",
    .help = "print one template as a site file, for apply",
    .run = template_export_run,
};

/* --- from JSON to records --- */

/* A string as it is, a boolean as one of two words, an integer in decimal. */
static enum err value_put(struct buf *out, const char *name, const json_t *value, bool flag, struct why *why)
{
    if (json_is_boolean(value)) {
        record_put_str(out, name, json_is_true(value) ? (flag ? "on" : "yes") : (flag ? "off" : "no"));
        return OK;
    }
    if (flag || !(json_is_string(value) || json_is_integer(value)))
        return fail(why, ERR_USAGE, "wanted: %s",
                    flag ? "true or false" : "a string, an integer, true or false");
    if (json_is_integer(value)) {
        record_put_int(out, name, json_integer_value(value));
        return OK;
    }
    struct bytes text = { (const uint8_t *)json_string_value(value), json_string_length(value) };
    record_put(out, name, text);
    return OK;
}

static enum err at_path(const char *path, const char *key, enum err err, const struct why *inner,
                        struct why *why)
{
    return err == OK ? OK : fail(why, err, "%s.%s: %s", path, key, inner->text);
}

static bool is_template_key(const char *key)
{
    return strcmp(key, "name") == 0 || strcmp(key, "published") == 0 ||
           template_property_find(bytes_str(key));
}

static enum err template_record(struct buf *out, json_t *template, const char *path, struct why *why)
{
    const char *key;
    json_t *value;
    if (!json_is_object(template))
        return fail(why, ERR_USAGE, "%s: wanted: an object", path);
    if (!json_is_string(json_object_get(template, "name")))
        return fail(why, ERR_USAGE, "%s.name: wanted: the template's name, a string", path);
    size_t mark = record_begin(out);
    record_put_str(out, "kind", "template");
    json_object_foreach(template, key, value)
    {
        struct why inner = { 0 };
        if (!is_template_key(key))
            return fail(why, ERR_USAGE, "%s.%s: unknown key", path, key);
        TRY(at_path(path, key, value_put(out, key, value, false, &inner), &inner, why));
    }
    record_end(out, mark);
    return OK;
}

static enum err templates_records(struct buf *out, json_t *templates, struct why *why)
{
    size_t i;
    json_t *template;
    if (!json_is_array(templates))
        return fail(why, ERR_USAGE, "$.templates: wanted: an array");
    json_array_foreach(templates, i, template)
    {
        AUTO_STR path = xasprintf("$.templates[%zu]", i);
        TRY(template_record(out, template, path, why));
    }
    return OK;
}

static enum err flags_record(struct buf *out, const char *ca, json_t *flags, struct why *why)
{
    const char *key;
    json_t *value;
    AUTO_STR path = xasprintf("$.ca_flags.%s", ca);
    if (!json_is_object(flags))
        return fail(why, ERR_USAGE, "%s: wanted: an object", path);
    size_t mark = record_begin(out);
    record_put_str(out, "kind", "ca_flags");
    record_put_str(out, "ca", ca);
    json_object_foreach(flags, key, value)
    {
        struct why inner = { 0 };
        if (strcmp(key, "kind") == 0 || strcmp(key, "ca") == 0)
            return fail(why, ERR_USAGE, "%s.%s: unknown key", path, key);
        TRY(at_path(path, key, value_put(out, key, value, true, &inner), &inner, why));
    }
    record_end(out, mark);
    return OK;
}

static enum err all_flags_records(struct buf *out, json_t *all, struct why *why)
{
    const char *ca;
    json_t *flags;
    if (!json_is_object(all))
        return fail(why, ERR_USAGE, "$.ca_flags: wanted: an object");
    json_object_foreach(all, ca, flags) TRY(flags_record(out, ca, flags, why));
    return OK;
}

static enum err document_records(struct buf *out, json_t *document, struct why *why)
{
    const char *key;
    json_t *value;
    if (!json_is_object(document))
        return fail(why, ERR_USAGE, "$: wanted: an object");
    json_object_foreach(document, key, value)
    {
        if (strcmp(key, "templates") == 0)
            TRY(templates_records(out, value, why));
        else if (strcmp(key, "ca_flags") == 0)
            TRY(all_flags_records(out, value, why));
        else
            return fail(why, ERR_USAGE, "$.%s: unknown key", key);
    }
    return OK;
}

static void json_release(json_t **value)
{
    json_decref(*value);
}
#define AUTO_JSON __attribute__((cleanup(json_release))) json_t *

#define FILE_REMEDY "correct the file: chancery(1), section Site files, has its form"

static enum err file_records(const char *path, struct buf *out, struct why *why)
{
    AUTO_BUF text = { 0 };
    json_error_t error;
    struct why inner = { 0 };
    TRY(file_read(path, LIMIT_TEXT_FILE_BYTES, &text, why));
    AUTO_JSON document = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!document)
        return fail_remedy(why, FILE_REMEDY, ERR_USAGE, "%s:%d: %s", path, error.line, error.text);
    enum err err = document_records(out, document, &inner);
    return err == OK ? OK : fail_remedy(why, FILE_REMEDY, err, "%s: %s", path, inner.text);
}

/* --- apply --- */

struct apply {
    const char *file;
    bool dry_run, prune;
};

static enum err apply_options(struct apply *apply, int argc, char **argv, struct why *why)
{
    for (int i = 1; i < argc; i++) {
        bool file = strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "--file") == 0;
        if (file && i + 1 < argc && !apply->file)
            apply->file = argv[++i];
        else if (strcmp(argv[i], "--dry-run") == 0)
            apply->dry_run = true;
        else if (strcmp(argv[i], "--prune") == 0)
            apply->prune = true;
        else
            return fail(why, ERR_USAGE, "unexpected %s", argv[i]);
    }
    return apply->file ? OK : fail(why, ERR_USAGE, "no file");
}

static enum err apply_ask(struct cli *cli, const struct apply *apply, const struct buf *records, bool dry_run,
                          struct buf *ret_changes, struct why *why)
{
    AUTO_BUF body = { 0 };
    size_t list = records_begin(&body), mark = record_begin(&body);
    record_put_str(&body, "kind", "options");
    record_put_str(&body, "dry_run", dry_run ? "yes" : "no");
    record_put_str(&body, "prune", apply->prune ? "yes" : "no");
    record_end(&body, mark);
    buf_append(&body, buf_bytes(records));
    records_end(&body, list);
    return cli_call(cli, "ca", "site_apply", buf_bytes(&body), ret_changes, why);
}

/* The difference is on the terminal before anything is done. */
static enum err apply_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    struct apply apply = { 0 };
    struct der_reader list;
    AUTO_BUF records = { 0 }, changes = { 0 }, done = { 0 };
    TRY(apply_options(&apply, argc, argv, why));
    TRY(file_records(apply.file, &records, why));
    TRY(apply_ask(cli, &apply, &records, true, &changes, why));
    TRY(cli_print_list(cli, buf_bytes(&changes), why));
    TRY(records_get(buf_bytes(&changes), &list, why));
    if (der_at_end(&list) && !cli->json)
        puts("nothing differs");
    if (apply.dry_run || der_at_end(&list))
        return OK;
    fflush(stdout);
    return apply_ask(cli, &apply, &records, false, &done, why);
}

/* --- from records to JSON --- */

/* The other way round: what would come back as the same text. */
static json_t *value_json(struct bytes text, bool flag)
{
    AUTO_STR string = xstrndup((const char *)text.data, text.len);
    char *end;
    long long number = strtoll(string, &end, 10);
    AUTO_STR again = xasprintf("%lld", number);
    if (strcmp(string, flag ? "on" : "yes") == 0)
        return json_true();
    if (strcmp(string, flag ? "off" : "no") == 0)
        return json_false();
    if (strcmp(string, again) == 0)
        return json_integer(number);
    return json_stringn((const char *)text.data, text.len);
}

/* flags: without the name of their CA, which stands before them. */
static json_t *record_values(struct record record, bool flags)
{
    json_t *object = json_object();
    struct record_field field;
    while (record_next_field(&record, &field)) {
        AUTO_STR name = xstrndup((const char *)field.name.data, field.name.len);
        if (strcmp(name, "kind") != 0 && !(flags && strcmp(name, "ca") == 0))
            json_object_set_new(object, name, value_json(field.value, flags));
    }
    return object;
}

static enum err document_make(struct bytes answer, json_t **ret, struct why *why)
{
    struct der_reader list;
    struct record record;
    TRY(records_get(answer, &list, why));
    json_t *document = json_object(), *templates = json_array(), *flags = json_object();
    while (records_next(&list, &record)) {
        AUTO_STR kind = record_str(&record, "kind");
        AUTO_STR ca = record_str(&record, "ca");
        if (kind && strcmp(kind, "template") == 0)
            json_array_append_new(templates, record_values(record, false));
        else if (ca)
            json_object_set_new(flags, ca, record_values(record, true));
    }
    json_object_set_new(document, "templates", templates);
    if (json_object_size(flags))
        json_object_set(document, "ca_flags", flags);
    json_decref(flags);
    *ret = document;
    return OK;
}

static enum err export_to(struct cli *cli, const char *name, const char *path, struct why *why)
{
    AUTO_BUF body = { 0 }, answer = { 0 };
    AUTO_JSON document = NULL;
    size_t mark = record_begin(&body);
    if (name)
        record_put_str(&body, "name", name);
    record_end(&body, mark);
    TRY(cli_call(cli, "ca", "site_export", buf_bytes(&body), &answer, why));
    TRY(document_make(buf_bytes(&answer), &document, why));
    char *raw = json_dumps(document, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    AUTO_STR text = xasprintf("%s\n", raw);
    free(raw);
    if (path)
        return file_write(path, bytes_str(text), 0644, why);
    fputs(text, stdout);
    return OK;
}

static enum err export_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    bool out = argc == 3 && strcmp(argv[1], "--out") == 0;
    if (argc != 1 && !out)
        return fail(why, ERR_USAGE, "unexpected %s", argv[1]);
    return export_to(cli, NULL, out ? argv[2] : NULL, why);
}

static enum err template_export_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    TRY(cli_operands(argc, 1, why));
    return export_to(cli, argv[1], NULL, why);
}
