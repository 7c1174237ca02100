/* SPDX-License-Identifier: Apache-2.0 */
/* Directories that users and groups come from: how their last run went, and another one. */
#include "mdm/api/edit.h"
#include "mdm/api/handlers.h"

#include "mdm/ldap/keeper.h"
#include "mdm/ldap/kept.h"

#define PROBLEMS_SHOWN 100

static void time_put(json_t *json, const char *name, int64_t at)
{
    char text[21];
    clock_rfc3339(at, text);
    json_object_set_new(json, name, at ? json_string(text) : json_null());
}

static json_t *directory_json(struct ldap_directory *directory, const struct kept_run *kept)
{
    const struct ldap_settings *settings = ldap_directory_settings(directory);
    struct ldap_standing standing = ldap_directory_standing(directory);
    json_t *json = json_object();
    json_object_set_new(json, "name", json_string(settings->name));
    json_object_set_new(json, "schema", json_string(settings->schema == LDAP_SCHEMA_AD ? "ad" : "openldap"));
    json_object_set_new(json, "outcome", json_string(*kept->outcome ? kept->outcome : "never"));
    json_object_set_new(json, "kind", json_string(kept->kind));
    json_object_set_new(json, "detail", json_string(kept->detail));
    time_put(json, "succeeded_at", kept->succeeded_at);
    time_put(json, "full_at", kept->full_at);
    time_put(json, "begun_at", kept->begun_at);
    time_put(json, "ended_at", kept->ended_at);
    time_put(json, "next_at", standing.next_at);
    json_object_set_new(json, "running", json_boolean(standing.running));
    json_object_set_new(json, "run", json_integer(kept->run));
    json_object_set_new(json, "done", json_integer(standing.done));
    return json;
}

static enum err list_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct api_call *call = arg;
    struct ldap_keeper *keeper = call->mdm->directories;
    json_t *items = json_array();
    json_decref(call->result);
    call->result = json_pack("{s:o}", "items", items);
    for (size_t i = 0; i < ldap_keeper_count(keeper); i++) {
        struct ldap_directory *directory = ldap_keeper_at(keeper, i);
        AUTO_VAL(kept_run) kept = { 0 };
        TRY(kept_run_load(tx, ldap_directory_settings(directory)->name, &kept, why));
        json_array_append_new(items, directory_json(directory, &kept));
    }
    return OK;
}

enum err route_directory_list(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, list_work, call, why);
}

/* --- one --- */

static enum err problems_put(struct store_tx *tx, const char *source, json_t *json, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    json_t *list = json_array();
    json_object_set_new(json, "problems", list);
    TRY(store_query(
        tx,
        "SELECT entry, reason, at FROM directory_problem WHERE source = $1 ORDER BY at DESC, entry_id "
        "LIMIT $2",
        S_ARGS(S_TEXT(source), S_INT(PROBLEMS_SHOWN)), &rows, why));
    for (size_t i = 0; i < store_rows_count(rows); i++) {
        json_t *problem =
            json_pack("{s:s, s:s}", "entry", store_str(rows, i, 0), "reason", store_str(rows, i, 1));
        time_put(problem, "at", store_int(rows, i, 2));
        json_array_append_new(list, problem);
    }
    return OK;
}

struct shown {
    struct api_call *call;
    struct ldap_directory *directory;
};

static enum err show_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct shown *shown = arg;
    const char *name = ldap_directory_settings(shown->directory)->name;
    AUTO_VAL(kept_run) kept = { 0 };
    TRY(kept_run_load(tx, name, &kept, why));
    json_t *counts = json_loads(kept.counts, 0, NULL);
    json_decref(shown->call->result);
    shown->call->result = directory_json(shown->directory, &kept);
    json_object_set_new(shown->call->result, "counts", counts ? counts : json_object());
    return problems_put(tx, name, shown->call->result, why);
}

enum err route_directory_show(struct api_call *call, struct why *why)
{
    struct shown shown = { .call = call };
    TRY(ldap_keeper_find(call->mdm->directories, route_name(call, 0), &shown.directory, why));
    return store_read(call->mdm->store, show_work, &shown, why);
}

/* --- another run --- */

static enum err flag_take(const json_t *json, const char *name, size_t *known, bool *ret, struct why *why)
{
    const json_t *value = json_object_get(json, name);
    if (value && !json_is_boolean(value))
        return fail(why, ERR_VALUE, "%s is neither true nor false", name);
    *known += value != NULL;
    *ret = json_is_true(value);
    return OK;
}

static enum err audit_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct shown *shown = arg;
    return call_audit(tx, shown->call, "directory_sync", ldap_directory_settings(shown->directory)->name,
                      shown->call->json, why);
}

enum err route_directory_sync(struct api_call *call, struct why *why)
{
    struct shown shown = { .call = call };
    struct run_request request = { 0 };
    size_t known = 0;
    TRY(ldap_keeper_find(call->mdm->directories, route_name(call, 0), &shown.directory, why));
    TRY(flag_take(call->json, "full", &known, &request.full, why));
    TRY(flag_take(call->json, "allow_deletions", &known, &request.allow_deletions, why));
    if (!json_is_object(call->json) || json_object_size(call->json) != known)
        return fail(why, ERR_VALUE, "the body is a JSON object with full, allow_deletions or neither");
    TRY(store_write(call->mdm->store, audit_work, &shown, why));
    call->result = json_pack("{s:I}", "request", (json_int_t)ldap_directory_ask(shown.directory, &request));
    return OK;
}
