/* SPDX-License-Identifier: Apache-2.0 */
/* Whom profiles are for. */
#include "mdm/assignment.h"

#include "mdm/api/edit.h"
#include "mdm/api/handlers.h"
#include "mdm/change.h"
#include "mdm/group_store.h"
#include "mdm/problem_json.h"
#include "mdm/profile_store.h"

/* --- lists --- */

/* Each item says how it is assigned. */
static enum err modes_put(struct store_tx *tx, json_t *items, const struct object *of, struct why *why)
{
    bool is_profile = of->class == &profile_class;
    size_t index;
    json_t *item;
    json_array_foreach(items, index, item)
    {
        const char *other = json_string_value(json_object_get(item, "id"));
        AUTO_STR mode = NULL;
        TRY(assignment_mode_of(tx, is_profile ? object_id(of) : other, is_profile ? other : object_id(of),
                               &mode, why));
        json_object_set_new(item, "mode", json_string(mode));
    }
    return OK;
}

/* Groups of a profile, or profiles of a group. */
static enum err list_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct api_call *call = arg;
    AUTO_VAL(object) object = { 0 };
    bool is_profile = call->route->class == &profile_class;
    TRY(object_named(tx, call, call->route->class, 0, &object, why));
    const struct page page = { is_profile ? &group_class : &profile_class,
                               is_profile ? GROUPS_OF_PROFILE : PROFILES_OF_GROUP, object_id(&object) };
    TRY(page_answer(call, tx, &page, why));
    return modes_put(tx, json_object_get(call->result, "items"), &object, why);
}

enum err route_assignment_list(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, list_work, call, why);
}

/* --- changes --- */

struct assigning {
    struct api_call *call;
    struct bytes group;
    enum assignment_mode mode;
    bool changed;
};

static enum err both_find(struct store_tx *tx, const struct assigning *asked, struct object *profile,
                          struct object *group, struct why *why)
{
    TRY(object_named(tx, asked->call, &profile_class, 0, profile, why));
    return object_find(tx, &group_class, asked->group, group, why);
}

static enum err assigning_audit(struct store_tx *tx, const struct assigning *asked, const char *action,
                                const struct assignment *assignment, struct why *why)
{
    const char *mode = word_name(&assignment_mode_words, (int)assignment->mode);
    AUTO_JSON detail = json_object();
    json_object_set_new(detail, "group", json_string(object_id(assignment->group)));
    if (asked->call->json) /* what is taken away is so in whichever mode */
        json_object_set_new(detail, "mode", json_string(mode));
    return call_audit(tx, asked->call, action, object_id(assignment->profile), detail, why);
}

static enum err result_set(struct store_tx *tx, struct api_call *call, const struct assignment *assignment,
                           bool added, struct why *why)
{
    AUTO_VAL(problems) problems = { 0 };
    TRY(assignment_warn(tx, assignment->profile, added ? assignment->group : NULL, &problems, why));
    json_decref(call->result);
    call->result = json_object();
    json_object_set_new(call->result, "profile", json_string(object_id(assignment->profile)));
    json_object_set_new(call->result, "group", json_string(object_id(assignment->group)));
    if (added)
        json_object_set_new(call->result, "mode",
                            json_string(word_name(&assignment_mode_words, (int)assignment->mode)));
    json_object_set_new(call->result, "warnings", problems_json(&problems, true));
    return OK;
}

static enum err add_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct assigning *asked = arg;
    AUTO_VAL(object) profile = { 0 };
    AUTO_VAL(object) group = { 0 };
    struct assignment assignment = { &profile, &group, asked->mode, 0, asked->call->now };
    TRY(change_next(tx, &assignment.change, why));
    TRY(both_find(tx, asked, &profile, &group, why));
    TRY(assignment_add(tx, &assignment, &asked->changed, why));
    TRY(result_set(tx, asked->call, &assignment, true, why));
    return asked->changed ? assigning_audit(tx, asked, "assignment_add", &assignment, why) : OK;
}

static enum err assigning_take(const json_t *json, struct assigning *ret, struct why *why)
{
    struct bytes mode;
    TRY(body_text(json, "group", "a group by its name or id", &ret->group, why));
    TRY(body_text(json, "mode", NULL, &mode, why));
    size_t known = 1 + (json_object_get(json, "mode") != NULL);
    if (json_object_size(json) != known)
        return fail(why, ERR_VALUE, "an assignment has another member than group and mode");
    int found = mode.len ? word_find(&assignment_mode_words, mode) : ASSIGN_INCLUDE;
    if (found < 0)
        return attribute_refuse("mode", mode, why, "is include or exclude");
    ret->mode = (enum assignment_mode)found;
    return OK;
}

enum err route_assignment_add(struct api_call *call, struct why *why)
{
    struct assigning asked = { .call = call };
    TRY(assigning_take(call->json, &asked, why));
    TRY(store_write(call->mdm->store, add_work, &asked, why));
    call->status = asked.changed ? 201 : 200;
    return OK;
}

static enum err remove_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct assigning *asked = arg;
    AUTO_VAL(object) profile = { 0 };
    AUTO_VAL(object) group = { 0 };
    struct assignment assignment = { .profile = &profile, .group = &group, .now = asked->call->now };
    TRY(change_next(tx, &assignment.change, why));
    TRY(both_find(tx, asked, &profile, &group, why));
    TRY(assignment_remove(tx, &assignment, why));
    TRY(result_set(tx, asked->call, &assignment, false, why));
    return assigning_audit(tx, asked, "assignment_remove", &assignment, why);
}

enum err route_assignment_remove(struct api_call *call, struct why *why)
{
    struct assigning asked = { .call = call, .group = route_name(call, 1) };
    return store_write(call->mdm->store, remove_work, &asked, why);
}
