/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/import.h"

#include "base/fault.h"
#include "base/limits.h"
#include <strings.h>

struct import {
    const struct object_class *class;
    struct csv body, csv; /* from the second line on; where reading is */
    size_t columns[CSV_FIELDS_MAX], column_count;
    struct csv_record record;
    json_t *json; /* NULL: it is CSV */
    size_t item;  /* items that were read */
};

void import_free(struct import *import)
{
    if (!import)
        return;
    csv_record_free(&import->record);
    json_decref(import->json);
    free(import);
}

void import_rewind(struct import *import)
{
    import->csv = import->body;
    import->item = 0;
}

enum err import_refuse(const struct import *import, const struct why *inner, struct why *why)
{
    if (inner->err == ERR_STORE || inner->err == ERR_INTERNAL)
        return fail(why, inner->err, "%s", inner->text);
    if (import->json)
        return fail(why, inner->err, "item %zu: %s", import->item, inner->text);
    return fail(why, inner->err, "line %zu: %s", import->record.line, inner->text);
}

/* --- the header line --- */

static enum err column_take(struct import *import, size_t at, struct why *why)
{
    struct bytes name = buf_bytes(&import->record.fields[at]);
    size_t index, *columns = import->columns;
    const struct attribute *attribute = object_attribute(import->class, name, &index);
    if (!attribute || attribute->flags & ATTRIBUTE_OWN) {
        AUTO_STR where = xasprintf("line %zu, column %zu", import->record.line, at + 1);
        AUTO_STR what =
            xasprintf("are the attributes of a %s that are not the service's own", import->class->name);
        return attribute_refuse(where, name, why, "%s", what);
    }
    for (size_t i = 0; i < at && !FAULT(csv_column_twice); i++) {
        if (columns[i] == index)
            return fail(why, ERR_VALUE, "line %zu, columns %zu and %zu are both %s", import->record.line,
                        i + 1, at + 1, attribute->name);
    }
    columns[at] = index;
    return OK;
}

static enum err header_read(struct import *import, struct why *why)
{
    bool end;
    TRY(csv_next(&import->body, &import->record, &end, why));
    if (end)
        return fail(why, ERR_VALUE, "the file has no line of attribute names");
    for (size_t i = 0; i < import->record.count; i++)
        TRY(column_take(import, i, why));
    import->column_count = import->record.count;
    return OK;
}

/* --- opening --- */

static bool type_is(struct bytes type, const char *wanted)
{
    size_t len = strlen(wanted);
    return type.len >= len && strncasecmp((const char *)type.data, wanted, len) == 0 &&
           (type.len == len || type.data[len] == ';' || type.data[len] == ' ');
}

/* An array, or what a list answers: an object with an array of that name. */
static enum err array_take(struct import *import, struct why *why)
{
    json_t *items = json_object_get(import->json, "items");
    if (items && json_object_size(import->json) == 1) {
        json_incref(items);
        json_decref(import->json);
        import->json = items;
    }
    if (!json_is_array(import->json))
        return fail(why, ERR_VALUE, "the file is no JSON array of %s", import->class->plural);
    return OK;
}

static enum err open_as(struct import *import, struct bytes file, struct bytes type, struct why *why)
{
    if (file.len > LIMIT_IMPORT_BYTES)
        return fail(why, ERR_LIMIT, "a file of %zu octets, limit %d", file.len, LIMIT_IMPORT_BYTES);
    if (type_is(type, "application/json")) {
        TRY(json_text_read(file, LIMIT_IMPORT_BYTES, &import->json, why));
        return array_take(import, why);
    }
    if (!type_is(type, "text/csv"))
        return attribute_refuse("Content-Type", type, why, "is text/csv or application/json");
    import->body = csv_over(file);
    TRY(header_read(import, why));
    import_rewind(import);
    return OK;
}

enum err import_open(struct bytes file, struct bytes type, const struct object_class *class,
                     struct import **ret, struct why *why)
{
    AUTO(import) import = xcalloc(1, sizeof(*import));
    import->class = class;
    TRY(open_as(import, file, type, why));
    *ret = TAKE(import);
    return OK;
}

/* --- reading --- */

static enum err record_take(const struct import *import, struct object *ret, struct why *why)
{
    const struct csv_record *record = &import->record;
    if (record->count != import->column_count)
        return fail(why, ERR_VALUE, "line %zu has %zu fields, and the first one has %zu", record->line,
                    record->count, import->column_count);
    for (size_t i = 0; i < record->count; i++) {
        size_t index = import->columns[i];
        struct bytes text = buf_bytes(&record->fields[i]);
        struct why inner = { 0 };
        /* An empty cell says nothing, not even that there is no value. */
        if (text.len &&
            attribute_take(&import->class->attributes[index], text, &ret->values[index], &inner) != OK)
            return fail(why, inner.err, "line %zu, column %zu: %s", record->line, i + 1, inner.text);
    }
    return OK;
}

static enum err item_take(struct import *import, struct object *ret, struct why *why)
{
    struct why inner = { 0 };
    const json_t *item = json_array_get(import->json, import->item++);
    return object_json_take(item, ret, &inner) == OK ? OK : import_refuse(import, &inner, why);
}

enum err import_next(struct import *import, struct object *ret, bool *ret_end, struct why *why)
{
    object_free(ret);
    ret->class = import->class;
    if (import->json) {
        *ret_end = import->item == json_array_size(import->json);
        return *ret_end ? OK : item_take(import, ret, why);
    }
    TRY(csv_next(&import->csv, &import->record, ret_end, why));
    return *ret_end ? OK : record_take(import, ret, why);
}
