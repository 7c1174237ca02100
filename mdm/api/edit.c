/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/api/edit.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/secret.h"
#include "config/options.h"
#include "mdm/audit.h"
#include "mdm/change.h"
#include "mdm/user_store.h"

#define PAGE_ROWS 100 /* when the query does not say */

enum err users_resolve(struct store_tx *tx, struct object *object, struct why *why)
{
    for (size_t i = 0; i < object->class->count; i++) {
        struct attribute_value *value = &object->values[i];
        if (object->class->attributes[i].kind != ATTRIBUTE_USER || !value->text)
            continue;
        struct why inner = { 0 };
        char id[UUID_TEXT];
        if (object_find_id(tx, &user_class, bytes_str(value->text), id, &inner) != OK)
            return fail(why, inner.err == ERR_STORE ? ERR_STORE : ERR_VALUE, "%s: %s",
                        object->class->attributes[i].name, inner.text);
        attribute_value_set(value, bytes_str(id));
    }
    return OK;
}

enum err object_named(struct store_tx *tx, const struct api_call *call, const struct object_class *class,
                      size_t index, struct object *ret, struct why *why)
{
    struct bytes wanted = call->request->if_match;
    TRY(object_find(tx, class, route_name(call, index), ret, why));
    long long change = (long long)object_number(ret, "change");
    AUTO_STR etag = xasprintf("\"%lld\"", change);
    if (wanted.len && !bytes_equal(wanted, bytes_str(etag)) && !FAULT(if_match))
        return fail(why, ERR_STALE, "If-Match is %.*s, and it has %s",
                    (int)(wanted.len < 40 ? wanted.len : 40), (const char *)wanted.data, etag);
    return OK;
}

enum err call_audit(struct store_tx *tx, const struct api_call *call, const char *action, const char *object,
                    const json_t *detail, struct why *why)
{
    AUTO_BUF text = { 0 };
    if (detail)
        json_text_append(&text, detail);
    const struct audit_entry entry = { call->request->caller->name, action, object, buf_text(&text),
                                       call->now };
    return audit_write(tx, &entry, why);
}

enum err body_text(const json_t *json, const char *name, const char *needed, struct bytes *ret,
                   struct why *why)
{
    const json_t *value = json_object_get(json, name);
    *ret = bytes_of(json_string_value(value), json_string_length(value));
    if (value && !json_is_string(value))
        return fail(why, ERR_VALUE, "%s is no JSON string", name);
    if (ret->len > LIMIT_DIRECTORY_KEY_BYTES)
        return attribute_refuse(name, *ret, why, "are %d octets, and these are %zu",
                                LIMIT_DIRECTORY_KEY_BYTES, ret->len);
    if (needed && !ret->len)
        return fail(why, ERR_VALUE, "%s is not there, and it is needed: %s", name, needed);
    return OK;
}

enum err body_number(json_t *json, const char *name, int64_t most, int64_t *value, struct why *why)
{
    const json_t *member = json_object_get(json, name);
    AUTO_BUF got = { 0 };
    if (!member)
        return OK;
    json_text_append(&got, member);
    if (!json_is_integer(member) || json_integer_value(member) < 1 || json_integer_value(member) > most)
        return attribute_refuse(name, buf_bytes(&got), why, "is a number from 1 to %lld", (long long)most);
    *value = json_integer_value(member);
    json_object_del(json, name);
    return OK;
}

enum err body_secret(const json_t *json, const char *name, struct bytes *ret, struct why *why)
{
    const json_t *value = json_object_get(json, name);
    if (!json_is_string(value))
        return fail(why, ERR_VALUE, "%s is needed, and is a JSON string", name);
    *ret = bytes_of(json_string_value(value), json_string_length(value));
    return OK;
}

void body_wipe(json_t *json)
{
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value)
    {
        if (json_is_string(value))
            secret_wipe((void *)json_string_value(value), json_string_length(value));
    }
}

/* --- pages --- */

static enum err filter_take(const struct api_call *call, struct object *filter, struct why *why)
{
    for (size_t i = 0; i < filter->class->count; i++) {
        const struct attribute *attribute = &filter->class->attributes[i];
        AUTO_BUF value = { 0 };
        if (!(attribute->flags & ATTRIBUTE_FILTER) || !words_contain(call->route->query, "filter"))
            continue;
        TRY(route_query(call, attribute->name, &value, why));
        if (value.len)
            TRY(attribute_take(attribute, buf_bytes(&value), &filter->values[i], why));
    }
    return OK;
}

static enum err item_append(const struct object *object, void *arg, struct why *why)
{
    (void)why;
    json_array_append_new(arg, object_json(object));
    return OK;
}

static void next_put(json_t *result, const json_t *items)
{
    const json_t *last = json_array_get(items, json_array_size(items) - 1);
    json_object_set(result, "next", json_object_get(last, "id"));
}

enum err page_answer(struct api_call *call, struct store_tx *tx, const struct page *page, struct why *why)
{
    AUTO_VAL(object) filter = { .class = page->class };
    AUTO_BUF after = { 0 }, starts = { 0 };
    AUTO_JSON items = json_array();
    bool more = false;
    struct object_query query = { .limit = PAGE_ROWS,
                                  .filter = &filter,
                                  .condition = page->condition,
                                  .condition_argument = page->argument,
                                  .each = item_append,
                                  .arg = items };
    TRY(route_query_count(call, "limit", LIMIT_PAGE_ROWS, &query.limit, why));
    TRY(route_query(call, "after", &after, why));
    TRY(route_query(call, "starts", &starts, why));
    TRY(route_query_flag(call, "deleted", &query.deleted, why));
    TRY(filter_take(call, &filter, why));
    TRY(users_resolve(tx, &filter, why));
    query.after = after.len ? buf_text(&after) : NULL;
    query.starts = starts.len ? buf_text(&starts) : NULL;
    TRY(object_list(tx, page->class, &query, &more, why));
    json_decref(call->result);
    call->result = json_object();
    json_object_set(call->result, "items", items);
    if (more)
        next_put(call->result, items);
    return OK;
}

enum err shown_once_add(struct store_tx *tx, struct api_call *call, const struct shown_once *shown,
                        struct why *why)
{
    const char *id = object_id(shown->token);
    change_stamp(shown->token, shown->change, call->now);
    TRY(object_add(tx, shown->token, why));
    TRY(shown->keep(tx, id, shown->secret, why));
    json_decref(call->result);
    call->result = object_json(shown->token);
    json_object_set_new(call->result, "token", json_string(shown->secret));
    return call_audit(tx, call, shown->action, id, call->json, why);
}
