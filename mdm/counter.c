/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/counter.h"

enum err counter_next(struct store_tx *tx, const char *name, int64_t *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    int64_t changed = 0;
    TRY(store_exec(tx, "UPDATE counter SET value = value + 1 WHERE name = $1", S_ARGS(S_TEXT(name)), &changed,
                   why));
    if (changed != 1)
        return fail(why, ERR_STORE, "there is no counter %s", name);
    TRY(store_query(tx, "SELECT value FROM counter WHERE name = $1", S_ARGS(S_TEXT(name)), &rows, why));
    *ret = store_int(rows, 0, 0);
    return OK;
}
