/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/ldap/guard.h"

#include "base/bytes.h"
#include "base/fault.h"
#include <stdlib.h>

#define ALWAYS 3 /* a small directory loses one of its five */

bool guard_holds(struct guard_counts counts, int percent)
{
    if (counts.gone == 0 || FAULT(ldap_guard))
        return false;
    if (counts.gone >= counts.known)
        return true;
    return counts.gone > ALWAYS && counts.gone * 100 > counts.known * (size_t)percent;
}

void id_set_add(struct id_set *set, const char *id)
{
    if (set->count == set->room) {
        size_t room = set->room ? 2 * set->room : 256;
        void *more = realloc(set->ids, room * sizeof(*set->ids));
        if (!more)
            die("out of memory: %zu ids", room);
        set->ids = more;
        set->room = room;
    }
    memset(set->ids[set->count], 0, sizeof(*set->ids));
    strncpy(set->ids[set->count++], id, sizeof(*set->ids) - 1);
    set->sorted = false;
}

static int id_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

bool id_set_has(struct id_set *set, const char *id)
{
    if (!set->sorted && set->count)
        qsort(set->ids, set->count, sizeof(*set->ids), id_compare);
    set->sorted = true;
    return set->count && bsearch(id, set->ids, set->count, sizeof(*set->ids), id_compare) != NULL;
}

void id_set_free(struct id_set *set)
{
    free(set->ids);
    *set = (struct id_set){ 0 };
}
