/* SPDX-License-Identifier: Apache-2.0 */
/* The audit trail, the newest act first. */
#include "mdm/api/handlers.h"

#include "base/clock.h"
#include "base/limits.h"

#define PAGE_ROWS 100

static json_t *row_json(const struct store_rows *rows, size_t row)
{
    static const char *const names[] = { "actor", "action", "object", "detail" };
    char time[21];
    json_t *json = json_object();
    clock_rfc3339(store_int(rows, row, 1), time);
    json_object_set_new(json, "id", json_integer(store_int(rows, row, 0)));
    json_object_set_new(json, "at", json_string(time));
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        json_object_set_new(json, names[i], json_string(store_str(rows, row, i + 2)));
    return json;
}

static enum err before_take(const struct api_call *call, int64_t *ret, struct why *why)
{
    AUTO_BUF text = { 0 };
    *ret = INT64_MAX;
    TRY(route_query(call, "before", &text, why));
    size_t digits = strspn(buf_text(&text), "0123456789");
    if (text.len && (digits != text.len || digits > 18))
        return attribute_refuse("before", buf_bytes(&text), why, "is the id of an entry");
    if (text.len)
        *ret = strtoll(buf_text(&text), NULL, 10);
    return OK;
}

static enum err audit_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct api_call *call = arg;
    AUTO(store_rows) rows = NULL;
    AUTO_BUF object = { 0 };
    AUTO_JSON items = json_array();
    size_t limit = PAGE_ROWS;
    int64_t before;
    TRY(route_query_count(call, "limit", LIMIT_PAGE_ROWS, &limit, why));
    TRY(before_take(call, &before, why));
    TRY(route_query(call, "object", &object, why));
    TRY(store_query(
        tx,
        "SELECT audit_id, happened_at, actor, action, object, detail FROM audit WHERE audit_id < $1 "
        "AND ($2 = '' OR object = $2) ORDER BY audit_id DESC LIMIT $3",
        S_ARGS(S_INT(before), S_TEXT(buf_text(&object)), S_INT((int64_t)limit + 1)), &rows, why));
    size_t count = store_rows_count(rows);
    for (size_t row = 0; row < count && row < limit; row++)
        json_array_append_new(items, row_json(rows, row));
    json_decref(call->result);
    call->result = json_object();
    json_object_set(call->result, "items", items);
    if (count > limit)
        json_object_set_new(call->result, "next", json_integer(store_int(rows, limit - 1, 0)));
    return OK;
}

enum err route_audit(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, audit_work, call, why);
}
