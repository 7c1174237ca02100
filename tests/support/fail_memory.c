/* SPDX-License-Identifier: Apache-2.0 */
/* The counter, and OpenSSL's hook. Memory comes from malloc, so that sanitizers see each block. */
#include "tests/support/fail_memory.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_long counted, at;
static atomic_bool counting, holding, failed, lasting;

bool memory_fails_now(void)
{
    if (!atomic_load(&counting) || atomic_load(&holding))
        return false;
    long number = atomic_fetch_add(&counted, 1) + 1, from = atomic_load(&at);
    if (from == 0 || number < from || (number > from && !atomic_load(&lasting)))
        return false;
    atomic_store(&failed, true);
    return true;
}

static void begin(long n, bool all_after)
{
    atomic_store(&counted, 0);
    atomic_store(&failed, false);
    atomic_store(&lasting, all_after);
    atomic_store(&at, n);
    atomic_store(&counting, true);
}

void memory_fail_at(long n)
{
    begin(n, false);
}

void memory_fail_from(long n)
{
    begin(n, true);
}

bool memory_fail_end(void)
{
    atomic_store(&counting, false);
    return atomic_load(&failed);
}

void memory_hold(bool hold)
{
    atomic_store(&holding, hold);
}

long memory_counted(void)
{
    return atomic_load(&counted);
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return size == 0 || memory_fails_now() ? NULL : malloc(size);
}

static void *openssl_realloc(void *block, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return memory_fails_now() ? NULL : realloc(block, size);
}

static void openssl_free(void *block, const char *file, int line)
{
    (void)file, (void)line;
    free(block);
}

void memory_hook_openssl(void)
{
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1)
        return;
    fputs("OpenSSL has allocated already: its memory cannot be hooked\n", stderr);
    exit(1);
}
