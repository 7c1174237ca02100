/* SPDX-License-Identifier: Apache-2.0 */
/* Users, groups and devices: list, add, show, set, delete. */
#include "mdm/api/edit.h"
#include "mdm/api/handlers.h"

#include "base/fault.h"
#include "mdm/change.h"
#include "mdm/device_store.h"
#include "mdm/judge.h"
#include "mdm/ldap/keeper.h"

/* --- reading --- */

static enum err list_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct api_call *call = arg;
    const struct page page = { call->route->class, NULL, NULL };
    return page_answer(call, tx, &page, why);
}

enum err route_object_list(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, list_work, call, why);
}

static void result_set(struct api_call *call, const struct object *object)
{
    json_decref(call->result);
    call->result = object_json(object);
    call->etag = object_number(object, "change");
}

static enum err show_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct api_call *call = arg;
    AUTO_VAL(object) object = { 0 };
    TRY(object_named(tx, call, call->route->class, 0, &object, why));
    result_set(call, &object);
    return OK;
}

enum err route_object_show(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, show_work, call, why);
}

/* --- changing --- */

struct edit {
    struct api_call *call;
    struct object given;
    char id[UUID_TEXT];
};

static void edit_free(struct edit *edit)
{
    object_free(&edit->given);
}

static enum err edit_audit(struct store_tx *tx, const struct edit *edit, const char *verb,
                           const struct object *object, struct why *why)
{
    AUTO_STR action = xasprintf("%s_%s", object->class->name, verb);
    return call_audit(tx, edit->call, action, object_id(object), edit->call->json, why);
}

static enum err add_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct edit *edit = arg;
    AUTO_VAL(object) object = { .class = edit->given.class };
    int64_t change;
    TRY(change_next(tx, &change, why));
    object_copy(&object, &edit->given);
    object_set(&object, "id", bytes_str(edit->id));
    object_set_number(&object, "created_at", edit->call->now);
    TRY(users_resolve(tx, &object, why));
    TRY(object_complete(&object, why));
    change_stamp(&object, change, edit->call->now);
    TRY(object_add(tx, &object, why));
    result_set(edit->call, &object);
    return edit_audit(tx, edit, "add", &object, why);
}

enum err route_object_add(struct api_call *call, struct why *why)
{
    AUTO_VAL(edit) edit = { .call = call, .given = { .class = call->route->class } };
    TRY(object_json_take(call->json, &edit.given, why));
    TRY(uuid_make(edit.id, why));
    TRY(store_write(call->mdm->store, add_work, &edit, why));
    call->status = 201;
    return OK;
}

/* Written, with what it comes to. */
static enum err changed_save(struct store_tx *tx, const struct edit *edit, const struct object *before,
                             const struct object *object, struct why *why)
{
    const struct object_change change = { before, object, api_is_local(edit->call->request) };
    TRY(object_save(tx, object, why));
    return object->class->after ? object->class->after(tx, &change, why) : OK;
}

static enum err set_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct edit *edit = arg;
    AUTO_VAL(object) object = { 0 };
    AUTO_VAL(object) before = { .class = edit->given.class };
    AUTO_VAL(object) given = { .class = edit->given.class };
    int64_t change;
    TRY(change_next(tx, &change, why));
    TRY(object_named(tx, edit->call, edit->given.class, 0, &object, why));
    object_copy(&before, &object);
    object_copy(&given, &edit->given);
    TRY(users_resolve(tx, &given, why));
    TRY(ldap_keeper_allows(edit->call->mdm->directories, tx, &object, &given, why));
    TRY(object_merge(&object, &given, why));
    change_stamp(&object, change, edit->call->now);
    TRY(changed_save(tx, edit, &before, &object, why));
    result_set(edit->call, &object);
    return edit_audit(tx, edit, "set", &object, why);
}

enum err route_object_set(struct api_call *call, struct why *why)
{
    AUTO_VAL(edit) edit = { .call = call, .given = { .class = call->route->class } };
    TRY(object_json_take(call->json, &edit.given, why));
    return store_write(call->mdm->store, set_work, &edit, why);
}

/* A device that is still managed would keep its certificates, and nobody would know of it any more. */
static enum err delete_check(const struct object *object, struct why *why)
{
    if (object->class != &device_class || FAULT(device_delete) ||
        strcmp(object_text(object, "state"), word_name(&device_state_words, DEVICE_ENROLLED)) != 0)
        return OK;
    return fail(why, ERR_CONFLICT, "device %s is enrolled: retire it first", object_id(object));
}

static enum err delete_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct edit *edit = arg;
    AUTO_VAL(object) object = { 0 };
    AUTO_VAL(object) before = { .class = edit->call->route->class };
    int64_t change;
    TRY(change_next(tx, &change, why));
    TRY(object_named(tx, edit->call, edit->call->route->class, 0, &object, why));
    TRY(delete_check(&object, why));
    TRY(ldap_keeper_allows(edit->call->mdm->directories, tx, &object, NULL, why));
    object_copy(&before, &object);
    object_set_number(&object, "deleted_at", edit->call->now);
    change_stamp(&object, change, edit->call->now);
    TRY(changed_save(tx, edit, &before, &object, why));
    return edit_audit(tx, edit, "delete", &object, why);
}

enum err route_object_delete(struct api_call *call, struct why *why)
{
    AUTO_VAL(edit) edit = { .call = call };
    return store_write(call->mdm->store, delete_work, &edit, why);
}

static enum err retire_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct edit *edit = arg;
    AUTO_VAL(object) device = { 0 };
    int64_t change;
    TRY(change_next(tx, &change, why));
    TRY(object_named(tx, edit->call, &device_class, 0, &device, why));
    TRY(device_set_state(&device, DEVICE_RETIRED, why));
    change_stamp(&device, change, edit->call->now);
    TRY(object_save(tx, &device, why));
    TRY(judge_alone(tx, object_id(&device), edit->call->now,
                    why)); /* what it had is revoked, whether it comes again or not */
    result_set(edit->call, &device);
    return edit_audit(tx, edit, "retire", &device, why);
}

enum err route_device_retire(struct api_call *call, struct why *why)
{
    AUTO_VAL(edit) edit = { .call = call };
    return store_write(call->mdm->store, retire_work, &edit, why);
}
