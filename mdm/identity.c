/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/identity.h"

#include "base/auto.h"
#include "base/fault.h"

enum err identity_add(struct store_tx *tx, const char *device, const struct device_certificate *certificate,
                      int64_t now, struct why *why)
{
    return store_exec(
        tx,
        "INSERT INTO device_identity (serial, device_id, number, issued_at, not_after) SELECT $1, $2, "
        "COALESCE(MAX(number), 0) + 1, $3, $4 FROM device_identity WHERE device_id = $2",
        S_ARGS(S_TEXT(certificate->serial), S_TEXT(device), S_INT(now), S_INT(certificate->not_after)), NULL,
        why);
}

/* Two at the most: see identity_end. */
enum err identity_check(struct store_tx *tx, const struct device_identity *identity, bool *ret_replaces,
                        struct why *why)
{
    AUTO(store_rows) rows = NULL;
    bool found = false;
    TRY(store_query(
        tx, "SELECT serial FROM device_identity WHERE device_id = $1 AND ended_at IS NULL ORDER BY number",
        S_ARGS(S_TEXT(identity->device)), &rows, why));
    *ret_replaces = false;
    for (size_t i = 0; i < store_rows_count(rows) && !found; i++) {
        found = strcmp(store_str(rows, i, 0), identity->serial) == 0;
        *ret_replaces = found && i > 0;
    }
    if (!found && !FAULT(identity_current))
        return fail(why, ERR_NOT_AUTHORISED, "certificate %s of device %s counts no more", identity->serial,
                    identity->device);
    return OK;
}

enum err identity_end(struct store_tx *tx, const char *device, const char *but, int64_t now, struct why *why)
{
    return store_exec(tx,
                      "UPDATE device_identity SET ended_at = $3 WHERE device_id = $1 AND serial <> $2 "
                      "AND ended_at IS NULL",
                      S_ARGS(S_TEXT(device), S_TEXT(but ? but : ""), S_INT(now)), NULL, why);
}

enum err identity_had(struct store_tx *tx, const char *device, bool *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT 1 FROM device_identity WHERE device_id = $1 LIMIT 1", S_ARGS(S_TEXT(device)),
                    &rows, why));
    *ret = store_rows_count(rows) > 0;
    return OK;
}
