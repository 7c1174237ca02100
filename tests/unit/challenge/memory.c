/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation that OpenSSL makes fails once while a challenge is sealed, opened and compared (spec security.md S9): an error
   that may pass, or the very result; nobody is refused for good because memory was short. Keys are those of a real role. */
#include "tests/support/fail_memory.h"
#include "tests/unit/challenge/fixture.h"

#include "x509/csr.h"
#include "x509/key_internal.h"
#include <openssl/crypto.h>

#define FAILURES_MAX 20000
static struct why why;

static void assert_retryable(enum err err, long n)
{
    if (!err_row(err)->retryable)
        fail_msg("allocation %ld failed: %s (%s) is final, and memory was only short", n, err_row(err)->name,
                 why.text);
}

/* The same key as a role holds it. */
static void use_real_key(struct side *side)
{
    struct key *real = NULL;
    ASSERT_OK(key_generate(&(struct key_spec){ KEY_EC_P256, 0 }, NULL, &real, &why), &why);
    EVP_PKEY *pkey = key_file_pkey(real);
    EVP_PKEY_up_ref(pkey);
    side_free(side);
    side_init_key(side, "CN=real", 0x77, evp_key_new(pkey));
    key_free(side->key);
    side->key = real;
}

static void site_make(struct site *site)
{
    site_init(site);
    use_real_key(&site->mdm);
    use_real_key(&site->crp);
    site->seal.signer = side_own(&site->mdm);
    site->recipients[0] = side_peer(&site->crp);
    site->signers[0] = side_peer(&site->mdm);
    site->own[0] = side_own(&site->crp);
}

TEST(each_failing_allocation_of_sealing)
{
    struct site site;
    site_make(&site);
    long n = 1;
    for (bool failed = true; failed && n < FAILURES_MAX; n++) {
        struct challenge_opened opened = { 0 };
        AUTO_BUF text = { 0 };
        memory_fail_at(n);
        enum err err = challenge_seal(&site.challenge, &site.seal, &text, &why);
        failed = memory_fail_end();
        if (err != OK)
            assert_retryable(err, n);
        else
            ASSERT_OK(challenge_open(buf_bytes(&text), &site.keys, NOW, &opened, &why), &why);
        challenge_opened_free(&opened);
    }
    assert_true(n > 20 && n < FAILURES_MAX);
    site_free(&site);
}

TEST(each_failing_allocation_of_opening)
{
    struct site site;
    site_make(&site);
    AUTO_BUF text = site_sealed(&site);
    long n = 1;
    for (bool failed = true; failed && n < FAILURES_MAX; n++) {
        struct challenge_opened opened = { 0 };
        memory_fail_at(n);
        enum err err = challenge_open(buf_bytes(&text), &site.keys, NOW, &opened, &why);
        failed = memory_fail_end();
        if (err != OK)
            assert_retryable(err, n);
        challenge_opened_free(&opened);
    }
    assert_true(n > 20 && n < FAILURES_MAX);
    site_free(&site);
}

TEST(each_failing_allocation_of_comparing_a_bound_key)
{
    struct site site;
    struct csr csr;
    site_make(&site);
    AUTO_BUF der = { 0 };
    const struct csr_params params = { .subject = site.challenge.expects.subject };
    ASSERT_OK(csr_make(&params, site.crp.key, &der, &why), &why);
    ASSERT_OK(csr_parse(buf_bytes(&der), &csr, &why), &why);
    struct challenge challenge = site.challenge;
    challenge.expects.is_bound = true; /* to a key whose digest is zeros: refused as such, or not judged */
    csr.san = challenge.expects.san;
    csr.eku = challenge.expects.eku;
    csr.has_key_usage = true;
    csr.key_usage = challenge.expects.key_usage;
    challenge.expects.key_kind = KEY_EC_P256;
    challenge.expects.rsa_bits = 0;
    long n = 1;
    for (bool failed = true; failed && n < FAILURES_MAX; n++) {
        memory_fail_at(n);
        enum err err = challenge_compare(&challenge, &csr, site.crp.key->public_half, &why);
        failed = memory_fail_end();
        if (err != ERR_REGISTERED_KEY)
            assert_retryable(err, n);
    }
    assert_true(n > 1 && n < FAILURES_MAX);
    site_free(&site);
}

int main(void)
{
    memory_hook_openssl();
    if (CRYPTO_secure_malloc_init(LIMIT_SECRET_HEAP_BYTES, 16) != 1)
        die("no locked heap");
    const struct CMUnitTest tests[] = {
        T(each_failing_allocation_of_sealing),
        T(each_failing_allocation_of_opening),
        T(each_failing_allocation_of_comparing_a_bound_key),
    };
    TEST_FILTER();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
