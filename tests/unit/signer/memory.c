/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation that OpenSSL makes fails once while the signer seals and while it starts (spec security.md S9): an error that
   may pass, or the very certificate; never a serial sealed for two. */
#include "tests/support/fail_memory.h"
#include "tests/unit/signer/helper.h"

#include <openssl/crypto.h>

#define FAILURES_MAX 20000

static void assert_retryable(enum err err, const struct why *why, long n)
{
    if (!err_row(err)->retryable)
        fail_msg("allocation %ld failed: %s (%s) is final, and memory was only short", n, err_row(err)->name,
                 why->text);
}

static bool seal_failing_at(struct site *site, enum seal_kind kind, struct bytes tbs, long n)
{
    struct why why = { 0 };
    AUTO_BUF der = { 0 }, again = { 0 };
    memory_fail_at(n);
    enum err err = seal_kind(site, kind, tbs, &der, &why);
    bool failed = memory_fail_end();
    if (err != OK)
        assert_retryable(err, &why, n);
    ASSERT_OK(seal_kind(site, kind, tbs, &again, &why), &why);
    if (err == OK)
        ASSERT_BYTES(buf_bytes(&der), buf_bytes(&again));
    return !failed;
}

TEST(each_failing_allocation_of_a_certificate)
{
    struct site site;
    site_make(&site);
    site_open(&site);
    long n = 1;
    for (bool whole = false; !whole && n < FAILURES_MAX; n++) {
        AUTO_BUF tbs = { 0 };
        good_tbs(&site, &tbs);
        whole = seal_failing_at(&site, SEAL_CERTIFICATE, buf_bytes(&tbs), n);
    }
    assert_true(n > 20 && n < FAILURES_MAX);
    site_reopen(&site); /* the journal is sound */
    site_close(&site);
}

TEST(each_failing_allocation_of_a_crl)
{
    struct site site;
    site_make(&site);
    site_open(&site);
    long n = 1;
    for (bool whole = false; !whole && n < FAILURES_MAX; n++) {
        AUTO_BUF tbs = { 0 };
        struct crl_params params = crl_good(&site, n);
        crl_tbs(&params, &tbs);
        whole = seal_failing_at(&site, SEAL_CRL, buf_bytes(&tbs), n);
    }
    assert_true(n > 20 && n < FAILURES_MAX);
    site_reopen(&site);
    site_close(&site);
}

TEST(each_failing_allocation_of_the_start)
{
    struct site site;
    struct why why = { 0 };
    AUTO_BUF tbs = { 0 }, der = { 0 }, again = { 0 };
    site_make(&site);
    site_open(&site);
    good_tbs(&site, &tbs);
    ASSERT_OK(seal_cert(&site, buf_bytes(&tbs), &der, &why), &why);
    signer_free(TAKE(site.signer));
    long n = 1;
    for (bool failed = true; failed && n < FAILURES_MAX; n++) {
        struct signer *signer = NULL;
        memory_fail_at(n);
        enum err err = signer_open(site.config, &site.unlock, NULL, &site.clock, &signer, &why);
        failed = memory_fail_end();
        assert_true((err == OK) == (signer != NULL));
        signer_free(signer);
    }
    assert_true(n > 20 && n < FAILURES_MAX);
    site_open(&site);
    ASSERT_OK(seal_cert(&site, buf_bytes(&tbs), &again, &why), &why);
    ASSERT_BYTES(buf_bytes(&der), buf_bytes(&again));
    site_close(&site);
}

int main(void)
{
    memory_hook_openssl();
    /* Now, so that secret_heap_open finds the heap made and leaves the allocator ours. */
    if (CRYPTO_secure_malloc_init(LIMIT_SECRET_HEAP_BYTES, 16) != 1)
        die("no locked heap");
    const struct CMUnitTest tests[] = {
        T(each_failing_allocation_of_a_certificate),
        T(each_failing_allocation_of_a_crl),
        T(each_failing_allocation_of_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
