/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/issued.h"

#include "base/fault.h"
#include "mdm/errand.h"
#include <stdio.h>
#include <stdlib.h>

#define TEXT_SET(field, text) snprintf((field), sizeof(field), "%s", (text))

void issued_list_free(struct issued_list *issued)
{
    free(issued->list);
    *issued = (struct issued_list){ 0 };
}

static struct issued row_take(const struct store_rows *rows, size_t row)
{
    struct issued it = { .version = store_int(rows, row, 3),
                         .request = store_int(rows, row, 4),
                         .not_before = store_int(rows, row, 7),
                         .not_after = store_int(rows, row, 8),
                         .asked = !store_is_null(rows, row, 9),
                         .revoked = !store_is_null(rows, row, 10) };
    TEXT_SET(it.ca, store_str(rows, row, 0));
    TEXT_SET(it.serial, store_str(rows, row, 1));
    TEXT_SET(it.challenge, store_str(rows, row, 2));
    TEXT_SET(it.thumbprint, store_str(rows, row, 5));
    TEXT_SET(it.key, store_str(rows, row, 6));
    return it;
}

enum err issued_load(struct store_tx *tx, const struct deployment *of, struct issued_list *ret,
                     struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(
        tx,
        "SELECT ca, serial, challenge, version, request, thumbprint, key, not_before, not_after, "
        "asked_at, revoked_at FROM deployment_certificate WHERE device_id = $1 AND profile_id = $2 "
        "ORDER BY number DESC",
        S_ARGS(S_TEXT(of->device), S_TEXT(of->profile)), &rows, why));
    size_t count = store_rows_count(rows);
    *ret = (struct issued_list){ xcalloc(count + 1, sizeof(*ret->list)), count };
    for (size_t row = 0; row < count; row++)
        ret->list[row] = row_take(rows, row);
    return OK;
}

enum err issued_add(struct store_tx *tx, const struct deployment *of, const struct issued *it, int64_t now,
                    struct why *why)
{
    return store_exec(
        tx,
        "INSERT INTO deployment_certificate (ca, serial, device_id, profile_id, version, challenge, request, "
        "thumbprint, key, not_before, not_after, number, issued_at) SELECT $1, $2, $3, $4, $5, $6, $7, $8, "
        "$9, "
        "$10, $11, COALESCE(MAX(number), 0) + 1, $12 FROM deployment_certificate WHERE device_id = $3 AND "
        "profile_id = $4 ON CONFLICT (ca, serial) DO NOTHING",
        S_ARGS(S_TEXT(it->ca), S_TEXT(it->serial), S_TEXT(of->device), S_TEXT(of->profile),
               S_INT(it->version), S_TEXT(it->challenge), S_INT(it->request), S_TEXT(it->thumbprint),
               S_TEXT(it->key), S_INT(it->not_before), S_INT(it->not_after), S_INT(now)),
        NULL, why);
}

enum err issued_end(struct store_tx *tx, const struct deployment *of, const char *reason, int64_t now,
                    bool *ret_any, struct why *why)
{
    AUTO_VAL(issued_list) issued = { 0 };
    bool any = false;
    TRY(issued_load(tx, of, &issued, why));
    for (size_t i = 0; i < issued.count && !FAULT(issued_end); i++) {
        const struct issued *each = &issued.list[i];
        if (each->asked || each->revoked || each->not_after <= now)
            continue;
        const struct errand errand = { .kind = ERRAND_REVOKE,
                                       .ca = each->ca,
                                       .device = of->device,
                                       .profile = of->profile,
                                       .version = each->version,
                                       .serial = each->serial,
                                       .reason = reason };
        any = true;
        TRY(errand_put(tx, &errand, now, why));
        TRY(store_exec(tx, "UPDATE deployment_certificate SET asked_at = $3 WHERE ca = $1 AND serial = $2",
                       S_ARGS(S_TEXT(each->ca), S_TEXT(each->serial), S_INT(now)), NULL, why));
    }
    if (ret_any)
        *ret_any = any;
    return OK;
}

enum err issued_revoked(struct store_tx *tx, const char *ca, const char *serial, int64_t now, struct why *why)
{
    return store_exec(tx,
                      "UPDATE deployment_certificate SET revoked_at = $3 WHERE ca = $1 AND serial = $2 "
                      "AND revoked_at IS NULL",
                      S_ARGS(S_TEXT(ca), S_TEXT(serial), S_INT(now)), NULL, why);
}
