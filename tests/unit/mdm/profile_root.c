/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates to trust, and profiles against what is round them: root, chain, template, authority. */
#include "tests/unit/mdm/profile_fixture.h"

static json_t *trusted_with(struct bytes der, bool pem, bool twice)
{
    AUTO_BUF text = { 0 };
    json_t *document = fixture_json("trusted");
    for (int i = 0; i < 1 + twice; i++) {
        if (pem)
            pem_append(&text, "CERTIFICATE", der);
        else
            base64_append(&text, der);
    }
    json_object_set_new(document, "certificate", json_string(buf_text(&text)));
    return document;
}

static void assert_trusted(json_t *document, const char *says)
{
    AUTO_VAL(profile) profile = { 0 };
    AUTO_VAL(problems) problems = { 0 };
    struct why why = { 0 };
    fixture_take(document, &profile, &problems);
    ASSERT_ERR(says ? ERR_PROFILE : OK, problems_judge(&problems, &why), &why);
    if (!says)
        ASSERT_BYTES(buf_bytes(&profile.certificate), fixture_root_der());
    else if (strncmp(why.text, "certificate is ", 15) != 0 || !strstr(why.text, says))
        fail_msg("%s, wanted %s", why.text, says);
}

TEST(a_certificate_is_taken_as_pem_der_or_the_base64_of_either)
{
    AUTO_BUF pem = { 0 };
    pem_append(&pem, "CERTIFICATE", fixture_root_der());
    assert_trusted(trusted_with(fixture_root_der(), true, false), NULL);
    assert_trusted(trusted_with(fixture_root_der(), false, false), NULL);
    assert_trusted(trusted_with(buf_bytes(&pem), false, false), NULL);
}

TEST(what_is_no_single_certificate_is_refused)
{
    AUTO_BUF longer = buf_dup(fixture_root_der());
    AUTO_BUF two = { 0 };
    buf_append_byte(&longer, 0);
    pem_append(&two, "CERTIFICATE", fixture_root_der());
    pem_append(&two, "CERTIFICATE", fixture_root_der());
    assert_trusted(trusted_with(fixture_root_der(), true, true), "one certificate");
    assert_trusted(trusted_with(buf_bytes(&two), false, false), "one certificate");
    assert_trusted(trusted_with(BYTES_LIT("nothing"), false, false), "7 octets");
    assert_trusted(trusted_with(buf_bytes(&longer), false, false), "octets");
    assert_trusted(fixture_json_with("trusted", "certificate", "''"), "one certificate");
    assert_trusted(fixture_json_with("trusted", "certificate", "'AAAA*'"), "one certificate");
    assert_trusted(fixture_json_with("trusted", "certificate", "'-----BEGIN CERTIFICATE-----\\nAA'"),
                   "one certificate");
    assert_trusted(
        fixture_json_with("trusted", "certificate", "'-----BEGIN X-----\\nMAA=\\n-----END X-----\\n'"),
        "one certificate");
}

/* A certificate of this subject, an authority's or not. */
static struct buf certificate_of(const char *subject, bool authority, uint16_t usage, int64_t not_after)
{
    AUTO(key) key = fixture_key(KEY_EC_P256);
    AUTO_BUF name = fixture_name(subject);
    struct tbs_params params =
        authority ? fixture_ca(key, buf_bytes(&name)) : fixture_leaf(key, buf_bytes(&name), buf_bytes(&name));
    struct buf tbs = { 0 }, der;
    struct why why = { 0 };
    params.key_usage = usage;
    if (not_after)
        params.not_after = not_after;
    ASSERT_OK(tbs_build(&params, &tbs, &why), &why);
    der = fixture_sign(buf_bytes(&tbs), key);
    buf_free(&tbs);
    return der;
}

TEST(only_an_authoritys_certificate_is_trusted)
{
    AUTO_BUF leaf = certificate_of("CN=host", false, 0, 0),
             no_sign = certificate_of("CN=odd", true, KU_CRL_SIGN, 0);
    assert_trusted(trusted_with(buf_bytes(&leaf), true, false),
                   "\"CN=host\": must be a certificate authority's");
    assert_trusted(trusted_with(buf_bytes(&no_sign), true, false), "\"CN=odd\": must have keyCertSign");
}

TEST(an_expired_certificate_is_warned_of)
{
    AUTO_VAL(profile) profile = fixture_profile("trusted");
    struct cert cert;
    struct why why = { 0 };
    ASSERT_OK(cert_parse(buf_bytes(&profile.certificate), &cert, &why), &why);
    for (int late = 0; late < 2; late++) {
        struct surroundings around = { .now = cert.not_after + late };
        AUTO_VAL(problems) problems = { 0 };
        profile_check(&profile, &around, &problems);
        assert_int_equal(problems.errors, 0);
        assert_int_equal(problems.count, late);
    }
}

TEST(stores_are_for_windows_and_have_a_default)
{
    static const char *const stores[] = { "'computer-root'", "'computer-intermediate'",
                                          "'user-intermediate'" };
    for (size_t i = 0; i < 3; i++) {
        AUTO_VAL(profile) profile = fixture_profile_with("trusted", "destination_store", stores[i]);
        assert_int_equal(profile_store(&profile), STORE_COMPUTER_ROOT + (int)i);
    }
    AUTO_VAL(profile) profile = fixture_profile("trusted");
    assert_int_equal(profile_store(&profile), STORE_COMPUTER_ROOT);
    AUTO_VAL(profile) elsewhere = fixture_profile_with("trusted", "platform", "'ios'");
    assert_int_equal(profile_store(&elsewhere), STORE_NONE);
    json_t *document = fixture_json_with("trusted", "platform", "'ios'");
    json_object_set_new(document, "destination_store", json_string("computer-root"));
    AUTO_VAL(profile) wrong = { 0 };
    AUTO_VAL(problems) problems = { 0 };
    struct why why = { 0 };
    fixture_take(document, &wrong, &problems);
    ASSERT_ERR(ERR_PROFILE, problems_judge(&problems, &why), &why);
    assert_string_equal(why.text,
                        "destination_store is \"computer-root\": a setting of windows-phone-81, windows-81 "
                        "or windows-10, this profile is for ios");
}

/* --- round a profile --- */

static void assert_around(const struct profile *profile, const struct surroundings *around, const char *says)
{
    AUTO_VAL(problems) problems = { 0 };
    struct why why = { 0 };
    profile_check(profile, around, &problems);
    ASSERT_ERR(says ? ERR_PROFILE : OK, problems_judge(&problems, &why), &why);
    if (says && !strstr(why.text, says))
        fail_msg("%s, wanted %s", why.text, says);
}

TEST(the_root_is_in_the_authoritys_chain)
{
    AUTO_VAL(profile) user = fixture_profile("user");
    AUTO_VAL(profile) root = fixture_profile("trusted");
    AUTO_BUF other = certificate_of("CN=Example root", true, KU_KEY_CERT_SIGN, 0);
    struct bytes chain[2] = { buf_bytes(&other), fixture_root_der() };
    struct surroundings around = { .root = &root, .chain = chain, .chain_count = 2, .now = FIXTURE_NOW };
    assert_around(&user, &around, NULL);
    around.chain_count = 1; /* the same name, another key */
    assert_around(&user, &around,
                  "root_certificate is \"Root\": its certificate is none of the 1 in the certification "
                  "authority's chain");
}

TEST(the_root_is_a_trusted_certificate_of_the_same_platform)
{
    AUTO_VAL(profile) user = fixture_profile("user");
    AUTO_VAL(profile) apple = fixture_profile_with("trusted", "platform", "'ios'");
    AUTO_VAL(profile) no_root = fixture_profile("imported");
    struct bytes chain[1] = { fixture_root_der() };
    struct surroundings around = { .chain = chain, .chain_count = 1, .now = FIXTURE_NOW };
    assert_around(&user, &around, "root_certificate is \"Root\": there is no profile of that name");
    around.root = &apple;
    assert_around(&user, &around, "is for ios, this profile is for windows-10");
    around.root = &no_root;
    assert_around(&user, &around,
                  "must name a trusted-certificate profile, this one is of type pkcs-imported");
}

TEST(an_unknown_chain_is_warned_of)
{
    AUTO_VAL(profile) user = fixture_profile("user");
    AUTO_VAL(profile) root = fixture_profile("trusted");
    struct surroundings around = { .root = &root, .now = FIXTURE_NOW };
    AUTO_VAL(problems) problems = { 0 };
    profile_check(&user, &around, &problems);
    assert_int_equal(problems.errors, 0);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.list[0].field, "root_certificate");
}

TEST(windows_10_has_a_root_of_its_own_for_pkcs)
{
    AUTO_VAL(profile) digicert = fixture_profile("digicert");
    struct surroundings around = { .now = FIXTURE_NOW };
    assert_around(&digicert, &around, NULL);
    AUTO_VAL(profile) named = fixture_profile_with("digicert", "root_certificate", "'Root'");
    assert_around(&named, &around, "there is no profile of that name");
}

TEST(validity_is_within_the_template_and_the_authority)
{
    AUTO_VAL(profile)
    user = fixture_profile_with("user", "validity_period", "{'number': 1, 'unit': 'years'}");
    AUTO_VAL(profile) root = fixture_profile("trusted");
    struct bytes chain[1] = { fixture_root_der() };
    const int64_t year = 365LL * 86400;
    struct surroundings around = { &root, chain, 1, year, FIXTURE_NOW + year + 1, FIXTURE_NOW };
    assert_around(&user, &around, NULL);
    around.ca_not_after--;
    assert_around(&user, &around,
                  "365 days, must be less than the 365 that the certification authority has left");
    around.ca_not_after = 0;
    assert_around(&user, &around, NULL);
    around.template_validity_s = year - 1;
    assert_around(&user, &around, "365 days, the template's 364 must not be exceeded");
    AUTO_VAL(profile) none = fixture_profile("user");
    assert_around(&none, &around, NULL);
}

RUN(T(a_certificate_is_taken_as_pem_der_or_the_base64_of_either), T(what_is_no_single_certificate_is_refused),
    T(only_an_authoritys_certificate_is_trusted), T(an_expired_certificate_is_warned_of),
    T(stores_are_for_windows_and_have_a_default), T(the_root_is_in_the_authoritys_chain),
    T(the_root_is_a_trusted_certificate_of_the_same_platform), T(an_unknown_chain_is_warned_of),
    T(windows_10_has_a_root_of_its_own_for_pkcs), T(validity_is_within_the_template_and_the_authority))
