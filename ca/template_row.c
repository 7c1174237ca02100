/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/template_row.h"

#include "base/fault.h"
#include "base/limits.h"

#define FIXED 3 /* columns before the properties, and parameters before theirs */
#define PARAMETERS                                                                                           \
    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, "  \
    "$23, $24"
_Static_assert(FIXED + TEMPLATE_PROPERTY_COUNT + 1 == 24, "as many parameters as columns");

enum err template_from_row(const struct store_rows *rows, size_t row, struct template **ret, struct why *why)
{
    AUTO(template) template = xcalloc(1, sizeof(*template));
    template->name = xstrdup(store_str(rows, row, 0));
    template->version = store_int(rows, row, 1);
    template->published = store_int(rows, row, 2) != 0;
    for (size_t i = 0; i < TEMPLATE_PROPERTY_COUNT; i++)
        template_property_read(template, &template_properties[i], rows, row, FIXED + i);
    TRY(template_complete(template, why));
    *ret = TAKE(template);
    return OK;
}

enum err template_row_load(struct store_tx *tx, const char *name, struct template **ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT " TEMPLATE_COLUMNS " FROM template WHERE name = $1", S_ARGS(S_TEXT(name)),
                    &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_FOUND, "there is no template %s", name);
    return template_from_row(rows, 0, ret, why);
}

struct load_arg {
    const char *name;
    int64_t version; /* 0: the one in force */
    struct template *found;
};

static enum err version_row_load(struct store_tx *tx, struct load_arg *load, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT name, version, COALESCE((SELECT t.published FROM template t WHERE t.name = $1), "
                    "0)" TEMPLATE_PROPERTY_COLUMNS " FROM template_version WHERE name = $1 AND version = $2",
                    S_ARGS(S_TEXT(load->name), S_INT(load->version)), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_FOUND, "there is no version %lld of a template %s", (long long)load->version,
                    load->name);
    return template_from_row(rows, 0, &load->found, why);
}

static enum err load_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct load_arg *load = arg;
    template_free(TAKE(load->found));
    return load->version ? version_row_load(tx, load, why)
                         : template_row_load(tx, load->name, &load->found, why);
}

static enum err load_run(struct store *store, struct load_arg *load, struct template **ret, struct why *why)
{
    enum err err = store_read(store, load_work, load, why);
    AUTO(template) found = load->found;
    if (err != OK)
        return err;
    *ret = TAKE(found);
    return OK;
}

enum err template_load(struct store *store, struct bytes name, struct template **ret, struct why *why)
{
    AUTO_STR text = xstrndup((const char *)name.data, name.len);
    struct load_arg load = { .name = text };
    return load_run(store, &load, ret, why);
}

enum err template_version_load(struct store *store, const char *name, int64_t version, struct template **ret,
                               struct why *why)
{
    struct load_arg load = { .name = name, .version = version };
    if (version < 1)
        return fail(why, ERR_NOT_FOUND, "there is no version %lld of a template %s", (long long)version,
                    name);
    return load_run(store, &load, ret, why);
}

struct display_arg {
    const char *display_name;
    char *name;
};

static enum err display_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct display_arg *display = arg;
    AUTO(store_rows) rows = NULL;
    free(TAKE(display->name));
    TRY(store_query(tx, "SELECT name FROM template WHERE display_name = $1 ORDER BY name LIMIT 1",
                    S_ARGS(S_TEXT(display->display_name)), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_FOUND, "no template is displayed as %s", display->display_name);
    display->name = xstrdup(store_str(rows, 0, 0));
    return OK;
}

enum err template_name_of_display(struct store *store, const char *display_name, char **ret, struct why *why)
{
    struct display_arg display = { .display_name = display_name };
    enum err err = store_read(store, display_work, &display, why);
    AUTO_STR name = display.name;
    if (err != OK)
        return err;
    *ret = TAKE(name);
    return OK;
}

/* One row of either table: they differ in their third column. */
static enum err row_insert(struct store_tx *tx, const char *sql, const struct template *template,
                           struct store_value third, const struct template_change *change, struct why *why)
{
    struct store_value values[FIXED + TEMPLATE_PROPERTY_COUNT + 1] = { S_TEXT(template->name),
                                                                       S_INT(template->version), third };
    for (size_t i = 0; i < TEMPLATE_PROPERTY_COUNT; i++)
        values[FIXED + i] = template_property_value(template, &template_properties[i]);
    values[FIXED + TEMPLATE_PROPERTY_COUNT] = S_INT(change->now);
    return store_exec(tx, sql, (struct store_args){ values, sizeof(values) / sizeof(*values) }, NULL, why);
}

static enum err version_insert(struct store_tx *tx, const struct template *template,
                               const struct template_change *change, struct why *why)
{
    return row_insert(tx,
                      "INSERT INTO template_version (name, version, changed_by" TEMPLATE_PROPERTY_COLUMNS
                      ", changed_at) VALUES (" PARAMETERS ")",
                      template, S_TEXT(change->actor), change, why);
}

enum err template_row_insert(struct store_tx *tx, struct template *template,
                             const struct template_change *change, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT COALESCE(MAX(version), 0) + 1 FROM template_version WHERE name = $1",
                    S_ARGS(S_TEXT(template->name)), &rows, why));
    template->version = store_int(rows, 0, 0);
    enum err err =
        row_insert(tx, "INSERT INTO template (" TEMPLATE_COLUMNS ", changed_at) VALUES (" PARAMETERS ")",
                   template, S_INT(template->published), change, why);
    if (err == ERR_CONFLICT)
        return fail(why, err, "there is a template %s already", template->name);
    return err != OK ? err : version_insert(tx, template, change, why);
}

static enum err fail_changed(struct template *template, int64_t version, struct why *why)
{
    template->version = version;
    return fail(why, ERR_CONFLICT, "template %s has been changed meanwhile: it is no longer at version %lld",
                template->name, (long long)version);
}

enum err template_row_replace(struct store_tx *tx, struct template *template,
                              const struct template_change *change, struct why *why)
{
    int64_t before = template->version, changed = 0;
    template->version = before + 1;
    enum err err = version_insert(tx, template, change, why);
    if (err == ERR_CONFLICT)
        err = fail_changed(template, before, why);
    if (err != OK && !FAULT(template_lost_update))
        return err;
    TRY(store_exec(tx,
                   "UPDATE template SET (version" TEMPLATE_PROPERTY_COLUMNS
                   ", changed_at) = (SELECT version" TEMPLATE_PROPERTY_COLUMNS
                   ", changed_at FROM template_version WHERE name = $1 AND version = $2) "
                   "WHERE name = $1 AND version = $3",
                   S_ARGS(S_TEXT(template->name), S_INT(template->version), S_INT(before)), &changed, why));
    return changed == 1 || FAULT(template_lost_update) ? OK : fail_changed(template, before, why);
}
