/* SPDX-License-Identifier: Apache-2.0 */
/* What reaches a device, and what does not. */
#include "mdm/target.h"

#include "mdm/api/edit.h"
#include "mdm/api/handlers.h"
#include "mdm/device_store.h"
#include "mdm/holder.h"

static json_t *target_json(const struct target *target)
{
    json_t *json = json_object();
    json_object_set_new(json, "id", json_string(target->profile));
    json_object_set_new(json, "name", json_string(target->name));
    json_object_set_new(json, "version", json_integer(target->version));
    json_object_set_new(json, "type", json_string(word_name(&profile_type_words, (int)target->type)));
    json_object_set_new(json, "state", json_string(word_name(&target_state_words, (int)target->state)));
    json_object_set_new(json, "group", json_string(target->group));
    json_object_set_new(json, "why", json_string(target->why));
    return json;
}

static enum err targets_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct api_call *call = arg;
    AUTO_VAL(object) found = { 0 };
    AUTO_VAL(kept_holder) kept = { 0 };
    AUTO_VAL(targets) targets = { 0 };
    TRY(object_named(tx, call, &device_class, 0, &found, why));
    TRY(holder_load(tx, object_id(&found), &kept, why));
    const struct holder holder = holder_of(&kept);
    TRY(targets_resolve(tx, &holder, &targets, why));
    json_t *items = json_array();
    for (size_t i = 0; i < targets.count; i++)
        json_array_append_new(items, target_json(&targets.list[i]));
    json_decref(call->result);
    call->result = json_pack("{s:o}", "items", items);
    json_object_set_new(call->result, "change", json_integer(targets.change));
    return OK;
}

enum err route_device_profiles(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, targets_work, call, why);
}
