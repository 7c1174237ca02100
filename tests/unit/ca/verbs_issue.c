/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that roles ask for themselves. */
#include "base/encode.h"
#include "ca/verbs.h"
#include "tests/unit/ca/fixture.h"
#include "tests/unit/ca/verb_call.h"

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

static enum err issue_body(const char *principal, struct bytes body, struct buf *ret, struct why *why)
{
    const struct ipc_caller caller = { principal };
    buf_free(ret);
    return verb_call(verb_named("issue"), world->ca, &caller, body, ret, why);
}

static enum err issue_text(const char *principal, const char *template, const char *csr, struct buf *ret,
                           struct why *why)
{
    AUTO_BUF body = { 0 };
    size_t mark = record_begin(&body);
    record_put_str(&body, "ca", "issuing");
    if (template)
        record_put_str(&body, "template", template);
    if (csr)
        record_put_str(&body, "csr", csr);
    record_end(&body, mark);
    return issue_body(principal, buf_bytes(&body), ret, why);
}

/* *ret: the certificate. */
static enum err issue(const char *principal, const char *template, const struct device *device,
                      struct buf *ret, struct why *why)
{
    AUTO_BUF text = { 0 }, answer = { 0 };
    struct bytes der;
    base64_append(&text, buf_bytes(&device->csr));
    TRY(issue_text(principal, template, buf_text(&text), &answer, why));
    struct der_reader in = der_reader_over(buf_bytes(&answer));
    assert_true(der_get_octets(&in, &der) && der_at_end(&in));
    buf_free(ret);
    *ret = buf_dup(der);
    return OK;
}

static int64_t kept(void)
{
    return world_count(world, "SELECT COUNT(*) FROM request");
}

TEST(an_ocsp_signer_is_short_lived_and_says_nocheck)
{
    DEVICE(device, .subject = "CN=OCSP issuing");
    AUTO_BUF der = { 0 };
    struct why why = { 0 };
    struct cert cert;
    struct extension nocheck;
    ASSERT_OK(issue("va", "OCSPResponseSigning", &device, &der, &why), &why);
    ASSERT_OK(cert_parse(buf_bytes(&der), &cert, &why), &why);
    ASSERT_OK(cert_verify(&cert, world->ca_key->public_half, &why), &why);
    ASSERT_BYTES(cert.spki, public_key_spki(device.key->public_half));
    assert_int_equal(cert.key_usage, KU_DIGITAL_SIGNATURE);
    assert_true(cert_allows_eku(&cert, OID_KP_OCSP_SIGNING));
    assert_false(cert_allows_eku(&cert, OID_KP_CLIENT_AUTH));
    assert_int_equal(cert.not_after, NOW + 14 * 86400);
    assert_true(extension_find(cert.extensions, OID_OCSP_NOCHECK, &nocheck)); /* RFC 6960 4.2.2.2.1 */
    assert_false(nocheck.critical);
    ASSERT_BYTES(nocheck.value, BYTES_LIT("\x05\x00"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE requester = 'role/va' AND "
                                           "endpoint = '' AND disposition = 'issued'"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'issue'"));
}

TEST(no_other_certificate_says_nocheck)
{
    DEVICE(agent, .subject = "CN=RA");
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_BUF der = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    struct cert cert;
    struct extension nocheck;
    ASSERT_OK(issue("scep", "EnrollmentAgentOffline", &agent, &der, &why), &why);
    ASSERT_OK(cert_parse(buf_bytes(&der), &cert, &why), &why);
    assert_false(extension_find(cert.extensions, OID_OCSP_NOCHECK, &nocheck));
    device_assert_issued(world, &device, "static", &got);
    ASSERT_OK(cert_parse(buf_bytes(&got.certificate), &cert, &why), &why);
    assert_false(extension_find(cert.extensions, OID_OCSP_NOCHECK, &nocheck));
}

TEST(the_same_request_again_gives_the_same_certificate_and_another_one_another)
{
    DEVICE(device, .subject = "CN=RA", .kind = KEY_RSA);
    AUTO_BUF first = { 0 }, again = { 0 }, other = { 0 };
    struct why why = { 0 };
    ASSERT_OK(issue("scep", "CEPEncryption", &device, &first, &why), &why);
    ASSERT_OK(issue("scep", "CEPEncryption", &device, &again, &why), &why);
    ASSERT_BYTES(buf_bytes(&first), buf_bytes(&again));
    assert_int_equal(1, kept());
    ASSERT_OK(issue("scep", "RegistrationAuthority", &device, &other, &why), &why);
    assert_false(bytes_equal(buf_bytes(&first), buf_bytes(&other)));
    assert_int_equal(2, kept());
}

TEST(a_role_has_its_own_templates_and_no_other)
{
    static const char *const wrong[][2] = { { "va", "CEPEncryption" },
                                            { "va", "SCEPDevice" },
                                            { "va", "WebServer" },
                                            { "scep", "SCEPDevice" },
                                            { "scep", "OCSPResponseSigning" },
                                            { "scep", "NoSuch" },
                                            { "va", "ocspresponsesigning" },
                                            { "va", "OCSPResponseSigning " } };
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_BUF der = { 0 };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct why why = { 0 };
        ASSERT_ERR(ERR_TEMPLATE_DENIED, issue(wrong[i][0], wrong[i][1], &device, &der, &why), &why);
        assert_non_null(strstr(why.text, wrong[i][0]));
        assert_non_null(strstr(why.text, "Enroll"));
        assert_non_null(strstr(why.text, wrong[i][1]));
    }
    assert_int_equal(0, kept());
    assert_int_equal(0, world->seals);
}

TEST(whoever_is_no_role_has_none)
{
    static const char *const strangers[] = { "mdm", "connector", "role/va", "va ", "VA", "" };
    DEVICE(device, .subject = "CN=one");
    AUTO_BUF der = { 0 };
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++)
        ASSERT_ERR(ERR_NOT_AUTHORISED, issue(strangers[i], "OCSPResponseSigning", &device, &der, &why), &why);
    assert_int_equal(0, kept());
    ASSERT_ERR(ERR_TEMPLATE, issue("cli", "OCSPResponseSigning", &device, &der, &why), &why);
    assert_int_equal(0, world->seals);
}

TEST(what_the_template_refuses_is_refused_and_kept)
{
    DEVICE(curve, .subject = "CN=RA");
    DEVICE(nameless, .subject = "O=nobody");
    DEVICE(ca, .subject = "CN=Issuing CA,O=Test");
    DEVICE(big, .subject = "CN=OCSP", .kind = KEY_EC_P384);
    AUTO_BUF der = { 0 };
    struct why why = { 0 };
    ASSERT_ERR(ERR_BAD_ALG, issue("scep", "CEPEncryption", &curve, &der, &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_SUBJECT, issue("va", "OCSPResponseSigning", &nameless, &der, &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_SUBJECT, issue("va", "OCSPResponseSigning", &ca, &der, &why), &why);
    ASSERT_ERR(ERR_BAD_ALG, issue("va", "OCSPResponseSigning", &big, &der, &why), &why);
    assert_int_equal(4, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed'"));
    assert_int_equal(0, world->seals);
}

/* It has no endpoint whose queue could hold it, and nobody polls for it. */
TEST(a_template_with_manager_approval_gives_a_role_nothing)
{
    DEVICE(responder, .subject = "CN=OCSP");
    AUTO_BUF der = { 0 };
    struct why why = { 0 };
    world_exec(world, "UPDATE template SET manager_approval = 1 WHERE name = 'OCSPResponseSigning'");
    ASSERT_ERR(ERR_TEMPLATE, issue("va", "OCSPResponseSigning", &responder, &der, &why), &why);
    assert_non_null(strstr(why.text, "cannot wait"));
    assert_int_equal(0, world->seals);
}

TEST(a_request_that_its_key_did_not_sign_is_refused)
{
    DEVICE(device, .subject = "CN=OCSP issuing");
    AUTO_BUF der = { 0 };
    struct why why = { 0 };
    device.csr.data[device.csr.len - 1] ^= 1;
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, issue("va", "OCSPResponseSigning", &device, &der, &why), &why);
    assert_int_equal(0, kept());
}

TEST(a_body_that_lacks_something_is_refused_by_name)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_ERR(ERR_USAGE, issue_text("va", NULL, "AA==", &answer, &why), &why);
    assert_non_null(strstr(why.text, "template"));
    ASSERT_ERR(ERR_USAGE, issue_text("va", "OCSPResponseSigning", NULL, &answer, &why), &why);
    assert_non_null(strstr(why.text, "csr"));
    ASSERT_ERR(ERR_MALFORMED, issue_text("va", "OCSPResponseSigning", "no base64!", &answer, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, issue_text("va", "OCSPResponseSigning", "AAAA", &answer, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, issue_body("va", BYTES_LIT("\x05\x00"), &answer, &why), &why);
    assert_int_equal(0, kept());
}

TEST(what_the_signer_could_not_seal_is_sealed_when_it_is_asked_again)
{
    DEVICE(device, .subject = "CN=OCSP issuing");
    AUTO_BUF der = { 0 };
    struct why why = { 0 };
    world->seal_error = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, issue("va", "OCSPResponseSigning", &device, &der, &why), &why);
    world->seal_error = OK;
    ASSERT_OK(issue("va", "OCSPResponseSigning", &device, &der, &why), &why);
    assert_int_equal(1, kept());
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate"));
}

RUN(W(an_ocsp_signer_is_short_lived_and_says_nocheck), W(no_other_certificate_says_nocheck),
    W(the_same_request_again_gives_the_same_certificate_and_another_one_another),
    W(a_role_has_its_own_templates_and_no_other), W(whoever_is_no_role_has_none),
    W(what_the_template_refuses_is_refused_and_kept),
    W(a_template_with_manager_approval_gives_a_role_nothing),
    W(a_request_that_its_key_did_not_sign_is_refused), W(a_body_that_lacks_something_is_refused_by_name),
    W(what_the_signer_could_not_seal_is_sealed_when_it_is_asked_again))
