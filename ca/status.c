/* SPDX-License-Identifier: Apache-2.0 */
/* The status of certificates, and the versions of its changes. */
#include "ca/status.h"

#include "base/fault.h"

#define VERSIONS "status" /* the counter's name */

const char *standing_name(enum standing standing)
{
    static const char *const names[] = {
        [STANDING_UNKNOWN] = "unknown", [STANDING_GOOD] = "good", [STANDING_REVOKED] = "revoked"
    };
    return names[standing];
}

enum err status_version(struct store_tx *tx, const struct issuer *issuer, int64_t *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT value FROM counter WHERE issuer_id = $1 AND name = '" VERSIONS "'",
                    S_ARGS(S_TEXT(issuer->name)), &rows, why));
    *ret = store_rows_count(rows) ? store_int(rows, 0, 0) : 0;
    return OK;
}

enum err status_version_in(struct store_tx *tx, const struct issuer *issuer, unsigned partition, int64_t *ret,
                           struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT status_version FROM certificate WHERE issuer_id = $1 AND crl_partition = $2 "
                    "AND status_version IS NOT NULL ORDER BY status_version DESC LIMIT 1",
                    S_ARGS(S_TEXT(issuer->name), S_INT(partition)), &rows, why));
    *ret = store_rows_count(rows) && !FAULT(partition_due) ? store_int(rows, 0, 0) : 0;
    return OK;
}

/* Holding the counter's row until commit makes the order of the numbers that of the commits. */
enum err status_mark(struct store_tx *tx, const struct issuer *issuer, const char *serial, int64_t now,
                     int64_t *ret_version, struct why *why)
{
    int64_t version;
    TRY(counter_next(tx, issuer->name, VERSIONS, &version, why));
    TRY(store_exec(tx,
                   "UPDATE certificate SET status_version = $1, status_at = $2 "
                   "WHERE issuer_id = $3 AND serial = $4",
                   S_ARGS(S_INT(version), S_INT(now), S_TEXT(issuer->name), S_TEXT(serial)), NULL, why));
    *ret_version = version;
    return OK;
}

struct get_arg {
    const struct issuer *issuer;
    const char *serial;
    struct cert_status status;
};

/* A serial that is reserved, or was voided, is nobody's: as if it had never been. */
static enum standing standing_of(const char *status)
{
    if (strcmp(status, "valid") == 0)
        return STANDING_GOOD;
    return strcmp(status, "revoked") == 0 ? STANDING_REVOKED : STANDING_UNKNOWN;
}

static enum err get_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct get_arg *get = arg;
    AUTO(store_rows) rows = NULL;
    get->status =
        (struct cert_status){ .standing = FAULT(status_unknown) ? STANDING_GOOD : STANDING_UNKNOWN };
    TRY(status_version(tx, get->issuer, &get->status.version, why));
    TRY(store_query(tx,
                    "SELECT status, revoked_at, reason FROM certificate WHERE issuer_id = $1 AND serial = $2",
                    S_ARGS(S_TEXT(get->issuer->name), S_TEXT(get->serial)), &rows, why));
    if (store_rows_count(rows) == 0)
        return OK;
    get->status.standing = standing_of(store_str(rows, 0, 0));
    get->status.revoked_at = store_int(rows, 0, 1);
    get->status.reason = (enum crl_reason)store_int(rows, 0, 2);
    return OK;
}

enum err status_get(struct ca *ca, const struct issuer *issuer, const char *serial, struct cert_status *ret,
                    struct why *why)
{
    struct get_arg get = { .issuer = issuer, .serial = serial };
    TRY(store_read(ca->store, get_work, &get, why));
    *ret = get.status;
    return OK;
}
