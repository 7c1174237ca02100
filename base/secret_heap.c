/* SPDX-License-Identifier: Apache-2.0 */
/* The locked heap, and what lies in it besides our own secrets: libcrypto keeps the numbers of an RSA key, and the copies of its
   primes that it multiplies with, in ordinary memory, whatever its caller does. So its allocator is ours, and hands out locked
   memory while a key is made. */
#include "base/fault.h"
#include "base/secret.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/resource.h>

/* Of this thread: libcrypto's allocator is given no argument that could say whose it is. */
static _Thread_local unsigned keeping;

static void *locked_new(size_t len)
{
    /* A heap that is full makes libcrypto note an error, for which it allocates. */
    unsigned was = keeping;
    keeping = 0;
    void *data = CRYPTO_secure_malloc(len, OPENSSL_FILE, OPENSSL_LINE);
    keeping = was;
    return data;
}

static void *crypto_new(size_t len, const char *file, int line)
{
    (void)file, (void)line;
    if (len == 0)
        return NULL;
    return keeping && !FAULT(key_heap) && CRYPTO_secure_malloc_initialized() ? locked_new(len) : malloc(len);
}

static void crypto_free(void *data, const char *file, int line)
{
    if (data && CRYPTO_secure_allocated(data))
        CRYPTO_secure_free(data, file, line); /* wipes it */
    else
        free(data);
}

static void *crypto_resize(void *data, size_t len, const char *file, int line)
{
    if (!data)
        return crypto_new(len, file, line);
    if (len == 0) {
        crypto_free(data, file, line);
        return NULL;
    }
    bool locked = CRYPTO_secure_allocated(data);
    if (!locked && !keeping)
        return realloc(data, len);
    size_t have = locked ? CRYPTO_secure_actual_size(data) : malloc_usable_size(data);
    void *moved = locked ? locked_new(len) : crypto_new(len, file, line);
    if (!moved)
        return NULL;
    memcpy(moved, data, have < len ? have : len);
    crypto_free(data, file, line);
    return moved;
}

/* As far as we may ourselves: an administrator's hard limit stays. */
static void lock_limit_raise(size_t size)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur >= size)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_MEMLOCK, &limit);
}

bool secret_heap_open(size_t size)
{
    if (CRYPTO_secure_malloc_initialized())
        return true;
    if (CRYPTO_set_mem_functions(crypto_new, crypto_resize, crypto_free) != 1)
        die("the key heap must be opened before libcrypto is used");
    lock_limit_raise(size);
    return CRYPTO_secure_malloc_init(size, 16) == 1;
}

void secret_heap_keep(void)
{
    keeping++;
}

void secret_heap_keep_end(void)
{
    keeping--;
}
