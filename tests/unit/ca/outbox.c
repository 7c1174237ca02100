/* SPDX-License-Identifier: Apache-2.0 */
/* What an authority is told: every event of its own requests, at least once, under one number, and nobody else's. */
#include "ca/outbox.h"

#include "tests/unit/ca/managed_ask.h"
#include "tests/unit/ca/verb_ask.h"

static struct managed_site site;
static struct world *world;

static int begin(void **state)
{
    (void)state;
    managed_site_begin(&site);
    world = site.world;
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

static enum err ask_as(const char *peer, const char *verb, const char *field, const char *value,
                       struct buf *ret, struct why *why)
{
    return authority_call(world, peer, verb, (const char *const[]){ field, value, NULL }, ret, why);
}

static struct buf lease(void)
{
    struct why why = { 0 };
    struct buf answer = { 0 };
    ASSERT_OK(ask_as("mdm", "outbox_lease", "lease_s", "60", &answer, &why), &why);
    return answer;
}

static int64_t done(const char *peer, const char *ids)
{
    struct why why = { 0 };
    AUTO_BUF answer = { 0 };
    struct der_reader list;
    struct record record;
    ASSERT_OK(ask_as(peer, "outbox_done", "ids", ids, &answer, &why), &why);
    ASSERT_OK(records_get(buf_bytes(&answer), &list, &why), &why);
    assert_true(records_next(&list, &record));
    return record_int(&record, "done", -1);
}

/* "issued failed": the kinds, in order. */
static void assert_kinds(const struct buf *answer, const char *expected)
{
    struct der_reader list;
    struct record record;
    struct why why = { 0 };
    AUTO_BUF found = { 0 };
    ASSERT_OK(records_get(buf_bytes(answer), &list, &why), &why);
    while (records_next(&list, &record)) {
        AUTO_STR kind = record_str(&record, "kind");
        buf_printf(&found, "%s%s", found.len ? " " : "", kind);
    }
    assert_string_equal(expected, buf_text(&found));
}

static void limit(const char *field, const char *value)
{
    struct why why = { 0 };
    AUTO_BUF answer = { 0 };
    ASSERT_OK(CALL("authority_set", &answer, &why, "name", "mdm", field, value), &why);
}

static void issued(struct enrolled *ret)
{
    HELD(device) = managed_device_new(&site);
    device_assert_issued(world, &device, "managed", ret);
}

TEST(an_issued_certificate_is_told_with_all_that_the_authority_needs)
{
    AUTO_VAL(enrolled) got = { 0 };
    AUTO_BUF id = { 0 }, der = { 0 }, sha1 = { 0 };
    uint8_t digest[DIGEST_MAX_BYTES];
    issued(&got);
    AUTO_BUF told = lease();
    hex_append(&id, BYTES_ARR(site.challenge.id));
    base64_append(&der, buf_bytes(&got.certificate));
    assert_int_equal(OK, digest_compute(DIGEST_SHA1, buf_bytes(&got.certificate), digest, NULL));
    hex_append_upper(&sha1, bytes_of(digest, 20));
    assert_kinds(&told, "issued");
    answer_assert(&told, "id", "1");
    answer_assert(&told, "ca", "issuing");
    answer_assert(&told, "request", "1");
    answer_assert(&told, "challenge", buf_text(&id));
    answer_assert(&told, "device", "0a1b2c3d-0000-4000-8000-00000000000b");
    answer_assert(&told, "user", "0a1b2c3d-0000-4000-8000-00000000000c");
    answer_assert(&told, "profile", "0a1b2c3d-0000-4000-8000-00000000000a");
    answer_assert(&told, "version", "7");
    answer_assert(&told, "serial", got.serial);
    answer_assert(&told, "certificate", buf_text(&der));
    answer_assert(&told, "thumbprint", buf_text(&sha1));
    answer_assert(&told, "transaction", "35663363"); /* "5f3c" */
}

TEST(a_refusal_is_told_with_error_code_and_reason_once_for_a_challenge)
{
    struct asked other = site.wants;
    AUTO_BUF text = managed_challenge(&site);
    other.subject = "CN=device-2,OU=Sales,O=Example";
    for (int i = 0; i < 5; i++) { /* a key for each try */
        HELD(device) = managed_device(&other, buf_text(&text));
        device_assert_refused(world, ERR_SUBJECT_MISMATCH, &device, "managed");
    }
    AUTO_BUF told = lease();
    assert_kinds(&told, "failed");
    answer_assert(&told, "error", "ERR_SUBJECT_MISMATCH");
    answer_assert(&told, "code", "SubjectNameMismatch");
    answer_assert(&told, "hresult", "0x80094001");
    answer_assert(&told, "reason",
                  "Subject Name in CSR <CN=device-2> and challenge <CN=device-1> do not match (RDN 1)");
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request"));
    assert_int_equal(1, done("mdm", "1"));
    HELD(again) = managed_device(&other, buf_text(&text));
    device_assert_refused(world, ERR_SUBJECT_MISMATCH, &again, "managed");
    world->clock.held += 61;
    AUTO_BUF later = lease();
    assert_kinds(&later, "");
}

TEST(each_decision_is_told_in_its_order)
{
    struct why why = { 0 };
    AUTO_VAL(enrolled) waits = { 0 };
    AUTO_VAL(enrolled) denied = { 0 };
    bool changed;
    limit("issues", "0");
    HELD(first) = managed_device_new(&site);
    HELD(second) = managed_device_new(&site);
    ASSERT_OK(device_enroll(world, &first, "managed", &waits, &why), &why);
    ASSERT_OK(device_enroll(world, &second, "managed", &denied, &why), &why);
    ASSERT_OK(ca_approve(world->ca, world_issuer(world), waits.request_id, "cli", &why), &why);
    AUTO_BUF answer = { 0 };
    ASSERT_OK(CALL("request_deny", &answer, &why, "id", "2", "reason", "not this one"), &why);
    AUTO_VAL(enrolled) got = { 0 };
    device_assert_issued(world, &first, "managed", &got);
    struct cert cert;
    ASSERT_OK(cert_parse(buf_bytes(&got.certificate), &cert, &why), &why);
    AUTO_BUF serial = { 0 };
    serial_append_text(&serial, cert.serial);
    const struct revocation hold = { buf_text(&serial), "cli", CRL_CERTIFICATE_HOLD };
    ASSERT_OK(ca_revoke(world->ca, world_issuer(world), &hold, &changed, &why), &why);
    ASSERT_OK(ca_release(world->ca, world_issuer(world), buf_text(&serial), "cli", &why), &why);
    AUTO_BUF told = lease();
    assert_kinds(&told, "pending pending issued denied revoked released");
    assert_int_equal(6, done("mdm", "1,2,3,4,5,6"));
    ASSERT_OK(ca_revoke(world->ca, world_issuer(world), &hold, &changed, &why), &why);
    AUTO_BUF once_more = lease();
    assert_kinds(&once_more, "revoked"); /* a new event: under a new number */
    answer_assert(&once_more, "id", "7");
    answer_assert(&once_more, "reason", "certificateHold");
}

TEST(what_is_leased_nobody_else_gets_until_the_lease_is_over)
{
    AUTO_VAL(enrolled) got = { 0 };
    issued(&got);
    AUTO_BUF first = lease();
    AUTO_BUF second = lease();
    assert_kinds(&first, "issued");
    assert_kinds(&second, "");
    world->clock.held += 59;
    AUTO_BUF third = lease();
    assert_kinds(&third, "");
    world_reopen(world); /* the lease outlives a restart */
    AUTO_BUF fourth = lease();
    assert_kinds(&fourth, "");
    world->clock.held++;
    AUTO_BUF fifth = lease();
    assert_kinds(&fifth, "issued");
    answer_assert(&fifth, "id", "1");
    assert_int_equal(1, done("mdm", "1"));
    assert_int_equal(0, done("mdm", "1"));
    world->clock.held += 61;
    AUTO_BUF sixth = lease();
    assert_kinds(&sixth, "");
}

TEST(an_authority_has_its_own_rows_alone)
{
    struct why why = { 0 };
    AUTO_BUF answer = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    AUTO_VAL(enrolled) other = { 0 };
    ASSERT_OK(CALL("authority_add", &answer, &why, "name", "connector"), &why);
    issued(&got);
    HELD(device) = device_new(&(struct ask){ .subject = "CN=static", .challenge = "secret" });
    device_assert_issued(world, &device, "static", &other);
    ASSERT_OK(ask_as("connector", "outbox_lease", NULL, NULL, &answer, &why), &why);
    assert_kinds(&answer, "");
    assert_int_equal(0, done("connector", "1"));
    AUTO_BUF told = lease();
    assert_kinds(&told, "issued");
    ASSERT_OK(CALL("authority_remove", &answer, &why, "name", "mdm"), &why);
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM outbox WHERE authority IS NOT NULL"));
}

TEST(a_page_has_no_more_than_was_asked_for_and_the_rest_comes_next)
{
    struct why why = { 0 };
    AUTO_BUF first = { 0 }, second = { 0 };
    for (int i = 0; i < 3; i++) {
        AUTO_VAL(enrolled) got = { 0 };
        issued(&got);
    }
    ASSERT_OK(ask_as("mdm", "outbox_lease", "limit", "2", &first, &why), &why);
    ASSERT_OK(ask_as("mdm", "outbox_lease", "limit", "2", &second, &why), &why);
    assert_int_equal(2, answer_count(&first));
    assert_int_equal(1, answer_count(&second));
    answer_assert(&second, "id", "3");
    ASSERT_ERR(ERR_USAGE, ask_as("mdm", "outbox_lease", "limit", "501", &first, &why), &why);
    ASSERT_ERR(ERR_USAGE, ask_as("mdm", "outbox_lease", "lease_s", "0", &first, &why), &why);
    ASSERT_ERR(ERR_USAGE, ask_as("mdm", "outbox_done", "ids", "1,,2", &first, &why), &why);
    ASSERT_ERR(ERR_USAGE, ask_as("mdm", "outbox_done", "ids", "1 2", &first, &why), &why);
}

TEST(what_was_delivered_is_forgotten_and_what_was_not_is_not)
{
    struct why why = { 0 };
    AUTO_VAL(enrolled) one = { 0 };
    AUTO_VAL(enrolled) two = { 0 };
    issued(&one);
    issued(&two);
    assert_int_equal(1, done("mdm", "1"));
    world->clock.held += OUTBOX_KEPT_S;
    ASSERT_OK(outbox_forget(world->ca, &why), &why);
    assert_int_equal(2, world_count(world, "SELECT COUNT(*) FROM outbox"));
    world->clock.held++;
    ASSERT_OK(outbox_forget(world->ca, &why), &why);
    AUTO_BUF told = lease();
    assert_kinds(&told, "issued");
    answer_assert(&told, "id", "2");
}

/* --- revoking --- */

static enum err revoke(const char *peer, const char *serial, const char *reason, struct buf *ret,
                       struct why *why)
{
    return authority_call(world, peer, "authority_revoke",
                          (const char *const[]){ "serial", serial, "reason", reason, NULL }, ret, why);
}

TEST(an_authority_revokes_what_it_asked_for_and_learns_nothing_of_others)
{
    struct why why = { 0 };
    AUTO_BUF answer = { 0 };
    AUTO_VAL(enrolled) own = { 0 };
    AUTO_VAL(enrolled) other = { 0 };
    bool changed;
    issued(&own);
    HELD(device) = device_new(&(struct ask){ .subject = "CN=static", .challenge = "secret" });
    device_assert_issued(world, &device, "static", &other);
    ASSERT_OK(revoke("mdm", own.serial, "superseded", &answer, &why), &why);
    answer_assert(&answer, "changed", "yes");
    ASSERT_OK(revoke("mdm", own.serial, "superseded", &answer, &why), &why);
    answer_assert(&answer, "changed", "no");
    ASSERT_ERR(ERR_NOT_AUTHORISED, revoke("mdm", other.serial, "superseded", &answer, &why), &why);
    const struct revocation revoked = { other.serial, "cli", CRL_UNSPECIFIED };
    ASSERT_OK(ca_revoke(world->ca, world_issuer(world), &revoked, &changed, &why), &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED, revoke("mdm", other.serial, "superseded", &answer, &why), &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED, revoke("mdm", "00AB", "superseded", &answer, &why), &why);
    ASSERT_ERR(ERR_USAGE, revoke("mdm", own.serial, "boredom", &answer, &why), &why);
    assert_int_equal(1,
                     world_count(world, "SELECT COUNT(*) FROM certificate WHERE revoked_by = 'authority/mdm' "
                                        "AND reason = 4"));
    AUTO_BUF told = lease();
    assert_kinds(&told, "issued revoked");
}

RUN(M(an_issued_certificate_is_told_with_all_that_the_authority_needs),
    M(a_refusal_is_told_with_error_code_and_reason_once_for_a_challenge),
    M(each_decision_is_told_in_its_order), M(what_is_leased_nobody_else_gets_until_the_lease_is_over),
    M(an_authority_has_its_own_rows_alone), M(a_page_has_no_more_than_was_asked_for_and_the_rest_comes_next),
    M(what_was_delivered_is_forgotten_and_what_was_not_is_not),
    M(an_authority_revokes_what_it_asked_for_and_learns_nothing_of_others))
