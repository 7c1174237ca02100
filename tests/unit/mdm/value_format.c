/* SPDX-License-Identifier: Apache-2.0 */
/* Texts with variables. */
#include "mdm/value_format.h"
#include "base/limits.h"
#include "tests/unit/mdm/fixture.h"

static enum err expand(const char *text, const struct holder *holder, struct buf *ret, struct why *why)
{
    struct value_format format = { bytes_str(text), SCOPE(DEVICE, WINDOWS_10), "|;" };
    return value_format_expand(&format, holder, ret, why);
}

TEST(variables_are_filled_in_and_all_else_stays)
{
    static const char *const rows[][2] = {
        { "", "" },
        { "static", "static" },
        { "{{DeviceName}}", "laptop-7" },
        { "{{DeviceName}}text", "laptop-7text" },
        { "{{AzureADDeviceId}}.domain.com", "33333333-3333-4333-8333-333333333333.domain.com" },
        { "{{IMEI}}{{MEID}}", "490154203237518A0000012345678" },
        { "a {{IMEI}} b {{IMEI}} c", "a 490154203237518 b 490154203237518 c" },
        { "=,+\"\\#<>$%", "=,+\"\\#<>$%" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF out = { 0 };
        struct why why = { 0 };
        ASSERT_OK(expand(rows[i][0], fixture_holder(), &out, &why), &why);
        assert_string_equal(buf_text(&out), rows[i][1]);
    }
}

TEST(braces_that_enclose_no_variable_are_refused_where_they_are)
{
    static const struct {
        const char *text;
        int column;
    } rows[] = {
        { "{", 1 },
        { "}", 1 },
        { "a}b", 2 },
        { "{DeviceName}", 1 },
        { "{{DeviceName}", 1 },
        { "{{DeviceName", 1 },
        { "x{{", 2 },
        { "{{DeviceName}}}", 15 },
        { "{{{DeviceName}}}", 1 },
        { "{{Device{Name}}", 1 },
        { "{{Device}Name}}", 1 },
        { "{{IMEI}}{", 9 },
        { "{{IMEI}}-}}", 10 },
        { "{{", 1 },
        { "}}", 1 },
        { "{{IMEI}x}", 1 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct buf out = { 0 };
        struct why why = { 0 };
        AUTO_STR column = xasprintf("at column %d;", rows[i].column);
        ASSERT_ERR(ERR_PROFILE, expand(rows[i].text, fixture_holder(), &out, &why), &why);
        if (!strstr(why.text, column) || !strstr(why.text, rows[i].text) || !strstr(why.text, "{{Name}}"))
            fail_msg("%s: %s", rows[i].text, why.text);
        assert_null(out.data);
    }
}

TEST(characters_that_are_refused_are_so_in_static_text_alone)
{
    static const char *const rows[] = { "a|b", "a;b", ";", "{{IMEI}}|", "|{{IMEI}}" };
    struct device device = *fixture_device();
    struct holder holder = { NULL, &device };
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct buf none = { 0 };
        ASSERT_ERR(ERR_PROFILE, expand(rows[i], fixture_holder(), &none, &why), &why);
        assert_non_null(strstr(why.text, "{ } | ;"));
    }
    device.name = "a|b;c{d}{{IMEI}}";
    AUTO_BUF out = { 0 };
    ASSERT_OK(expand("{{DeviceName}}", &holder, &out, &why), &why);
    assert_string_equal(buf_text(&out), device.name);
}

TEST(an_unknown_variable_is_refused_before_anything_is_filled_in)
{
    struct why why = { 0 };
    struct buf none = { 0 };
    ASSERT_ERR(ERR_PROFILE, expand("{{DeviceName}}{{Password}}", fixture_holder(), &none, &why), &why);
    assert_non_null(strstr(why.text, "{{Password}} is no variable"));
    assert_null(none.data);
    ASSERT_ERR(ERR_PROFILE, expand("{{}}", fixture_holder(), &none, &why), &why);
    ASSERT_ERR(ERR_PROFILE, expand("{{ DeviceName }}", fixture_holder(), &none, &why), &why);
}

TEST(a_text_has_1024_octets_at_most_when_filled_in)
{
    char name[LIMIT_STRING_BYTES + 1];
    struct device device = { .name = name };
    struct holder holder = { NULL, &device };
    struct why why = { 0 };
    AUTO_BUF at = { 0 };
    struct buf past = { 0 };
    memset(name, 'n', sizeof(name));
    name[LIMIT_STRING_BYTES - 1] = '\0';
    ASSERT_OK(expand("a{{DeviceName}}", &holder, &at, &why), &why);
    assert_int_equal(at.len, LIMIT_STRING_BYTES);
    ASSERT_ERR(ERR_PROFILE_DEVICE, expand("ab{{DeviceName}}", &holder, &past, &why), &why);
    assert_non_null(strstr(why.text, "1025 octets or more, limit 1024"));
    assert_null(past.data);
}

TEST(without_a_holder_the_samples_stand_for_the_values)
{
    AUTO_BUF out = { 0 };
    struct why why = { 0 };
    ASSERT_OK(expand("{{DeviceName}}-{{FullyQualifiedDomainName}}", NULL, &out, &why), &why);
    assert_string_equal(buf_text(&out), "a-a.b");
}

TEST(a_distinguished_name_is_no_part_of_a_text)
{
    struct value_format format = { BYTES_LIT("{{OnPrem_Distinguished_Name}}"), SCOPE(USER, IOS), "" };
    struct value_format more = { BYTES_LIT("{{OnPrem_Distinguished_Name}}x"), SCOPE(USER, IOS), "" };
    const struct variable *only;
    struct why why = { 0 };
    struct buf none = { 0 };
    ASSERT_ERR(ERR_PROFILE, value_format_expand(&format, fixture_holder(), &none, &why), &why);
    assert_non_null(strstr(why.text, "a whole name"));
    ASSERT_OK(value_format_only(&format, &only, &why), &why);
    assert_true(only && only->is_name);
    ASSERT_OK(value_format_only(&more, &only, &why), &why);
    assert_null(only);
    more.text = BYTES_LIT("text");
    ASSERT_OK(value_format_only(&more, &only, &why), &why);
    assert_null(only);
    more.text = BYTES_NONE;
    ASSERT_OK(value_format_only(&more, &only, &why), &why);
    assert_null(only);
}

RUN(T(variables_are_filled_in_and_all_else_stays),
    T(braces_that_enclose_no_variable_are_refused_where_they_are),
    T(characters_that_are_refused_are_so_in_static_text_alone),
    T(an_unknown_variable_is_refused_before_anything_is_filled_in),
    T(a_text_has_1024_octets_at_most_when_filled_in), T(without_a_holder_the_samples_stand_for_the_values),
    T(a_distinguished_name_is_no_part_of_a_text))
