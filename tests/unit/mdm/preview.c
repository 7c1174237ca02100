/* SPDX-License-Identifier: Apache-2.0 */
/* Previews: the request that a device would make, or why it would make none. */
#include "mdm/preview.h"
#include "tests/unit/mdm/profile_fixture.h"

TEST(a_users_request_is_what_the_profile_says)
{
    AUTO_VAL(profile) profile = fixture_profile_with("user", "subject_alternative_names", "['email', 'UPN']");
    AUTO_VAL(preview) preview = { 0 };
    AUTO_BUF san = { 0 }, names = { 0 }, eku = { 0 };
    AUTO_BUF subject = fixture_name("CN=anna@example.test");
    struct why why = { 0 };
    ASSERT_OK(preview_make(&profile, fixture_holder(), &preview, &why), &why);
    ASSERT_BYTES(preview.expects.subject, buf_bytes(&subject));
    ASSERT_OK(san_put_text(&names, "email:anna.doe@mail.example.test", &why), &why);
    ASSERT_OK(san_put_text(&names, "upn:anna@example.test", &why), &why);
    san_put_end(&san, buf_bytes(&names));
    ASSERT_BYTES(preview.expects.san, buf_bytes(&san));
    der_put_oid(&eku, oid_bytes(OID_KP_CLIENT_AUTH));
    ASSERT_BYTES(preview.expects.eku, buf_bytes(&eku));
    assert_int_equal(preview.expects.key_usage, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    assert_int_equal(preview.expects.key_kind, KEY_RSA);
    assert_int_equal(preview.expects.rsa_bits, 2048);
    assert_int_equal(preview.expects.validity_s, 0);
    assert_false(preview.expects.is_bound);
    assert_string_equal(
        buf_text(&preview.text),
        "for device \"laptop-7\" (22222222-2222-4222-8222-222222222222) of anna@example.test the request "
        "would be\n"
        "  subject: CN=anna@example.test\n"
        "  subject alternative names: email:anna.doe@mail.example.test, upn:anna@example.test\n"
        "  key: RSA of 2048 bits\n"
        "  key usage: digitalSignature,keyEncipherment\n"
        "  extended key usage: Client Authentication (1.3.6.1.5.5.7.3.2)\n"
        "  validity: the template's\n"
        "  renewal: when 20 % of it remain\n"
        "  from one of: https://scep.example.test/certsrv/mscep/mscep.dll\n");
}

TEST(a_request_may_have_other_names_alone)
{
    AUTO_VAL(profile) profile = { 0 };
    AUTO_VAL(problems) problems = { 0 };
    AUTO_VAL(preview) preview = { 0 };
    struct why why = { 0 };
    json_t *document = fixture_json_with("user", "subject_name_format", "'not-configured'");
    json_object_set_new(document, "subject_alternative_names", json_pack("[s]", "UPN"));
    fixture_take(document, &profile, &problems);
    ASSERT_OK(preview_make(&profile, fixture_holder(), &preview, &why), &why);
    assert_true(name_is_empty(preview.expects.subject));
    assert_non_null(strstr(buf_text(&preview.text),
                           "\n  subject: none\n  subject alternative names: upn:anna@example.test\n"));
}

TEST(a_devices_request_needs_no_user)
{
    AUTO_VAL(profile)
    profile = fixture_profile_with("device", "subject_alternative_names",
                                   "['DNS name = {{AzureADDeviceId}}.domain.com']");
    struct device device = *fixture_device();
    struct holder holder = { NULL, &device };
    AUTO_VAL(preview) preview = { 0 };
    struct why why = { 0 };
    device.platform = PLATFORM_IOS;
    ASSERT_OK(preview_make(&profile, &holder, &preview, &why), &why);
    assert_non_null(
        strstr(buf_text(&preview.text),
               "(22222222-2222-4222-8222-222222222222) the request would be\n"
               "  subject: CN=33333333-3333-4333-8333-333333333333\n"
               "  subject alternative names: dns:33333333-3333-4333-8333-333333333333.domain.com\n"));
}

TEST(a_pkcs_request_is_made_by_the_connector)
{
    AUTO_VAL(profile)
    profile = fixture_profile_with("digicert", "validity_period", "{'number': 2, 'unit': 'years'}");
    AUTO_VAL(preview) preview = { 0 };
    struct why why = { 0 };
    ASSERT_OK(preview_make(&profile, fixture_holder(), &preview, &why), &why);
    assert_int_equal(preview.expects.rsa_bits, PKCS_RSA_BITS);
    assert_int_equal(preview.expects.validity_s, 730LL * 86400);
    assert_int_equal(preview.expects.eku.len, 0);
    assert_non_null(strstr(buf_text(&preview.text), "made by the connector"));
    assert_non_null(strstr(buf_text(&preview.text), "extended key usage: the template's"));
    assert_non_null(strstr(buf_text(&preview.text), "validity: 2 years"));
    assert_non_null(
        strstr(buf_text(&preview.text), "from: pki-ws.symauth.com, Symantec, template 2.16.840.1.113733"));
}

TEST(other_profiles_make_no_request)
{
    AUTO_VAL(profile) trusted = fixture_profile("trusted");
    AUTO_VAL(profile) imported = fixture_profile("imported");
    AUTO_VAL(preview) first = { 0 };
    AUTO_VAL(preview) second = { 0 };
    struct why why = { 0 };
    ASSERT_OK(preview_make(&trusted, fixture_holder(), &first, &why), &why);
    assert_non_null(strstr(buf_text(&first.text),
                           "the certificate would be installed: CN=Example root, in computer-root\n"));
    assert_int_equal(first.expects.subject.len, 0);
    ASSERT_OK(preview_make(&imported, fixture_holder(), &second, &why), &why);
    assert_non_null(strstr(buf_text(&second.text),
                           "the imported certificates of purpose smimeEncryption would be delivered\n"));
}

/* Fails for this holder with these words, in the sentence and in the text. */
static void assert_fails(const struct profile *profile, const struct holder *holder, enum err err,
                         const char *says)
{
    AUTO_VAL(preview) preview = { 0 };
    struct why why = { 0 };
    ASSERT_ERR(err, preview_make(profile, holder, &preview, &why), &why);
    assert_int_equal(preview.err, err);
    assert_int_equal(preview.expects.subject.len, 0);
    if (!strstr(why.text, says) || !strstr(buf_text(&preview.text), says) ||
        !strstr(buf_text(&preview.text), " it would fail: "))
        fail_msg("%s, wanted %s", buf_text(&preview.text), says);
}

TEST(a_missing_value_fails_on_that_device_alone)
{
    AUTO_VAL(profile) profile = fixture_profile_with("user", "subject_name_format", "'imei'");
    struct device without = *fixture_device();
    struct holder holder = { fixture_user(), &without };
    AUTO_VAL(preview) preview = { 0 };
    struct why why = { 0 };
    without.imei = NULL;
    assert_fails(&profile, &holder, ERR_PROFILE_VALUE,
                 "{{IMEINumber}} has no value for device \"laptop-7\" "
                 "(22222222-2222-4222-8222-222222222222): it has no IMEI");
    ASSERT_OK(preview_make(&profile, fixture_holder(), &preview, &why), &why);
}

TEST(a_value_that_fits_nowhere_fails_on_that_device_alone)
{
    AUTO_VAL(profile) profile = fixture_profile_with("user", "subject_alternative_names", "['email']");
    struct user user = *fixture_user();
    struct holder holder = { &user, fixture_device() };
    user.email = "no address";
    assert_fails(&profile, &holder, ERR_PROFILE_DEVICE, "must be local-part@host");
}

/* Each value is within its bounds, all of them are more than a challenge holds. */
TEST(what_no_challenge_can_say_fails_on_that_device_alone)
{
    AUTO_VAL(profile)
    profile =
        fixture_profile_with("device", "subject_alternative_names",
                             "['UPN = 1{{DeviceName}}', 'UPN = 2{{DeviceName}}', 'UPN = 3{{DeviceName}}',"
                             "'UPN = 4{{DeviceName}}', 'UPN = 5{{DeviceName}}', 'UPN = 6{{DeviceName}}',"
                             "'UPN = 7{{DeviceName}}', 'UPN = 8{{DeviceName}}', 'UPN = 9{{DeviceName}}']");
    char name[951];
    struct device device = *fixture_device();
    struct holder holder = { NULL, &device };
    AUTO_VAL(preview) preview = { 0 };
    struct why why = { 0 };
    memset(name, 'n', 950);
    name[950] = '\0';
    device.platform = PLATFORM_IOS;
    device.name = name;
    assert_fails(&profile, &holder, ERR_PROFILE_DEVICE, "cannot be given a challenge: ");
    name[700] = '\0';
    ASSERT_OK(preview_make(&profile, &holder, &preview, &why), &why);
}

TEST(only_a_device_whose_profile_names_purposes_has_to_ask_for_them)
{
    AUTO_VAL(profile) apple = fixture_profile("device");
    AUTO_VAL(profile) windows = fixture_profile("user");
    struct device device = *fixture_device();
    struct holder holder = { NULL, &device };
    AUTO_VAL(preview) first = { 0 };
    AUTO_VAL(preview) second = { 0 };
    struct why why = { 0 };
    device.platform = PLATFORM_IOS;
    ASSERT_OK(preview_make(&apple, &holder, &first, &why), &why);
    assert_true(first.expects.eku_unasked);
    assert_true(first.expects.eku.len > 0);
    ASSERT_OK(preview_make(&windows, fixture_holder(), &second, &why), &why);
    assert_false(second.expects.eku_unasked);
}

TEST(a_device_of_another_platform_gets_nothing)
{
    AUTO_VAL(profile) profile = fixture_profile("device");
    assert_fails(&profile, fixture_holder(), ERR_PROFILE_DEVICE,
                 "is of platform windows-10, the profile is for ios");
}

TEST(a_device_that_is_gone_gets_nothing)
{
    AUTO_VAL(profile) profile = fixture_profile("user");
    AUTO_VAL(profile) trusted = fixture_profile("trusted");
    struct device device = *fixture_device();
    struct holder holder = { fixture_user(), &device };
    device.state = DEVICE_RETIRED;
    assert_fails(&profile, &holder, ERR_PROFILE_DEVICE, "is retired; profiles go to enrolled ones");
    device.state = DEVICE_WIPED;
    assert_fails(&trusted, &holder, ERR_PROFILE_DEVICE, "is wiped");
}

TEST(a_user_who_is_disabled_or_gone_gets_no_certificate)
{
    AUTO_VAL(profile) profile = fixture_profile("user");
    AUTO_VAL(profile) trusted = fixture_profile("trusted");
    struct user user = *fixture_user();
    struct holder holder = { &user, fixture_device() };
    AUTO_VAL(preview) preview = { 0 };
    struct why why = { 0 };
    user.enabled = false;
    assert_fails(&profile, &holder, ERR_PROFILE_DEVICE, "has user anna@example.test, who is disabled");
    ASSERT_OK(preview_make(&trusted, &holder, &preview, &why), &why);
    user.enabled = user.deleted = true;
    assert_fails(&profile, &holder, ERR_PROFILE_DEVICE, "who is deleted");
    holder.user = NULL;
    assert_fails(&profile, &holder, ERR_PROFILE_DEVICE, "has no user, the certificate is of type user");
}

TEST(a_device_that_is_managed_whole_gets_no_pkcs)
{
    AUTO_VAL(profile) pkcs = fixture_profile_with("pkcs", "platform", "'android-enterprise'");
    struct device device = *fixture_device();
    struct holder holder = { fixture_user(), &device };
    AUTO_VAL(preview) preview = { 0 };
    struct why why = { 0 };
    device.platform = PLATFORM_ANDROID_ENTERPRISE;
    device.mode = ANDROID_DEDICATED;
    assert_fails(&pkcs, &holder, ERR_PROFILE_DEVICE, "is dedicated; pkcs profiles do not go there");
    device.mode = ANDROID_FULLY_MANAGED;
    assert_fails(&pkcs, &holder, ERR_PROFILE_DEVICE, "is fully-managed");
    device.mode = ANDROID_WORK_PROFILE;
    ASSERT_OK(preview_make(&pkcs, &holder, &preview, &why), &why);
}

/* What a device calls itself is shown, and cannot pretend to be the next line. */
TEST(a_hostile_name_makes_no_line_of_the_text)
{
    AUTO_VAL(profile) profile = fixture_profile("user");
    AUTO_VAL(profile) kiosk = fixture_profile("device");
    struct device device = *fixture_device();
    struct holder holder = { fixture_user(), &device };
    AUTO_VAL(preview) preview = { 0 };
    AUTO_VAL(preview) second = { 0 };
    struct why why = { 0 };
    device.name = "x\n  subject: CN=admin\x1b[31m";
    ASSERT_OK(preview_make(&profile, &holder, &preview, &why), &why);
    assert_null(strstr(buf_text(&preview.text), "\n  subject: CN=admin"));
    assert_non_null(strstr(buf_text(&preview.text), "x\\0A  subject: CN=admin\\1B[31m"));
    ASSERT_ERR(ERR_PROFILE_DEVICE, preview_make(&kiosk, &holder, &second, &why), &why);
    assert_null(strstr(buf_text(&second.text), "\n  subject"));
}

RUN(T(a_users_request_is_what_the_profile_says), T(a_request_may_have_other_names_alone),
    T(a_devices_request_needs_no_user), T(a_pkcs_request_is_made_by_the_connector),
    T(other_profiles_make_no_request), T(a_missing_value_fails_on_that_device_alone),
    T(a_value_that_fits_nowhere_fails_on_that_device_alone),
    T(what_no_challenge_can_say_fails_on_that_device_alone),
    T(only_a_device_whose_profile_names_purposes_has_to_ask_for_them),
    T(a_device_of_another_platform_gets_nothing), T(a_device_that_is_gone_gets_nothing),
    T(a_user_who_is_disabled_or_gone_gets_no_certificate), T(a_device_that_is_managed_whole_gets_no_pkcs),
    T(a_hostile_name_makes_no_line_of_the_text))
