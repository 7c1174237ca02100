/* SPDX-License-Identifier: Apache-2.0 */
/* glibc's malloc. */
#include "base/memory.h"

#include <malloc.h>

/* glibc makes eight for each core, and in time every one holds what the largest request needed. The work is RSA, not
   malloc: a few are enough to keep threads out of each other's way. */
#define ARENAS 4
/* What is free at the top of an arena stays there: giving a few pages back and asking for them again costs two system calls
   and the faults, for nearly every request. memory_release gives back what a flood left. */
#define KEPT_BYTES (1 << 20)

void memory_tune(void)
{
    mallopt(M_ARENA_MAX, ARENAS);
    mallopt(M_TRIM_THRESHOLD, 2 * KEPT_BYTES);
    mallopt(M_TOP_PAD, KEPT_BYTES);
}

void memory_release(void)
{
    malloc_trim(0);
}
