/* SPDX-License-Identifier: Apache-2.0 */
/* Other SCEP servers at the certificate registration point: one use in the whole store, for one request; and what they say became of it. */
#include "base/encode.h"
#include "tests/unit/ca/registration_ask.h"
#include "tests/unit/ca/verb_ask.h"

static struct managed_site site;
static struct world *world;
static struct server ndes;

static int begin(void **state)
{
    (void)state;
    managed_site_begin(&site);
    world = site.world;
    ndes = (struct server){ world, "ndes1.example.net", "251E59" };
    return 0;
}

static int end(void **state)
{
    (void)state;
    managed_site_end(&site);
    return 0;
}

#define M(name)    cmocka_unit_test_setup_teardown(name, begin, end)
#define HELD(name) __attribute__((cleanup(device_free))) struct device name

static void verified(const struct server *server, const struct device *device, bool again)
{
    struct registration_answer answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(server_verify(server, device, &answer, &why), &why);
    if (!answer.verified)
        fail_msg("not verified: %s", answer.reason);
    assert_int_equal(again, answer.again);
}

static void refused(const struct server *server, const struct device *device, enum err err,
                    const char *reason)
{
    struct registration_answer answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(server_verify(server, device, &answer, &why), &why);
    assert_false(answer.verified);
    assert_string_equal(err_row(err)->name, err_row(answer.error)->name);
    if (!strstr(answer.reason, reason))
        fail_msg("the reason \"%s\" lacks \"%s\"", answer.reason, reason);
}

static void notify(const struct told *told, enum err expected)
{
    struct why why = { 0 };
    enum err err = server_notify(&ndes, told, &why);
    if (err != expected)
        fail_msg("Notify: %s, expected %s: %s", err_row(err)->name, err_row(expected)->name, why.text);
}

static int64_t count(const char *sql)
{
    return world_count(world, sql);
}

/* What mdm is told next: the first record of a lease. */
static struct buf told_next(void)
{
    struct why why = { 0 };
    struct buf answer = { 0 };
    ASSERT_OK(authority_call(world, "mdm", "outbox_lease", (const char *const[]){ "limit", "1", NULL },
                             &answer, &why),
              &why);
    return answer;
}

/* --- VerifyRequest --- */

TEST(a_transaction_forges_no_field_of_the_log)
{
    HELD(device) = managed_device_new(&site);
    ndes.transaction = "1 peer=192.0.2.9 server=other";
    verified(&ndes, &device, false);
    managed_log_assert(
        &site,
        " tx=1_peer=192.0.2.9_server=other peer=192.0.2.7 server=ndes1.example.net VerifyRequest Started.\n");
}

TEST(a_request_that_is_what_its_challenge_expects_is_verified_and_logged_in_the_guides_words)
{
    HELD(device) = managed_device_new(&site);
    verified(&ndes, &device, false);
    managed_log_assert(&site, "tx=251E59 peer=192.0.2.7 server=ndes1.example.net VerifyRequest Started.\n");
    managed_log_assert(&site, " Validation Phase 1 finished with status True.\n");
    managed_log_assert(&site, " Validation Phase 3 finished with status True.\n");
    managed_log_assert(&site, " VerifyRequest Finished with status True\n");
    assert_int_equal(1, count("SELECT COUNT(*) FROM managed_claim"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM registration WHERE disposition = 'verified' AND "
                              "server = 'ndes1.example.net' AND template = 'NDESGebruiker'"));
    assert_int_equal(0, count("SELECT COUNT(*) FROM request") + count("SELECT COUNT(*) FROM outbox") +
                            count("SELECT COUNT(*) FROM certificate"));
}

TEST(the_same_request_again_is_verified_again_also_after_a_restart)
{
    HELD(device) = managed_device_new(&site);
    verified(&ndes, &device, false);
    verified(&ndes, &device, true);
    world_reopen(world);
    verified(&ndes, &device, true);
    assert_int_equal(1, count("SELECT COUNT(*) FROM registration"));
}

TEST(another_content_transaction_or_server_finds_the_challenge_used)
{
    AUTO_BUF text = managed_challenge(&site);
    HELD(device) = managed_device(&site.wants, buf_text(&text));
    HELD(other) = managed_device(&site.wants, buf_text(&text));
    const struct server elsewhere = { world, "ndes2.example.net", "251E59" };
    const struct server later = { world, "ndes1.example.net", "251E5A" };
    verified(&ndes, &device, false);
    refused(&ndes, &other, ERR_CHALLENGE_USED, "another content");
    refused(&later, &device, ERR_CHALLENGE_USED, "another transaction");
    refused(&elsewhere, &device, ERR_CHALLENGE_USED,
            "server ndes1.example.net; this one is of another server");
    verified(&ndes, &device, true);
    managed_log_assert(&site, "(ERR_CHALLENGE_USED)\n");
    managed_log_assert(&site, " VerifyRequest Finished with status False\n");
    assert_int_equal(1, count("SELECT COUNT(*) FROM managed_claim"));
    assert_int_equal(0, count("SELECT COUNT(*) FROM outbox"));
}

TEST(a_challenge_is_used_at_one_service_alone)
{
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    HELD(theirs) = managed_device_new(&site);
    verified(&ndes, &theirs, false);
    ASSERT_ERR(ERR_CHALLENGE_USED, device_enroll(world, &theirs, "managed", &got, &why), &why);
    HELD(ours) = managed_device_new(&site);
    device_assert_issued(world, &ours, "managed", &got);
    refused(&ndes, &ours, ERR_CHALLENGE_USED, "the challenge was used by request");
    assert_int_equal(1, count("SELECT COUNT(*) FROM certificate"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM registration"));
}

TEST(each_phase_refuses_and_the_authority_is_told_of_what_comes_after_the_first)
{
    struct asked other = site.wants;
    other.subject = "CN=administrator,OU=Sales,O=Example";
    AUTO_BUF text = managed_challenge(&site);
    HELD(changed) = managed_device(&other, buf_text(&text));
    refused(&ndes, &changed, ERR_SUBJECT_MISMATCH, "CN=administrator");
    refused(&ndes, &changed, ERR_SUBJECT_MISMATCH, "CN=device-1");
    managed_log_assert(&site, " Validation Phase 3 finished with status False.\n");
    assert_int_equal(0, count("SELECT COUNT(*) FROM managed_claim"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM outbox"));
    AUTO_BUF told = told_next();
    answer_assert(&told, "kind", "failed");
    answer_assert(&told, "error", "ERR_SUBJECT_MISMATCH");
    answer_assert(&told, "device", "0a1b2c3d-0000-4000-8000-00000000000b");
    answer_assert(&told, "server", "ndes1.example.net");
    HELD(right) = managed_device(&site.wants, buf_text(&text)); /* it was not taken */
    verified(&ndes, &right, false);

    HELD(plain) = managed_device(&site.wants, "secret");
    refused(&ndes, &plain, ERR_CHALLENGE_ENCODING, "");
    HELD(none) = managed_device(&site.wants, NULL);
    refused(&ndes, &none, ERR_CHALLENGE_MISSING, "no challengePassword");
    HELD(late) = managed_device_new(&site);
    world->clock.held = NOW + 3600;
    refused(&ndes, &late, ERR_CHALLENGE_EXPIRED, "challenge expired at");
    world->clock.held = NOW;
    assert_int_equal(1, count("SELECT COUNT(*) FROM outbox"));
}

TEST(what_is_no_request_or_does_not_prove_its_key_is_refused)
{
    HELD(device) = managed_device_new(&site);
    device.csr.data[device.csr.len - 1] ^= 1;
    refused(&ndes, &device, ERR_BAD_MESSAGE_CHECK, "signature");
    buf_clear(&device.csr);
    buf_append_str(&device.csr, "0");
    refused(&ndes, &device, ERR_MALFORMED, "");
    managed_log_assert(&site, " VerifyRequest Finished with status False\n");
    assert_int_equal(0, count("SELECT COUNT(*) FROM registration"));
}

TEST(an_ended_authorisation_is_refused)
{
    struct why why = { 0 };
    AUTO_BUF answer = { 0 };
    HELD(device) = managed_device_new(&site);
    const char *ends = "0a1b2c3d-0000-4000-8000-00000000000b 0a1b2c3d-0000-4000-8000-00000000000a 7";
    verified(&ndes, &device, false);
    ASSERT_OK(authority_call(world, "mdm", "authorisation_end", (const char *const[]){ "ends", ends, NULL },
                             &answer, &why),
              &why);
    refused(&ndes, &device, ERR_NOT_TARGETED, "");
    managed_log_assert(&site, " Validation Phase 2 finished with status False.\n");
}

TEST(the_authority_s_limits_hold_for_what_others_issue)
{
    struct asked wants = site.wants;
    struct registration_answer answer = { 0 };
    struct why why = { 0 };
    AUTO_BUF changed = { 0 };
    wants.san = "dns:device-1.example.org";
    managed_wants(&site, &wants);
    HELD(outside) = managed_device_new(&site);
    refused(&ndes, &outside, ERR_AUTHORITY_LIMIT, "device-1.example.org");
    wants.san = "dns:device-1.example.net";
    wants.eku = "clientAuth codeSigning";
    managed_wants(&site, &wants);
    HELD(purpose) = managed_device_new(&site);
    refused(&ndes, &purpose, ERR_AUTHORITY_LIMIT, "1.3.6.1.5.5.7.3.3");
    wants.eku = "clientAuth";
    managed_wants(&site, &wants);
    ASSERT_OK(CALL("authority_set", &changed, &why, "name", "mdm", "issues", "1"), &why);
    HELD(first) = managed_device_new(&site);
    HELD(second) = managed_device_new(&site);
    verified(&ndes, &first, false);
    ASSERT_ERR(ERR_RATE, server_verify(&ndes, &second, &answer, &why), &why);
    assert_int_equal(1, count("SELECT COUNT(*) FROM managed_claim"));
    verified(&ndes, &first, true);
}

/* --- Notify --- */

TEST(a_notice_closes_the_claim_and_the_authority_is_told_once)
{
    AUTO_BUF text = managed_challenge(&site);
    HELD(device) = managed_device(&site.wants, buf_text(&text));
    AUTO_BUF certificate = certificate_elsewhere(device.key);
    const struct told issued = { buf_text(&text), REGISTRATION_ISSUED, 0, &certificate };
    verified(&ndes, &device, false);
    notify(&issued, OK);
    notify(&issued, OK);
    managed_log_assert(&site, "tx=251E59 peer=192.0.2.7 server=ndes1.example.net Notify Started\n");
    managed_log_assert(&site, " Notify Finished.\n");
    AUTO_BUF told = told_next(), der = { 0 };
    base64_append(&der, buf_bytes(&certificate));
    answer_assert(&told, "id", "1");
    answer_assert(&told, "kind", "issued");
    answer_assert(&told, "server", "ndes1.example.net");
    answer_assert(&told, "template", "NDESGebruiker");
    answer_assert(&told, "transaction", "323531453539");
    answer_assert(&told, "certificate", buf_text(&der));
    answer_assert(&told, "profile", "0a1b2c3d-0000-4000-8000-00000000000a");
    assert_int_equal(1, count("SELECT COUNT(*) FROM outbox"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM registration WHERE disposition = 'issued' AND "
                              "not_after = 1795086400"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM audit WHERE actor = 'server/ndes1.example.net' AND "
                              "action = 'notify' AND object = 'request 1'"));
    refused(&ndes, &device, ERR_CHALLENGE_USED, "said that its certificate is");
}

TEST(a_failure_and_a_wait_are_told_and_leave_the_challenge_to_the_same_request)
{
    AUTO_BUF text = managed_challenge(&site);
    HELD(device) = managed_device(&site.wants, buf_text(&text));
    AUTO_BUF certificate = certificate_elsewhere(device.key);
    const struct told waits = { buf_text(&text), REGISTRATION_PENDING, 0, NULL };
    const struct told failed = { buf_text(&text), REGISTRATION_FAILED, 0x80094811, NULL };
    const struct told unknown = { buf_text(&text), REGISTRATION_UNKNOWN, 0, NULL };
    const struct told issued = { buf_text(&text), REGISTRATION_ISSUED, 0, &certificate };
    verified(&ndes, &device, false);
    notify(&unknown, OK);
    assert_int_equal(0, count("SELECT COUNT(*) FROM outbox"));
    notify(&waits, OK);
    notify(&failed, OK);
    notify(&failed, OK);
    assert_int_equal(2, count("SELECT MAX(event) FROM outbox"));
    assert_int_equal(1,
                     count("SELECT COUNT(*) FROM outbox WHERE kind = 'failed' AND error = 'ERR_DENIED' AND "
                           "reason LIKE '%0x80094811%'"));
    verified(&ndes, &device, true);
    notify(&issued, OK);
    notify(&failed, ERR_WRONG_STATE);
    assert_int_equal(3, count("SELECT MAX(event) FROM outbox"));
}

TEST(a_notice_of_what_was_not_verified_changes_nothing)
{
    AUTO_BUF text = managed_challenge(&site), other = managed_challenge(&site);
    HELD(device) = managed_device(&site.wants, buf_text(&text));
    AUTO_BUF certificate = certificate_elsewhere(device.key);
    const struct told wrong = { buf_text(&other), REGISTRATION_ISSUED, 0, &certificate };
    const struct told right = { buf_text(&text), REGISTRATION_ISSUED, 0, &certificate };
    verified(&ndes, &device, false);
    notify(&wrong, ERR_NOT_FOUND);
    ndes.transaction = "251E5A";
    notify(&right, ERR_NOT_FOUND);
    ndes.transaction = "251E59";
    ndes.name = "ndes2.example.net";
    notify(&right, ERR_NOT_FOUND);
    assert_int_equal(0, count("SELECT COUNT(*) FROM outbox"));
    managed_log_assert(&site, "(ERR_NOT_FOUND)\n");
}

TEST(a_certificate_of_another_key_is_not_the_request_s)
{
    AUTO_BUF text = managed_challenge(&site);
    HELD(device) = managed_device(&site.wants, buf_text(&text));
    HELD(thief) = managed_device(&site.wants, "secret");
    AUTO_BUF right = certificate_elsewhere(device.key), wrong = certificate_elsewhere(thief.key);
    verified(&ndes, &device, false);
    notify(&(struct told){ buf_text(&text), REGISTRATION_ISSUED, 0, &wrong }, ERR_REGISTERED_KEY);
    assert_int_equal(0, count("SELECT COUNT(*) FROM outbox"));
    notify(&(struct told){ buf_text(&text), REGISTRATION_ISSUED, 0, &right }, OK);
    AUTO_BUF later = certificate_elsewhere(device.key);
    notify(&(struct told){ buf_text(&text), REGISTRATION_ISSUED, 0, &later }, ERR_WRONG_STATE);
    assert_int_equal(1, count("SELECT MAX(event) FROM outbox"));
}

TEST(a_notice_is_whole)
{
    AUTO_BUF text = managed_challenge(&site), nothing = { 0 }, broken = { 0 };
    HELD(device) = managed_device(&site.wants, buf_text(&text));
    AUTO_BUF certificate = certificate_elsewhere(device.key);
    buf_append_str(&broken, "0");
    verified(&ndes, &device, false);
    notify(&(struct told){ buf_text(&text), REGISTRATION_ISSUED, 0, &nothing }, ERR_MALFORMED);
    notify(&(struct told){ buf_text(&text), REGISTRATION_ISSUED, 0, &broken }, ERR_MALFORMED);
    notify(&(struct told){ buf_text(&text), REGISTRATION_FAILED, 0, &certificate }, ERR_MALFORMED);
    notify(&(struct told){ buf_text(&text), (enum registration_disposition)7, 0, NULL }, ERR_MALFORMED);
    ndes.name = "NDES1";
    notify(&(struct told){ buf_text(&text), REGISTRATION_ISSUED, 0, &certificate }, ERR_MALFORMED);
    ndes = (struct server){ world, "ndes1.example.net", "" };
    notify(&(struct told){ buf_text(&text), REGISTRATION_ISSUED, 0, &certificate }, ERR_MALFORMED);
    assert_int_equal(0, count("SELECT COUNT(*) FROM outbox"));
}

RUN(M(a_transaction_forges_no_field_of_the_log),
    M(a_request_that_is_what_its_challenge_expects_is_verified_and_logged_in_the_guides_words),
    M(the_same_request_again_is_verified_again_also_after_a_restart),
    M(another_content_transaction_or_server_finds_the_challenge_used),
    M(a_challenge_is_used_at_one_service_alone),
    M(each_phase_refuses_and_the_authority_is_told_of_what_comes_after_the_first),
    M(what_is_no_request_or_does_not_prove_its_key_is_refused), M(an_ended_authorisation_is_refused),
    M(the_authority_s_limits_hold_for_what_others_issue),
    M(a_notice_closes_the_claim_and_the_authority_is_told_once),
    M(a_failure_and_a_wait_are_told_and_leave_the_challenge_to_the_same_request),
    M(a_notice_of_what_was_not_verified_changes_nothing),
    M(a_certificate_of_another_key_is_not_the_request_s), M(a_notice_is_whole))
