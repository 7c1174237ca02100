/* SPDX-License-Identifier: Apache-2.0 */
/* Templates whose requests wait for an administrator, whatever the validator. */
#include "ca/template_cache.h"
#include "tests/unit/ca/verb_ask.h"
#include <pthread.h>

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
#define DEVICE(name, ...)                                                                                    \
    __attribute__((cleanup(device_free))) struct device name = device_new(&(struct ask){ __VA_ARGS__ })

static struct cert cert_of(const struct enrolled *got)
{
    struct cert cert;
    struct why why = { 0 };
    ASSERT_OK(cert_parse(buf_bytes(&got->certificate), &cert, &why), &why);
    return cert;
}

static void approval_wanted(const char *template)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(CALL("template_set", &answer, &why, "name", template, "manager_approval", "yes"), &why);
}

TEST(manager_approval_makes_requests_of_any_endpoint_wait)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 }, again = { 0 }, polled = { 0 };
    struct why why = { 0 };
    approval_wanted("SCEPDevice");
    ASSERT_OK(device_enroll(world, &device, "static", &got, &why), &why);
    assert_int_equal(ENROLL_PENDING, got.disposition);
    ASSERT_OK(device_enroll(world, &device, "static", &again, &why), &why);
    assert_int_equal(ENROLL_PENDING, again.disposition);
    assert_int_equal(got.request_id, again.request_id);
    ASSERT_OK(ca_approve(world->ca, world_issuer(world), got.request_id, "cli", &why), &why);
    ASSERT_OK(device_poll(world, &device, "static", &polled, &why), &why);
    assert_int_equal(ENROLL_ISSUED, polled.disposition);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate"));
}

TEST(a_request_that_waits_has_taken_its_one_time_password)
{
    const char *password = once_new(world);
    DEVICE(one, .subject = "CN=one", .challenge = password);
    DEVICE(two, .subject = "CN=two", .challenge = password);
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    approval_wanted("SCEPDevice");
    ASSERT_OK(device_enroll(world, &one, "once", &got, &why), &why);
    assert_int_equal(ENROLL_PENDING, got.disposition);
    device_assert_refused(world, ERR_CHALLENGE_USED, &two, "once");
    struct denial denial = { got.request_id, "cli", "no" };
    ASSERT_OK(ca_deny(world->ca, world_issuer(world), &denial, &why), &why);
    device_assert_refused(world, ERR_CHALLENGE_USED, &two, "once"); /* a denial frees nothing */
    device_assert_refused(world, ERR_DENIED, &one, "once");
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM challenge WHERE claimed_by IS NOT NULL"));
}

struct racer {
    pthread_t thread;
    struct device device;
    enum err err;
};

static void *race_thread(void *arg)
{
    struct racer *racer = arg;
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    racer->err = device_enroll(world, &racer->device, "once", &got, &why);
    return NULL;
}

TEST(of_many_that_wait_with_one_password_one_is_kept)
{
    struct racer racers[8] = { 0 };
    const char *password = once_new(world);
    int pending = 0;
    world_exec(world, "UPDATE template SET manager_approval = 1 WHERE name = 'SCEPDevice'");
    template_cache_forget(world->ca->templates);
    for (size_t i = 0; i < 8; i++)
        racers[i].device = device_new(&(struct ask){ .subject = "CN=one", .challenge = password });
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(0, pthread_create(&racers[i].thread, NULL, race_thread, &racers[i]));
    for (size_t i = 0; i < 8; i++) {
        pthread_join(racers[i].thread, NULL);
        pending += racers[i].err == OK;
        device_free(&racers[i].device);
    }
    assert_int_equal(1, pending);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request"));
}

TEST(requests_that_wait_by_their_template_are_capped_and_keep_their_password_unused)
{
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    approval_wanted("SCEPDevice");
    ca_find_endpoint(world->ca, BYTES_LIT("once"))->pending_max = 1;
    DEVICE(one, .subject = "CN=one", .challenge = once_new(world));
    DEVICE(two, .subject = "CN=two", .challenge = once_new(world));
    ASSERT_OK(device_enroll(world, &one, "once", &got, &why), &why);
    device_assert_refused(world, ERR_LIMIT, &two, "once");
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM challenge WHERE claimed_by IS NOT NULL"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request"));
}

TEST(a_request_is_judged_by_the_version_that_it_met)
{
    DEVICE(device, .subject = "CN=one,OU=two", .challenge = "secret");
    AUTO_BUF answer = { 0 };
    AUTO_VAL(enrolled) got = { 0 }, polled = { 0 };
    struct why why = { 0 };
    approval_wanted("SCEPDevice");
    ASSERT_OK(device_enroll(world, &device, "static", &got, &why), &why);
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDevice", "validity", "10d", "renewal", "1d",
                   "subject_rule", "CN required", "eku", "serverAuth"),
              &why);
    ASSERT_OK(ca_approve(world->ca, world_issuer(world), got.request_id, "cli", &why), &why);
    ASSERT_OK(device_poll(world, &device, "static", &polled, &why), &why);
    assert_int_equal(NOW + 365 * 86400LL, cert_of(&polled).not_after);
    const struct cert cert = cert_of(&polled);
    assert_true(cert_allows_eku(&cert, OID_KP_CLIENT_AUTH));
    assert_int_equal(2, world_count(world, "SELECT template_version FROM request"));
}

TEST(what_was_unpublished_meanwhile_is_not_approved)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_BUF answer = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    approval_wanted("SCEPDevice");
    ASSERT_OK(device_enroll(world, &device, "static", &got, &why), &why);
    ASSERT_OK(CALL("template_unpublish", &answer, &why, "name", "SCEPDevice"), &why);
    ASSERT_ERR(ERR_TEMPLATE, ca_approve(world->ca, world_issuer(world), got.request_id, "cli", &why), &why);
    ASSERT_OK(CALL("template_publish", &answer, &why, "name", "SCEPDevice"), &why);
    ASSERT_OK(ca_approve(world->ca, world_issuer(world), got.request_id, "cli", &why), &why);
}

TEST(an_approval_that_was_not_sealed_waits_again_with_its_password_taken)
{
    const char *password = once_new(world);
    DEVICE(device, .subject = "CN=one", .challenge = password);
    DEVICE(other, .subject = "CN=two", .challenge = password);
    AUTO_VAL(enrolled) got = { 0 }, again = { 0 };
    struct why why = { 0 };
    approval_wanted("SCEPDevice");
    ASSERT_OK(device_enroll(world, &device, "once", &got, &why), &why);
    world->seal_error = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, ca_approve(world->ca, world_issuer(world), got.request_id, "cli", &why),
               &why);
    world->clock.held += ISSUE_VOID_S;
    ASSERT_OK(issue_void_stale(world->ca, world_issuer(world), NULL, &why), &why);
    world->seal_error = OK;
    device_assert_refused(world, ERR_CHALLENGE_USED, &other, "once");
    ASSERT_OK(device_enroll(world, &device, "once", &again, &why), &why);
    assert_int_equal(ENROLL_PENDING, again.disposition);
    ASSERT_OK(ca_approve(world->ca, world_issuer(world), got.request_id, "cli", &why), &why);
}

RUN(W(manager_approval_makes_requests_of_any_endpoint_wait),
    W(a_request_that_waits_has_taken_its_one_time_password),
    W(of_many_that_wait_with_one_password_one_is_kept),
    W(requests_that_wait_by_their_template_are_capped_and_keep_their_password_unused),
    W(a_request_is_judged_by_the_version_that_it_met), W(what_was_unpublished_meanwhile_is_not_approved),
    W(an_approval_that_was_not_sealed_waits_again_with_its_password_taken))
