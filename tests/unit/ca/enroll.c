/* SPDX-License-Identifier: Apache-2.0 */
/* One enrolment: what each validator says, what the same and another request get, and what a crash leaves. */
#include "tests/unit/ca/fixture.h"

#include "ca/challenge.h"
#include "x509/san.h"

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

static void assert_refused(enum err expected, const struct device *device, const char *endpoint)
{
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    int64_t before = world_count(world, "SELECT COUNT(*) FROM certificate WHERE der IS NOT NULL");
    ASSERT_ERR(expected, device_enroll(world, device, endpoint, &got, &why), &why);
    assert_int_equal(expected, why.err);
    assert_true(why.text[0]);
    assert_int_equal(before, world_count(world, "SELECT COUNT(*) FROM certificate WHERE der IS NOT NULL"));
}

static void assert_issued(const struct device *device, const char *endpoint, struct enrolled *ret)
{
    struct why why = { 0 };
    struct cert cert;
    ASSERT_OK(device_enroll(world, device, endpoint, ret, &why), &why);
    assert_int_equal(ENROLL_ISSUED, ret->disposition);
    ASSERT_OK(cert_parse(buf_bytes(&ret->certificate), &cert, &why), &why);
    ASSERT_OK(cert_verify(&cert, world->ca_key->public_half, &why), &why);
    ASSERT_BYTES(cert.spki, public_key_spki(device->key->public_half));
}

/* static */

TEST(static_password_gets_a_certificate)
{
    DEVICE(device, .subject = "CN=one,O=Example", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    struct cert cert;
    assert_issued(&device, "static", &got);
    ASSERT_OK(cert_parse(buf_bytes(&got.certificate), &cert, &why), &why);
    assert_int_equal(NOW - 600, cert.not_before);
    assert_int_equal(NOW + 365 * 86400, cert.not_after);
    assert_int_equal(KU_DIGITAL_SIGNATURE, cert.key_usage); /* an EC key: no keyEncipherment (RFC 8813 3) */
    assert_false(cert.is_ca);
    AUTO_BUF name = { 0 };
    name_append_text(&name, cert.subject);
    assert_string_equal("CN=one,O=Example", buf_text(&name));
    assert_int_equal(
        1, world_count(world, "SELECT COUNT(*) FROM outbox WHERE kind = 'issued' AND request_id = 1"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'issue'"));
    assert_int_equal(
        1,
        world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'issued' AND request_id = 1 "
                           "AND requester = 'endpoint/static' AND node_id <> '' AND issuer_id = 'issuing'"));
}

TEST(an_rsa_key_gets_both_usages)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret", .kind = KEY_RSA);
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    struct cert cert;
    assert_issued(&device, "static", &got);
    ASSERT_OK(cert_parse(buf_bytes(&got.certificate), &cert, &why), &why);
    assert_int_equal(KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, cert.key_usage);
}

TEST(static_password_wrong_absent_or_longer_is_refused)
{
    DEVICE(wrong, .subject = "CN=one", .challenge = "Secret");
    DEVICE(longer, .subject = "CN=one", .challenge = "secret ");
    DEVICE(shorter, .subject = "CN=one", .challenge = "secre");
    DEVICE(absent, .subject = "CN=one");
    DEVICE(empty, .subject = "CN=one", .challenge = "");
    assert_refused(ERR_CHALLENGE_WRONG, &wrong, "static");
    assert_refused(ERR_CHALLENGE_WRONG, &longer, "static");
    assert_refused(ERR_CHALLENGE_WRONG, &shorter, "static");
    assert_refused(ERR_CHALLENGE_MISSING, &absent, "static");
    assert_refused(ERR_CHALLENGE_MISSING, &empty, "static");
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM request"));
}

/* A PKCS#10 whose challengePassword has whatever tag and octets, signed by the device. */
static void ask_raw(struct device *device, uint8_t tag, struct bytes octets)
{
    struct why why = { 0 };
    AUTO_BUF name = name_of("CN=one"), info = { 0 }, signature = { 0 };
    struct signature_algorithm algorithm = key_signature_algorithm(device->key);
    size_t whole = der_begin(&info, DER_SEQUENCE);
    der_put_int64(&info, 0);
    der_put_raw(&info, buf_bytes(&name));
    der_put_raw(&info, public_key_spki(device->key->public_half));
    size_t attributes = der_begin(&info, DER_CONTEXT_CONSTRUCTED(0)),
           attribute = der_begin(&info, DER_SEQUENCE);
    der_put_oid(&info, oid_bytes(OID_ATTR_CHALLENGE_PASSWORD));
    size_t values = der_begin(&info, DER_SET);
    der_put(&info, tag, octets);
    der_end(&info, values);
    der_end(&info, attribute);
    der_end(&info, attributes);
    der_end(&info, whole);
    ASSERT_OK(key_sign(device->key, algorithm.digest, buf_bytes(&info), &signature, &why), &why);
    buf_free(&device->csr);
    signed_assemble(buf_bytes(&info), algorithm, buf_bytes(&signature), &device->csr);
}

TEST(a_challenge_with_nul_or_that_is_no_text_is_refused)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    ask_raw(&device, DER_UTF8_STRING, BYTES_LIT("secret\0x"));
    assert_refused(ERR_CHALLENGE_WRONG, &device, "static");
    ask_raw(&device, DER_UTF8_STRING, BYTES_LIT("\0"));
    assert_refused(ERR_CHALLENGE_WRONG, &device, "static");
    ask_raw(&device, DER_UTF8_STRING, BYTES_LIT("secret\xFF"));
    assert_refused(ERR_CHALLENGE_WRONG, &device, "static");
    ask_raw(&device, DER_BMP_STRING, BYTES_LIT("\0s\0e\0c\0r\0e\0t\0"));
    assert_refused(ERR_CHALLENGE_WRONG, &device, "static");
    ask_raw(&device, DER_PRINTABLE_STRING, BYTES_NONE);
    assert_refused(ERR_CHALLENGE_MISSING, &device, "static");
    ask_raw(&device, DER_OCTET_STRING, BYTES_LIT("secret"));
    assert_refused(ERR_MALFORMED, &device, "static");
    ask_raw(&device, DER_BMP_STRING, BYTES_LIT("\0s\0e\0c\0r\0e\0t"));
    assert_issued(&device, "static", &got);
}

TEST(a_request_signed_by_another_key_is_refused)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    device.csr.data[device.csr.len - 1] ^= 1;
    assert_refused(ERR_BAD_MESSAGE_CHECK, &device, "static");
}

TEST(a_signer_with_another_key_is_refused)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    DEVICE(other, .subject = "CN=two", .challenge = "secret");
    buf_free(&device.self_signed);
    device.self_signed = buf_dup(buf_bytes(&other.self_signed));
    assert_refused(ERR_BAD_MESSAGE_CHECK, &device, "static");
}

TEST(renewal_is_refused_by_name)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 }, none = { 0 };
    struct why why = { 0 };
    assert_issued(&device, "static", &got);
    buf_free(&device.self_signed);
    device.self_signed = buf_dup(buf_bytes(&got.certificate));
    ASSERT_ERR(ERR_BAD_REQUEST, device_enroll(world, &device, "static", &none, &why), &why);
    assert_non_null(strstr(why.text, "renewal is not supported"));
}

TEST(an_unknown_endpoint_is_refused)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    assert_refused(ERR_BAD_REQUEST, &device, "nowhere");
}

TEST(trailing_bytes_behind_the_request_are_refused)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    buf_append_byte(&device.csr, 0);
    assert_refused(ERR_MALFORMED, &device, "static");
}

/* the same and another request */

TEST(the_same_request_gets_the_same_bytes)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) first = { 0 }, again = { 0 };
    struct why why = { 0 };
    assert_issued(&device, "static", &first);
    world->clock.held += 1000;
    ASSERT_OK(device_enroll_as(world, &device, "static", "another id", &again, &why), &why);
    ASSERT_BYTES(buf_bytes(&first.certificate), buf_bytes(&again.certificate));
    assert_int_equal(first.request_id, again.request_id);
    assert_true(again.again);
    assert_int_equal(1, atomic_load(&world->seals));
    world_reopen(world);
    enrolled_free(&again);
    assert_issued(&device, "static", &again);
    ASSERT_BYTES(buf_bytes(&first.certificate), buf_bytes(&again.certificate));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request"));
}

TEST(the_same_request_at_another_endpoint_is_another_request)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret", .extensions = BYTES_NONE);
    AUTO_VAL(enrolled) first = { 0 }, second = { 0 };
    AUTO_BUF usage = key_usage_of(KU_DIGITAL_SIGNATURE);
    device_ask(&device,
               &(struct ask){ .subject = "CN=one", .challenge = "secret", .extensions = buf_bytes(&usage) });
    assert_issued(&device, "static", &first);
    assert_issued(&device, "bare", &second);
    assert_int_not_equal(first.request_id, second.request_id);
}

TEST(the_same_key_with_the_same_identity_gets_a_new_certificate)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) first = { 0 }, second = { 0 };
    assert_issued(&device, "static", &first);
    device_ask(&device, &(struct ask){ .subject = "CN=one",
                                       .challenge = "secret" }); /* ECDSA: another signature only */
    assert_issued(&device, "static", &second);
    ASSERT_BYTES(buf_bytes(&first.certificate), buf_bytes(&second.certificate));
    AUTO_BUF usage = key_usage_of(KU_DIGITAL_SIGNATURE);
    device_ask(&device,
               &(struct ask){ .subject = "CN=one", .challenge = "secret", .extensions = buf_bytes(&usage) });
    enrolled_free(&second);
    assert_issued(&device, "static", &second);
    assert_int_not_equal(first.request_id, second.request_id);
}

TEST(the_same_key_with_another_subject_is_refused_and_kept)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) first = { 0 };
    assert_issued(&device, "static", &first);
    device_ask(&device, &(struct ask){ .subject = "CN=two", .challenge = "secret" });
    assert_refused(ERR_BAD_REQUEST, &device, "static");
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed' AND "
                                           "error = 'ERR_BAD_REQUEST' AND request_key IS NULL"));
}

static struct buf san_extension(const char *one, const char *two)
{
    struct buf out = { 0 };
    struct why why = { 0 };
    AUTO_BUF names = { 0 }, whole = { 0 };
    ASSERT_OK(san_put_text(&names, one, &why), &why);
    if (two)
        ASSERT_OK(san_put_text(&names, two, &why), &why);
    der_put(&whole, DER_SEQUENCE, buf_bytes(&names));
    extension_put_san(&out, buf_bytes(&whole), false);
    return out;
}

TEST(the_same_key_with_other_names_is_refused_and_in_another_order_is_not)
{
    AUTO_BUF ab = san_extension("dns:a.example", "dns:b.example"),
             ba = san_extension("dns:b.example", "dns:a.example");
    AUTO_BUF a = san_extension("dns:a.example", NULL);
    DEVICE(device, .subject = "CN=one", .challenge = "secret", .extensions = buf_bytes(&ab));
    AUTO_VAL(enrolled) first = { 0 }, second = { 0 };
    assert_issued(&device, "static", &first);
    device_ask(&device,
               &(struct ask){ .subject = "CN=one", .challenge = "secret", .extensions = buf_bytes(&a) });
    assert_refused(ERR_BAD_REQUEST, &device, "static");
    device_ask(&device,
               &(struct ask){ .subject = "CN=one", .challenge = "secret", .extensions = buf_bytes(&ba) });
    assert_issued(&device, "static", &second);
}

TEST(a_retry_after_revocation_or_expiry_is_a_failure)
{
    DEVICE(revoked, .subject = "CN=one", .challenge = "secret");
    DEVICE(expired, .subject = "CN=two", .challenge = "secret");
    AUTO_VAL(enrolled) first = { 0 }, second = { 0 };
    struct why why = { 0 };
    struct cert cert;
    AUTO_BUF serial = { 0 };
    assert_issued(&revoked, "static", &first);
    assert_issued(&expired, "static", &second);
    ASSERT_OK(cert_parse(buf_bytes(&first.certificate), &cert, &why), &why);
    serial_append_text(&serial, cert.serial);
    struct revocation revocation = { buf_text(&serial), "cli", CRL_KEY_COMPROMISE };
    ASSERT_OK(ca_revoke(world->ca, world_issuer(world), &revocation, &why), &why);
    assert_refused(ERR_REVOKED, &revoked, "static");
    world->clock.held = NOW + 365 * 86400;
    enrolled_free(&second);
    assert_issued(&expired, "static", &second); /* its last second */
    world->clock.held++;
    assert_refused(ERR_EXPIRED, &expired, "static");
}

/* one-time */

TEST(a_one_time_password_is_refused_the_second_time)
{
    const char *password = once_new(world);
    DEVICE(first, .subject = "CN=one", .challenge = password);
    DEVICE(second, .subject = "CN=one", .challenge = password);
    AUTO_VAL(enrolled) got = { 0 }, again = { 0 };
    assert_issued(&first, "once", &got);
    assert_refused(ERR_CHALLENGE_USED, &second, "once");
    assert_issued(&first, "once", &again); /* a retry is not a second time */
    ASSERT_BYTES(buf_bytes(&got.certificate), buf_bytes(&again.certificate));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request"));
}

TEST(a_one_time_password_expires_and_is_bound_to_its_endpoint)
{
    const char *password = once_new(world);
    DEVICE(device, .subject = "CN=one", .challenge = password);
    DEVICE(unknown, .subject = "CN=two", .challenge = "0123456789ABCDEF");
    DEVICE(absent, .subject = "CN=three");
    AUTO_VAL(enrolled) got = { 0 };
    assert_refused(ERR_CHALLENGE_WRONG, &device, "static");
    assert_refused(ERR_CHALLENGE_WRONG, &unknown, "once");
    assert_refused(ERR_CHALLENGE_MISSING, &absent, "once");
    world->clock.held = NOW + 3600;
    assert_refused(ERR_CHALLENGE_EXPIRED, &device, "once");
    world->clock.held = NOW + 3599;
    assert_issued(&device, "once", &got);
}

TEST(a_refusal_by_the_template_leaves_the_password_unused)
{
    const char *password = once_new(world);
    DEVICE(device, .subject = "O=No common name", .challenge = password);
    AUTO_VAL(enrolled) got = { 0 };
    assert_refused(ERR_TEMPLATE_SUBJECT, &device, "once");
    assert_int_equal(
        1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed' "
                              "AND error = 'ERR_TEMPLATE_SUBJECT' AND reason <> '' AND request_key IS NULL"));
    device_ask(&device, &(struct ask){ .subject = "CN=one", .challenge = password });
    assert_issued(&device, "once", &got);
}

TEST(unused_passwords_are_limited_and_the_limit_names_both_values)
{
    struct why why = { 0 };
    char password[17];
    int64_t expires;
    struct endpoint *endpoint = ca_find_endpoint(world->ca, BYTES_LIT("once"));
    for (int i = 0; i < 5; i++)
        once_new(world);
    ASSERT_ERR(ERR_LIMIT, challenge_new(world->ca, endpoint, "cli", password, &expires, &why), &why);
    assert_non_null(strstr(why.text, "5 unused"));
    assert_non_null(strstr(why.text, "challenges_outstanding is 5"));
    world->clock.held += 3601;
    ASSERT_OK(challenge_new(world->ca, endpoint, "cli", password, &expires, &why), &why);
}

struct racer {
    struct device device;
    enum err err;
    struct enrolled got;
    pthread_t thread;
};

static void *race(void *arg)
{
    struct racer *racer = arg;
    struct why why = { 0 };
    racer->err = device_enroll(world, &racer->device, "once", &racer->got, &why);
    return NULL;
}

#define RACERS 100

TEST(a_hundred_devices_at_once_with_one_password_get_one_certificate)
{
    struct racer *racers = xcalloc(RACERS, sizeof(*racers));
    char *password = xstrdup(once_new(world));
    int issued = 0, used = 0;
    for (int i = 0; i < RACERS; i++)
        racers[i].device = device_new(&(struct ask){ .subject = "CN=one", .challenge = password });
    for (int i = 0; i < RACERS; i++)
        assert_int_equal(0, pthread_create(&racers[i].thread, NULL, race, &racers[i]));
    for (int i = 0; i < RACERS; i++) {
        pthread_join(racers[i].thread, NULL);
        issued += racers[i].err == OK;
        used += racers[i].err == ERR_CHALLENGE_USED;
        enrolled_free(&racers[i].got);
        device_free(&racers[i].device);
    }
    assert_int_equal(1, issued);
    assert_int_equal(RACERS - 1, used);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request"));
    free(password);
    free(racers);
}

TEST(the_same_request_at_once_is_one_certificate_for_all)
{
    struct racer racers[20] = { 0 };
    char *password = xstrdup(once_new(world));
    struct device device = device_new(&(struct ask){ .subject = "CN=one", .challenge = password });
    for (int i = 0; i < 20; i++) {
        racers[i].device = device;
        assert_int_equal(0, pthread_create(&racers[i].thread, NULL, race, &racers[i]));
    }
    for (int i = 0; i < 20; i++)
        pthread_join(racers[i].thread, NULL);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(OK, racers[i].err);
        ASSERT_BYTES(buf_bytes(&racers[0].got.certificate), buf_bytes(&racers[i].got.certificate));
    }
    for (int i = 0; i < 20; i++)
        enrolled_free(&racers[i].got);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate"));
    device_free(&device);
    free(password);
}

/* manual */

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
    assert_issued(&device, "manual", &again);
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
    assert_refused(ERR_DENIED, &device, "manual");
    ASSERT_ERR(ERR_DENIED, device_poll(world, &device, "manual", &first, &why), &why);
    ASSERT_ERR(ERR_BAD_REQUEST, ca_approve(world->ca, world_issuer(world), first.request_id, "cli", &why),
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
    assert_refused(ERR_TEMPLATE_SUBJECT, &device, "manual");
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
    assert_issued(&device, "manual", &got);
    assert_int_equal(
        2, world_count(world, "SELECT COUNT(*) FROM certificate")); /* the first serial stays taken */
}

/* slots */

TEST(the_key_usage_asked_for_picks_the_slot)
{
    const struct {
        uint16_t bits;
        const char *template;
    } cases[] = {
        { KU_DIGITAL_SIGNATURE, "SCEPDeviceSignature" },
        { KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION, "SCEPDeviceSignature" },
        { KU_KEY_ENCIPHERMENT, "SCEPDeviceEncryption" },
        { KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, "SCEPDevice" },
        { KU_KEY_AGREEMENT, "SCEPDevice" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        AUTO_BUF usage = key_usage_of(cases[i].bits);
        DEVICE(device, .subject = "CN=one", .challenge = "secret", .extensions = buf_bytes(&usage),
               .kind = KEY_RSA);
        AUTO_VAL(enrolled) got = { 0 };
        char sql[200];
        assert_issued(&device, "static", &got);
        snprintf(sql, sizeof(sql),
                 "SELECT COUNT(*) FROM certificate WHERE request_id = %lld AND template = '%s'",
                 (long long)got.request_id, cases[i].template);
        assert_int_equal(1, world_count(world, sql));
    }
}

TEST(an_unset_slot_refuses_and_is_named)
{
    AUTO_BUF usage = key_usage_of(KU_KEY_ENCIPHERMENT);
    DEVICE(general, .subject = "CN=one", .challenge = "secret");
    DEVICE(encryption, .subject = "CN=one", .challenge = "secret", .extensions = buf_bytes(&usage),
           .kind = KEY_RSA);
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    ASSERT_ERR(ERR_TEMPLATE, device_enroll(world, &general, "bare", &got, &why), &why);
    assert_non_null(strstr(why.text, "endpoint bare has no general_purpose_template"));
    ASSERT_ERR(ERR_TEMPLATE, device_enroll(world, &encryption, "bare", &got, &why), &why);
    assert_non_null(strstr(why.text, "endpoint bare has no encryption_template"));
}

TEST(an_ec_key_for_encryption_alone_is_refused)
{
    AUTO_BUF usage = key_usage_of(KU_KEY_ENCIPHERMENT);
    DEVICE(device, .subject = "CN=one", .challenge = "secret", .extensions = buf_bytes(&usage));
    assert_refused(ERR_BAD_ALG, &device, "static");
}

/* crashes */

TEST(a_lost_seal_is_made_up_from_the_stored_tbs)
{
    DEVICE(device, .subject = "CN=one", .challenge = once_new(world));
    AUTO_VAL(enrolled) got = { 0 };
    struct cert cert;
    struct why why = { 0 };
    AUTO_BUF serial = { 0 };
    char sql[200];
    world->seal_error = ERR_UNAVAILABLE;
    assert_refused(ERR_UNAVAILABLE, &device, "once");
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'sealing'"));
    world_reopen(world);
    world->seal_error = OK;
    world->clock.held += 60;
    assert_issued(&device, "once", &got);
    ASSERT_OK(cert_parse(buf_bytes(&got.certificate), &cert, &why), &why);
    assert_int_equal(NOW - 600, cert.not_before); /* the TBS of T1, not a new one */
    serial_append_text(&serial, cert.serial);
    snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM certificate WHERE serial = '%s' AND status = 'valid'",
             buf_text(&serial));
    assert_int_equal(1, world_count(world, sql));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate"));
}

static void t2_breaks(struct world *each)
{
    world_exec(
        each,
        "CREATE TRIGGER broken BEFORE UPDATE ON certificate BEGIN SELECT RAISE(ABORT, 'disk full'); END");
}

TEST(a_failed_t2_is_made_up_too_and_nothing_is_answered_before)
{
    DEVICE(device, .subject = "CN=one", .challenge = once_new(world));
    AUTO_VAL(enrolled) got = { 0 };
    world->on_seal = t2_breaks;
    assert_refused(ERR_STORE, &device, "once");
    assert_int_equal(1, atomic_load(&world->seals));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM outbox"));
    world_reopen(world);
    assert_refused(ERR_STORE, &device, "once");
    world_exec(world, "DROP TRIGGER broken");
    assert_issued(&device, "once", &got);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM outbox"));
}

TEST(a_failed_t1_leaves_no_trace_and_the_password_unused)
{
    DEVICE(device, .subject = "CN=one", .challenge = once_new(world));
    AUTO_VAL(enrolled) got = { 0 };
    world_exec(
        world,
        "CREATE TRIGGER broken BEFORE INSERT ON certificate BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    assert_refused(ERR_STORE, &device, "once");
    assert_int_equal(0, atomic_load(&world->seals));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM request"));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM challenge WHERE claimed_by IS NOT NULL"));
    world_exec(world, "DROP TRIGGER broken");
    assert_issued(&device, "once", &got);
}

TEST(a_reservation_is_voided_after_ten_minutes_and_frees_the_password)
{
    const char *password = once_new(world);
    DEVICE(device, .subject = "CN=one", .challenge = password);
    DEVICE(other, .subject = "CN=two", .challenge = password);
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    int64_t voided;
    world->seal_error = ERR_TIMEOUT;
    assert_refused(ERR_TIMEOUT, &device, "once");
    world->seal_error = OK;
    world->clock.held += ISSUE_VOID_S - 1;
    ASSERT_OK(issue_void_stale(world->ca, world_issuer(world), &voided, &why), &why);
    assert_int_equal(0, voided);
    assert_refused(ERR_CHALLENGE_USED, &other, "once");
    world->clock.held++;
    ASSERT_OK(issue_void_stale(world->ca, world_issuer(world), &voided, &why), &why);
    assert_int_equal(1, voided);
    assert_issued(&other, "once", &got);
    assert_refused(ERR_CHALLENGE_USED, &device, "once");
    assert_int_equal(
        1, world_count(world, "SELECT COUNT(*) FROM certificate WHERE status = 'void' AND serial <> ''"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed' "
                                           "AND request_key IS NULL AND error = 'ERR_TIMEOUT'"));
}

static void void_meanwhile(struct world *each)
{
    struct why why = { 0 };
    int64_t voided;
    each->clock.held += ISSUE_VOID_S;
    ASSERT_OK(issue_void_stale(each->ca, world_issuer(each), &voided, &why), &why);
    assert_int_equal(1, voided);
}

TEST(a_late_t2_does_not_bring_a_voided_reservation_back)
{
    DEVICE(device, .subject = "CN=one", .challenge = once_new(world));
    AUTO_VAL(enrolled) got = { 0 };
    world->on_seal = void_meanwhile;
    assert_issued(&device, "once", &got); /* a new reservation: the first one's T2 changed nothing */
    assert_int_equal(2, atomic_load(&world->seals));
    assert_int_equal(
        1, world_count(world, "SELECT COUNT(*) FROM certificate WHERE status = 'void' AND der IS NULL"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate WHERE status = 'valid'"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM outbox"));
}

TEST(what_the_signer_refuses_for_good_is_failed_and_frees_the_password)
{
    DEVICE(device, .subject = "CN=one", .challenge = once_new(world));
    AUTO_VAL(enrolled) got = { 0 };
    world->seal_error = ERR_SIGNER_LIMIT;
    assert_refused(ERR_SIGNER_LIMIT, &device, "once");
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed' "
                                           "AND error = 'ERR_SIGNER_LIMIT' AND request_key IS NULL"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request"));
    world->seal_error = OK;
    assert_issued(&device, "once", &got);
}

TEST(an_answer_of_the_signer_is_not_believed)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    world->seal_other = true;
    assert_refused(ERR_PROTOCOL, &device, "static");
    world->seal_other = false;
    world->seal_badly = true;
    assert_refused(ERR_PROTOCOL, &device, "static");
    world->seal_badly = false;
    assert_issued(&device, "static", &got);
}

/* Nobody foresees a serial. A trigger stands for the collision: it runs into a unique constraint of its own while the
   request id is below a mark, and the id goes back with each unit that is rolled back, so each attempt collides. */
TEST(serials_that_are_all_taken_end_in_an_error_and_no_row)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    world_exec(world, "CREATE TABLE once_only (n BIGINT UNIQUE)");
    world_exec(world, "CREATE TRIGGER clash BEFORE INSERT ON certificate BEGIN "
                      "INSERT INTO once_only VALUES (1); INSERT INTO once_only VALUES (1); END");
    assert_refused(ERR_INTERNAL, &device, "static");
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM request"));
    assert_int_equal(0, atomic_load(&world->seals));
    world_exec(world, "DROP TRIGGER clash");
    assert_issued(&device, "static", &got);
}

/* The trigger collides with each eighth serial: without a second one, seven of sixty enrolments would fail. Four
   collisions in a row, which do fail one, come once in 4,096. */
TEST(a_taken_serial_is_replaced_by_a_fresh_one)
{
    int collided = 0;
    world_exec(world, "CREATE TABLE once_only (n BIGINT UNIQUE)");
    world_exec(world,
               "CREATE TRIGGER clash BEFORE INSERT ON certificate WHEN substr(NEW.serial, 3, 1) < '2' BEGIN "
               "INSERT INTO once_only VALUES (1); INSERT INTO once_only VALUES (1); END");
    for (int i = 0; i < 60; i++) {
        DEVICE(device, .subject = "CN=one", .challenge = "secret");
        AUTO_VAL(enrolled) got = { 0 };
        struct why why = { 0 };
        enum err err = device_enroll(world, &device, "static", &got, &why);
        collided += err != OK; /* four in a row: once in 4,096 */
    }
    assert_true(collided <= 2);
    assert_int_equal(60 - collided,
                     world_count(world, "SELECT COUNT(*) FROM certificate WHERE status = 'valid'"));
    assert_int_equal(0,
                     world_count(world, "SELECT COUNT(*) FROM certificate WHERE substr(serial, 3, 1) < '2'"));
}

/* secrets */

TEST(no_challenge_is_found_in_the_store_or_in_a_reason)
{
    static const char canary[] = "CanaryCanaryCanary17";
    DEVICE(wrong, .subject = "CN=one", .challenge = canary);
    DEVICE(pending, .subject = "CN=two", .challenge = canary);
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    char command[256];
    ASSERT_ERR(ERR_CHALLENGE_WRONG, device_enroll(world, &wrong, "static", &got, &why), &why);
    assert_null(strstr(why.text, "Canary"));
    ASSERT_OK(device_enroll(world, &pending, "manual", &got, &why), &why);
    DEVICE(issued, .subject = "CN=three", .challenge = "secret");
    AUTO_VAL(enrolled) real = { 0 };
    assert_issued(&issued, "static", &real);
    world_reopen(world);
    snprintf(command, sizeof(command), "grep -q -a -e CanaryCanary %s/store.db*", world->folder);
    assert_int_not_equal(0, system(command));
    snprintf(command, sizeof(command), "grep -q -a -e 'CN=two' %s/store.db*", world->folder);
    assert_int_equal(0, system(command)); /* the search itself finds what is there */
    assert_int_equal(
        0, world_count(world, "SELECT COUNT(*) FROM request WHERE hex(info) LIKE '%2A864886F70D010907%'"));
}

RUN(W(static_password_gets_a_certificate), W(an_rsa_key_gets_both_usages),
    W(static_password_wrong_absent_or_longer_is_refused),
    W(a_challenge_with_nul_or_that_is_no_text_is_refused), W(a_request_signed_by_another_key_is_refused),
    W(a_signer_with_another_key_is_refused), W(renewal_is_refused_by_name), W(an_unknown_endpoint_is_refused),
    W(trailing_bytes_behind_the_request_are_refused), W(the_same_request_gets_the_same_bytes),
    W(the_same_request_at_another_endpoint_is_another_request),
    W(the_same_key_with_the_same_identity_gets_a_new_certificate),
    W(the_same_key_with_another_subject_is_refused_and_kept),
    W(the_same_key_with_other_names_is_refused_and_in_another_order_is_not),
    W(a_retry_after_revocation_or_expiry_is_a_failure), W(a_one_time_password_is_refused_the_second_time),
    W(a_one_time_password_expires_and_is_bound_to_its_endpoint),
    W(a_refusal_by_the_template_leaves_the_password_unused),
    W(unused_passwords_are_limited_and_the_limit_names_both_values),
    W(a_hundred_devices_at_once_with_one_password_get_one_certificate),
    W(the_same_request_at_once_is_one_certificate_for_all), W(manual_waits_and_is_issued_after_approval),
    W(manual_denied_stays_denied), W(pending_requests_are_capped),
    W(manual_keeps_nothing_that_its_template_would_refuse),
    W(another_request_under_a_pending_transaction_is_refused), W(a_poll_finds_only_its_own_request),
    W(an_approval_that_was_not_sealed_waits_again_after_ten_minutes),
    W(the_key_usage_asked_for_picks_the_slot), W(an_unset_slot_refuses_and_is_named),
    W(an_ec_key_for_encryption_alone_is_refused), W(a_lost_seal_is_made_up_from_the_stored_tbs),
    W(a_failed_t2_is_made_up_too_and_nothing_is_answered_before),
    W(a_failed_t1_leaves_no_trace_and_the_password_unused),
    W(a_reservation_is_voided_after_ten_minutes_and_frees_the_password),
    W(a_late_t2_does_not_bring_a_voided_reservation_back),
    W(what_the_signer_refuses_for_good_is_failed_and_frees_the_password),
    W(an_answer_of_the_signer_is_not_believed), W(serials_that_are_all_taken_end_in_an_error_and_no_row),
    W(a_taken_serial_is_replaced_by_a_fresh_one), W(no_challenge_is_found_in_the_store_or_in_a_reason))
