/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects of profiles. */
#include "mdm/subject_format.h"
#include "tests/unit/mdm/fixture.h"

static void assert_name(struct bytes name, const char *wanted)
{
    AUTO_BUF text = { 0 };
    name_append_text(&text, name);
    assert_string_equal(buf_text(&text), wanted);
}

static void assert_made(const char *text, const struct scope *scope, const char *wanted)
{
    AUTO_BUF name = { 0 };
    struct why why = { 0 };
    ASSERT_OK(subject_make(text, scope, fixture_holder(), &name, &why), &why);
    assert_name(buf_bytes(&name), wanted);
}

TEST(each_format_of_the_guides_is_a_subject)
{
    static const struct {
        const char *word, *wanted;
    } rows[] = {
        { "not-configured", "" },
        { "common-name", "CN=anna@example.test" },
        { "common-name-including-email", "CN=anna@example.test,E=anna.doe@mail.example.test" },
        { "common-name-as-email", "CN=anna.doe@mail.example.test" },
        { "imei", "CN=490154203237518" },
        { "serial-number", "CN=SER-0042" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        int kind = word_find(&subject_kind_words, bytes_str(rows[i].word));
        assert_true(kind > 0);
        assert_made(subject_kind_text((enum subject_kind)kind), SCOPE(USER, ANDROID), rows[i].wanted);
    }
    assert_null(subject_kind_text(SUBJECT_CUSTOM));
    assert_null(subject_kind_text(SUBJECT_UNSET));
}

TEST(custom_formats_are_subjects_in_the_order_written)
{
    static const char *const users[][2] = {
        { "CN={{UserName}},E={{EmailAddress}},OU=Mobile,O=Finance Group,L=Redmond,ST=Washington,C=US",
          "CN=anna@example.test,E=anna.doe@mail.example.test,OU=Mobile,O=Finance "
          "Group,L=Redmond,ST=Washington,C=US" },
        { "CN={{onPremisesSamAccountName}}", "CN=CORP\\\\anna" },
        { "C=NL;O=x+OU=\"{{UserName}}\"", "C=NL,O=x+OU=anna@example.test" },
        { "OID.2.5.4.3={{UserName}},2.5.4.10=x", "CN=anna@example.test,O=x" },
    };
    static const char *const devices[][2] = {
        { "CN = {{DeviceName}}text", "CN=laptop-7text" },
        { "CN={{FullyQualifiedDomainName}} , OU = {{Device_Serial}}",
          "CN=laptop-7.corp.example.test,OU=SER-0042" },
    };
    for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++)
        assert_made(users[i][0], SCOPE(USER, WINDOWS_10), users[i][1]);
    for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++)
        assert_made(devices[i][0], SCOPE(DEVICE, WINDOWS_10), devices[i][1]);
}

/* The guides' trap: with an escaped comma the device's request and the challenge differ. Here there is one name. */
TEST(quoted_escaped_and_filled_in_give_the_same_der)
{
    static const char *const texts[] = { "CN=\"Doe, Jane\",O=x",    "CN=Doe\\, Jane,O=x",
                                         "CN=Doe\\2C Jane;O=\"x\"", "CN = \"Doe, Jane\" , O = x",
                                         "CN={{DeviceName}},O=x",   "CN=\"{{DeviceName}}\",O=x" };
    struct device device = { .name = "Doe, Jane" };
    struct holder holder = { NULL, &device };
    AUTO_BUF wanted = fixture_name("CN=Doe\\, Jane,O=x");
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        AUTO_BUF name = { 0 };
        struct why why = { 0 };
        ASSERT_OK(subject_make(texts[i], SCOPE(DEVICE, IOS), &holder, &name, &why), &why);
        ASSERT_BYTES(buf_bytes(&name), buf_bytes(&wanted));
    }
}

TEST(a_value_is_one_value_whatever_it_says)
{
    static const char *const hostile[] = {
        "x,CN=admin",
        "x+CN=admin",
        "x;O=evil",
        "x\",CN=\"admin",
        "x\\",
        "\\,CN=admin",
        "#0c0561646d696e",
        "{{UserName}}",
        "{{",
        "}",
        "a=b",
        "x,",
        "\\2CCN=admin",
        "'; --",
        "<>",
    };
    static const char *const formats[] = { "CN={{DeviceName}},O=x", "CN=\"{{DeviceName}}\",O=x",
                                           "O=x+CN={{DeviceName}}" };
    for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile) * 3; i++) {
        struct device device = { .name = (char *)hostile[i / 3] };
        struct holder holder = { NULL, &device };
        AUTO_BUF name = { 0 };
        struct why why = { 0 };
        struct name_attribute attribute;
        int count = 0, found = 0;
        ASSERT_OK(subject_make(formats[i % 3], SCOPE(DEVICE, IOS), &holder, &name, &why), &why);
        struct name_reader reader = name_reader_over(buf_bytes(&name));
        for (; name_next(&reader, &attribute); count++) {
            AUTO_BUF text = { 0 };
            assert_true(name_value_utf8(&attribute, &text));
            if (oid_is(attribute.oid, OID_CN))
                found += strcmp(buf_text(&text), hostile[i / 3]) == 0;
        }
        if (count != 2 || found != 1)
            fail_msg("%s with %s: %d attributes", formats[i % 3], hostile[i / 3], count);
    }
}

TEST(a_value_that_makes_no_name_is_an_error_of_that_device)
{
    static const struct {
        const char *text, *value, *says;
    } rows[] = {
        { "CN={{DeviceName}}", "a\nb", "control characters" },
        { "CN={{DeviceName}}", "\xff", "UTF-8" },
        { "CN={{DeviceName}}", "01234567890123456789012345678901234567890123456789012345678901234",
          "at most 64" },
        { "C={{DeviceName}}", "NLD", "at most 2" },
        { "C={{DeviceName}}", "N_", "PrintableString" },
        { "DC={{DeviceName}}", "\xc3\xbc", "IA5String" },
        { "OU=a+OU={{DeviceName}}", "a", "RDN" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct device device = { .name = (char *)rows[i].value };
        struct holder holder = { NULL, &device };
        struct buf none = { 0 };
        struct why why = { 0 };
        ASSERT_ERR(ERR_PROFILE_DEVICE, subject_make(rows[i].text, SCOPE(DEVICE, IOS), &holder, &none, &why),
                   &why);
        if (!strstr(why.text, rows[i].says))
            fail_msg("%s: %s", rows[i].text, why.text);
        assert_null(none.data);
    }
}

TEST(a_variable_without_a_value_keeps_its_own_error)
{
    struct device device = { .id = "d-1", .name = "pad" };
    struct holder holder = { fixture_user(), &device };
    struct buf none = { 0 };
    struct why why = { 0 };
    ASSERT_ERR(ERR_PROFILE_VALUE,
               subject_make("CN={{UserName}},OU={{IMEINumber}}", SCOPE(USER, IOS), &holder, &none, &why),
               &why);
    assert_string_equal(why.text, "{{IMEINumber}} has no value for device \"pad\" (d-1): it has no IMEI");
    assert_null(none.data);
}

/* --- the directory's distinguished name --- */

TEST(a_distinguished_name_takes_the_place_of_its_cn)
{
    assert_made("CN={{OnPrem_Distinguished_Name}}", SCOPE(USER, WINDOWS_10),
                "CN=Doe\\, Anna,OU=UserAccounts,DC=corp,DC=example,DC=test");
    assert_made(
        "C=NL,CN=\"{{OnPrem_Distinguished_Name}}\",E={{EmailAddress}}", SCOPE(USER, WINDOWS_10),
        "C=NL,CN=Doe\\, Anna,OU=UserAccounts,DC=corp,DC=example,DC=test,E=anna.doe@mail.example.test");
}

TEST(a_distinguished_name_is_read_as_the_directory_writes_it)
{
    static const char *const rows[][2] = {
        { "CN=Jane,CN=Users,DC=corp", "CN=Jane,CN=Users,DC=corp" },
        { "CN={{UserName}},DC=corp", "CN={{UserName}},DC=corp" }, /* characters, no variable */
        { "CN=a\\+b\\=c,DC=x", "CN=a\\+b=c,DC=x" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct user user = { .upn = "u", .distinguished_name = (char *)rows[i][0] };
        struct holder holder = { &user, fixture_device() };
        AUTO_BUF name = { 0 };
        struct why why = { 0 };
        ASSERT_OK(subject_make("CN={{OnPrem_Distinguished_Name}}", SCOPE(USER, IOS), &holder, &name, &why),
                  &why);
        assert_name(buf_bytes(&name), rows[i][1]);
    }
    static const char *const bad[] = { "Jane", "CN=", "CN=a,", " ", "CN=Jane\\0ADEL:1,DC=x", "X-Y=z" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct user user = { .upn = "u", .distinguished_name = (char *)bad[i] };
        struct holder holder = { &user, fixture_device() };
        struct buf none = { 0 };
        struct why why = { 0 };
        ASSERT_ERR(ERR_PROFILE_DEVICE,
                   subject_make("CN={{OnPrem_Distinguished_Name}}", SCOPE(USER, IOS), &holder, &none, &why),
                   &why);
        assert_non_null(strstr(why.text, "no distinguished name"));
        assert_null(none.data);
    }
}

TEST(a_distinguished_name_stands_nowhere_else)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        { "OU={{OnPrem_Distinguished_Name}}", "allowed as CN={{OnPrem_Distinguished_Name}}" },
        { "CN={{OnPrem_Distinguished_Name}}+OU=x", "without '+'" },
        { "OU=x+CN={{OnPrem_Distinguished_Name}}", "without '+'" },
        { "CN={{OnPrem_Distinguished_Name}}x", "a whole name" },
        { "CN=x{{OnPrem_Distinguished_Name}}", "a whole name" },
        { "CN={{OnPrem_Distinguished_Name}},CN={{UserName}}", "a CN beside" },
        { "CN=x,CN={{OnPrem_Distinguished_Name}}", "a CN beside" },
        { "CN={{OnPrem_Distinguished_Name}},CN={{OnPrem_Distinguished_Name}}", "2 times, allowed is once" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct buf none = { 0 };
        struct why why = { 0 };
        ASSERT_ERR(ERR_PROFILE, subject_make(rows[i].text, SCOPE(USER, IOS), NULL, &none, &why), &why);
        if (!strstr(why.text, rows[i].says))
            fail_msg("%s: %s", rows[i].text, why.text);
    }
    AUTO_BUF name = { 0 };
    struct why why = { 0 };
    ASSERT_OK(subject_make("CN={{OnPrem_Distinguished_Name}},OU=x", SCOPE(USER, IOS), NULL, &name, &why),
              &why);
}

/* --- when a profile is saved --- */

TEST(what_is_right_on_no_device_is_refused_when_saved)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        { "{{DeviceName}}", "TYPE=VALUE" },
        { "CN", "TYPE=VALUE" },
        { "XX={{DeviceName}}", "unknown attribute type" },
        { "CN={{DeviceName}},", "must follow the separator" },
        { "CN=\"{{DeviceName}}", "closing quote" },
        { "CN={DeviceName}", "braces" },
        { "CN=x}", "braces" },
        { "CN=\"{\"", "braces" },
        { "CN=\\7B", "braces" },
        { "CN={{UserName}}", "certificates of a user" },
        { "CN={{Nonsense}}", "is no variable" },
        { "CN=", "1 to 1024" },
        { "C={{AAD_Device_ID}}", "at most 2" },
        { "CN={{AAD_Device_ID}}{{AzureADDeviceId}}", "at most 64" },
        { "CN=a+CN=a", "RDN" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct buf none = { 0 };
        struct why why = { 0 };
        ASSERT_ERR(ERR_PROFILE, subject_make(rows[i].text, SCOPE(DEVICE, IOS), NULL, &none, &why), &why);
        if (!strstr(why.text, rows[i].says))
            fail_msg("%s: %s", rows[i].text, why.text);
        assert_null(none.data);
    }
}

RUN(T(each_format_of_the_guides_is_a_subject), T(custom_formats_are_subjects_in_the_order_written),
    T(quoted_escaped_and_filled_in_give_the_same_der), T(a_value_is_one_value_whatever_it_says),
    T(a_value_that_makes_no_name_is_an_error_of_that_device),
    T(a_variable_without_a_value_keeps_its_own_error), T(a_distinguished_name_takes_the_place_of_its_cn),
    T(a_distinguished_name_is_read_as_the_directory_writes_it), T(a_distinguished_name_stands_nowhere_else),
    T(what_is_right_on_no_device_is_refused_when_saved))
