/* SPDX-License-Identifier: Apache-2.0 */
/* Who is in which group. */
#include "mdm/api/edit.h"
#include "mdm/api/handlers.h"

#include "mdm/change.h"
#include "mdm/group_store.h"
#include "mdm/ldap/keeper.h"

/* --- lists --- */

static enum err groups_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct api_call *call = arg;
    AUTO_VAL(object) object = { 0 };
    TRY(object_named(tx, call, call->route->class, 0, &object, why));
    const struct page page = { &group_class, groups_of_member, object_id(&object) };
    return page_answer(call, tx, &page, why);
}

enum err route_groups_of(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, groups_work, call, why);
}

/* Groups that are in it, where the query says so; else its users or devices. */
static enum err members_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct api_call *call = arg;
    AUTO_VAL(object) group = { 0 };
    bool groups;
    TRY(object_named(tx, call, &group_class, 0, &group, why));
    TRY(route_query_flag(call, "groups", &groups, why));
    const struct page page = { groups ? &group_class : group_member_class(&group), MEMBERS_OF_GROUP,
                               object_id(&group) };
    return page_answer(call, tx, &page, why);
}

enum err route_member_list(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, members_work, call, why);
}

/* --- changes --- */

struct membership {
    struct api_call *call;
    struct bytes name; /* of the member */
    bool is_group;
};

static enum err member_find(struct store_tx *tx, const struct membership *asked, const struct object *group,
                            struct object *ret, struct why *why)
{
    const struct object_class *class = asked->is_group ? &group_class : group_member_class(group);
    return object_find(tx, class, asked->name, ret, why);
}

static enum err membership_audit(struct store_tx *tx, const struct membership *asked, const char *action,
                                 const struct member_change *change, struct why *why)
{
    AUTO_JSON detail = json_object();
    json_object_set_new(detail, "member", json_string(object_id(change->member)));
    json_object_set_new(detail, "kind", json_string(change->member->class->name));
    return call_audit(tx, asked->call, action, object_id(change->group), detail, why);
}

static enum err add_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct membership *asked = arg;
    AUTO_VAL(object) group = { 0 };
    AUTO_VAL(object) member = { 0 };
    struct member_change change = { &group, &member, 0, asked->call->now };
    bool changed;
    TRY(change_next(tx, &change.change, why));
    TRY(object_named(tx, asked->call, &group_class, 0, &group, why));
    TRY(member_find(tx, asked, &group, &member, why));
    TRY(ldap_keeper_allows(asked->call->mdm->directories, tx, &group, NULL, why));
    TRY(member_add(tx, &change, &changed, why));
    return changed ? membership_audit(tx, asked, "member_add", &change, why) : OK;
}

static enum err membership_take(const json_t *json, struct membership *ret, struct why *why)
{
    struct bytes kind;
    TRY(body_text(json, "member", "a user, device or group", &ret->name, why));
    TRY(body_text(json, "kind", NULL, &kind, why));
    size_t known = 1 + (json_object_get(json, "kind") != NULL);
    if (json_object_size(json) != known)
        return fail(why, ERR_VALUE, "a membership has another member than member and kind");
    ret->is_group = bytes_equal(kind, BYTES_LIT("group"));
    if (kind.len && !ret->is_group)
        return attribute_refuse("kind", kind, why, "is group, or nothing for a user or device");
    return OK;
}

enum err route_member_add(struct api_call *call, struct why *why)
{
    struct membership asked = { .call = call };
    TRY(membership_take(call->json, &asked, why));
    return store_write(call->mdm->store, add_work, &asked, why);
}

static enum err remove_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct membership *asked = arg;
    AUTO_VAL(object) group = { 0 };
    AUTO_VAL(object) member = { 0 };
    struct member_change change = { &group, &member, 0, asked->call->now };
    bool changed;
    TRY(change_next(tx, &change.change, why));
    TRY(object_named(tx, asked->call, &group_class, 0, &group, why));
    TRY(member_find(tx, asked, &group, &member, why));
    TRY(ldap_keeper_allows(asked->call->mdm->directories, tx, &group, NULL, why));
    TRY(member_remove(tx, &change, &changed, why));
    if (!changed)
        return fail(why, ERR_NOT_FOUND, "%s is not in the group %s", object_id(&member),
                    object_text(&group, "name"));
    return membership_audit(tx, asked, "member_remove", &change, why);
}

enum err route_member_remove(struct api_call *call, struct why *why)
{
    struct membership asked = { .call = call, .name = route_name(call, 1) };
    TRY(route_query_flag(call, "groups", &asked.is_group, why));
    return store_write(call->mdm->store, remove_work, &asked, why);
}
