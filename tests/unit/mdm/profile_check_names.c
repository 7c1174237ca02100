/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects and other names of profiles, when they are saved. */
#include "tests/unit/mdm/profile_fixture.h"

TEST(a_users_subject_has_a_format_and_a_text_only_with_custom)
{
    static const char *const formats[] = { "'common-name'", "'common-name-including-email'",
                                           "'common-name-as-email'", "'imei'", "'serial-number'" };
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
        fixture_assert("user", "subject_name_format", formats[i], NULL, NULL);
    fixture_assert("user", "subject_name", "'CN=x'", "subject_name",
                   "goes with subject_name_format custom, which is common-name");
    fixture_assert("user", "subject_name_format", "'custom'", "subject_name",
                   "subject_name is not there: a text as CN={{UserName}}");
}

TEST(a_devices_subject_is_custom)
{
    static const char *const formats[] = { "'not-configured'", "'common-name'", "'imei'", "'serial-number'" };
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
        fixture_assert("device", "subject_name_format", formats[i], "subject_name_format",
                       "must be custom for certificates of a device");
    fixture_assert("device", "subject_name_format", "'custom'", NULL, NULL);
}

TEST(a_certificate_has_a_subject_or_another_name)
{
    fixture_assert("user", "subject_name_format", "'not-configured'", "subject_name_format",
                   "needs a subject alternative name (RFC 5280 4.1.2.6)");
    json_t *document = fixture_json_with("user", "subject_name_format", "'not-configured'");
    json_object_set_new(document, "subject_alternative_names", json_pack("[s]", "UPN"));
    AUTO_VAL(profile) profile = { 0 };
    AUTO_VAL(problems) problems = { 0 };
    struct why why = { 0 };
    fixture_take(document, &profile, &problems);
    ASSERT_OK(problems_judge(&problems, &why), &why);
    fixture_assert("device", "subject_name", "' '", "subject_name", "needs a subject alternative name");
}

/* What subject_make refuses for samples is refused here; the rules themselves are tested there. */
TEST(subjects_that_are_right_on_no_device_are_refused)
{
    static const char *const rows[][2] = {
        { "CN={{Nonsense}}", "is no variable" },
        { "CN={{devicename}}", "letter case counts: {{DeviceName}}" },
        { "CN={{UserName}}", "certificates of a user" },
        { "CN={DeviceName}", "braces must enclose a variable" },
        { "CN={{DeviceName}}}", "braces must enclose a variable" },
        { "CN={{FullyQualifiedDomainName}}",
          "for windows-81 or windows-10 in a domain, this profile is for ios" },
        { "{{DeviceName}}", "TYPE=VALUE" },
        { "CN=a,,OU=b", "TYPE=VALUE" },
        { "C=NLD", "at most 2" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_STR json = xasprintf("'%s'", rows[i][0]);
        fixture_assert("device", "subject_name", json, "subject_name", rows[i][1]);
    }
    fixture_assert("device", "subject_name", "'CN = {{DeviceName}}text'", NULL, NULL);
    fixture_assert("device", "subject_name", "'CN=\\\"Doe, {{DeviceName}}\\\"'", NULL, NULL);
    fixture_assert("device", "subject_name", "'CN=Doe\\\\, {{DeviceName}}'", NULL, NULL);
}

TEST(rows_of_names_are_judged_one_by_one)
{
    fixture_assert("user", "subject_alternative_names", "['email', 'UPN']", NULL, NULL);
    fixture_assert("user", "subject_alternative_names", "['email', 'DNS']", "subject_alternative_names[1]",
                   "allowed is \"email\" or \"UPN\"");
    fixture_assert("user", "subject_alternative_names", "['email', 'e-mail address']",
                   "subject_alternative_names[1]", "twice");
    fixture_assert("device", "subject_alternative_names", "['DNS name = {{AzureADDeviceId}}.domain.com']",
                   NULL, NULL);
    fixture_assert("device", "subject_alternative_names", "['DNS = a.b', 'DNS = a;b']",
                   "subject_alternative_names[1]", "{ } | ;");
    fixture_assert("device", "subject_alternative_names", "['DNS = {{Nonsense}}.b']",
                   "subject_alternative_names[0]", "is no variable");
    fixture_assert("device", "subject_alternative_names", "['DNS = {a}.b']", "subject_alternative_names[0]",
                   "braces");
    fixture_assert("device", "subject_alternative_names", "['DNS = {{UserName}}']",
                   "subject_alternative_names[0]", "certificates of a user");
    fixture_assert("device", "subject_alternative_names", "['email = {{DeviceName}}']",
                   "subject_alternative_names[0]", "with sample values for its variables");
    fixture_assert("device", "subject_alternative_names", "['DNS = {{FullyQualifiedDomainName}}']",
                   "subject_alternative_names[0]", "this profile is for ios");
    fixture_assert("device", "subject_alternative_names", "['DNS = a.b', 'dns=a.b']",
                   "subject_alternative_names[1]", "twice");
    fixture_assert("device", "subject_alternative_names", "['email']", "subject_alternative_names[0]",
                   "allowed is \"DNS = TEXT\"");
}

TEST(without_a_kind_nothing_is_said_of_rows)
{
    json_t *document = fixture_json_with("user", "certificate_type", NULL);
    json_object_set_new(document, "subject_alternative_names", json_pack("[s]", "what?"));
    AUTO_VAL(profile) profile = { 0 };
    AUTO_VAL(problems) problems = { 0 };
    fixture_take(document, &profile, &problems);
    assert_int_equal(problems.errors, 1);
    assert_string_equal(problems.list[0].field, "certificate_type");
}

TEST(what_can_be_forged_is_said_where_it_is_chosen)
{
    static const char *const forgeable[] = {
        "IMEI",         "Device_IMEI",   "IMEINumber",     "MEID",
        "SerialNumber", "Device_Serial", "WiFiMacAddress", "DeviceName"
    };
    for (size_t i = 0; i < sizeof(forgeable) / sizeof(*forgeable); i++) {
        AUTO_STR subject = xasprintf("'CN=x{{%s}}'", forgeable[i]);
        AUTO_STR names = xasprintf("['DNS = {{%s}}.b']", forgeable[i]);
        AUTO_STR says = xasprintf("{{%s}} can be forged", forgeable[i]);
        fixture_assert_warned("device", "subject_name", subject, "subject_name", says);
        fixture_assert_warned("device", "subject_alternative_names", names, "subject_alternative_names[0]",
                              says);
    }
    fixture_assert_warned("device", "subject_name", "'CN={{AzureADDeviceId}}'", NULL, NULL);
    fixture_assert_warned("user", "subject_name_format", "'imei'", "subject_name_format",
                          "{{IMEINumber}} can be forged");
    fixture_assert_warned("user", "subject_name_format", "'common-name-including-email'", NULL, NULL);
}

TEST(what_a_upn_is_for_is_said)
{
    fixture_assert_warned("user", "subject_alternative_names", "['UPN']", "subject_alternative_names[0]",
                          "Network Policy Server or RADIUS");
    fixture_assert_warned("device", "subject_alternative_names", "['UPN = x']",
                          "subject_alternative_names[0]", "Network Policy Server or RADIUS");
    fixture_assert_warned("user", "subject_alternative_names", "['email']", NULL, NULL);
}

RUN(T(a_users_subject_has_a_format_and_a_text_only_with_custom), T(a_devices_subject_is_custom),
    T(a_certificate_has_a_subject_or_another_name), T(subjects_that_are_right_on_no_device_are_refused),
    T(rows_of_names_are_judged_one_by_one), T(without_a_kind_nothing_is_said_of_rows),
    T(what_can_be_forged_is_said_where_it_is_chosen), T(what_a_upn_is_for_is_said))
