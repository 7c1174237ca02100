/* SPDX-License-Identifier: Apache-2.0 */
/* Dates of HTTP, and entity tags as clients name them. */
#include "http/date.h"
#include "base/auto.h"
#include "tests/unit/test.h"

TEST(a_date_is_written_and_read_in_one_form)
{
    AUTO_BUF text = { 0 };
    int64_t utc = 0;
    http_date_append(&text, 784111777);
    assert_string_equal(buf_text(&text), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_true(http_date_parse(buf_bytes(&text), &utc));
    assert_int_equal(utc, 784111777);
}

TEST(other_dates_are_none)
{
    static const char *const bad[] = {
        "",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Mon, 06 Nov 1994 08:49:37 GMT", /* it was a Sunday */
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 36 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nvo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 19x4 08:49:37 GMT",
        "Sun, 06 Nov 0004 08:49:37 GMT",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        int64_t utc = -7;
        assert_false(http_date_parse(bytes_str(bad[i]), &utc));
        assert_int_equal(utc, -7);
    }
}

static bool named(const char *list)
{
    return http_etag_is_named(bytes_str(list), BYTES_LIT("\"AB\""));
}

TEST(an_entity_tag_is_found_in_a_list)
{
    assert_true(named("\"AB\""));
    assert_true(named("W/\"AB\""));
    assert_true(named("\"x\", W/\"y\" , \"AB\""));
    assert_true(named("*"));
}

TEST(another_entity_tag_is_not_found)
{
    static const char *const others[] = {
        "", "AB", "\"ab\"", "\"AB", "W/", "\"A\"B\"", "\"x\",,", "w/\"AB\""
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        assert_false(named(others[i]));
}

RUN(T(a_date_is_written_and_read_in_one_form), T(other_dates_are_none), T(an_entity_tag_is_found_in_a_list),
    T(another_entity_tag_is_not_found))
