/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/change.h"

#include "mdm/counter.h"
#include "mdm/object.h"

enum err change_next(struct store_tx *tx, int64_t *ret, struct why *why)
{
    return counter_next(tx, "change", ret, why);
}

void change_stamp(struct object *object, int64_t change, int64_t now)
{
    object_set_number(object, "change", change);
    object_set_number(object, "changed_at", now);
}
