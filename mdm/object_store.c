/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of any class: table and columns are its own names, everything else is a parameter. */
#include "mdm/object.h"

#include "base/fault.h"
#include "mdm/fold.h"
#include <assert.h>
#include <ctype.h>
#include <stdio.h>

static bool is_number(const struct attribute *attribute)
{
    return attribute->kind == ATTRIBUTE_FLAG || attribute->kind == ATTRIBUTE_TIME ||
           attribute->kind == ATTRIBUTE_NUMBER;
}

/* A time that never was is NULL. */
static struct store_value value_store(const struct attribute *attribute, const struct attribute_value *value)
{
    if (!is_number(attribute))
        return S_TEXT(value->text);
    return attribute->kind == ATTRIBUTE_TIME && !value->number ? S_NULL : S_INT(value->number);
}

static void columns_append(const struct object_class *class, struct buf *sql)
{
    for (size_t i = 0; i < class->count; i++)
        buf_printf(sql, "%s%s", i ? ", " : "", class->attributes[i].name);
}

static char *folded_key(const struct object *object)
{
    const char *key = object_text(object, object->class->key);
    return fold_dup(bytes_str(key ? key : ""));
}

/* The attributes in their order, then the folded key. */
static size_t values_put(const struct object *object, const char *folded, struct store_value *values)
{
    size_t count = object->class->count;
    for (size_t i = 0; i < count; i++)
        values[i] = value_store(&object->class->attributes[i], &object->values[i]);
    values[count] = S_TEXT(folded);
    return count + 1;
}

static enum err taken(const struct object *object, struct why *why)
{
    const struct object_class *class = object->class;
    const char *value = object_text(object, class->unique);
    return fail(why, ERR_CONFLICT, "%s \"%s\" is that of another %s", class->unique, value ? value : "",
                class->name);
}

static enum err write(struct store_tx *tx, const struct object *object, struct buf *sql, struct why *why)
{
    struct store_value values[OBJECT_ATTRIBUTES_MAX + 1];
    AUTO_STR folded = folded_key(object);
    struct why inner = { 0 };
    int64_t changed = 0;
    size_t count = values_put(object, folded, values);
    enum err err = store_exec(tx, buf_text(sql), (struct store_args){ values, count }, &changed, &inner);
    if (err == ERR_CONFLICT)
        return taken(object, why);
    if (err == OK && changed != 1)
        return fail(why, ERR_STORE, "%lld rows of %s were written, and not one", (long long)changed,
                    object->class->table);
    return err == OK ? OK : fail(why, err, "%s", inner.text);
}

enum err object_add(struct store_tx *tx, const struct object *object, struct why *why)
{
    const struct object_class *class = object->class;
    AUTO_BUF sql = { 0 };
    assert(class->count <= OBJECT_ATTRIBUTES_MAX);
    buf_printf(&sql, "INSERT INTO %s (", class->table);
    columns_append(class, &sql);
    buf_append_str(&sql, ", folded) VALUES (");
    for (size_t i = 0; i <= class->count; i++)
        buf_printf(&sql, "%s$%zu", i ? ", " : "", i + 1);
    buf_append_str(&sql, ")");
    return write(tx, object, &sql, why);
}

enum err object_save(struct store_tx *tx, const struct object *object, struct why *why)
{
    const struct object_class *class = object->class;
    AUTO_BUF sql = { 0 };
    buf_printf(&sql, "UPDATE %s SET folded = $%zu", class->table, class->count + 1);
    for (size_t i = 1; i < class->count; i++)
        buf_printf(&sql, ", %s = $%zu", class->attributes[i].name, i + 1);
    buf_append_str(&sql, " WHERE id = $1");
    return write(tx, object, &sql, why);
}

/* --- reading --- */

static void row_take(const struct store_rows *rows, size_t row, struct object *ret)
{
    const struct object_class *class = ret->class;
    for (size_t i = 0; i < class->count; i++) {
        struct attribute_value *value = &ret->values[i];
        attribute_value_clear(value);
        if (is_number(&class->attributes[i]))
            *value = (struct attribute_value){ .given = true, .number = store_int(rows, row, i) };
        else
            attribute_value_set(value, store_bytes(rows, row, i));
    }
}

enum err object_load(struct store_tx *tx, const struct object_class *class, const char *id,
                     struct object *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    AUTO_BUF sql = { 0 };
    buf_append_str(&sql, "SELECT ");
    columns_append(class, &sql);
    buf_printf(&sql, " FROM %s WHERE id = $1", class->table);
    TRY(store_query(tx, buf_text(&sql), S_ARGS(S_TEXT(id)), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_FOUND, "there is no %s with the id %s", class->name, id);
    ret->class = class;
    row_take(rows, 0, ret);
    return OK;
}

static enum err find_by_name(struct store_tx *tx, const struct object_class *class, const char *name,
                             char ret_id[static UUID_TEXT], struct why *why)
{
    AUTO(store_rows) rows = NULL;
    AUTO_STR folded = fold_dup(bytes_str(name));
    TRY(store_query(tx, class->find, S_ARGS(S_TEXT(name), S_TEXT(folded)), &rows, why));
    size_t count = store_rows_count(rows);
    if (count == 0)
        return fail(why, ERR_NOT_FOUND, "there is no %s %.200s", class->name, name);
    if (count > 1)
        return fail(why, ERR_CONFLICT, "several %s are called %.200s: name one by its id", class->plural,
                    name);
    snprintf(ret_id, UUID_TEXT, "%s", store_str(rows, 0, 0));
    return OK;
}

static enum err find_by_id(struct store_tx *tx, const struct object_class *class, const char *text,
                           char ret_id[static UUID_TEXT], struct why *why)
{
    AUTO(store_rows) rows = NULL;
    AUTO_STR sql = xasprintf("SELECT deleted_at FROM %s WHERE id = $1", class->table);
    char id[UUID_TEXT];
    for (size_t i = 0; i < UUID_TEXT; i++)
        id[i] = (char)tolower((unsigned char)text[i]); /* as they are kept */
    TRY(store_query(tx, sql, S_ARGS(S_TEXT(id)), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_FOUND, "there is no %s with the id %s", class->name, id);
    if (!store_is_null(rows, 0, 0))
        return fail(why, ERR_NOT_FOUND, "the %s %s was deleted", class->name, id);
    memcpy(ret_id, id, sizeof(id));
    return OK;
}

enum err object_find_id(struct store_tx *tx, const struct object_class *class, struct bytes name,
                        char ret_id[static UUID_TEXT], struct why *why)
{
    AUTO_STR text = xstrndup((const char *)name.data, name.len);
    return uuid_is(name) ? find_by_id(tx, class, text, ret_id, why)
                         : find_by_name(tx, class, text, ret_id, why);
}

enum err object_find(struct store_tx *tx, const struct object_class *class, struct bytes name,
                     struct object *ret, struct why *why)
{
    char id[UUID_TEXT];
    TRY(object_find_id(tx, class, name, id, why));
    return object_load(tx, class, id, ret, why);
}

/* --- lists --- */

struct listing {
    struct buf sql;
    struct store_value values[OBJECT_ATTRIBUTES_MAX + 6];
    size_t count;
    char *starts;
};

static void listing_free(struct listing *listing)
{
    buf_free(&listing->sql);
    free(listing->starts);
}

/* The number of the parameter that stands for it. */
static size_t parameter(struct listing *listing, struct store_value value)
{
    listing->values[listing->count++] = value;
    return listing->count;
}

static void filter_put(struct listing *listing, const struct object *filter)
{
    const struct object_class *class = filter->class;
    for (size_t i = 0; i < class->count && !FAULT(list_filter); i++) {
        const struct attribute *attribute = &class->attributes[i];
        const struct attribute_value *value = &filter->values[i];
        if (value->given)
            buf_printf(&listing->sql, " AND %s = $%zu", attribute->name,
                       parameter(listing, value_store(attribute, value)));
    }
}

static void conditions_put(struct listing *listing, const struct object_query *query)
{
    struct buf *sql = &listing->sql;
    if (!query->deleted)
        buf_append_str(sql, " AND deleted_at IS NULL");
    if (query->filter)
        filter_put(listing, query->filter);
    if (query->starts) {
        listing->starts = fold_dup(bytes_str(query->starts));
        size_t number = parameter(listing, S_TEXT(listing->starts));
        buf_printf(sql, " AND substr(folded, 1, length($%zu)) = $%zu", number, number);
    }
}

static void listing_make(struct listing *listing, const struct object_class *class,
                         const struct object_query *query)
{
    struct buf *sql = &listing->sql;
    buf_append_str(sql, "SELECT ");
    columns_append(class, sql);
    buf_printf(sql, " FROM %s WHERE %s", class->table, query->condition ? query->condition : "1 = 1");
    if (query->condition)
        (void)parameter(listing, S_TEXT(query->condition_argument));
    conditions_put(listing, query);
    if (query->after)
        buf_printf(sql, " AND (folded, id) > (SELECT folded, id FROM %s WHERE id = $%zu)", class->table,
                   parameter(listing, S_TEXT(query->after)));
    /* One more than wanted tells whether there are more. */
    buf_printf(sql, " ORDER BY folded, id LIMIT $%zu", parameter(listing, S_INT((int64_t)query->limit + 1)));
}

static enum err rows_tell(const struct object_class *class, const struct object_query *query,
                          const struct store_rows *rows, struct why *why)
{
    AUTO_VAL(object) object = { .class = class };
    for (size_t row = 0; row < store_rows_count(rows) && row < query->limit; row++) {
        row_take(rows, row, &object);
        TRY(query->each(&object, query->arg, why));
    }
    return OK;
}

enum err object_list(struct store_tx *tx, const struct object_class *class, const struct object_query *query,
                     bool *ret_more, struct why *why)
{
    AUTO_VAL(listing) listing = { 0 };
    AUTO_VAL(object) mark = { 0 };
    AUTO(store_rows) rows = NULL;
    if (query->after)
        TRY(object_load(tx, class, query->after, &mark, why));
    listing_make(&listing, class, query);
    TRY(store_query(tx, buf_text(&listing.sql), (struct store_args){ listing.values, listing.count }, &rows,
                    why));
    *ret_more = store_rows_count(rows) > query->limit;
    return rows_tell(class, query, rows, why);
}
