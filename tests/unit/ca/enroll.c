/* SPDX-License-Identifier: Apache-2.0 */
/* One enrolment: what each validator says, and what the same and another request get. */
#include "tests/unit/ca/fixture.h"

#include "ca/challenge.h"
#include "x509/san.h"
#include <stdlib.h>

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

TEST(static_password_gets_a_certificate)
{
    DEVICE(device, .subject = "CN=one,O=Example", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    struct cert cert;
    ISSUED(&device, "static", &got);
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
    ISSUED(&device, "static", &got);
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
    REFUSED(ERR_CHALLENGE_WRONG, &wrong, "static");
    REFUSED(ERR_CHALLENGE_WRONG, &longer, "static");
    REFUSED(ERR_CHALLENGE_WRONG, &shorter, "static");
    REFUSED(ERR_CHALLENGE_MISSING, &absent, "static");
    REFUSED(ERR_CHALLENGE_MISSING, &empty, "static");
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
    REFUSED(ERR_CHALLENGE_WRONG, &device, "static");
    ask_raw(&device, DER_UTF8_STRING, BYTES_LIT("\0"));
    REFUSED(ERR_CHALLENGE_WRONG, &device, "static");
    ask_raw(&device, DER_UTF8_STRING, BYTES_LIT("secret\xFF"));
    REFUSED(ERR_CHALLENGE_WRONG, &device, "static");
    ask_raw(&device, DER_BMP_STRING, BYTES_LIT("\0s\0e\0c\0r\0e\0t\0"));
    REFUSED(ERR_MALFORMED, &device, "static"); /* half a character */
    ask_raw(&device, DER_PRINTABLE_STRING, BYTES_NONE);
    REFUSED(ERR_CHALLENGE_MISSING, &device, "static");
    ask_raw(&device, DER_OCTET_STRING, BYTES_LIT("secret"));
    REFUSED(ERR_MALFORMED, &device, "static");
    ask_raw(&device, DER_BMP_STRING, BYTES_LIT("\0s\0e\0c\0r\0e\0t"));
    ISSUED(&device, "static", &got);
}

TEST(a_request_signed_by_another_key_is_refused)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    device.csr.data[device.csr.len - 1] ^= 1;
    REFUSED(ERR_BAD_MESSAGE_CHECK, &device, "static");
}

TEST(a_signer_with_another_key_is_refused)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    DEVICE(other, .subject = "CN=two", .challenge = "secret");
    buf_free(&device.self_signed);
    device.self_signed = buf_dup(buf_bytes(&other.self_signed));
    REFUSED(ERR_BAD_MESSAGE_CHECK, &device, "static");
}

TEST(renewal_is_refused_by_name)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 }, none = { 0 };
    struct why why = { 0 };
    ISSUED(&device, "static", &got);
    buf_free(&device.self_signed);
    device.self_signed = buf_dup(buf_bytes(&got.certificate));
    ASSERT_ERR(ERR_BAD_REQUEST, device_enroll(world, &device, "static", &none, &why), &why);
    assert_non_null(strstr(why.text, "renewal is not supported"));
}

TEST(an_unknown_endpoint_is_refused)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    REFUSED(ERR_BAD_REQUEST, &device, "nowhere");
}

TEST(trailing_bytes_behind_the_request_are_refused)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    buf_append_byte(&device.csr, 0);
    REFUSED(ERR_MALFORMED, &device, "static");
}

TEST(the_same_request_gets_the_same_bytes)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) first = { 0 }, again = { 0 };
    struct why why = { 0 };
    ISSUED(&device, "static", &first);
    world->clock.held += 1000;
    ASSERT_OK(device_enroll_as(world, &device, "static", "another id", &again, &why), &why);
    ASSERT_BYTES(buf_bytes(&first.certificate), buf_bytes(&again.certificate));
    assert_int_equal(first.request_id, again.request_id);
    assert_true(again.again);
    assert_int_equal(1, atomic_load(&world->seals));
    world_reopen(world);
    enrolled_free(&again);
    ISSUED(&device, "static", &again);
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
    ISSUED(&device, "static", &first);
    ISSUED(&device, "bare", &second);
    assert_int_not_equal(first.request_id, second.request_id);
}

TEST(the_same_key_with_the_same_identity_gets_a_new_certificate)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) first = { 0 }, second = { 0 };
    ISSUED(&device, "static", &first);
    device_ask(&device, &(struct ask){ .subject = "CN=one",
                                       .challenge = "secret" }); /* ECDSA: another signature only */
    ISSUED(&device, "static", &second);
    ASSERT_BYTES(buf_bytes(&first.certificate), buf_bytes(&second.certificate));
    AUTO_BUF usage = key_usage_of(KU_DIGITAL_SIGNATURE);
    device_ask(&device,
               &(struct ask){ .subject = "CN=one", .challenge = "secret", .extensions = buf_bytes(&usage) });
    enrolled_free(&second);
    ISSUED(&device, "static", &second);
    assert_int_not_equal(first.request_id, second.request_id);
}

TEST(the_same_key_with_another_subject_is_refused_and_kept)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) first = { 0 };
    ISSUED(&device, "static", &first);
    device_ask(&device, &(struct ask){ .subject = "CN=two", .challenge = "secret" });
    REFUSED(ERR_BAD_REQUEST, &device, "static");
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
    ISSUED(&device, "static", &first);
    device_ask(&device,
               &(struct ask){ .subject = "CN=one", .challenge = "secret", .extensions = buf_bytes(&a) });
    REFUSED(ERR_BAD_REQUEST, &device, "static");
    device_ask(&device,
               &(struct ask){ .subject = "CN=one", .challenge = "secret", .extensions = buf_bytes(&ba) });
    ISSUED(&device, "static", &second);
}

TEST(a_retry_after_revocation_or_expiry_is_a_failure)
{
    DEVICE(revoked, .subject = "CN=one", .challenge = "secret");
    DEVICE(expired, .subject = "CN=two", .challenge = "secret");
    AUTO_VAL(enrolled) first = { 0 }, second = { 0 };
    struct why why = { 0 };
    bool changed;
    struct cert cert;
    AUTO_BUF serial = { 0 };
    ISSUED(&revoked, "static", &first);
    ISSUED(&expired, "static", &second);
    ASSERT_OK(cert_parse(buf_bytes(&first.certificate), &cert, &why), &why);
    serial_append_text(&serial, cert.serial);
    struct revocation revocation = { buf_text(&serial), "cli", CRL_KEY_COMPROMISE };
    ASSERT_OK(ca_revoke(world->ca, world_issuer(world), &revocation, &changed, &why), &why);
    REFUSED(ERR_REVOKED, &revoked, "static");
    world->clock.held = NOW + 365 * 86400;
    enrolled_free(&second);
    ISSUED(&expired, "static", &second); /* its last second */
    world->clock.held++;
    REFUSED(ERR_EXPIRED, &expired, "static");
}

TEST(a_one_time_password_is_refused_the_second_time)
{
    const char *password = once_new(world);
    DEVICE(first, .subject = "CN=one", .challenge = password);
    DEVICE(second, .subject = "CN=one", .challenge = password);
    AUTO_VAL(enrolled) got = { 0 }, again = { 0 };
    ISSUED(&first, "once", &got);
    REFUSED(ERR_CHALLENGE_USED, &second, "once");
    ISSUED(&first, "once", &again); /* a retry is not a second time */
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
    REFUSED(ERR_CHALLENGE_WRONG, &device, "static");
    REFUSED(ERR_CHALLENGE_WRONG, &unknown, "once");
    REFUSED(ERR_CHALLENGE_MISSING, &absent, "once");
    world->clock.held = NOW + 3600;
    REFUSED(ERR_CHALLENGE_EXPIRED, &device, "once");
    world->clock.held = NOW + 3599;
    ISSUED(&device, "once", &got);
}

TEST(a_refusal_by_the_template_leaves_the_password_unused)
{
    const char *password = once_new(world);
    DEVICE(device, .subject = "O=No common name", .challenge = password);
    AUTO_VAL(enrolled) got = { 0 };
    REFUSED(ERR_TEMPLATE_SUBJECT, &device, "once");
    assert_int_equal(
        1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed' "
                              "AND error = 'ERR_TEMPLATE_SUBJECT' AND reason <> '' AND request_key IS NULL"));
    device_ask(&device, &(struct ask){ .subject = "CN=one", .challenge = password });
    ISSUED(&device, "once", &got);
}

TEST(a_failed_request_is_kept_as_it_was_asked_last)
{
    DEVICE(device, .subject = "O=First", .challenge = "secret");
    REFUSED(ERR_TEMPLATE_SUBJECT, &device, "static");
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE subject = 'O=First'"));
    device_ask(&device, &(struct ask){ .subject = "O=Second", .challenge = "secret" });
    REFUSED(ERR_TEMPLATE_SUBJECT, &device, "static");
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE subject = 'O=Second' AND "
                                           "template = 'SCEPDevice' AND template_version > 0 AND "
                                           "signed_with = 'SHA-256' AND length(failed_key) = 32 AND "
                                           "instr(info, CAST('Second' AS BLOB)) > 0"));
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
        ISSUED(&device, "static", &got);
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
    REFUSED(ERR_BAD_ALG, &device, "static");
}

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
    ISSUED(&issued, "static", &real);
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
    W(a_refusal_by_the_template_leaves_the_password_unused), W(a_failed_request_is_kept_as_it_was_asked_last),
    W(unused_passwords_are_limited_and_the_limit_names_both_values),
    W(a_hundred_devices_at_once_with_one_password_get_one_certificate),
    W(the_same_request_at_once_is_one_certificate_for_all), W(the_key_usage_asked_for_picks_the_slot),
    W(an_unset_slot_refuses_and_is_named), W(an_ec_key_for_encryption_alone_is_refused),
    W(no_challenge_is_found_in_the_store_or_in_a_reason))
