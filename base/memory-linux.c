/* SPDX-License-Identifier: Apache-2.0 */
/* glibc's malloc. */
#include "base/memory.h"

#include <malloc.h>

/* glibc makes eight for each core, and in time every one holds what the largest request needed. The work is RSA, not
   malloc: a few are enough to keep threads out of each other's way. */
#define ARENAS 4

void memory_tune(void)
{
    mallopt(M_ARENA_MAX, ARENAS);
}

void memory_release(void)
{
    malloc_trim(0);
}
