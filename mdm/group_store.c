/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/group_store.h"

#include "base/fault.h"
#include "base/limits.h"
#include "mdm/device_store.h"
#include "mdm/user_store.h"

static const char *const kind_names[] = { "user", "device" };
static const struct words kind_words = WORDS(kind_names);

/* clang-format off: one a row */
static const struct attribute attributes[] = {
    OBJECT_ATTRIBUTE_ID,
    { .name = "name",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_REQUIRED,
      .most = LIMIT_DIRECTORY_KEY_BYTES,
      .takes = takes_group_name,
      .help = "its name; no two groups have the same, whatever its letter case" },
    { .name = "kind",
      .kind = ATTRIBUTE_WORD,
      .flags = ATTRIBUTE_REQUIRED | ATTRIBUTE_ONCE | ATTRIBUTE_FILTER,
      .words = &kind_words,
      .help = "what is in it" },
    { .name = "description",
      .kind = ATTRIBUTE_TEXT,
      .most = LIMIT_DIRECTORY_TEXT_BYTES,
      .help = "what it is for" },
    OBJECT_ATTRIBUTES_OWN,
};
/* clang-format on */

const struct object_class group_class = {
    .name = "group",
    .plural = "groups",
    .table = "directory_group",
    .key = "name",
    .unique = "name",
    .find = "SELECT id FROM directory_group WHERE folded = $2 AND deleted_at IS NULL AND $1 <> '' LIMIT 2",
    .attributes = attributes,
    .count = sizeof(attributes) / sizeof(*attributes),
};

const char groups_of_member[] =
    "id IN (WITH RECURSIVE up (id) AS (SELECT m.group_id FROM member m JOIN directory_group g ON g.id = "
    "m.group_id "
    "WHERE m.member_id = $1 AND g.deleted_at IS NULL UNION SELECT m.group_id FROM member m JOIN up ON "
    "m.member_id = "
    "up.id JOIN directory_group g ON g.id = m.group_id WHERE g.deleted_at IS NULL) SELECT id FROM up)";

const struct object_class *group_member_class(const struct object *group)
{
    return strcmp(object_text(group, "kind"), "user") == 0 ? &user_class : &device_class;
}

static enum err kind_check(const struct object *group, const struct object *member, struct why *why)
{
    bool nested = member->class == &group_class;
    const char *wanted = object_text(group, "kind");
    const char *got = nested ? object_text(member, "kind") : member->class->own_group_kind;
    if (FAULT(member_kind) || strcmp(wanted, got) == 0)
        return OK;
    return fail(why, ERR_VALUE, "%s is a %s%s, and %s is a group of %ss", object_id(member), got,
                nested ? " group" : "", object_text(group, "name"), wanted);
}

/* Is the group in the member, by whatever way? Deleted groups count: their memberships are still there. */
static enum err cycle_check(struct store_tx *tx, const struct object *group, const struct object *member,
                            struct why *why)
{
    AUTO(store_rows) rows = NULL;
    if (member->class != &group_class || FAULT(member_cycle))
        return OK;
    TRY(store_query(
        tx,
        "WITH RECURSIVE up (id) AS (SELECT CAST($1 AS TEXT) UNION SELECT m.group_id FROM member m "
        "JOIN up ON m.member_id = up.id) SELECT id FROM up WHERE id = $2",
        S_ARGS(S_TEXT(object_id(group)), S_TEXT(object_id(member))), &rows, why));
    if (store_rows_count(rows) == 0)
        return OK;
    return fail(why, ERR_CONFLICT, "group %s is in %s, or is the same: with this it would be in itself",
                object_text(group, "name"), object_text(member, "name"));
}

static enum err stamp(struct store_tx *tx, const struct member_change *what, struct why *why)
{
    AUTO_STR sql = xasprintf("UPDATE %s SET change = $1 WHERE id = $2", what->member->class->table);
    return store_exec(tx, sql, S_ARGS(S_INT(what->change), S_TEXT(object_id(what->member))), NULL, why);
}

enum err member_add(struct store_tx *tx, const struct member_change *what, bool *ret_changed, struct why *why)
{
    int64_t added = 0;
    TRY(kind_check(what->group, what->member, why));
    TRY(cycle_check(tx, what->group, what->member, why));
    TRY(store_exec(tx,
                   "INSERT INTO member (group_id, kind, member_id, added_at) VALUES ($1, $2, $3, $4) "
                   "ON CONFLICT (group_id, member_id) DO NOTHING",
                   S_ARGS(S_TEXT(object_id(what->group)), S_TEXT(what->member->class->name),
                          S_TEXT(object_id(what->member)), S_INT(what->now)),
                   &added, why));
    *ret_changed = added == 1;
    return added == 1 ? stamp(tx, what, why) : OK;
}

enum err member_remove(struct store_tx *tx, const struct member_change *what, bool *ret_changed,
                       struct why *why)
{
    int64_t removed = 0;
    TRY(store_exec(tx, "DELETE FROM member WHERE group_id = $1 AND member_id = $2",
                   S_ARGS(S_TEXT(object_id(what->group)), S_TEXT(object_id(what->member))), &removed, why));
    *ret_changed = removed == 1;
    return removed == 1 ? stamp(tx, what, why) : OK;
}
