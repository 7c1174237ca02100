/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/profile_store.h"

#include "base/fault.h"
#include "base/limits.h"
#include "mdm/assignment.h"
#include "mdm/change.h"
#include "mdm/profile_check.h"
#include "mdm/profile_json.h"
#include <assert.h>

/* clang-format off: one a row */
static const struct attribute attributes[] = {
    OBJECT_ATTRIBUTE_ID,
    { .name = "name",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_OWN,
      .most = LIMIT_PROFILE_NAME_BYTES,
      .help = "its name; no two profiles have the same, whatever its letter case" },
    { .name = "version",
      .kind = ATTRIBUTE_NUMBER,
      .flags = ATTRIBUTE_OWN,
      .help = "of the newest version, from 1" },
    { .name = "type",
      .kind = ATTRIBUTE_WORD,
      .flags = ATTRIBUTE_OWN | ATTRIBUTE_FILTER,
      .words = &profile_type_words,
      .help = "what it puts on devices" },
    { .name = "platform",
      .kind = ATTRIBUTE_WORD,
      .flags = ATTRIBUTE_OWN | ATTRIBUTE_FILTER,
      .words = &platform_words,
      .help = "the devices that it is for" },
    { .name = "certificate_type",
      .kind = ATTRIBUTE_WORD,
      .flags = ATTRIBUTE_OWN,
      .words = &certificate_kind_words,
      .help = "whose certificates it makes" },
    { .name = "description",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_OWN,
      .most = LIMIT_PROFILE_TEXT_BYTES,
      .help = "what it is for" },
    { .name = "root",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_OWN,
      .most = UUID_TEXT,
      .help = "id of its trusted-certificate profile" },
    OBJECT_ATTRIBUTES_OWN,
};
/* clang-format on */

const struct object_class profile_class = {
    .name = "profile",
    .plural = "profiles",
    .table = "profile",
    .key = "name",
    .unique = "name",
    .find = "SELECT id FROM profile WHERE folded = $2 AND deleted_at IS NULL AND $1 <> '' LIMIT 2",
    .attributes = attributes,
    .count = sizeof(attributes) / sizeof(*attributes),
};

/* --- judging --- */

/* The profile that root_certificate names, if there is one. */
static enum err root_find(struct store_tx *tx, const struct profile *profile, struct profile *ret,
                          char **ret_id, struct why *why)
{
    AUTO_VAL(object) root = { 0 };
    struct why inner = { 0 };
    *ret_id = NULL;
    if (!profile->root_certificate)
        return OK;
    enum err err = object_find(tx, &profile_class, bytes_str(profile->root_certificate), &root, &inner);
    if (err == ERR_NOT_FOUND)
        return OK;
    if (err != OK)
        return fail(why, err, "%s", inner.text);
    TRY(profile_load(tx, object_id(&root), object_number(&root, "version"), ret, why));
    *ret_id = xstrdup(object_id(&root));
    return OK;
}

/* What a profile that is kept is judged by beside profile_check. A name that looks like an id would be taken for one. */
static void kept_check(const struct profile *profile, const struct object *before, struct problems *problems)
{
    struct bytes type = bytes_str(word_name(&profile_type_words, (int)profile->type));
    struct bytes platform = bytes_str(word_name(&platform_words, (int)profile->platform));
    if (uuid_is(bytes_str(profile->name)))
        problem_add(problems, "name", bytes_str(profile->name), "must be no UUID");
    if (!before || FAULT(profile_fixed))
        return;
    if (profile->type != PROFILE_NONE && !bytes_equal(type, bytes_str(object_text(before, "type"))))
        problem_add(problems, "type", type, "is %s for ever: make another profile",
                    object_text(before, "type"));
    if (profile->platform != PLATFORM_NONE &&
        !bytes_equal(platform, bytes_str(object_text(before, "platform"))))
        problem_add(problems, "platform", platform, "is %s for ever: make another profile",
                    object_text(before, "platform"));
}

/* before: NULL for a new one. */
static enum err judge(struct store_tx *tx, const struct profile_saving *saving, const struct object *before,
                      struct profile *ret, struct why *why)
{
    AUTO_VAL(profile) root = { 0 };
    AUTO_STR root_id = NULL;
    struct surroundings around = { .now = saving->now };
    problems_free(saving->problems);
    profile_json_take(saving->text, ret, saving->problems);
    TRY(root_find(tx, ret, &root, &root_id, why));
    around.root = root_id ? &root : NULL;
    profile_check(ret, &around, saving->problems);
    kept_check(ret, before, saving->problems);
    TRY(problems_judge(saving->problems, why));
    free(ret->root_certificate); /* by its id: it may be given another name */
    ret->root_certificate = TAKE(root_id);
    return OK;
}

/* --- keeping --- */

static void attributes_set(struct object *object, const struct profile *profile,
                           const struct profile_saving *saving)
{
    const char *kind =
        profile->kind == CERTIFICATE_NONE ? "" : word_name(&certificate_kind_words, (int)profile->kind);
    object_set(object, "name", bytes_str(profile->name));
    object_set(object, "type", bytes_str(word_name(&profile_type_words, (int)profile->type)));
    object_set(object, "platform", bytes_str(word_name(&platform_words, (int)profile->platform)));
    object_set(object, "certificate_type", bytes_str(kind));
    object_set(object, "description", bytes_str(profile->description));
    object_set(object, "root", bytes_str(profile->root_certificate));
    object_set_number(object, "version", object_number(object, "version") + 1);
    change_stamp(object, saving->change, saving->now);
}

static enum err version_add(struct store_tx *tx, const struct profile_saving *saving,
                            const struct object *object, const struct buf *text, struct why *why)
{
    return store_exec(tx,
                      "INSERT INTO profile_version (profile_id, version, body, saved_at, saved_by) "
                      "VALUES ($1, $2, $3, $4, $5)",
                      S_ARGS(S_TEXT(object_id(object)), S_INT(object_number(object, "version")),
                             store_text_of(buf_bytes(text)), S_INT(saving->now), S_TEXT(saving->actor)),
                      NULL, why);
}

enum err profile_add(struct store_tx *tx, const struct profile_saving *saving, const char *id,
                     struct object *ret, struct why *why)
{
    AUTO_VAL(profile) profile = { 0 };
    AUTO_VAL(object) object = { .class = &profile_class };
    AUTO_BUF text = { 0 };
    TRY(judge(tx, saving, NULL, &profile, why));
    profile_json_append(&text, &profile);
    object_set(&object, "id", bytes_str(id));
    object_set(&object, "source", BYTES_LIT("local"));
    object_set_number(&object, "created_at", saving->now);
    attributes_set(&object, &profile, saving);
    TRY(object_add(tx, &object, why));
    TRY(version_add(tx, saving, &object, &text, why));
    object_free(ret);
    *ret = object;
    object = (struct object){ 0 };
    return OK;
}

enum err profile_save(struct store_tx *tx, const struct profile_saving *saving, struct object *object,
                      bool *ret_changed, struct why *why)
{
    AUTO_VAL(profile) profile = { 0 };
    AUTO_VAL(profile_version) newest = { 0 };
    AUTO_BUF text = { 0 };
    TRY(judge(tx, saving, object, &profile, why));
    TRY(profile_version_load(tx, object_id(object), object_number(object, "version"), &newest, why));
    profile_json_append(&text, &profile);
    *ret_changed = !bytes_equal(buf_bytes(&text), buf_bytes(&newest.text)) || FAULT(profile_same);
    if (!*ret_changed)
        return OK;
    attributes_set(object, &profile, saving);
    TRY(object_save(tx, object, why));
    TRY(assignment_stamp(tx, object_id(object), saving->change, why));
    return version_add(tx, saving, object, &text, why);
}

/* --- deleting --- */

static enum err root_of_check(struct store_tx *tx, const struct object *profile, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT name FROM profile WHERE root = $1 AND deleted_at IS NULL ORDER BY folded LIMIT 1",
                    S_ARGS(S_TEXT(object_id(profile))), &rows, why));
    if (store_rows_count(rows) == 0 || FAULT(profile_root_delete))
        return OK;
    return fail(why, ERR_CONFLICT, "profile %.200s is the root certificate of %.200s",
                object_text(profile, "name"), store_str(rows, 0, 0));
}

static enum err assigned_check(struct store_tx *tx, const struct object *profile, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT g.name FROM assignment a JOIN directory_group g ON g.id = a.group_id "
                    "WHERE a.profile_id = $1 AND g.deleted_at IS NULL ORDER BY g.folded LIMIT 1",
                    S_ARGS(S_TEXT(object_id(profile))), &rows, why));
    if (store_rows_count(rows) == 0 || FAULT(profile_assigned_delete))
        return OK;
    return fail(why, ERR_CONFLICT, "profile %.200s is assigned to group %.200s: remove that first",
                object_text(profile, "name"), store_str(rows, 0, 0));
}

enum err profile_delete(struct store_tx *tx, struct object *profile, int64_t change, int64_t now,
                        struct why *why)
{
    TRY(root_of_check(tx, profile, why));
    TRY(assigned_check(tx, profile, why));
    object_set_number(profile, "deleted_at", now);
    change_stamp(profile, change, now);
    return object_save(tx, profile, why);
}

/* --- reading --- */

void profile_version_free(struct profile_version *version)
{
    buf_free(&version->text);
    free(version->saved_by);
    *version = (struct profile_version){ 0 };
}

enum err profile_version_load(struct store_tx *tx, const char *id, int64_t version,
                              struct profile_version *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(
        tx, "SELECT body, saved_at, saved_by FROM profile_version WHERE profile_id = $1 AND version = $2",
        S_ARGS(S_TEXT(id), S_INT(version)), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_FOUND, "there is no version %lld of profile %s", (long long)version, id);
    *ret = (struct profile_version){ .text = buf_dup(store_bytes(rows, 0, 0)),
                                     .saved_by = xstrdup(store_str(rows, 0, 2)),
                                     .version = version,
                                     .saved_at = store_int(rows, 0, 1) };
    return OK;
}

enum err profile_load(struct store_tx *tx, const char *id, int64_t version, struct profile *ret,
                      struct why *why)
{
    AUTO_VAL(profile_version) kept = { 0 };
    AUTO_VAL(profile) profile = { 0 };
    AUTO_VAL(problems) problems = { 0 };
    struct why inner = { 0 };
    TRY(profile_version_load(tx, id, version, &kept, why));
    profile_json_take(buf_bytes(&kept.text), &profile, &problems);
    if (problems_judge(&problems, &inner) != OK)
        return fail(why, ERR_STORE, "version %lld of profile %s cannot be read: %.300s", (long long)version,
                    id, inner.text);
    *ret = profile;
    profile = (struct profile){ 0 };
    return OK;
}
