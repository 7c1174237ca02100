/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/audit.h"

#include "base/fault.h"
#include "mdm/counter.h"

enum err audit_write(struct store_tx *tx, const struct audit_entry *entry, struct why *why)
{
    int64_t id;
    if (FAULT(mdm_audit))
        return OK;
    TRY(counter_next(tx, "audit", &id, why));
    return store_exec(tx,
                      "INSERT INTO audit (audit_id, happened_at, actor, action, object, detail) "
                      "VALUES ($1, $2, $3, $4, $5, $6)",
                      S_ARGS(S_INT(id), S_INT(entry->at), S_TEXT(entry->actor), S_TEXT(entry->action),
                             S_TEXT(entry->object), S_TEXT(entry->detail)),
                      NULL, why);
}
