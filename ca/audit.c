/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the audit trail. */
#include "ca/audit.h"

#include "base/fault.h"
#include "config/options.h"
#include <assert.h>

enum err audit_write(struct store_tx *tx, const struct ca *ca, const struct audit_entry *entry,
                     struct why *why)
{
    int64_t id;
    assert(words_contain(AUDIT_ACTIONS, entry->action));
    if (FAULT(audit))
        return OK;
    TRY(counter_next(tx, entry->issuer, "audit", &id, why));
    return store_exec(
        tx,
        "INSERT INTO audit (issuer_id, audit_id, node_id, happened_at, actor, action, object, detail) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        S_ARGS(S_TEXT(entry->issuer), S_INT(id), S_TEXT(ca->node), S_INT(clock_now(ca->clock)),
               S_TEXT(entry->actor), S_TEXT(entry->action), S_TEXT(entry->object),
               S_TEXT(entry->detail ? entry->detail : "")),
        NULL, why);
}
