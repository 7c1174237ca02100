/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: saved as a whole, each save the next version. */
#include "mdm/api/edit.h"
#include "mdm/api/handlers.h"

#include "base/clock.h"
#include "base/limits.h"
#include "mdm/change.h"
#include "mdm/problem_json.h"
#include "mdm/profile_store.h"

#define PAGE_ROWS 100

/* --- answers --- */

/* As it was saved, with its root by the name that this has now: what is shown can be saved again. */
static enum err settings_json(struct store_tx *tx, const struct profile_version *version, json_t **ret,
                              struct why *why)
{
    AUTO_JSON settings = NULL;
    AUTO_VAL(object) root = { 0 };
    TRY(json_text_read(buf_bytes(&version->text), 2 * LIMIT_PROFILE_BYTES, &settings, why));
    const char *id = json_string_value(json_object_get(settings, "root_certificate"));
    if (id) {
        TRY(object_load(tx, &profile_class, id, &root, why));
        json_object_set_new(settings, "root_certificate", json_string(object_text(&root, "name")));
    }
    *ret = json_incref(settings);
    return OK;
}

static enum err result_set(struct api_call *call, struct store_tx *tx, const struct object *profile,
                           const struct problems *problems, struct why *why)
{
    AUTO_VAL(profile_version) newest = { 0 };
    json_t *settings = NULL;
    TRY(profile_version_load(tx, object_id(profile), object_number(profile, "version"), &newest, why));
    TRY(settings_json(tx, &newest, &settings, why));
    json_decref(call->result);
    call->result = object_json(profile);
    json_object_set_new(call->result, "profile", settings);
    if (problems)
        json_object_set_new(call->result, "warnings", problems_json(problems, true));
    call->etag = object_number(profile, "change");
    return OK;
}

static enum err show_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct api_call *call = arg;
    AUTO_VAL(object) profile = { 0 };
    TRY(object_named(tx, call, &profile_class, 0, &profile, why));
    return result_set(call, tx, &profile, NULL, why);
}

enum err route_profile_show(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, show_work, call, why);
}

/* --- saving --- */

struct save {
    struct api_call *call;
    struct problems problems;
    char id[UUID_TEXT];
};

static void save_free(struct save *save)
{
    problems_free(&save->problems);
}

static struct profile_saving saving_of(struct save *save, int64_t change)
{
    const struct api_call *call = save->call;
    return (struct profile_saving){ call->request->body, &save->problems, call->request->caller->name, change,
                                    call->now };
}

/* What each version says is kept with it. */
static enum err save_audit(struct store_tx *tx, const struct save *save, const char *action,
                           const struct object *profile, struct why *why)
{
    AUTO_JSON detail = json_object();
    json_object_set_new(detail, "name", json_string(object_text(profile, "name")));
    json_object_set_new(detail, "version", json_integer(object_number(profile, "version")));
    return call_audit(tx, save->call, action, object_id(profile), detail, why);
}

static enum err add_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct save *save = arg;
    AUTO_VAL(object) profile = { 0 };
    int64_t change;
    TRY(change_next(tx, &change, why));
    const struct profile_saving saving = saving_of(save, change);
    TRY(profile_add(tx, &saving, save->id, &profile, why));
    TRY(result_set(save->call, tx, &profile, &save->problems, why));
    return save_audit(tx, save, "profile_add", &profile, why);
}

static enum err set_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct save *save = arg;
    AUTO_VAL(object) profile = { 0 };
    int64_t change;
    bool changed;
    TRY(change_next(tx, &change, why));
    const struct profile_saving saving = saving_of(save, change);
    TRY(object_named(tx, save->call, &profile_class, 0, &profile, why));
    TRY(profile_save(tx, &saving, &profile, &changed, why));
    TRY(result_set(save->call, tx, &profile, &save->problems, why));
    return changed ? save_audit(tx, save, "profile_set", &profile, why) : OK;
}

/* All that is wrong is in the answer. */
static enum err save_run(struct save *save, store_work work, struct why *why)
{
    enum err err = store_write(save->call->mdm->store, work, save, why);
    if (err == ERR_PROFILE)
        save->call->problems = problems_json(&save->problems, false);
    return err;
}

enum err route_profile_add(struct api_call *call, struct why *why)
{
    AUTO_VAL(save) save = { .call = call };
    TRY(uuid_make(save.id, why));
    TRY(save_run(&save, add_work, why));
    call->status = 201;
    return OK;
}

enum err route_profile_set(struct api_call *call, struct why *why)
{
    AUTO_VAL(save) save = { .call = call };
    return save_run(&save, set_work, why);
}

static enum err delete_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct save *save = arg;
    AUTO_VAL(object) profile = { 0 };
    int64_t change;
    TRY(change_next(tx, &change, why));
    TRY(object_named(tx, save->call, &profile_class, 0, &profile, why));
    TRY(profile_delete(tx, &profile, change, save->call->now, why));
    return save_audit(tx, save, "profile_delete", &profile, why);
}

enum err route_profile_delete(struct api_call *call, struct why *why)
{
    AUTO_VAL(save) save = { .call = call };
    return store_write(call->mdm->store, delete_work, &save, why);
}

/* --- versions --- */

static json_t *version_json(int64_t version, int64_t saved_at, const char *saved_by)
{
    char time[21];
    json_t *json = json_object();
    clock_rfc3339(saved_at, time);
    json_object_set_new(json, "version", json_integer(version));
    json_object_set_new(json, "saved_at", json_string(time));
    json_object_set_new(json, "saved_by", json_string(saved_by));
    return json;
}

static enum err version_number(const char *name, struct bytes text, int64_t *ret, struct why *why)
{
    int64_t number = 0;
    for (size_t i = 0; i < text.len && number >= 0; i++)
        number = text.data[i] < '0' || text.data[i] > '9' || number > INT32_MAX
                     ? -1
                     : number * 10 + (text.data[i] - '0');
    if (number < 1)
        return attribute_refuse(name, text, why, "is the number of a version");
    *ret = number;
    return OK;
}

/* The newest first. */
static enum err versions_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct api_call *call = arg;
    AUTO(store_rows) rows = NULL;
    AUTO_VAL(object) profile = { 0 };
    AUTO_BUF after = { 0 };
    size_t limit = PAGE_ROWS;
    int64_t below = INT64_MAX;
    TRY(object_named(tx, call, &profile_class, 0, &profile, why));
    TRY(route_query_count(call, "limit", LIMIT_PAGE_ROWS, &limit, why));
    TRY(route_query(call, "after", &after, why));
    if (after.len)
        TRY(version_number("after", buf_bytes(&after), &below, why));
    TRY(store_query(
        tx,
        "SELECT version, saved_at, saved_by FROM profile_version WHERE profile_id = $1 AND version < $2 "
        "ORDER BY version DESC LIMIT $3",
        S_ARGS(S_TEXT(object_id(&profile)), S_INT(below), S_INT((int64_t)limit + 1)), &rows, why));
    json_t *items = json_array();
    for (size_t row = 0; row < store_rows_count(rows) && row < limit; row++)
        json_array_append_new(
            items, version_json(store_int(rows, row, 0), store_int(rows, row, 1), store_str(rows, row, 2)));
    json_decref(call->result);
    call->result = json_pack("{s:o}", "items", items);
    if (store_rows_count(rows) > limit) {
        AUTO_STR next = xasprintf("%lld", (long long)store_int(rows, limit - 1, 0));
        json_object_set_new(call->result, "next", json_string(next));
    }
    return OK;
}

enum err route_profile_versions(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, versions_work, call, why);
}

static enum err version_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct api_call *call = arg;
    AUTO_VAL(object) profile = { 0 };
    AUTO_VAL(profile_version) version = { 0 };
    json_t *settings = NULL;
    int64_t number;
    TRY(object_named(tx, call, &profile_class, 0, &profile, why));
    TRY(version_number("version", route_name(call, 1), &number, why));
    TRY(profile_version_load(tx, object_id(&profile), number, &version, why));
    TRY(settings_json(tx, &version, &settings, why));
    json_decref(call->result);
    call->result = version_json(version.version, version.saved_at, version.saved_by);
    json_object_set_new(call->result, "profile", settings);
    return OK;
}

enum err route_profile_version(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, version_work, call, why);
}
