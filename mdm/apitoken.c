/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/apitoken.h"

#include "base/fault.h"
#include "base/limits.h"
#include "mdm/administrator.h"
#include <stdio.h>

/* clang-format off: one a row */
static const struct attribute attributes[] = {
    OBJECT_ATTRIBUTE_ID,
    { .name = "name",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_REQUIRED | ATTRIBUTE_ONCE,
      .most = LIMIT_NAME_BYTES,
      .takes = takes_administrator_name,
      .help = "what it is called; no two have the same, whatever its letter case" },
    { .name = "administrator",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_ONCE | ATTRIBUTE_FILTER,
      .most = LIMIT_NAME_BYTES,
      .help = "whose it is, by id or name; who asks, unless the command line says another" },
    { .name = "roles",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_REQUIRED | ATTRIBUTE_ONCE,
      .most = LIMIT_DIRECTORY_KEY_BYTES,
      .takes = takes_roles,
      .help = "those of the administrator's roles that it has, separated by commas" },
    { .name = "expires_at", .kind = ATTRIBUTE_TIME, .flags = ATTRIBUTE_OWN, .help = "until when it counts" },
    OBJECT_ATTRIBUTES_OWN,
};
/* clang-format on */

const struct object_class apitoken_class = {
    .name = "apitoken",
    .plural = "apitokens",
    .table = "apitoken",
    .key = "name",
    .unique = "name",
    .find = "SELECT id FROM apitoken WHERE folded = $2 AND deleted_at IS NULL AND $1 <> '' LIMIT 2",
    .own_group_kind = "apitoken",
    .attributes = attributes,
    .count = sizeof(attributes) / sizeof(*attributes),
};

enum err apitoken_keep(struct store_tx *tx, const char *id, const char *token, struct why *why)
{
    uint8_t digest[BEARER_DIGEST];
    enum bearer_kind kind;
    TRY(bearer_read(bytes_str(token), &kind, digest, why));
    return store_exec(tx, "INSERT INTO apitoken_secret (digest, token_id) VALUES ($1, $2)",
                      S_ARGS(S_BYTES(BYTES_ARR(digest)), S_TEXT(id)), NULL, why);
}

static enum err judge(const struct store_rows *rows, int64_t now, struct why *why)
{
    const char *id = store_str(rows, 0, 0);
    if (!store_is_null(rows, 0, 7) && !FAULT(apitoken_revoked))
        return fail(why, ERR_SIGN_IN, "API token %s was revoked", id);
    if (store_int(rows, 0, 6) <= now && !FAULT(apitoken_expired))
        return fail(why, ERR_SIGN_IN, "API token %s is over", id);
    if ((store_int(rows, 0, 8) != 1 || !store_is_null(rows, 0, 9)) && !FAULT(apitoken_owner))
        return fail(why, ERR_SIGN_IN, "API token %s is of %s, who is disabled or deleted", id,
                    store_str(rows, 0, 3));
    return OK;
}

enum err apitoken_find(struct store_tx *tx, const uint8_t digest[static BEARER_DIGEST], int64_t now,
                       struct apitoken *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(
        tx,
        "SELECT t.id, t.name, a.id, a.name, t.roles, a.roles, t.expires_at, t.deleted_at, a.enabled, "
        "a.deleted_at FROM apitoken_secret s JOIN apitoken t ON t.id = s.token_id JOIN "
        "administrator a ON a.id = t.administrator WHERE s.digest = $1",
        S_ARGS(S_BYTES(bytes_of(digest, BEARER_DIGEST))), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_SIGN_IN, "there is no such API token");
    TRY(judge(rows, now, why));
    *ret = (struct apitoken){ .expires_at = store_int(rows, 0, 6) };
    snprintf(ret->id, sizeof(ret->id), "%s", store_str(rows, 0, 0));
    snprintf(ret->name, sizeof(ret->name), "%s", store_str(rows, 0, 1));
    snprintf(ret->administrator, sizeof(ret->administrator), "%s", store_str(rows, 0, 2));
    snprintf(ret->of, sizeof(ret->of), "%s", store_str(rows, 0, 3));
    unsigned owner = roles_of(store_str(rows, 0, 5));
    ret->roles = roles_of(store_str(rows, 0, 4)) & (FAULT(apitoken_roles) ? ~0u : owner);
    return OK;
}
