/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that an administrator asks for with a PKCS#10 of somebody's. */
#include "base/encode.h"
#include "ca/verbs.h"
#include "tests/unit/ca/fixture.h"
#include "tests/unit/ca/verb_ask.h"
#include "tests/unit/ca/verb_call.h"
#include "x509/oid.h"
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

static enum err submit(const char *template, const struct device *device, struct buf *ret, struct why *why)
{
    AUTO_BUF text = { 0 };
    base64_append(&text, buf_bytes(&device->csr));
    const char *fields[] = { "ca", "issuing", "template", template, "csr", buf_text(&text), NULL };
    return ask_fields(world, "request_submit", fields, ret, why);
}

/* *ret: the DER that cert views. */
static void certificate_of(const struct buf *answer, struct buf *ret, struct cert *cert)
{
    struct why why = { 0 };
    struct der_reader list;
    struct record record;
    struct bytes pem = BYTES_NONE;
    ASSERT_OK(records_get(buf_bytes(answer), &list, &why), &why);
    assert_true(records_next(&list, &record) && record_find(&record, "pem", &pem));
    assert_true(pem_decode(pem, "CERTIFICATE", ret, NULL));
    ASSERT_OK(cert_parse(buf_bytes(ret), cert, &why), &why);
}

static struct buf extensions_of(const char *name, enum oid purpose)
{
    struct buf out = { 0 };
    struct why why = { 0 };
    AUTO_BUF names = { 0 }, whole = { 0 };
    struct bytes eku = oid_bytes(purpose);
    ASSERT_OK(san_put_text(&names, name, &why), &why);
    san_put_end(&whole, buf_bytes(&names));
    extension_put_san(&out, buf_bytes(&whole), false);
    extension_put_eku(&out, &eku, 1);
    return out;
}

TEST(a_request_of_a_published_template_is_issued_with_its_names_and_purposes)
{
    AUTO_BUF extensions = extensions_of("dns:host.example", OID_KP_SERVER_AUTH);
    DEVICE(device, .subject = "CN=host.example", .extensions = buf_bytes(&extensions));
    AUTO_BUF answer = { 0 }, der = { 0 }, exported = { 0 };
    struct why why = { 0 };
    struct cert cert;
    struct extension san;
    ASSERT_OK(submit("WebServer", &device, &answer, &why), &why);
    answer_assert(&answer, "disposition", "issued");
    answer_assert(&answer, "id", "1");
    certificate_of(&answer, &der, &cert);
    ASSERT_OK(cert_verify(&cert, world->ca_key->public_half, &why), &why);
    ASSERT_BYTES(cert.spki, public_key_spki(device.key->public_half));
    assert_true(cert_allows_eku(&cert, OID_KP_SERVER_AUTH));
    assert_true(extension_find(cert.extensions, OID_EXT_SAN, &san));
    assert_int_equal(1,
                     world_count(world, "SELECT COUNT(*) FROM request WHERE requester = 'cli' AND endpoint = "
                                        "'' AND validator = 'right' AND disposition = 'issued'"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'issue'"));
    AUTO_BUF text = { 0 };
    base64_append(&text, buf_bytes(&der));
    ASSERT_OK(ask_fields(world, "request_export", (const char *[]){ "id", "1", NULL }, &exported, &why),
              &why);
    answer_assert(&exported, "certificate", buf_text(&text));
}

TEST(the_same_request_again_gives_the_same_certificate)
{
    DEVICE(device, .subject = "CN=host.example");
    AUTO_BUF first = { 0 }, again = { 0 };
    struct why why = { 0 };
    ASSERT_OK(submit("WebServer", &device, &first, &why), &why);
    ASSERT_OK(submit("WebServer", &device, &again, &why), &why);
    ASSERT_BYTES(buf_bytes(&first), buf_bytes(&again));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request"));
}

TEST(what_is_wrong_with_it_is_refused)
{
    AUTO_BUF purpose = extensions_of("dns:host.example", OID_KP_CLIENT_AUTH);
    AUTO_BUF name = extensions_of("email:a@host.example", OID_KP_SERVER_AUTH);
    DEVICE(good, .subject = "CN=one");
    DEVICE(client, .subject = "CN=one", .extensions = buf_bytes(&purpose));
    DEVICE(mail, .subject = "CN=one", .extensions = buf_bytes(&name));
    DEVICE(nameless, .subject = "O=nobody");
    DEVICE(forged, .subject = "CN=one");
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    forged.csr.data[forged.csr.len - 1] ^= 1;
    ASSERT_ERR(ERR_TEMPLATE_USAGE, submit("WebServer", &client, &answer, &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_SAN, submit("WebServer", &mail, &answer, &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_SUBJECT, submit("WebServer", &nameless, &answer, &why), &why);
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, submit("WebServer", &forged, &answer, &why), &why);
    ASSERT_ERR(ERR_TEMPLATE, submit("NoSuch", &good, &answer, &why), &why);
    ASSERT_ERR(ERR_TEMPLATE, submit("SMIMESigning", &good, &answer, &why), &why);
    assert_non_null(strstr(why.text, "not published"));
    assert_int_equal(0, world->seals);
}

/* Published or not: no administrator of certificates becomes the OCSP responder by a file. */
TEST(a_template_of_the_roles_gives_an_administrator_nothing)
{
    static const char *const ours[] = { "OCSPResponseSigning", "CEPEncryption", "EnrollmentAgentOffline",
                                        "RegistrationAuthority" };
    DEVICE(device, .subject = "CN=one", .kind = KEY_RSA);
    AUTO_BUF answer = { 0 };
    for (int published = 0; published < 2; published++) {
        for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
            struct why why = { 0 };
            ASSERT_ERR(ERR_TEMPLATE, submit(ours[i], &device, &answer, &why), &why);
            assert_non_null(strstr(why.text, ours[i]));
            assert_non_null(strstr(why.text, "only roles"));
        }
        world_exec(world, "UPDATE template SET published = 1");
        world_reopen(world);
    }
    assert_int_equal(0, world->seals);
}

TEST(an_administrator_without_enroll_gets_nothing)
{
    DEVICE(device, .subject = "CN=one");
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    const char *deny[] = { "principal", "cli", "rights", "enroll", "template", "WebServer", NULL };
    const char *revoke[] = { "principal", "cli", "rights", "enroll", NULL };
    const char *other[] = { "principal", "admin/a", "rights", "enroll", NULL };
    ASSERT_OK(ask_fields(world, "right_deny", deny, &answer, &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_DENIED, submit("WebServer", &device, &answer, &why), &why);
    assert_non_null(strstr(why.text, "cli lacks Enroll on template WebServer"));
    ASSERT_OK(submit("ClientAuthentication", &device, &answer, &why), &why);
    ASSERT_OK(ask_fields(world, "right_revoke", revoke, &answer, &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_DENIED, submit("SCEPDevice", &device, &answer, &why), &why);
    ASSERT_OK(ask_fields(world, "right_grant", revoke, &answer, &why), &why);
    ASSERT_ERR(ERR_USAGE, ask_fields(world, "right_grant", other, &answer, &why), &why);
}

TEST(a_template_with_manager_approval_waits_for_somebody_else)
{
    DEVICE(device, .subject = "CN=one");
    AUTO_BUF answer = { 0 }, der = { 0 };
    struct why why = { 0 };
    struct cert cert;
    world_exec(world, "UPDATE template SET manager_approval = 1 WHERE name = 'WebServer'");
    world_exec(world, "UPDATE template_version SET manager_approval = 1 WHERE name = 'WebServer'");
    world_reopen(world);
    for (int again = 0; again < 2; again++) {
        ASSERT_OK(submit("WebServer", &device, &answer, &why), &why);
        answer_assert(&answer, "disposition", "pending");
        answer_assert(&answer, "id", "1");
        answer_assert(&answer, "pem", "");
    }
    assert_int_equal(0, world->seals);
    const char *id[] = { "id", "1", NULL };
    ASSERT_ERR(ERR_NOT_AUTHORISED, ask_fields(world, "request_approve", id, &answer, &why), &why);
    assert_non_null(strstr(why.text, "somebody else"));
    ASSERT_OK(ca_approve(world->ca, world_issuer(world), 1, "admin/other", &why), &why);
    ASSERT_OK(submit("WebServer", &device, &answer, &why), &why);
    answer_assert(&answer, "disposition", "issued");
    certificate_of(&answer, &der, &cert);
    ASSERT_BYTES(cert.spki, public_key_spki(device.key->public_half));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request"));
}

RUN(W(a_request_of_a_published_template_is_issued_with_its_names_and_purposes),
    W(the_same_request_again_gives_the_same_certificate), W(what_is_wrong_with_it_is_refused),
    W(a_template_of_the_roles_gives_an_administrator_nothing),
    W(an_administrator_without_enroll_gets_nothing),
    W(a_template_with_manager_approval_waits_for_somebody_else))
