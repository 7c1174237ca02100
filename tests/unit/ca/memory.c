/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation that OpenSSL and SQLite make fails once (spec security.md S9): nobody is given what is not in the store,
   nobody is refused for good because memory was short, nothing stays half done, and the next try succeeds. */
#include "tests/support/fail_memory.h"
#include "tests/unit/ca/managed_ask.h"
#include "tests/unit/ca/verb_ask.h"

#define FAILURES_MAX 20000 /* more than any operation allocates: the loop has to end */

static struct world *world;

static int begin(void **state)
{
    (void)state;
    world = world_new(KEY_EC_P256);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

#define W(name) cmocka_unit_test_setup_teardown(name, begin, end)

static int64_t valid_count(void)
{
    return world_count(world, "SELECT COUNT(*) FROM certificate WHERE status = 'valid'");
}

/* What is in the store has all its parts, or none. */
static void assert_whole(void)
{
    assert_int_equal(0,
                     world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'issued' AND "
                                        "(SELECT COUNT(*) FROM certificate c WHERE c.serial = request.serial "
                                        "AND c.status = 'valid' AND c.der IS NOT NULL) <> 1"));
    assert_int_equal(valid_count(), world_count(world, "SELECT COUNT(*) FROM outbox"));
    assert_int_equal(valid_count(), world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'issue'"));
}

static void assert_retryable(enum err err, const struct why *why, long n)
{
    if (!err_row(err)->retryable)
        fail_msg("allocation %ld failed: %s (%s) is final, and memory was only short", n, err_row(err)->name,
                 why->text);
}

/* Takes the device; true: every allocation was reached. */
static bool device_failing_at(long n, const char *endpoint, struct device device)
{
    AUTO_VAL(enrolled) got = { 0 }, again = { 0 };
    struct why why = { 0 };
    int64_t before = valid_count();
    memory_fail_at(n);
    enum err err = device_enroll(world, &device, endpoint, &got, &why);
    bool failed = memory_fail_end();
    if (err != OK)
        assert_retryable(err, &why, n);
    else
        assert_int_equal(before + 1, valid_count());
    device_assert_issued(world, &device, endpoint, &again);
    if (err == OK)
        ASSERT_BYTES(buf_bytes(&got.certificate), buf_bytes(&again.certificate));
    assert_int_equal(before + 1, valid_count());
    device_free(&device);
    return !failed;
}

static bool enrol_failing_at(long n, const char *endpoint, const char *challenge)
{
    return device_failing_at(n, endpoint,
                             device_new(&(struct ask){ .subject = "CN=one", .challenge = challenge }));
}

TEST(each_failing_allocation_of_an_enrolment)
{
    long n = 1;
    while (n < FAILURES_MAX && !enrol_failing_at(n, "static", "secret"))
        n++;
    assert_true(n > 50 && n < FAILURES_MAX);
    assert_whole();
    printf("enrolment: %ld allocations\n", n - 1);
}

TEST(each_failing_allocation_of_an_enrolment_with_a_one_time_challenge)
{
    long n = 1;
    while (n < FAILURES_MAX && !enrol_failing_at(n, "once", once_new(world)))
        n++;
    assert_true(n > 50 && n < FAILURES_MAX);
    assert_whole();
    assert_int_equal(valid_count(),
                     world_count(world, "SELECT COUNT(*) FROM challenge WHERE claimed_by IS NOT NULL"));
}

TEST(each_failing_allocation_of_a_managed_enrolment)
{
    struct managed_site site;
    struct why why = { 0 };
    AUTO_BUF answer = { 0 };
    long n = 1;
    struct world *other = world;
    managed_site_begin(&site);
    world = site.world;
    ASSERT_OK(CALL("authority_set", &answer, &why, "name", "mdm", "device", "100000", "issues", "100000"),
              &why);
    while (n < FAILURES_MAX && !device_failing_at(n, "managed", managed_device_new(&site)))
        n++;
    assert_true(n > 50 && n < FAILURES_MAX);
    assert_whole();
    assert_int_equal(valid_count(), world_count(world, "SELECT COUNT(*) FROM managed_claim"));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed'"));
    managed_site_end(&site);
    world = other;
}

/* From here on all fail, as on a machine that has none left. */
TEST(every_allocation_failing_gives_an_error_and_leaves_nothing)
{
    struct device device = device_new(&(struct ask){ .subject = "CN=one", .challenge = "secret" });
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    memory_fail_from(1);
    enum err err = device_enroll(world, &device, "static", &got, &why);
    memory_fail_end();
    assert_int_not_equal(OK, err);
    assert_retryable(err, &why, 1);
    assert_int_equal(0, valid_count());
    device_assert_issued(world, &device, "static", &got);
    device_free(&device);
}

static bool publish_failing_at(long n)
{
    struct crl_state before, after;
    struct why why = { 0 };
    AUTO_BUF der = { 0 };
    ASSERT_OK(
        crl_current(world->ca, &(struct crl_scope){ world_issuer(world), CRL_FULL, 0 }, &before, NULL, &why),
        &why);
    memory_fail_at(n);
    enum err err = crl_publish(world->ca, world_issuer(world), CRL_FULL, &why);
    bool failed = memory_fail_end();
    if (err != OK)
        assert_retryable(err, &why, n);
    ASSERT_OK(crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    ASSERT_OK(
        crl_current(world->ca, &(struct crl_scope){ world_issuer(world), CRL_FULL, 0 }, &after, &der, &why),
        &why);
    assert_true(after.number > before.number);
    struct crl crl;
    ASSERT_OK(crl_parse(buf_bytes(&der), &crl, &why), &why);
    ASSERT_OK(public_key_verify(world->ca_key->public_half, crl.algorithm, crl.tbs, crl.signature, &why),
              &why);
    return !failed;
}

TEST(each_failing_allocation_of_a_crl)
{
    long n = 1;
    world_issuer(world)->delta_validity_s = 3600; /* and the delta beside it */
    while (n < FAILURES_MAX && !publish_failing_at(n))
        n++;
    assert_true(n > 20 && n < FAILURES_MAX);
    printf("CRL: %ld allocations\n", n - 1);
}

int main(void)
{
    memory_hook_openssl();
    memory_hook_sqlite();
    const struct CMUnitTest tests[] = {
        W(each_failing_allocation_of_an_enrolment),
        W(each_failing_allocation_of_an_enrolment_with_a_one_time_challenge),
        W(each_failing_allocation_of_a_managed_enrolment),
        W(every_allocation_failing_gives_an_error_and_leaves_nothing),
        W(each_failing_allocation_of_a_crl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
