/* SPDX-License-Identifier: Apache-2.0 */
/* How profiles stand on devices: a list, how many in which state, and how one came there. */
#include "mdm/deployment.h"

#include "base/clock.h"
#include "base/limits.h"
#include "mdm/api/edit.h"
#include "mdm/api/handlers.h"
#include "mdm/device_store.h"
#include "mdm/profile_store.h"
#include <string.h>

#define PAGE_ROWS 100

/* A column of a query and the member that it is. */
struct column {
    const char *name;
    enum { COLUMN_TEXT, COLUMN_NUMBER, COLUMN_TIME } kind;
};

static json_t *cell_json(const struct store_rows *rows, size_t row, size_t index, const struct column *column)
{
    char time[21];
    if (store_is_null(rows, row, index))
        return json_null();
    if (column->kind == COLUMN_NUMBER)
        return json_integer(store_int(rows, row, index));
    if (column->kind == COLUMN_TEXT)
        return json_string(store_str(rows, row, index));
    clock_rfc3339(store_int(rows, row, index), time);
    return json_string(time);
}

static json_t *rows_json(const struct store_rows *rows, size_t most, const struct column *columns,
                         size_t count)
{
    json_t *items = json_array();
    for (size_t row = 0; row < store_rows_count(rows) && row < most; row++) {
        json_t *item = json_object();
        for (size_t i = 0; i < count; i++)
            json_object_set_new(item, columns[i].name, cell_json(rows, row, i, &columns[i]));
        json_array_append_new(items, item);
    }
    return items;
}

static void answer_set(struct api_call *call, json_t *items)
{
    json_decref(call->result);
    call->result = json_pack("{s:o}", "items", items);
}

/* --- filters --- */

struct filter {
    char device[UUID_TEXT], profile[UUID_TEXT]; /* empty: all */
    struct buf state;
    char after[2][UUID_TEXT]; /* the last row of the page before */
    size_t limit;
};

static void filter_free(struct filter *filter)
{
    buf_free(&filter->state);
}

static enum err object_take(struct store_tx *tx, const struct api_call *call, const char *name,
                            const struct object_class *class, char ret[static UUID_TEXT], struct why *why)
{
    AUTO_BUF text = { 0 };
    TRY(route_query(call, name, &text, why));
    return text.len ? object_find_id(tx, class, buf_bytes(&text), ret, why) : OK;
}

static enum err state_take(const struct api_call *call, struct filter *ret, struct why *why)
{
    AUTO_BUF words = { 0 };
    TRY(route_query(call, "state", &ret->state, why));
    if (!ret->state.len || word_find(&deployment_state_words, buf_bytes(&ret->state)) >= 0)
        return OK;
    words_append(&words, &deployment_state_words);
    return attribute_refuse("state", buf_bytes(&ret->state), why, "is %s", buf_text(&words));
}

/* "DEVICE.PROFILE", as `next` of the page before has it. */
static enum err after_take(const struct api_call *call, struct filter *ret, struct why *why)
{
    AUTO_BUF text = { 0 };
    TRY(route_query(call, "after", &text, why));
    if (!text.len)
        return OK;
    struct bytes all = buf_bytes(&text);
    size_t len = UUID_TEXT - 1;
    if (all.len != 2 * len + 1 || all.data[len] != '.' || !uuid_is(bytes_of(all.data, len)) ||
        !uuid_is(bytes_of(all.data + len + 1, len)))
        return attribute_refuse("after", all, why, "is next of the page before");
    memcpy(ret->after[0], all.data, len);
    memcpy(ret->after[1], all.data + len + 1, len);
    return OK;
}

static enum err filter_take(struct store_tx *tx, const struct api_call *call, struct filter *ret,
                            struct why *why)
{
    ret->limit = PAGE_ROWS;
    TRY(object_take(tx, call, "device", &device_class, ret->device, why));
    TRY(object_take(tx, call, "profile", &profile_class, ret->profile, why));
    TRY(state_take(call, ret, why));
    TRY(after_take(call, ret, why));
    return route_query_count(call, "limit", LIMIT_PAGE_ROWS, &ret->limit, why);
}

/* --- the list --- */

static const struct column columns[] = {
    { "device", COLUMN_TEXT },       { "profile", COLUMN_TEXT },    { "device_name", COLUMN_TEXT },
    { "profile_name", COLUMN_TEXT }, { "type", COLUMN_TEXT },       { "version", COLUMN_NUMBER },
    { "state", COLUMN_TEXT },        { "intent", COLUMN_TEXT },     { "step", COLUMN_TEXT },
    { "code", COLUMN_TEXT },         { "diagnosis", COLUMN_TEXT },  { "detail", COLUMN_TEXT },
    { "changed_at", COLUMN_TIME },   { "ca", COLUMN_TEXT },         { "serial", COLUMN_TEXT },
    { "certificate", COLUMN_TEXT },  { "expires_at", COLUMN_TIME },
};
#define COLUMN_COUNT (sizeof(columns) / sizeof(*columns))
static const char list_sql[] =
    "SELECT d.device_id, d.profile_id, v.name, p.name, d.type, d.version, d.state, d.intent, d.step, d.code, "
    "d.diagnosis, d.detail, d.changed_at, c.ca, c.serial, c.thumbprint, c.not_after FROM deployment d "
    "JOIN device v ON v.id = d.device_id JOIN profile p ON p.id = d.profile_id "
    "LEFT JOIN deployment_certificate c ON c.device_id = d.device_id AND c.profile_id = d.profile_id AND "
    "c.number = (SELECT MAX(n.number) FROM deployment_certificate n WHERE n.device_id = d.device_id AND "
    "n.profile_id = d.profile_id) "
    "WHERE ($1 = '' OR d.device_id = $1) AND ($2 = '' OR d.profile_id = $2) AND ($3 = '' OR d.state = $3) "
    "AND (d.device_id > $4 OR (d.device_id = $4 AND d.profile_id > $5)) "
    "ORDER BY d.device_id, d.profile_id LIMIT $6";

static enum err list_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct api_call *call = arg;
    AUTO_VAL(filter) filter = { 0 };
    AUTO(store_rows) rows = NULL;
    TRY(filter_take(tx, call, &filter, why));
    TRY(store_query(tx, list_sql,
                    S_ARGS(S_TEXT(filter.device), S_TEXT(filter.profile), S_TEXT(buf_text(&filter.state)),
                           S_TEXT(filter.after[0]), S_TEXT(filter.after[1]),
                           S_INT((int64_t)filter.limit + 1)),
                    &rows, why));
    answer_set(call, rows_json(rows, filter.limit, columns, COLUMN_COUNT));
    if (store_rows_count(rows) > filter.limit) {
        AUTO_STR next =
            xasprintf("%s.%s", store_str(rows, filter.limit - 1, 0), store_str(rows, filter.limit - 1, 1));
        json_object_set_new(call->result, "next", json_string(next));
    }
    return OK;
}

enum err route_deployment_list(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, list_work, call, why);
}

/* --- how many --- */

static enum err summary_work(struct store_tx *tx, void *arg, struct why *why)
{
    static const struct column counted[] = { { "profile", COLUMN_TEXT },
                                             { "profile_name", COLUMN_TEXT },
                                             { "state", COLUMN_TEXT },
                                             { "count", COLUMN_NUMBER } };
    struct api_call *call = arg;
    AUTO(store_rows) rows = NULL;
    char profile[UUID_TEXT] = "";
    TRY(object_take(tx, call, "profile", &profile_class, profile, why));
    TRY(store_query(
        tx,
        "SELECT d.profile_id, p.name, d.state, COUNT(*) FROM deployment d JOIN profile p ON p.id = "
        "d.profile_id WHERE ($1 = '' OR d.profile_id = $1) GROUP BY d.profile_id, p.name, p.folded, "
        "d.state ORDER BY p.folded, d.profile_id, d.state",
        S_ARGS(S_TEXT(profile)), &rows, why));
    answer_set(call, rows_json(rows, SIZE_MAX, counted, sizeof(counted) / sizeof(*counted)));
    return OK;
}

enum err route_deployment_summary(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, summary_work, call, why);
}

/* --- how it came there --- */

static enum err history_work(struct store_tx *tx, void *arg, struct why *why)
{
    static const struct column moves[] = {
        { "number", COLUMN_NUMBER }, { "at", COLUMN_TIME },        { "version", COLUMN_NUMBER },
        { "event", COLUMN_TEXT },    { "state", COLUMN_TEXT },     { "step", COLUMN_TEXT },
        { "code", COLUMN_TEXT },     { "diagnosis", COLUMN_TEXT }, { "detail", COLUMN_TEXT },
    };
    struct api_call *call = arg;
    AUTO(store_rows) rows = NULL;
    AUTO_VAL(object) device = { 0 };
    AUTO_VAL(object) profile = { 0 };
    TRY(object_named(tx, call, &device_class, 0, &device, why));
    TRY(object_named(tx, call, &profile_class, 1, &profile, why));
    TRY(store_query(
        tx,
        "SELECT number, happened_at, version, event, state, step, code, diagnosis, detail FROM "
        "deployment_history WHERE device_id = $1 AND profile_id = $2 ORDER BY number DESC LIMIT $3",
        S_ARGS(S_TEXT(object_id(&device)), S_TEXT(object_id(&profile)), S_INT(LIMIT_PAGE_ROWS)), &rows, why));
    answer_set(call, rows_json(rows, SIZE_MAX, moves, sizeof(moves) / sizeof(*moves)));
    return OK;
}

enum err route_deployment_history(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, history_work, call, why);
}
