/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/user_store.h"

#include "base/limits.h"

/* clang-format off: one a row */
static const struct attribute attributes[] = {
    OBJECT_ATTRIBUTE_ID,
    { .name = "upn",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_REQUIRED,
      .most = LIMIT_DIRECTORY_KEY_BYTES,
      .takes = takes_upn,
      .help = "user principal name; no two users have the same, whatever its letter case" },
    { .name = "name", .kind = ATTRIBUTE_TEXT, .most = LIMIT_DIRECTORY_KEY_BYTES, .help = "name to be shown" },
    { .name = "email",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_FILTER,
      .most = LIMIT_DIRECTORY_KEY_BYTES,
      .takes = takes_mail,
      .help = "e-mail address" },
    { .name = "distinguished_name",
      .kind = ATTRIBUTE_TEXT,
      .most = LIMIT_DIRECTORY_TEXT_BYTES,
      .takes = takes_distinguished_name,
      .help = "onPremisesDistinguishedName: distinguishedName of Active Directory" },
    { .name = "sam_name",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_FILTER,
      .most = LIMIT_DIRECTORY_KEY_BYTES,
      .help = "onPremisesSamAccountName: sAMAccountName of Active Directory, as DOMAIN\\user or user" },
    { .name = "sid",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_FILTER,
      .most = LIMIT_DIRECTORY_KEY_BYTES,
      .takes = takes_sid,
      .help = "security identifier of Active Directory" },
    { .name = "enabled",
      .kind = ATTRIBUTE_FLAG,
      .flags = ATTRIBUTE_FILTER,
      .fallback = "true",
      .help = "the account may be used" },
    OBJECT_ATTRIBUTES_OWN,
};
/* clang-format on */

const struct object_class user_class = {
    .name = "user",
    .plural = "users",
    .table = "directory_user",
    .key = "upn",
    .unique = "upn",
    .find = "SELECT id FROM directory_user WHERE folded = $2 AND deleted_at IS NULL AND $1 <> '' LIMIT 2",
    .own_group_kind = "user",
    .attributes = attributes,
    .count = sizeof(attributes) / sizeof(*attributes),
};

void user_of(const struct object *object, struct user *ret)
{
    *ret = (struct user){ .id = object_text_dup(object, "id"),
                          .upn = object_text_dup(object, "upn"),
                          .name = object_text_dup(object, "name"),
                          .email = object_text_dup(object, "email"),
                          .distinguished_name = object_text_dup(object, "distinguished_name"),
                          .sam_name = object_text_dup(object, "sam_name"),
                          .sid = object_text_dup(object, "sid"),
                          .enabled = object_number(object, "enabled"),
                          .deleted = object_number(object, "deleted_at") };
}

enum err user_load(struct store_tx *tx, const char *id, struct user *ret, struct why *why)
{
    AUTO_VAL(object) object = { 0 };
    TRY(object_load(tx, &user_class, id, &object, why));
    user_of(&object, ret);
    return OK;
}
