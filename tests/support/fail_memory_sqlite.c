/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's hook. */
#include "tests/support/fail_memory.h"

#include <malloc.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static void *sqlite_malloc(int size)
{
    return memory_fails_now() ? NULL : malloc((size_t)size);
}

static void *sqlite_realloc(void *block, int size)
{
    return memory_fails_now() ? NULL : realloc(block, (size_t)size);
}

static int sqlite_size(void *block)
{
    return block ? (int)malloc_usable_size(block) : 0;
}

static int sqlite_roundup(int size)
{
    return (size + 7) & ~7;
}

static int sqlite_begin(void *arg)
{
    (void)arg;
    return SQLITE_OK;
}

static void sqlite_end(void *arg)
{
    (void)arg;
}

void memory_hook_sqlite(void)
{
    static const sqlite3_mem_methods methods = { .xMalloc = sqlite_malloc,
                                                 .xFree = free,
                                                 .xRealloc = sqlite_realloc,
                                                 .xSize = sqlite_size,
                                                 .xRoundup = sqlite_roundup,
                                                 .xInit = sqlite_begin,
                                                 .xShutdown = sqlite_end };
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK)
        return;
    fputs("SQLite is initialised already: its memory cannot be hooked\n", stderr);
    exit(1);
}
