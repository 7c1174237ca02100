/* SPDX-License-Identifier: Apache-2.0 */
/* Managed enrolment: the certificate is what the challenge expects and the template allows, and nothing of the request but its key
   is in it. */
#include "tests/unit/ca/managed_ask.h"
#include "tests/unit/ca/verb_ask.h"
#include "x509/san.h"

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

#define M(name)          cmocka_unit_test_setup_teardown(name, begin, end)
#define HELD(name)       __attribute__((cleanup(device_free))) struct device name
#define REFUSED(err, it) device_assert_refused(world, (err), (it), "managed")

static int64_t count(const char *sql)
{
    return world_count(world, sql);
}

static void assert_text(const char *expected, struct buf *text)
{
    assert_string_equal(expected, buf_text(text));
}

static void issued(const struct device *device, struct enrolled *ret, struct cert *cert)
{
    struct why why = { 0 };
    device_assert_issued(world, device, "managed", ret);
    ASSERT_OK(cert_parse(buf_bytes(&ret->certificate), cert, &why), &why);
}

static void assert_names(const struct cert *cert, const char *subject, const char *san)
{
    AUTO_BUF name = { 0 }, names = { 0 };
    name_append_text(&name, cert->subject);
    if (cert->san.len)
        san_append_text(&names, cert->san);
    assert_text(subject, &name);
    assert_text(san, &names);
}

TEST(a_challenge_gives_the_certificate_that_it_expects)
{
    HELD(device) = managed_device_new(&site);
    AUTO_VAL(enrolled) got = { 0 };
    struct cert cert;
    issued(&device, &got, &cert);
    assert_names(&cert, "CN=device-1,OU=Sales,O=Example", "dns:device-1.example.net, dns:second.example.net");
    ASSERT_BYTES(buf_bytes(&site.eku), cert.eku);
    assert_int_equal(KU_DIGITAL_SIGNATURE, cert.key_usage);
    assert_int_equal(NOW + 365 * 86400, cert.not_after);
    assert_int_equal(1, count("SELECT COUNT(*) FROM certificate WHERE authority = 'mdm' AND requester = "
                              "'endpoint/managed' AND template = 'SCEPDeviceSignature' AND device = "
                              "'0a1b2c3d-0000-4000-8000-00000000000b'"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM managed_claim WHERE request_id = 1 AND authority = 'mdm' "
                              "AND version = 7 AND user_id = '0a1b2c3d-0000-4000-8000-00000000000c'"));
    managed_log_assert(&site, " tx=5f3c peer=192.0.2.7 VerifyRequest Started.\n");
    managed_log_assert(&site, " Validation Phase 1 finished with status True.\n");
    managed_log_assert(&site, " Validation Phase 2 finished with status True.\n");
    managed_log_assert(&site, " Validation Phase 3 finished with status True.\n");
    managed_log_assert(&site, " VerifyRequest Finished with status True\n");
}

/* A name that was escaped for a profile's text comes in as it was escaped; what is certified is the name that was meant. */
TEST(the_name_is_the_challenge_s_also_where_the_request_s_is_a_quoted_form_of_it)
{
    struct asked wants = site.wants;
    AUTO_VAL(enrolled) got = { 0 };
    struct cert cert;
    wants.subject = "CN=Doe\\, John";
    managed_wants(&site, &wants);
    AUTO_BUF text = managed_challenge(&site);
    wants.subject = "CN=Doe\\\\\\, John"; /* the backslash is in the value */
    HELD(device) = managed_device(&wants, buf_text(&text));
    issued(&device, &got, &cert);
    assert_names(&cert, "CN=Doe\\, John", "dns:device-1.example.net, dns:second.example.net");
}

/* --- phase 3 --- */

struct mutation {
    const char *subject, *san, *eku;
    uint16_t key_usage;
    enum key_kind kind;
    enum err err;
    const char *got, *expected; /* both in the reason */
};
static const struct mutation mutations[] = {
    { .subject = "CN=device-2,OU=Sales,O=Example",
      .err = ERR_SUBJECT_MISMATCH,
      .got = "device-2",
      .expected = "device-1" },
    { .subject = "CN=device-1,OU=West,O=Example",
      .err = ERR_SUBJECT_MISMATCH,
      .got = "OU=West",
      .expected = "OU=Sales" },
    { .subject = "CN=device-1,OU=Sales,O=Other",
      .err = ERR_SUBJECT_MISMATCH,
      .got = "O=Other",
      .expected = "O=Example" },
    { .subject = "CN=device-1,O=Example",
      .err = ERR_SUBJECT_MISMATCH,
      .got = "CSR <O=Example>",
      .expected = "OU=Sales" },
    { .subject = "CN=device-1,OU=Sales,O=Example,C=NL",
      .err = ERR_SUBJECT_MISMATCH,
      .got = "C=NL",
      .expected = "challenge <>" },
    { .subject = "O=Example,OU=Sales,CN=device-1",
      .err = ERR_SUBJECT_MISMATCH,
      .got = "CSR <O=Example>",
      .expected = "<CN=device-1>" },
    { .subject = "CN=Device-1,OU=Sales,O=Example",
      .err = ERR_SUBJECT_MISMATCH,
      .got = "Device-1",
      .expected = "device-1" },
    { .subject = "CN=device-1,OU=Sales+L=There,O=Example",
      .err = ERR_SUBJECT_MISMATCH,
      .got = "L=There",
      .expected = "OU=Sales" },
    { .san = "dns:device-1.example.net|dns:second.example.net|dns:third.example.net",
      .err = ERR_SAN_MISMATCH,
      .got = "only CSR <dns:third.example.net>",
      .expected = "only challenge <>" },
    { .san = "dns:device-1.example.net",
      .err = ERR_SAN_MISMATCH,
      .got = "only CSR <>",
      .expected = "dns:second.example.net" },
    { .san = "dns:device-1.example.net|dns:other.example.net",
      .err = ERR_SAN_MISMATCH,
      .got = "dns:other.example.net",
      .expected = "dns:second.example.net" },
    { .san = "dns:device-1.example.net|email:second@example.net",
      .err = ERR_SAN_MISMATCH,
      .got = "email:second@example.net",
      .expected = "dns:second.example.net" },
    { .san = "", .err = ERR_SAN_MISSING, .got = "missing", .expected = "dns:second.example.net" },
    { .eku = "serverAuth",
      .err = ERR_EKU_MISMATCH,
      .got = "1.3.6.1.5.5.7.3.1",
      .expected = "1.3.6.1.5.5.7.3.2" },
    { .eku = "clientAuth serverAuth",
      .err = ERR_EKU_MISMATCH,
      .got = "only CSR <1.3.6.1.5.5.7.3.1>",
      .expected = "only challenge <>" },
    { .eku = "", .err = ERR_EKU_MISSING, .got = "missing", .expected = "1.3.6.1.5.5.7.3.2" },
    { .key_usage = KU_KEY_ENCIPHERMENT,
      .err = ERR_KEY_USAGE_MISMATCH,
      .got = "keyEncipherment",
      .expected = "digitalSignature" },
    { .key_usage = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION,
      .err = ERR_KEY_USAGE_MISMATCH,
      .got = "nonRepudiation",
      .expected = "<digitalSignature>" },
    { .kind = KEY_EC_P384, .err = ERR_KEY_LENGTH_MISMATCH, .got = "P-384", .expected = "P-256" },
    { .kind = KEY_RSA, .err = ERR_KEY_LENGTH_MISMATCH, .got = "RSA 2048", .expected = "P-256" },
};

static struct asked mutated(const struct mutation *by)
{
    struct asked asked = site.wants;
    asked.subject = by->subject ? by->subject : asked.subject;
    asked.san = by->san ? by->san : asked.san;
    asked.eku = by->eku ? by->eku : asked.eku;
    asked.key_usage = by->key_usage ? by->key_usage : asked.key_usage;
    asked.kind = by->kind ? by->kind : asked.kind;
    return asked;
}

static void assert_names_both(const char *text, const struct mutation *by, size_t number)
{
    if (!strstr(text, by->got) || !strstr(text, by->expected))
        fail_msg("change %zu: \"%s\" lacks \"%s\" or \"%s\"", number, text, by->got, by->expected);
}

TEST(each_single_field_that_is_changed_is_refused_and_named_with_both_values)
{
    for (size_t i = 0; i < sizeof(mutations) / sizeof(*mutations); i++) {
        const struct mutation *by = &mutations[i];
        const struct asked asked = mutated(by);
        AUTO_BUF text = managed_challenge(&site);
        HELD(device) = managed_device(&asked, buf_text(&text));
        AUTO_VAL(enrolled) got = { 0 };
        AUTO_BUF log = { 0 };
        struct why why = { 0 };
        ASSERT_ERR(by->err, device_enroll(world, &device, "managed", &got, &why), &why);
        assert_names_both(why.text, by, i);
        log = managed_log(&site);
        assert_names_both(buf_text(&log), by, i);
        managed_log_assert(&site, " Validation Phase 3 finished with status False.\n");
        managed_log_assert(&site, " VerifyRequest Finished with status False\n");
        assert_int_equal(0, count("SELECT COUNT(*) FROM certificate"));
        assert_int_equal(0, count("SELECT COUNT(*) FROM managed_claim"));
        assert_int_equal(i + 1, count("SELECT COUNT(*) FROM outbox WHERE kind = 'failed'"));
    }
    HELD(good) = managed_device_new(&site);
    AUTO_VAL(enrolled) got = { 0 };
    device_assert_issued(world, &good, "managed", &got);
}

TEST(where_the_device_named_its_key_no_other_is_certified)
{
    struct why why = { 0 };
    HELD(device) = managed_device_new(&site); /* for its key */
    AUTO_VAL(enrolled) got = { 0 };
    struct bytes spki = public_key_spki(device.key->public_half);
    site.challenge.expects.is_bound = true;
    ASSERT_OK(sha256_parts(&spki, 1, site.challenge.expects.key_digest, &why), &why);
    AUTO_BUF text = managed_challenge(&site);
    HELD(fresh) = managed_device(&site.wants, buf_text(&text));
    REFUSED(ERR_REGISTERED_KEY, &fresh);
    key_free(fresh.key);
    fresh.key = TAKE(device.key);
    buf_free(&fresh.self_signed);
    fresh.self_signed = self_signed_of(fresh.key, "CN=whoever");
    AUTO_BUF san = buf_dup(buf_bytes(&site.san)), extensions = { 0 }, eku = { 0 };
    extension_put_key_usage(&extensions, site.wants.key_usage);
    extension_put_san(&extensions, buf_bytes(&san), false);
    der_put(&eku, DER_SEQUENCE, buf_bytes(&site.eku));
    extension_put(&extensions, OID_EXT_EKU, false, buf_bytes(&eku));
    device_ask(&fresh, &(struct ask){ site.wants.subject, buf_text(&text), buf_bytes(&extensions), 0 });
    device_assert_issued(world, &fresh, "managed", &got);
}

/* --- phase 1 --- */

TEST(a_challenge_is_taken_from_its_first_second_to_before_its_last)
{
    site.challenge.not_before = NOW + 1;
    site.challenge.expires = NOW + 3;
    HELD(device) = managed_device_new(&site);
    AUTO_VAL(enrolled) got = { 0 };
    AUTO_VAL(enrolled) again = { 0 };
    REFUSED(ERR_CHALLENGE_EARLY, &device);
    world->clock.held = NOW + 3;
    REFUSED(ERR_CHALLENGE_EXPIRED, &device);
    managed_log_assert(&site, " Validation Phase 1 finished with status False.\n");
    world->clock.held = NOW + 2;
    device_assert_issued(world, &device, "managed", &got);
    world->clock.held = NOW + 86400; /* it lost the answer, and asks again */
    device_assert_issued(world, &device, "managed", &again);
    assert_true(again.again);
    ASSERT_BYTES(buf_bytes(&got.certificate), buf_bytes(&again.certificate));
    assert_int_equal(0, count("SELECT COUNT(*) FROM request WHERE disposition = 'failed'"));
}

TEST(who_has_no_challenge_of_a_pinned_signer_gets_nothing_and_leaves_nothing)
{
    HELD(none) = managed_device(&site.wants, NULL);
    HELD(password) = managed_device(&site.wants, "secret");
    struct signing stranger = signing_new(&(struct signing_of){ .subject = "CN=mdm challenge signing" });
    AUTO_BUF ours = managed_challenge(&site), text = managed_sealed(&site, &stranger);
    assert_true(ours.len > 0);
    HELD(forger) = managed_device(&site.wants, buf_text(&text));
    REFUSED(ERR_CHALLENGE_MISSING, &none);
    REFUSED(ERR_CHALLENGE_ENCODING, &password);
    REFUSED(ERR_CHALLENGE_SIGNER, &forger);
    assert_int_equal(0, count("SELECT COUNT(*) FROM request"));
    assert_int_equal(0, count("SELECT COUNT(*) FROM outbox"));
    signing_free(&stranger);
}

TEST(no_challenge_text_is_kept)
{
    HELD(device) = managed_device_new(&site);
    AUTO_VAL(enrolled) got = { 0 };
    device_assert_issued(world, &device, "managed", &got);
    assert_int_equal(0, count("SELECT COUNT(*) FROM request WHERE challenge_mac IS NOT NULL"));
    assert_true(count("SELECT LENGTH(challenge) FROM request") <
                600); /* what it said, not what it was sealed in */
    assert_true(count("SELECT LENGTH(info) FROM request") < 400);
}

/* --- the template --- */

struct outside {
    struct asked wants;
    enum err err;
    const char *names[2];
};

TEST(what_a_challenge_expects_outside_the_template_is_refused_naming_both)
{
    const struct asked usual = site.wants;
    struct outside outside[] = {
        { .wants = usual, .err = ERR_TEMPLATE_USAGE, .names = { "1.3.6.1.5.5.7.3.1", "gives clientAuth" } },
        { .wants = usual,
          .err = ERR_TEMPLATE_USAGE,
          .names = { "nonRepudiation", "gives this key digitalSignature" } },
        { .wants = usual, .err = ERR_BAD_ALG, .names = { "P-256", "SCEPDeviceEncryption" } },
        { .wants = usual, .err = ERR_TEMPLATE_SUBJECT, .names = { "2.5.4.12", "SCEPDeviceSignature" } },
        { .wants = usual,
          .err = ERR_TEMPLATE_SAN,
          .names = { "upn:anna@example.net", "SCEPDeviceSignature" } },
        { .wants = usual, .err = ERR_TEMPLATE_SAN, .names = { "*.example.net", "wildcard" } },
    };
    outside[0].wants.eku = "clientAuth serverAuth";
    outside[1].wants.key_usage = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;
    outside[2].wants.key_usage = KU_KEY_ENCIPHERMENT; /* SCEPDeviceEncryption: RSA alone */
    outside[3].wants.subject = "CN=one,2.5.4.12=Sir";
    outside[4].wants.san = "upn:anna@example.net";
    outside[5].wants.san = "dns:*.example.net";
    for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++) {
        AUTO_VAL(enrolled) got = { 0 };
        struct why why = { 0 };
        managed_wants(&site, &outside[i].wants);
        HELD(device) = managed_device_new(&site);
        ASSERT_ERR(outside[i].err, device_enroll(world, &device, "managed", &got, &why), &why);
        if (!strstr(why.text, outside[i].names[0]) || !strstr(why.text, outside[i].names[1]))
            fail_msg("case %zu: %s", i, why.text);
    }
    assert_int_equal(0, count("SELECT COUNT(*) FROM certificate"));
    assert_int_equal(sizeof(outside) / sizeof(*outside),
                     (size_t)count("SELECT COUNT(*) FROM outbox WHERE kind = 'failed'"));
}

/* RFC 5280 lets a key do less than the template says, and the profile asked for that. */
TEST(the_slot_is_that_of_the_expected_key_usage_and_no_more_is_given)
{
    struct asked wants = site.wants;
    AUTO_VAL(enrolled) general = { 0 };
    AUTO_VAL(enrolled) encryption = { 0 };
    struct cert cert;
    wants.kind = KEY_RSA;
    wants.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
    wants.san = "upn:anna@example.net";
    managed_wants(&site, &wants);
    HELD(both) = managed_device_new(&site);
    issued(&both, &general, &cert);
    assert_int_equal(wants.key_usage, cert.key_usage);
    wants.key_usage = KU_KEY_ENCIPHERMENT;
    wants.san = "dns:one.example.net";
    managed_wants(&site, &wants);
    HELD(encrypts) = managed_device_new(&site);
    issued(&encrypts, &encryption, &cert);
    assert_int_equal(KU_KEY_ENCIPHERMENT, cert.key_usage);
    assert_int_equal(1, count("SELECT COUNT(*) FROM certificate WHERE template = 'SCEPUser'"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM certificate WHERE template = 'SCEPDeviceEncryption'"));
}

TEST(purposes_and_usages_are_those_expected_where_the_template_has_more)
{
    AUTO_BUF answer = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    struct cert cert;
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDeviceSignature", "eku",
                   "clientAuth serverAuth", "key_usage", "digitalSignature,nonRepudiation"),
              &why);
    HELD(device) = managed_device_new(&site);
    issued(&device, &got, &cert);
    ASSERT_BYTES(buf_bytes(&site.eku), cert.eku);
    assert_int_equal(KU_DIGITAL_SIGNATURE, cert.key_usage);
}

TEST(a_validity_is_shorter_where_the_ca_allows_it_and_never_longer)
{
    AUTO_BUF answer = { 0 };
    AUTO_VAL(enrolled) first = { 0 };
    AUTO_VAL(enrolled) second = { 0 };
    struct why why = { 0 };
    struct cert cert;
    site.challenge.expects.validity_s = 30 * 86400;
    HELD(whole) = managed_device_new(&site);
    issued(&whole, &first, &cert);
    assert_int_equal(NOW + 365 * 86400, cert.not_after);
    ASSERT_OK(CALL("ca_flags", &answer, &why, "flag", "+EDITF_ATTRIBUTEENDDATE"), &why);
    HELD(shorter) = managed_device_new(&site);
    issued(&shorter, &second, &cert);
    assert_int_equal(NOW + 30 * 86400, cert.not_after);
    site.challenge.expects.validity_s = 366 * 86400;
    HELD(longer) = managed_device_new(&site);
    REFUSED(ERR_TEMPLATE, &longer);
}

/* spec security.md C3: the SID of an account is taken from a record, where the template means SIDs; from a request never. */
TEST(a_sid_is_taken_from_a_challenge_where_the_template_names_it)
{
#define SID "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500"
    AUTO_BUF answer = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    struct asked wants = site.wants;
    struct cert cert;
    wants.san = "uri:" SID;
    ASSERT_OK(CALL("authority_set", &answer, &why, "name", "mdm", "suffixes", "uri:"), &why);
    managed_wants(&site, &wants);
    HELD(first) = managed_device_new(&site);
    REFUSED(ERR_TEMPLATE_SAN, &first); /* uri, as the template has it, means no SID */
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDeviceSignature", "san_rule",
                   "uri like tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-*"),
              &why);
    HELD(second) = managed_device_new(&site);
    issued(&second, &got, &cert);
    ASSERT_BYTES(buf_bytes(&site.san), cert.san);
    HELD(by_request) = managed_device(&wants, "secret");
    device_assert_refused(world, ERR_TEMPLATE_SAN, &by_request, "bare");
}

/* What else a request asks for is judged as at any endpoint: who insists on being a CA is not told yes. */
TEST(a_request_that_asks_for_what_nobody_gets_is_refused)
{
    AUTO_BUF extensions = { 0 }, eku = { 0 }, text = managed_challenge(&site);
    extension_put_key_usage(&extensions, site.wants.key_usage);
    extension_put_san(&extensions, buf_bytes(&site.san), false);
    der_put(&eku, DER_SEQUENCE, buf_bytes(&site.eku));
    extension_put(&extensions, OID_EXT_EKU, false, buf_bytes(&eku));
    extension_put_basic_constraints(&extensions, true, -1);
    HELD(device) =
        device_new(&(struct ask){ site.wants.subject, buf_text(&text), buf_bytes(&extensions), KEY_EC_P256 });
    REFUSED(ERR_TEMPLATE_USAGE, &device);
}

/* --- the authority --- */

static void limit(const char *field, const char *value)
{
    struct why why = { 0 };
    AUTO_BUF answer = { 0 };
    ASSERT_OK(CALL("authority_set", &answer, &why, "name", "mdm", field, value), &why);
}

TEST(it_counts_against_the_limits_of_the_authority_whose_challenge_it_was)
{
    static const struct {
        const char *field, *value, *before;
        enum err err;
    } limits[] = {
        { "suffixes", "dns:.example.org", "dns:.example.net,upn:@example.net", ERR_AUTHORITY_LIMIT },
        { "denied", "device*", "", ERR_AUTHORITY_LIMIT },
        { "eku", "serverAuth", "clientAuth", ERR_AUTHORITY_LIMIT },
        { "templates", "SCEPUser", "SCEPDeviceSignature,SCEPUser", ERR_TEMPLATE_DENIED },
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
        AUTO_VAL(enrolled) got = { 0 };
        HELD(device) = managed_device_new(&site);
        limit(limits[i].field, limits[i].value);
        REFUSED(limits[i].err, &device);
        limit(limits[i].field, limits[i].before);
        device_assert_issued(world, &device, "managed", &got); /* its challenge is not used up */
    }
    assert_int_equal(
        sizeof(limits) / sizeof(*limits),
        (size_t)count("SELECT COUNT(*) FROM outbox WHERE kind = 'failed' AND authority = 'mdm'"));
}

TEST(both_the_endpoint_and_the_authority_need_enroll)
{
    static const char *const principals[] = { "endpoint/managed", "authority/mdm" };
    HELD(device) = managed_device_new(&site);
    AUTO_BUF answer = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    for (size_t i = 0; i < 2; i++) {
        ASSERT_OK(CALL("right_deny", &answer, &why, "principal", principals[i], "rights", "enroll",
                       "template", "SCEPDeviceSignature"),
                  &why);
        ASSERT_ERR(ERR_TEMPLATE_DENIED, device_enroll(world, &device, "managed", &got, &why), &why);
        assert_non_null(strstr(why.text, principals[i]));
        ASSERT_OK(CALL("right_grant", &answer, &why, "principal", principals[i], "rights", "enroll",
                       "template", "SCEPDeviceSignature"),
                  &why);
    }
    device_assert_issued(world, &device, "managed", &got);
}

static int64_t waits(const struct device *device)
{
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    ASSERT_OK(device_enroll(world, device, "managed", &got, &why), &why);
    assert_int_equal(ENROLL_PENDING, got.disposition);
    return got.request_id;
}

/* What is approved is what the challenge expected, for the kept request is judged by it again. */
TEST(above_its_numbers_a_request_waits_and_is_approved_as_the_challenge_expects)
{
    struct asked wants = site.wants;
    AUTO_VAL(enrolled) got = { 0 };
    struct cert cert;
    struct why why = { 0 };
    limit("issues", "0");
    wants.subject = "CN=Doe\\, John";
    managed_wants(&site, &wants);
    AUTO_BUF text = managed_challenge(&site);
    wants.subject = "CN=Doe\\\\\\, John";
    HELD(device) = managed_device(&wants, buf_text(&text));
    HELD(thief) = managed_device(&wants, buf_text(&text));
    int64_t id = waits(&device);
    assert_int_equal(id, waits(&device));
    REFUSED(ERR_CHALLENGE_USED, &thief);
    assert_int_equal(1, count("SELECT COUNT(*) FROM outbox WHERE kind = 'pending' AND authority = 'mdm'"));
    world->clock.held += 86400;
    ASSERT_OK(ca_approve(world->ca, world_issuer(world), id, "cli", &why), &why);
    issued(&device, &got, &cert);
    assert_names(&cert, "CN=Doe\\, John", "dns:device-1.example.net, dns:second.example.net");
    assert_int_equal(1, count("SELECT COUNT(*) FROM certificate WHERE authority = 'mdm' AND device <> ''"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM outbox WHERE kind = 'issued' AND authority = 'mdm'"));
}

TEST(certificates_are_counted_by_device_whatever_their_names)
{
    struct asked wants = site.wants;
    AUTO_VAL(enrolled) got = { 0 };
    AUTO_VAL(enrolled) other = { 0 };
    limit("device", "1");
    HELD(first) = managed_device_new(&site);
    device_assert_issued(world, &first, "managed", &got);
    wants.subject = "CN=another name";
    managed_wants(&site, &wants);
    HELD(second) = managed_device_new(&site);
    waits(&second);
    site.challenge.device = BYTES_LIT("0a1b2c3d-0000-4000-8000-00000000000d");
    HELD(third) = managed_device_new(&site);
    device_assert_issued(world, &third, "managed", &other);
}

TEST(a_template_with_manager_approval_makes_it_wait_too)
{
    AUTO_BUF answer = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDeviceSignature", "manager_approval", "yes"),
              &why);
    HELD(device) = managed_device_new(&site);
    int64_t id = waits(&device);
    assert_int_equal(1, count("SELECT COUNT(*) FROM managed_claim"));
    ASSERT_OK(ca_approve(world->ca, world_issuer(world), id, "cli", &why), &why);
    device_assert_issued(world, &device, "managed", &got);
}

TEST(what_failed_is_resubmitted_as_the_challenge_expects)
{
    AUTO_BUF answer = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    struct cert cert;
    struct why why = { 0 };
    HELD(device) = managed_device_new(&site);
    limit("eku", "serverAuth");
    REFUSED(ERR_AUTHORITY_LIMIT, &device);
    limit("eku", "clientAuth");
    world->clock.held += 86400;
    ASSERT_OK(CALL("request_resubmit", &answer, &why, "id", "1"), &why);
    issued(&device, &got, &cert);
    ASSERT_BYTES(buf_bytes(&site.eku), cert.eku);
    assert_names(&cert, "CN=device-1,OU=Sales,O=Example", "dns:device-1.example.net, dns:second.example.net");
    assert_int_equal(1, count("SELECT COUNT(*) FROM managed_claim WHERE request_id = 1"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM certificate WHERE authority = 'mdm'"));
}

TEST(a_challenge_that_another_request_used_is_not_used_again_by_a_resubmission)
{
    AUTO_BUF answer = { 0 }, text = managed_challenge(&site);
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    HELD(first) = managed_device(&site.wants, buf_text(&text));
    HELD(second) = managed_device(&site.wants, buf_text(&text));
    limit("eku", "serverAuth");
    REFUSED(ERR_AUTHORITY_LIMIT, &first);
    limit("eku", "clientAuth");
    device_assert_issued(world, &second, "managed", &got);
    ASSERT_ERR(ERR_CHALLENGE_USED, CALL("request_resubmit", &answer, &why, "id", "1"), &why);
}

RUN(M(a_challenge_gives_the_certificate_that_it_expects),
    M(the_name_is_the_challenge_s_also_where_the_request_s_is_a_quoted_form_of_it),
    M(each_single_field_that_is_changed_is_refused_and_named_with_both_values),
    M(where_the_device_named_its_key_no_other_is_certified),
    M(a_challenge_is_taken_from_its_first_second_to_before_its_last),
    M(who_has_no_challenge_of_a_pinned_signer_gets_nothing_and_leaves_nothing), M(no_challenge_text_is_kept),
    M(what_a_challenge_expects_outside_the_template_is_refused_naming_both),
    M(the_slot_is_that_of_the_expected_key_usage_and_no_more_is_given),
    M(purposes_and_usages_are_those_expected_where_the_template_has_more),
    M(a_validity_is_shorter_where_the_ca_allows_it_and_never_longer),
    M(a_sid_is_taken_from_a_challenge_where_the_template_names_it),
    M(a_request_that_asks_for_what_nobody_gets_is_refused),
    M(it_counts_against_the_limits_of_the_authority_whose_challenge_it_was),
    M(both_the_endpoint_and_the_authority_need_enroll),
    M(above_its_numbers_a_request_waits_and_is_approved_as_the_challenge_expects),
    M(certificates_are_counted_by_device_whatever_their_names),
    M(a_template_with_manager_approval_makes_it_wait_too),
    M(what_failed_is_resubmitted_as_the_challenge_expects),
    M(a_challenge_that_another_request_used_is_not_used_again_by_a_resubmission))
