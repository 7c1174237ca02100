/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/administrator.h"

#include "base/fault.h"
#include "base/limits.h"
#include "mdm/api/api.h"
#include "mdm/session.h"
#include <ctype.h>

/* clang-format off: one a row */
static const struct attribute attributes[] = {
    OBJECT_ATTRIBUTE_ID,
    { .name = "name",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_REQUIRED | ATTRIBUTE_ONCE,
      .most = LIMIT_NAME_BYTES,
      .takes = takes_administrator_name,
      .help = "what they sign in with; no two have the same, whatever its letter case" },
    { .name = "display_name",
      .kind = ATTRIBUTE_TEXT,
      .most = LIMIT_DIRECTORY_KEY_BYTES,
      .help = "name to be shown" },
    { .name = "roles",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_REQUIRED,
      .most = LIMIT_DIRECTORY_KEY_BYTES,
      .takes = takes_roles,
      .help = "ca-manager, certificate-officer, profile-manager, help-desk and auditor: one or more of them, "
              "separated by commas" },
    { .name = "enabled",
      .kind = ATTRIBUTE_FLAG,
      .flags = ATTRIBUTE_FILTER,
      .fallback = "true",
      .help = "they may sign in, and their tokens count" },
    { .name = "password_set_at",
      .kind = ATTRIBUTE_TIME,
      .flags = ATTRIBUTE_OWN,
      .help = "when they got their password; null: they have none, and cannot sign in" },
    OBJECT_ATTRIBUTES_OWN,
};
/* clang-format on */

static enum err after(struct store_tx *tx, const struct object_change *change, struct why *why);

const struct object_class administrator_class = {
    .name = "administrator",
    .plural = "administrators",
    .table = "administrator",
    .key = "name",
    .unique = "name",
    .find = "SELECT id FROM administrator WHERE folded = $2 AND deleted_at IS NULL AND $1 <> '' LIMIT 2",
    .own_group_kind = "administrator",
    .attributes = attributes,
    .count = sizeof(attributes) / sizeof(*attributes),
    .after = after,
};

/* --- names and roles --- */

/* Few characters, so that no two names look the same, and none breaks "admin/NAME" of the audit trail. */
bool takes_administrator_name(struct attribute_value *value, const char **rule)
{
    *rule = "are letters of ASCII, digits and . _ - @ +, and no UUID";
    for (const char *at = value->text; *at; at++) {
        if (!isalnum((unsigned char)*at) && !strchr("._-@+", *at))
            return false;
    }
    return !uuid_is(bytes_str(value->text));
}

static bool role_add(unsigned *roles, struct bytes name)
{
    for (size_t i = 0; i < ADMIN_ROLES; i++) {
        if (!bytes_equal(name, bytes_str(admin_role_names[i])))
            continue;
        *roles |= 1u << i;
        return true;
    }
    return false;
}

static bool roles_read(const char *text, unsigned *ret)
{
    *ret = 0;
    for (;;) {
        size_t len = strcspn(text, ",");
        if (!role_add(ret, bytes_of(text, len)))
            return false;
        if (!text[len])
            return true;
        text += len + 1;
    }
}

unsigned roles_of(const char *text)
{
    unsigned roles;
    return text && roles_read(text, &roles) ? roles : 0;
}

void roles_append(struct buf *out, unsigned roles)
{
    bool first = true;
    for (size_t i = 0; i < ADMIN_ROLES; i++) {
        if (!(roles & 1u << i))
            continue;
        buf_printf(out, "%s%s", first ? "" : ",", admin_role_names[i]);
        first = false;
    }
}

bool takes_roles(struct attribute_value *value, const char **rule)
{
    AUTO_BUF text = { 0 };
    unsigned roles;
    *rule = "are ca-manager, certificate-officer, profile-manager, help-desk and auditor, separated by "
            "commas without blanks";
    if (!roles_read(value->text, &roles))
        return false;
    roles_append(&text, roles);
    attribute_value_set(value, buf_bytes(&text));
    return true;
}

/* --- what a change of one comes to --- */

/* Those who can sign in and may manage administrators. */
static enum err managers_count(struct store_tx *tx, int64_t *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT COUNT(*) FROM administrator WHERE deleted_at IS NULL AND enabled = 1 AND "
                    "password_set_at IS NOT NULL AND ',' || roles || ',' LIKE '%,ca-manager,%'",
                    S_NO_ARGS, &rows, why));
    *ret = store_int(rows, 0, 0);
    return OK;
}

static bool manages(const struct object *administrator)
{
    return object_number(administrator, "enabled") && object_number(administrator, "password_set_at") &&
           !object_number(administrator, "deleted_at") &&
           roles_of(object_text(administrator, "roles")) & ADMIN_CA_MANAGER;
}

/* Over HTTPS nobody takes away the last one who could undo it; the local administrator may. Changes wait for one another (mdm/change.h), so two
   who leave at the same time are not both the last but one. */
static enum err last_check(struct store_tx *tx, const struct object_change *change, struct why *why)
{
    int64_t left;
    if (change->local || !manages(change->before) || manages(change->now) || FAULT(last_manager))
        return OK;
    TRY(managers_count(tx, &left, why));
    if (left > 0)
        return OK;
    return fail(why, ERR_WRONG_STATE,
                "%s is the last one who can sign in and manage administrators: only the command line on the "
                "service's own host changes that",
                object_text(change->now, "name"));
}

static bool rights_differ(const struct object *a, const struct object *b)
{
    return strcmp(object_text(a, "roles"), object_text(b, "roles")) != 0 ||
           object_number(a, "enabled") != object_number(b, "enabled") ||
           object_number(a, "deleted_at") != object_number(b, "deleted_at");
}

static enum err after(struct store_tx *tx, const struct object_change *change, struct why *why)
{
    TRY(last_check(tx, change, why));
    if (!rights_differ(change->before, change->now) || FAULT(sessions_end))
        return OK;
    return sessions_end(tx, object_id(change->now), why);
}

enum err administrator_password_keep(struct store_tx *tx, const char *id, const char *hash, int64_t now,
                                     struct why *why)
{
    TRY(store_exec(tx,
                   "INSERT INTO administrator_password (administrator_id, hash) VALUES ($1, $2) "
                   "ON CONFLICT (administrator_id) DO UPDATE SET hash = $2",
                   S_ARGS(S_TEXT(id), S_TEXT(hash)), NULL, why));
    TRY(store_exec(tx, "UPDATE administrator SET password_set_at = $2 WHERE id = $1",
                   S_ARGS(S_TEXT(id), S_INT(now)), NULL, why));
    return FAULT(password_sessions) ? OK : sessions_end(tx, id, why);
}
