/* SPDX-License-Identifier: Apache-2.0 */
/* Subject alternative names of profiles. */
#include "mdm/san_format.h"
#include "tests/unit/mdm/fixture.h"

static enum err make(const char *row_text, const struct scope *scope, const struct holder *holder,
                     struct buf *ret, struct why *why)
{
    AUTO_VAL(san_row) row = { 0 };
    TRY(san_row_parse(bytes_str(row_text), scope, &row, why));
    return san_make(&row, 1, scope, holder, ret, why);
}

static void assert_made(const char *row, const struct scope *scope, const char *wanted)
{
    AUTO_BUF names = { 0 }, text = { 0 };
    struct why why = { 0 };
    ASSERT_OK(make(row, scope, fixture_holder(), &names, &why), &why);
    ASSERT_OK(san_check(buf_bytes(&names), &why), &why);
    san_append_text(&text, buf_bytes(&names));
    assert_string_equal(buf_text(&text), wanted);
}

TEST(rows_of_the_guides_are_names)
{
    assert_made("email", SCOPE(USER, IOS), "email:anna.doe@mail.example.test");
    assert_made("Email address", SCOPE(USER, IOS), "email:anna.doe@mail.example.test");
    assert_made("UPN", SCOPE(USER, IOS), "upn:anna@example.test");
    assert_made("User principal name (UPN)", SCOPE(USER, IOS), "upn:anna@example.test");
    assert_made("DNS name = {{AzureADDeviceId}}.domain.com", SCOPE(DEVICE, IOS),
                "dns:33333333-3333-4333-8333-333333333333.domain.com");
    assert_made("dns={{DeviceName}}.domain.com", SCOPE(DEVICE, IOS), "dns:laptop-7.domain.com");
    assert_made("  DNS  =  {{FullyQualifiedDomainName}}  ", SCOPE(DEVICE, WINDOWS_10),
                "dns:laptop-7.corp.example.test");
    assert_made("email = {{Device_Serial}}@devices.example.test", SCOPE(DEVICE, IOS),
                "email:SER-0042@devices.example.test");
    assert_made("UPN = host/{{DeviceName}}", SCOPE(DEVICE, IOS), "upn:host/laptop-7");
    assert_made("UPN = a=b", SCOPE(DEVICE, IOS), "upn:a=b");
}

TEST(a_row_that_is_none_is_refused_with_what_is_allowed)
{
    static const char *const users[] = {
        "", "DNS", "email = x", "UPN = {{UserName}}", "uri", "email,UPN", "="
    };
    static const char *const devices[] = { "", "DNS", "email", "uri = x", "DNS name", "= x", "DNS : x" };
    struct san_row row = { 0 };
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++) {
        ASSERT_ERR(ERR_PROFILE, san_row_parse(bytes_str(users[i]), SCOPE(USER, IOS), &row, &why), &why);
        assert_non_null(strstr(why.text, "allowed is \"email\" or \"UPN\""));
        ASSERT_ERR(ERR_PROFILE, san_row_parse(bytes_str(devices[i]), SCOPE(DEVICE, IOS), &row, &why), &why);
        assert_non_null(strstr(why.text, "allowed is \"DNS = TEXT\""));
        assert_null(row.text);
    }
}

TEST(a_row_is_written_in_one_way)
{
    static const char *const rows[][2] = { { "dns NAME={{DeviceName}}", "DNS = {{DeviceName}}" },
                                           { "E-mail address =  a@b ", "email = a@b" } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_VAL(san_row) row = { 0 };
        AUTO_BUF text = { 0 };
        struct why why = { 0 };
        ASSERT_OK(san_row_parse(bytes_str(rows[i][0]), SCOPE(DEVICE, IOS), &row, &why), &why);
        san_row_append(&text, &row);
        assert_string_equal(buf_text(&text), rows[i][1]);
    }
}

TEST(static_text_has_no_braces_bars_or_semicolons)
{
    static const char *const rows[] = { "DNS = a|b.example", "DNS = a;b.example",     "DNS = {a}.example",
                                        "DNS = a}.example",  "DNS = {{DeviceName}}{", "UPN = a;b",
                                        "UPN = |",           "DNS = {{Nonsense}}",    "DNS = {{UserName}}" };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct buf none = { 0 };
        struct why why = { 0 };
        ASSERT_ERR(ERR_PROFILE, make(rows[i], SCOPE(DEVICE, IOS), NULL, &none, &why), &why);
        ASSERT_ERR(ERR_PROFILE, make(rows[i], SCOPE(DEVICE, IOS), fixture_holder(), &none, &why), &why);
        assert_null(none.data);
    }
}

/* A name that the device chose for itself adds none and changes no kind. */
TEST(a_value_is_one_name_of_its_kind_or_none)
{
    static const char *const refused[] = {
        "a,dns:evil.example", "evil.example;dns", "a b", "a\n", "-a", "", "*", "a..b", "{{", "\xc3\xbc"
    };
    static const char *const kept[] = {
        "x;2+evil@example.test", "x,upn:admin@corp.test", "{{UserName}}", "a|b", "\"", "a=b"
    };
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        struct device device = { .name = (char *)refused[i] };
        struct holder holder = { NULL, &device };
        struct buf none = { 0 };
        enum err wanted = refused[i][0] ? ERR_PROFILE_DEVICE : ERR_PROFILE_VALUE;
        ASSERT_ERR(wanted, make("DNS = {{DeviceName}}.example", SCOPE(DEVICE, IOS), &holder, &none, &why),
                   &why);
        assert_null(none.data);
    }
    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
        struct device device = { .name = (char *)kept[i] };
        struct holder holder = { NULL, &device };
        struct san_name name, second;
        AUTO_BUF names = { 0 };
        ASSERT_OK(make("UPN = {{DeviceName}}", SCOPE(DEVICE, IOS), &holder, &names, &why), &why);
        struct der_reader reader = san_reader_over(buf_bytes(&names));
        assert_true(san_next(&reader, &name));
        assert_false(san_next(&reader, &second));
        assert_true(oid_is(name.other_type, OID_MS_UPN));
        ASSERT_BYTES(name.value, bytes_str(kept[i]));
    }
}

/* "*" passes every rule for DNS names. */
TEST(a_device_does_not_become_a_wildcard)
{
    struct device device = { .name = "*" };
    struct holder holder = { NULL, &device };
    struct buf none = { 0 };
    struct why why = { 0 };
    ASSERT_ERR(ERR_PROFILE_DEVICE,
               make("DNS = {{DeviceName}}.domain.com", SCOPE(DEVICE, IOS), &holder, &none, &why), &why);
    assert_string_equal(
        why.text, "\"*.domain.com\" would be a wildcard, which {{DeviceName}}.domain.com does not have");
    assert_null(none.data);
    device.name = "*.domain.com";
    ASSERT_ERR(ERR_PROFILE_DEVICE, make("DNS = {{DeviceName}}", SCOPE(DEVICE, IOS), &holder, &none, &why),
               &why);
    assert_null(none.data);
    assert_made("DNS = *.{{DeviceName}}.domain.com", SCOPE(DEVICE, IOS), "dns:*.laptop-7.domain.com");
}

TEST(what_is_a_name_on_no_device_is_refused_when_saved)
{
    static const char *const rows[] = { "DNS = {{DeviceName}} x",
                                        "email = {{AAD_Device_ID}}",
                                        "email = {{DeviceName}}",
                                        "DNS = .{{DeviceName}}",
                                        "DNS =",
                                        "UPN = ",
                                        "email = a@b@c" };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct buf none = { 0 };
        struct why why = { 0 };
        ASSERT_ERR(ERR_PROFILE, make(rows[i], SCOPE(DEVICE, IOS), NULL, &none, &why), &why);
        assert_null(none.data);
    }
}

TEST(rows_make_one_extension_in_their_order)
{
    const struct scope *scope = SCOPE(DEVICE, IOS);
    struct san_row rows[] = { { SAN_ATTRIBUTE_DNS, "{{DeviceName}}.a.test" },
                              { SAN_ATTRIBUTE_UPN, "u" },
                              { SAN_ATTRIBUTE_DNS, "b.test" } };
    AUTO_BUF names = { 0 }, text = { 0 }, none = { 0 };
    struct why why = { 0 };
    ASSERT_OK(san_make(rows, 3, scope, fixture_holder(), &names, &why), &why);
    san_append_text(&text, buf_bytes(&names));
    assert_string_equal(buf_text(&text), "dns:laptop-7.a.test, upn:u, dns:b.test");
    ASSERT_OK(san_make(rows, 0, scope, fixture_holder(), &none, &why), &why);
    assert_int_equal(none.len, 0);
}

RUN(T(rows_of_the_guides_are_names), T(a_row_that_is_none_is_refused_with_what_is_allowed),
    T(a_row_is_written_in_one_way), T(static_text_has_no_braces_bars_or_semicolons),
    T(a_value_is_one_name_of_its_kind_or_none), T(a_device_does_not_become_a_wildcard),
    T(what_is_a_name_on_no_device_is_refused_when_saved), T(rows_make_one_extension_in_their_order))
