/* SPDX-License-Identifier: Apache-2.0 */
/* Only in builds with -Dfault=any: which safeguard this process goes without. */
#include "base/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fault_chosen; /* set before main, then only read; 0: none, N: row N of the table */

__attribute__((constructor)) static void fault_choose(void)
{
    static const char *const names[] = { FAULT_TABLE };
    const char *wanted = getenv("CHANCERY_FAULT");
    if (!wanted || !*wanted)
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(names[i], wanted) == 0)
            fault_chosen = (int)i + 1;
    }
    if (fault_chosen)
        return;
    (void)fprintf(stderr, "CHANCERY_FAULT=%s: there is no such fault\n", wanted);
    _exit(2);
}
