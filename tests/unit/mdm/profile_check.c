/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile may be, by itself: everything but names and roots. */
#include "tests/unit/mdm/profile_fixture.h"

TEST(the_profiles_that_tests_begin_with_are_good)
{
    static const char *const all[] = { "trusted", "user", "device", "pkcs", "digicert", "imported" };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        fixture_assert(all[i], NULL, NULL, NULL, NULL);
}

TEST(what_every_profile_needs_is_missed)
{
    fixture_assert("user", "name", NULL, "name", "name is not there");
    fixture_assert("user", "type", NULL, "type", "must be trusted-certificate, scep, pkcs or pkcs-imported");
    fixture_assert("user", "platform", NULL, "platform", "must be android, android-enterprise");
    fixture_assert("user", "name", "' x'", "name", "begin or end with a blank");
    fixture_assert("user", "name", "'x '", "name", "begin or end with a blank");
}

TEST(what_a_type_needs_is_missed)
{
    static const char *const rows[][3] = {
        { "trusted", "certificate", "one, as PEM or" },
        { "user", "certificate_type", "user or device" },
        { "user", "subject_name_format", "must be not-configured, " },
        { "device", "subject_name", "a text as CN={{DeviceName}}" },
        { "user", "key_usage", "digitalSignature, keyEncipherment or both" },
        { "user", "key_size", "1024, 2048 or 4096" },
        { "user", "hash_algorithm", "SHA-1 or SHA-2" },
        { "user", "root_certificate", "trusted-certificate profile" },
        { "user", "extended_key_usage", "1.3.6.1.5.5.7.3.2" },
        { "user", "renewal_threshold", "1 to 99" },
        { "user", "scep_server_urls", "at least one" },
        { "pkcs", "root_certificate", "trusted-certificate profile" },
        { "pkcs", "renewal_threshold", "1 to 99" },
        { "pkcs", "certification_authority", "ca.example.com" },
        { "pkcs", "certification_authority_name", "as its certificates call it" },
        { "pkcs", "certificate_template_name", "the name of a template" },
        { "imported", "intended_purpose", "unassigned, smimeEncryption or smimeSigning" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        fixture_assert(rows[i][0], rows[i][1], NULL, rows[i][1], rows[i][2]);
}

TEST(empty_lists_are_as_none)
{
    fixture_assert("user", "key_usage", "[]", "key_usage", "is not there");
    fixture_assert("user", "extended_key_usage", "[]", "extended_key_usage", "is not there");
    fixture_assert("user", "scep_server_urls", "[]", "scep_server_urls", "is not there");
    fixture_assert("user", "subject_alternative_names", "[]", NULL, NULL);
    fixture_assert("pkcs", "extended_key_usage", "[]", NULL, NULL);
}

/* spec profiles.md: pkcs not on windows-phone-81 and windows-81, pkcs-imported not on windows-81. */
TEST(a_platform_takes_its_types_only)
{
    fixture_assert("pkcs", "platform", "'windows-81'", "platform",
                   "pkcs profiles are for android, android-enterprise, ios, macos, windows-10 or linux");
    fixture_assert("pkcs", "platform", "'windows-phone-81'", "platform", "pkcs profiles are for");
    fixture_assert("imported", "platform", "'windows-81'", "platform", "pkcs-imported profiles are for");
    fixture_assert("imported", "platform", "'windows-phone-81'", NULL, NULL);
    fixture_assert("imported", "platform", "'ios'", NULL, NULL);
    fixture_assert("pkcs", "platform", "'linux'", NULL, NULL);
    fixture_assert("trusted", "platform", "'windows-81'", NULL, NULL);
}

TEST(certificates_without_a_user_are_for_some_platforms)
{
    fixture_assert("user", "certificate_type", "'device'", "subject_name_format", "must be custom");
    fixture_assert("device", "platform", "'macos'", NULL, NULL);
    struct {
        const char *platform;
        bool good;
    } rows[] = { { "android", false },
                 { "android-enterprise", true },
                 { "ios", true },
                 { "macos", true },
                 { "windows-phone-81", false },
                 { "windows-81", true },
                 { "windows-10", true },
                 { "linux", true } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_VAL(profile) profile = { 0 };
        AUTO_VAL(problems) problems = { 0 };
        json_t *document = fixture_json("device");
        json_object_set_new(document, "platform", json_string(rows[i].platform));
        if (strcmp(rows[i].platform, "ios") != 0 && strcmp(rows[i].platform, "macos") != 0)
            json_object_set_new(document, "hash_algorithm", json_string("SHA-2"));
        fixture_take(document, &profile, &problems);
        assert_int_equal(problems_have(&problems, "certificate_type"), !rows[i].good);
        assert_int_equal(problems.errors, !rows[i].good);
    }
}

TEST(apple_always_has_the_templates_validity)
{
    fixture_assert("user", "validity_period", "{'number': 1, 'unit': 'years'}", NULL, NULL);
    fixture_assert("device", "validity_period", "{'number': 1, 'unit': 'years'}", "validity_period",
                   "ios always has the template's");
    fixture_assert("pkcs", "validity_period", "{'number': 1, 'unit': 'days'}", "validity_period",
                   "macos always has the template's");
}

TEST(validity_is_a_hundred_years_at_most)
{
    fixture_assert("user", "validity_period", "{'number': 100, 'unit': 'years'}", NULL, NULL);
    fixture_assert("user", "validity_period", "{'number': 101, 'unit': 'years'}", "validity_period",
                   "36865 days, at most 36500");
    fixture_assert("user", "validity_period", "{'number': 1216, 'unit': 'months'}", NULL, NULL);
    fixture_assert("user", "validity_period", "{'number': 1217, 'unit': 'months'}", "validity_period",
                   "36510 days, at most 36500");
    fixture_assert("user", "validity_period", "{'number': 36500, 'unit': 'years'}", "validity_period",
                   "at most 36500");
}

TEST(apple_has_no_hash_setting)
{
    fixture_assert("device", "hash_algorithm", "'SHA-2'", "hash_algorithm",
                   "a setting of android, android-enterprise, windows-phone-81, windows-81, windows-10 or "
                   "linux, this profile is for ios");
}

TEST(key_storage_is_for_windows_and_hello_for_windows_10)
{
    static const char *const values[] = { "'tpm-else-software'", "'tpm-else-fail'", "'software'",
                                          "'passport-else-fail'" };
    for (size_t i = 0; i < 4; i++) {
        fixture_assert("user", "key_storage_provider", values[i], NULL, NULL);
        fixture_assert("digicert", "key_storage_provider", values[i], NULL, NULL);
        fixture_assert("imported", "key_storage_provider", values[i], NULL, NULL);
        fixture_assert("device", "key_storage_provider", values[i], "key_storage_provider",
                       "a setting of windows-phone-81, windows-81 or windows-10, this profile is for ios");
    }
    json_t *document = fixture_json_with("user", "platform", "'windows-81'");
    json_object_set_new(document, "key_storage_provider", json_string("passport-else-fail"));
    AUTO_VAL(profile) profile = { 0 };
    AUTO_VAL(problems) problems = { 0 };
    struct why why = { 0 };
    fixture_take(document, &profile, &problems);
    ASSERT_ERR(ERR_PROFILE, problems_judge(&problems, &why), &why);
    assert_string_equal(why.text,
                        "key_storage_provider is \"passport-else-fail\": a setting of windows-10, this "
                        "profile is for windows-81");
}

TEST(windows_hello_makes_one_kind_of_key)
{
    static const struct {
        const char *member, *json, *says;
    } rows[] = { { "key_size", "4096", "must be 2048" },
                 { "hash_algorithm", "\"SHA-1\"", "must be SHA-2" },
                 { "key_size", "2048", NULL } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_VAL(profile) profile = { 0 };
        AUTO_VAL(problems) problems = { 0 };
        struct why why = { 0 };
        json_t *document = fixture_json_with("user", "key_storage_provider", "'passport-else-fail'");
        json_object_set_new(document, rows[i].member, json_loads(rows[i].json, JSON_DECODE_ANY, NULL));
        fixture_take(document, &profile, &problems);
        ASSERT_ERR(rows[i].says ? ERR_PROFILE : OK, problems_judge(&problems, &why), &why);
        if (rows[i].says)
            assert_non_null(strstr(why.text, rows[i].says));
    }
}

TEST(key_usage_is_one_or_both_of_two)
{
    fixture_assert("user", "key_usage", "['digitalSignature']", NULL, NULL);
    fixture_assert("user", "key_usage", "['keyEncipherment']", NULL, NULL);
    fixture_assert("user", "key_usage", "['nonRepudiation']", "key_usage",
                   "must be digitalSignature, keyEncipherment or both");
    fixture_assert("user", "key_usage", "['digitalSignature', 'keyCertSign']", "key_usage",
                   "digitalSignature,keyCertSign");
    fixture_assert("user", "key_usage", "['sign']", "key_usage[0]",
                   "must be digitalSignature or keyEncipherment");
    fixture_assert("user", "key_usage", "['digitalSignature', 'digitalSignature']", "key_usage[1]", "twice");
}

TEST(key_sizes_are_three)
{
    fixture_assert("user", "key_size", "1024", NULL, NULL);
    fixture_assert("user", "key_size", "4096", NULL, NULL);
    fixture_assert("user", "key_size", "3072", "key_size",
                   "key_size is \"3072\": must be 1024, 2048 or 4096");
    fixture_assert("user", "key_size", "2047", "key_size", "must be 1024, 2048 or 4096");
    fixture_assert_warned("user", "key_size", "1024", "key_size", "minimum of 2048");
    fixture_assert_warned("user", "key_size", "2048", NULL, NULL);
    fixture_assert_warned("user", "hash_algorithm", "'SHA-1'", "hash_algorithm", "broken");
}

TEST(purposes_are_object_identifiers_and_never_any_at_all)
{
    static const char *const rows[][2] = {
        { "clientAuth", "must be an object identifier" }, { "1.3.6.", "must be an object identifier" },
        { "1.3..6", "must be an object identifier" },     { "3.1.2", "must be an object identifier" },
        { "1.40.1", "must be an object identifier" },     { "1.2.3 ", "must be an object identifier" },
        { "2.5.29.37.0", "any purpose at all" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_STR json = xasprintf("[{'name': 'x', 'oid': '%s'}]", rows[i][0]);
        fixture_assert("user", "extended_key_usage", json, "extended_key_usage[0].oid", rows[i][1]);
        fixture_assert("pkcs", "extended_key_usage", json, "extended_key_usage[0].oid", rows[i][1]);
    }
    fixture_assert("user", "extended_key_usage",
                   "[{'name': 'x', 'oid': '1.2.3'}, {'name': 'y', 'oid': '1.2.3'}]",
                   "extended_key_usage[1].oid", "twice");
    fixture_assert("user", "extended_key_usage", "[{'name': '', 'oid': '1.2.3'}]",
                   "extended_key_usage[0].name", "0 octets");
}

TEST(server_urls_are_absolute)
{
    fixture_assert("user", "scep_server_urls", "['https://a.b/x', 'http://c.d']", NULL, NULL);
    fixture_assert("user", "scep_server_urls", "['https://a.b/x', 'c.d/x']", "scep_server_urls[1]",
                   "must be absolute");
    fixture_assert("user", "scep_server_urls", "['https://a.b/x;http://evil.example']", "scep_server_urls[0]",
                   "';'");
    fixture_assert("user", "scep_server_urls", "['https://a.b/x', 'https://a.b/x']", "scep_server_urls[1]",
                   "twice");
    fixture_assert("user", "scep_server_urls", "['']", "scep_server_urls[0]", "0 octets");
}

/* --- pkcs --- */

TEST(an_authority_is_a_qualified_host)
{
    static const char *const bad[] = {
        "ca",        "https://ca.example.test", "ca.example.test/", "ca.example.test:443",
        "192.0.2.1", "ca.example.test\\\\CA"
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        AUTO_STR json = xasprintf("'%s'", bad[i]);
        fixture_assert("pkcs", "certification_authority", json, "certification_authority",
                       "fully qualified host name");
    }
    fixture_assert("pkcs", "certificate_template_name", "'Mail of users'", "certificate_template_name",
                   "display name");
}

TEST(digicert_has_its_three_values)
{
    fixture_assert("digicert", "certification_authority_name", "'symantec'", "certification_authority_name",
                   "must be exactly Symantec");
    fixture_assert("digicert", "certification_authority_name", "'DigiCert'", "certification_authority_name",
                   "must be exactly Symantec");
    fixture_assert("digicert", "certification_authority", "'pki-ws.symauth.com/'", "certification_authority",
                   "without scheme and slash");
    fixture_assert("digicert", "certification_authority", "'https://pki-ws.symauth.com'",
                   "certification_authority", "without scheme and slash");
    fixture_assert("digicert", "certification_authority", "'pki.other.example'", NULL,
                   NULL); /* what support says */
    fixture_assert("digicert", "certificate_template_name", "'Mail'", "certificate_template_name",
                   "must be the OID of a DigiCert certificate profile");
    fixture_assert("pkcs", "certification_authority_name", "'Symantec'", "certificate_template_name",
                   "must be the OID");
    fixture_assert("pkcs", "certificate_template_name", "'2.16.840.1.113733.1.16.1.2.3.1.1.7'",
                   "certification_authority_name", "must be exactly Symantec");
}

TEST(all_apps_is_for_macos)
{
    fixture_assert("pkcs", "allow_all_apps_access", "true", NULL, NULL);
    fixture_assert("digicert", "allow_all_apps_access", "false", NULL, NULL);
    fixture_assert("digicert", "allow_all_apps_access", "true", "allow_all_apps_access",
                   "a setting of macos, this profile is for windows-10");
}

RUN(T(the_profiles_that_tests_begin_with_are_good), T(what_every_profile_needs_is_missed),
    T(what_a_type_needs_is_missed), T(empty_lists_are_as_none), T(a_platform_takes_its_types_only),
    T(certificates_without_a_user_are_for_some_platforms), T(apple_always_has_the_templates_validity),
    T(validity_is_a_hundred_years_at_most), T(apple_has_no_hash_setting),
    T(key_storage_is_for_windows_and_hello_for_windows_10), T(windows_hello_makes_one_kind_of_key),
    T(key_usage_is_one_or_both_of_two), T(key_sizes_are_three),
    T(purposes_are_object_identifiers_and_never_any_at_all), T(server_urls_are_absolute),
    T(an_authority_is_a_qualified_host), T(digicert_has_its_three_values), T(all_apps_is_for_macos))
