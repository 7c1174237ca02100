/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for an administrator. */
#include "tests/unit/ca/fixture.h"

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
#define REFUSED(expected, device, endpoint) device_assert_refused(world, (expected), (device), (endpoint))
#define ISSUED(device, endpoint, ret)       device_assert_issued(world, (device), (endpoint), (ret))

TEST(manual_waits_and_is_issued_after_approval)
{
    DEVICE(device, .subject = "CN=one");
    AUTO_VAL(enrolled) first = { 0 }, polled = { 0 }, again = { 0 };
    struct why why = { 0 };
    ASSERT_OK(device_enroll(world, &device, "manual", &first, &why), &why);
    assert_int_equal(ENROLL_PENDING, first.disposition);
    ASSERT_OK(device_enroll(world, &device, "manual", &again, &why), &why);
    assert_int_equal(ENROLL_PENDING, again.disposition);
    assert_int_equal(first.request_id, again.request_id);
    ASSERT_OK(device_poll(world, &device, "manual", &polled, &why), &why);
    assert_int_equal(ENROLL_PENDING, polled.disposition);
    ASSERT_OK(ca_approve(world->ca, world_issuer(world), first.request_id, "cli", &why), &why);
    ASSERT_OK(ca_approve(world->ca, world_issuer(world), first.request_id, "cli", &why), &why);
    ASSERT_OK(device_poll(world, &device, "manual", &polled, &why), &why);
    assert_int_equal(ENROLL_ISSUED, polled.disposition);
    ISSUED(&device, "manual", &again);
    ASSERT_BYTES(buf_bytes(&polled.certificate), buf_bytes(&again.certificate));
    assert_int_equal(
        1, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'approve' AND actor = 'cli'"));
}

TEST(manual_denied_stays_denied)
{
    DEVICE(device, .subject = "CN=one");
    AUTO_VAL(enrolled) first = { 0 };
    struct why why = { 0 };
    ASSERT_OK(device_enroll(world, &device, "manual", &first, &why), &why);
    struct denial denial = { first.request_id, "cli", "unknown device" };
    ASSERT_OK(ca_deny(world->ca, world_issuer(world), &denial, &why), &why);
    ASSERT_OK(ca_deny(world->ca, world_issuer(world), &denial, &why), &why);
    REFUSED(ERR_DENIED, &device, "manual");
    ASSERT_ERR(ERR_DENIED, device_poll(world, &device, "manual", &first, &why), &why);
    ASSERT_ERR(ERR_WRONG_STATE, ca_approve(world->ca, world_issuer(world), first.request_id, "cli", &why),
               &why);
    denial.request_id = 77;
    ASSERT_ERR(ERR_NOT_FOUND, ca_deny(world->ca, world_issuer(world), &denial, &why), &why);
    ASSERT_ERR(ERR_NOT_FOUND, ca_approve(world->ca, world_issuer(world), 77, "cli", &why), &why);
}

TEST(pending_requests_are_capped)
{
    DEVICE(one, .subject = "CN=one");
    DEVICE(two, .subject = "CN=two");
    DEVICE(three, .subject = "CN=three");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    ASSERT_OK(device_enroll(world, &one, "manual", &got, &why), &why);
    ASSERT_OK(device_enroll(world, &two, "manual", &got, &why), &why);
    ASSERT_ERR(ERR_LIMIT, device_enroll(world, &three, "manual", &got, &why), &why);
    assert_int_equal(2, world_count(world, "SELECT COUNT(*) FROM request"));
    ASSERT_OK(device_enroll(world, &one, "manual", &got, &why), &why); /* one of them is no new one */
}

TEST(manual_keeps_nothing_that_its_template_would_refuse)
{
    DEVICE(device, .subject = "O=No common name");
    REFUSED(ERR_TEMPLATE_SUBJECT, &device, "manual");
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM request"));
}

TEST(another_request_under_a_pending_transaction_is_refused)
{
    DEVICE(device, .subject = "CN=one");
    DEVICE(stranger, .subject = "CN=three");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    ASSERT_OK(device_enroll(world, &device, "manual", &got, &why), &why);
    device_ask(&device, &(struct ask){ .subject = "CN=two" });
    ASSERT_ERR(ERR_BAD_REQUEST, device_enroll(world, &device, "manual", &got, &why), &why);
    ASSERT_OK(device_enroll(world, &stranger, "manual", &got, &why),
              &why); /* another signer's id is its own */
}

TEST(a_poll_finds_only_its_own_request)
{
    DEVICE(device, .subject = "CN=one");
    DEVICE(stranger, .subject = "CN=one");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    ASSERT_OK(device_enroll(world, &device, "manual", &got, &why), &why);
    ASSERT_ERR(ERR_BAD_CERT_ID, device_poll(world, &stranger, "manual", &got, &why), &why);
    ASSERT_ERR(ERR_BAD_CERT_ID, device_poll(world, &device, "static", &got, &why), &why);
    ASSERT_ERR(ERR_BAD_REQUEST, device_poll(world, &device, "nowhere", &got, &why), &why);
}

TEST(an_approval_that_was_not_sealed_waits_again_after_ten_minutes)
{
    DEVICE(device, .subject = "CN=one");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    int64_t voided;
    ASSERT_OK(device_enroll(world, &device, "manual", &got, &why), &why);
    world->seal_error = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, ca_approve(world->ca, world_issuer(world), got.request_id, "cli", &why),
               &why);
    world->clock.held += ISSUE_VOID_S;
    ASSERT_OK(issue_void_stale(world->ca, world_issuer(world), &voided, &why), &why);
    assert_int_equal(1, voided);
    ASSERT_OK(device_enroll(world, &device, "manual", &got, &why), &why);
    assert_int_equal(ENROLL_PENDING, got.disposition);
    world->seal_error = OK;
    ASSERT_OK(ca_approve(world->ca, world_issuer(world), got.request_id, "cli", &why), &why);
    ISSUED(&device, "manual", &got);
    assert_int_equal(
        2, world_count(world, "SELECT COUNT(*) FROM certificate")); /* the first serial stays taken */
}

RUN(W(manual_waits_and_is_issued_after_approval), W(manual_denied_stays_denied),
    W(pending_requests_are_capped), W(manual_keeps_nothing_that_its_template_would_refuse),
    W(another_request_under_a_pending_transaction_is_refused), W(a_poll_finds_only_its_own_request),
    W(an_approval_that_was_not_sealed_waits_again_after_ten_minutes))
