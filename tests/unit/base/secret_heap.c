/* SPDX-License-Identifier: Apache-2.0 */
/* What libcrypto allocates for a private key: where it lies, and what is left of it. */
#include "tests/unit/test.h"

#include "base/limits.h"
#include "base/secret.h"
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <pthread.h>

#define HEAP_BYTES (1 << 20)

TEST(outside_of_a_keep_memory_is_ordinary)
{
    void *plain = OPENSSL_malloc(64);
    assert_false(CRYPTO_secure_allocated(plain));
    OPENSSL_free(plain);
    assert_null(OPENSSL_malloc(0));
}

TEST(inside_everything_is_locked_and_they_nest)
{
    secret_heap_keep();
    secret_heap_keep();
    void *inner = OPENSSL_zalloc(64);
    secret_heap_keep_end();
    BIGNUM *number = BN_new();
    assert_int_equal(1, BN_set_word(number, 12345));
    secret_heap_keep_end();
    void *after = OPENSSL_malloc(64);
    assert_true(CRYPTO_secure_allocated(inner));
    assert_true(CRYPTO_secure_allocated(number));
    assert_false(CRYPTO_secure_allocated(after));
    OPENSSL_free(inner);
    BN_free(number);
    OPENSSL_free(after);
}

TEST(what_grows_stays_locked_and_what_was_not_becomes_it)
{
    secret_heap_keep();
    char *locked = OPENSSL_malloc(16);
    memcpy(locked, "fifteen letters", 16);
    secret_heap_keep_end();
    locked = OPENSSL_realloc(locked, 4000);
    assert_true(CRYPTO_secure_allocated(locked));
    assert_string_equal("fifteen letters", locked);
    char *plain = OPENSSL_malloc(16);
    memcpy(plain, "fifteen letters", 16);
    secret_heap_keep();
    plain = OPENSSL_realloc(plain, 4000);
    secret_heap_keep_end();
    assert_true(CRYPTO_secure_allocated(plain));
    assert_string_equal("fifteen letters", plain);
    OPENSSL_free(locked);
    OPENSSL_free(plain);
}

TEST(what_is_freed_is_wiped)
{
    secret_heap_keep();
    volatile uint8_t *locked = OPENSSL_malloc(256);
    secret_heap_keep_end();
    for (int i = 0; i < 256; i++)
        locked[i] = 0xA5;
    OPENSSL_free((void *)locked);
    /* The arena stays mapped: its first words now link the free list, the rest is what it was wiped to. */
    for (int i = 32; i < 256; i++)
        assert_int_equal(0, locked[i]);
}

TEST(a_full_heap_gives_nothing_and_never_ordinary_memory)
{
    void *taken[64];
    size_t count = 0;
    secret_heap_keep();
    while (count < 64 && (taken[count] = OPENSSL_malloc(HEAP_BYTES / 16)))
        count++;
    assert_true(count > 4 && count < 64);
    assert_null(OPENSSL_zalloc(HEAP_BYTES));
    secret_heap_keep_end();
    while (count)
        OPENSSL_free(taken[--count]);
    void *plain = OPENSSL_malloc(HEAP_BYTES);
    assert_non_null(plain);
    OPENSSL_free(plain);
}

static void *allocate(void *arg)
{
    void **ret = arg;
    *ret = OPENSSL_malloc(64);
    return NULL;
}

TEST(another_thread_keeps_nothing)
{
    void *other = NULL;
    pthread_t thread;
    secret_heap_keep();
    assert_int_equal(0, pthread_create(&thread, NULL, allocate, &other));
    pthread_join(thread, NULL);
    secret_heap_keep_end();
    assert_false(CRYPTO_secure_allocated(other));
    OPENSSL_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = { T(outside_of_a_keep_memory_is_ordinary),
                                        T(inside_everything_is_locked_and_they_nest),
                                        T(what_grows_stays_locked_and_what_was_not_becomes_it),
                                        T(what_is_freed_is_wiped),
                                        T(a_full_heap_gives_nothing_and_never_ordinary_memory),
                                        T(another_thread_keeps_nothing) };
    secret_heap_open(HEAP_BYTES);
    TEST_FILTER();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
