/* SPDX-License-Identifier: Apache-2.0 */
/* Failed and denied requests that an administrator has judged anew. */
#include "tests/unit/ca/authority_ask.h"
#include "tests/unit/ca/verb_ask.h"

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
#define NAMELESS .subject = "O=No common name"

static enum err resubmit(int64_t id, struct why *why)
{
    return ca_resubmit(world->ca, world_issuer(world), id, "cli", why);
}

static int64_t certificates(void)
{
    return world_count(world, "SELECT COUNT(*) FROM certificate WHERE der IS NOT NULL");
}

static void template_set(const char *field, const char *value)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDevice", field, value), &why);
}

/* From now on the template takes what NAMELESS asks for. */
static void template_mend(void)
{
    template_set("subject_rule", "CN\nO");
}

static void refused(int64_t id, enum err expected, const char *words)
{
    struct why why = { 0 };
    int64_t before = certificates();
    ASSERT_ERR(expected, resubmit(id, &why), &why);
    if (!strstr(why.text, words))
        fail_msg("\"%s\" lacks \"%s\"", why.text, words);
    assert_int_equal(before, certificates());
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'sealing'"));
}

static void failed_once(const struct device *device, const char *endpoint)
{
    device_assert_refused(world, ERR_TEMPLATE_SUBJECT, device, endpoint);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed'"));
}

TEST(what_the_template_allows_by_now_is_issued_and_the_device_gets_that_one)
{
    DEVICE(device, NAMELESS, .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    failed_once(&device, "static");
    template_mend();
    ASSERT_OK(resubmit(1, &why), &why);
    assert_int_equal(1, certificates());
    device_assert_issued(world, &device, "static", &got);
    assert_int_equal(1, got.request_id);
    assert_int_equal(1, certificates());
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'issued' AND "
                                           "resolved_by = 'cli' AND error IS NULL AND reason IS NULL AND "
                                           "subject = 'O=No common name'"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'resubmit' AND "
                                           "actor = 'cli' AND object = 'request 1' AND "
                                           "detail LIKE '%, was failed: ERR_TEMPLATE_SUBJECT'"));
    refused(1, ERR_WRONG_STATE, "is issued, as serial");
}

TEST(what_stood_in_its_way_still_does)
{
    DEVICE(device, NAMELESS, .challenge = "secret");
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    failed_once(&device, "static");
    refused(1, ERR_TEMPLATE_SUBJECT, "CN");
    template_mend();
    ASSERT_OK(CALL("template_unpublish", &answer, &why, "name", "SCEPDevice"), &why);
    refused(1, ERR_TEMPLATE, "SCEPDevice");
    ASSERT_OK(CALL("template_publish", &answer, &why, "name", "SCEPDevice"), &why);
    ASSERT_OK(CALL("right_revoke", &answer, &why, "principal", "endpoint/static", "rights", "enroll",
                   "template", "SCEPDevice"),
              &why);
    refused(1, ERR_TEMPLATE_DENIED, "Enroll");
    ASSERT_OK(CALL("right_grant", &answer, &why, "principal", "endpoint/static", "rights", "enroll",
                   "template", "SCEPDevice"),
              &why);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed'"));
    ASSERT_OK(resubmit(1, &why), &why);
}

TEST(the_key_is_certified_for_one_identity_alone)
{
    DEVICE(device, NAMELESS, .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    failed_once(&device, "static");
    device_ask(&device, &(struct ask){ .subject = "CN=one", .challenge = "secret" });
    device_assert_issued(world, &device, "static", &got);
    template_mend();
    refused(1, ERR_BAD_REQUEST, "security rule A14");
}

TEST(the_hash_under_its_signature_is_judged_too)
{
    DEVICE(device, NAMELESS, .challenge = "secret");
    struct why why = { 0 };
    failed_once(&device, "static");
    template_mend();
    world_exec(world, "UPDATE request SET signed_with = 'SHA-1'");
    refused(1, ERR_BAD_ALG, "SHA-1, the endpoint allows");
    ca_find_endpoint(world->ca, BYTES_LIT("static"))->allow_sha1 = true;
    template_set("hashes", "SHA-256");
    refused(1, ERR_BAD_ALG, "template SCEPDevice allows SHA-256");
    template_set("hashes", "SHA-1 SHA-256");
    ASSERT_OK(resubmit(1, &why), &why);
}

TEST(what_was_denied_is_issued_after_all_and_polled)
{
    DEVICE(device, .subject = "CN=one");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    ASSERT_OK(device_enroll(world, &device, "manual", &got, &why), &why);
    refused(1, ERR_WRONG_STATE, "is pending");
    struct denial denial = { 1, "cli", "no" };
    ASSERT_OK(ca_deny(world->ca, world_issuer(world), &denial, &why), &why);
    ASSERT_OK(resubmit(1, &why), &why);
    ASSERT_OK(device_poll(world, &device, "manual", &got, &why), &why);
    assert_int_equal(ENROLL_ISSUED, got.disposition);
    refused(77, ERR_NOT_FOUND, "has no request 77");
}

TEST(the_administrator_stands_for_the_approval_that_a_template_wants)
{
    DEVICE(device, NAMELESS, .challenge = "secret");
    struct why why = { 0 };
    failed_once(&device, "static");
    template_mend();
    template_set("manager_approval", "yes");
    ASSERT_OK(resubmit(1, &why), &why);
    assert_int_equal(1, certificates());
}

TEST(a_request_that_was_made_again_is_not_resubmitted)
{
    DEVICE(device, NAMELESS, .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    failed_once(&device, "static");
    template_mend();
    device_assert_issued(world, &device, "static", &got);
    assert_int_equal(2, got.request_id);
    refused(1, ERR_WRONG_STATE, "made again: as request 2, which is issued");
}

TEST(its_one_time_password_makes_no_second_certificate)
{
    char *password = xstrdup(once_new(world));
    DEVICE(device, NAMELESS, .challenge = password);
    DEVICE(other, .subject = "CN=other", .challenge = password);
    struct why why = { 0 };
    failed_once(&device, "once");
    template_mend();
    ASSERT_OK(resubmit(1, &why), &why);
    device_assert_refused(world, ERR_CHALLENGE_USED, &other, "once");
    free(password);
}

TEST(a_password_that_another_request_used_is_used)
{
    char *password = xstrdup(once_new(world));
    DEVICE(device, NAMELESS, .challenge = password);
    DEVICE(other, .subject = "CN=other", .challenge = password);
    AUTO_VAL(enrolled) got = { 0 };
    failed_once(&device, "once");
    device_assert_issued(world, &other, "once", &got);
    template_mend();
    refused(1, ERR_CHALLENGE_USED, "used by request 2");
    free(password);
}

TEST(the_administrator_stands_for_a_password_that_expired_or_was_forgotten)
{
    DEVICE(one, NAMELESS, .challenge = once_new(world));
    DEVICE(two, NAMELESS, .challenge = once_new(world));
    struct why why = { 0 };
    device_assert_refused(world, ERR_TEMPLATE_SUBJECT, &one, "once");
    device_assert_refused(world, ERR_TEMPLATE_SUBJECT, &two, "once");
    template_mend();
    world->clock.held += 2 * 3600;
    ASSERT_OK(resubmit(1, &why), &why);
    world_exec(world, "DELETE FROM challenge");
    ASSERT_OK(resubmit(2, &why), &why);
    assert_int_equal(2, certificates());
}

TEST(who_asked_for_it_does_not_resubmit_it)
{
    DEVICE(device, NAMELESS, .challenge = "secret");
    struct why why = { 0 };
    failed_once(&device, "static");
    template_mend();
    ASSERT_ERR(ERR_NOT_AUTHORISED, ca_resubmit(world->ca, world_issuer(world), 1, "endpoint/static", &why),
               &why);
    assert_non_null(strstr(why.text, "somebody else has to resubmit it"));
    assert_int_equal(0, certificates());
}

/* It failed before it came to a template, so its row names none. */
TEST(the_right_is_needed_on_the_template_that_it_comes_to_now)
{
    DEVICE(device, NAMELESS, .challenge = "secret");
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    failed_once(&device, "static");
    template_mend();
    world_exec(world, "UPDATE request SET template = '', template_version = 0");
    ASSERT_OK(
        CALL("right_deny", &answer, &why, "principal", "cli", "rights", "issue", "template", "SCEPDevice"),
        &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED, CALL("request_resubmit", &answer, &why, "id", "1"), &why);
    assert_non_null(strstr(why.text, "template SCEPDevice"));
    assert_int_equal(0, certificates());
    ASSERT_OK(
        CALL("right_revoke", &answer, &why, "principal", "cli", "rights", "issue", "template", "SCEPDevice"),
        &why);
    ASSERT_OK(CALL("request_resubmit", &answer, &why, "id", "1"), &why);
    answer_assert(&answer, "disposition", "issued");
    answer_assert(&answer, "resolved_by", "cli");
}

TEST(a_row_that_lacks_what_it_takes_says_so)
{
    static const char *const lacks[][2] = {
        { "info = NULL", "no CertificationRequestInfo" },
        { "signed_with = NULL", "older version" },
        { "failed_key = NULL", "older version" },
        { "endpoint = 'gone'", "endpoint gone, which ca issuing has no more" },
    };
    DEVICE(device, NAMELESS, .challenge = "secret");
    failed_once(&device, "static");
    template_mend();
    world_exec(world, "CREATE TABLE before AS SELECT * FROM request");
    for (size_t i = 0; i < sizeof(lacks) / sizeof(*lacks); i++) {
        AUTO_STR sql = xasprintf("DELETE FROM request; INSERT INTO request SELECT * FROM before; "
                                 "UPDATE request SET %s",
                                 lacks[i][0]);
        world_exec(world, sql);
        refused(1, ERR_BAD_REQUEST, lacks[i][1]);
    }
}

TEST(what_the_signer_did_not_seal_is_sealed_by_the_next_try_with_the_same_serial)
{
    DEVICE(device, NAMELESS, .challenge = "secret");
    struct why why = { 0 };
    failed_once(&device, "static");
    template_mend();
    world->seal_error = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, resubmit(1, &why), &why);
    assert_non_null(strstr(why.text, "resubmitted, not sealed yet"));
    world->seal_error = OK;
    ASSERT_OK(resubmit(1, &why), &why);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate"));
    assert_int_equal(1, certificates());
}

TEST(what_was_never_sealed_fails_again_and_can_be_resubmitted_again)
{
    char *password = xstrdup(once_new(world));
    DEVICE(device, NAMELESS, .challenge = password);
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    int64_t voided;
    failed_once(&device, "once");
    template_mend();
    world->seal_error = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, resubmit(1, &why), &why);
    world->clock.held += ISSUE_VOID_S;
    ASSERT_OK(issue_void_stale(world->ca, world_issuer(world), &voided, &why), &why);
    assert_int_equal(1, voided);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed' AND "
                                           "error = 'ERR_TIMEOUT' AND length(failed_key) = 32 AND "
                                           "length(challenge_mac) = 32 AND request_key IS NULL"));
    world->seal_error = ERR_SIGNER_LIMIT; /* for good */
    ASSERT_ERR(ERR_SIGNER_LIMIT, resubmit(1, &why), &why);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed' AND "
                                           "error = 'ERR_SIGNER_LIMIT' AND length(failed_key) = 32 AND "
                                           "length(challenge_mac) = 32 AND request_key IS NULL"));
    world->seal_error = OK;
    ASSERT_OK(resubmit(1, &why), &why);
    device_assert_issued(world, &device, "once", &got);
    assert_int_equal(1, got.request_id);
    assert_int_equal(1, certificates());
    free(password);
}

TEST(an_authority_s_names_are_judged_and_its_numbers_are_the_administrator_s)
{
    DEVICE(device, .subject = "CN=forbidden.example");
    bool waits;
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(CALL("authority_add", &answer, &why, "name", "mdm", "templates", "SCEPDevice", "issues", "0",
                   "denied", "forbidden.*"),
              &why);
    ASSERT_ERR(ERR_AUTHORITY_LIMIT, authority_issue(world, "SCEPDevice", &device, &waits, &why), &why);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed'"));
    refused(1, ERR_AUTHORITY_LIMIT, "forbidden");
    ASSERT_ERR(ERR_NOT_AUTHORISED, ca_resubmit(world->ca, world_issuer(world), 1, "authority/mdm", &why),
               &why);
    ASSERT_OK(CALL("authority_set", &answer, &why, "name", "mdm", "denied", "other.*"), &why);
    ASSERT_OK(resubmit(1, &why), &why);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate WHERE authority = 'mdm'"));
}

RUN(W(what_the_template_allows_by_now_is_issued_and_the_device_gets_that_one),
    W(what_stood_in_its_way_still_does), W(the_key_is_certified_for_one_identity_alone),
    W(the_hash_under_its_signature_is_judged_too), W(what_was_denied_is_issued_after_all_and_polled),
    W(the_administrator_stands_for_the_approval_that_a_template_wants),
    W(a_request_that_was_made_again_is_not_resubmitted), W(its_one_time_password_makes_no_second_certificate),
    W(a_password_that_another_request_used_is_used),
    W(the_administrator_stands_for_a_password_that_expired_or_was_forgotten),
    W(who_asked_for_it_does_not_resubmit_it), W(the_right_is_needed_on_the_template_that_it_comes_to_now),
    W(a_row_that_lacks_what_it_takes_says_so),
    W(what_the_signer_did_not_seal_is_sealed_by_the_next_try_with_the_same_serial),
    W(what_was_never_sealed_fails_again_and_can_be_resubmitted_again),
    W(an_authority_s_names_are_judged_and_its_numbers_are_the_administrator_s))
