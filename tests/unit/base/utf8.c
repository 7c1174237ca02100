/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: the well-formed forms and each way to be ill-formed (RFC 3629). */
#include "tests/unit/test.h"

#include "base/utf8.h"

TEST(boundary_code_points_of_each_length_are_read)
{
    static const struct {
        const char *text;
        size_t len;
        uint32_t point;
    } cases[] = {
        { "\x00", 1, 0 },
        { "\x7F", 1, 0x7F },
        { "\xC2\x80", 2, 0x80 },
        { "\xDF\xBF", 2, 0x7FF },
        { "\xE0\xA0\x80", 3, 0x800 },
        { "\xED\x9F\xBF", 3, 0xD7FF },
        { "\xEE\x80\x80", 3, 0xE000 },
        { "\xEF\xBF\xBF", 3, 0xFFFF },
        { "\xF0\x90\x80\x80", 4, 0x10000 },
        { "\xF4\x8F\xBF\xBF", 4, 0x10FFFF },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint32_t point = 1;
        assert_int_equal(cases[i].len, utf8_sequence(bytes_of(cases[i].text, cases[i].len), &point));
        assert_int_equal(cases[i].point, point);
    }
}

TEST(ill_formed_sequences_are_refused)
{
    static const char *const cases[] = {
        "\x80",
        "\xBF",
        "\xC0\xAF",
        "\xC1\xBF",
        "\xC2",
        "\xC2\x41",
        "\xE0\x80\xAF",
        "\xE0\x9F\xBF",
        "\xE2\x82",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xF0\x80\x80\xAF",
        "\xF0\x8F\xBF\xBF",
        "\xF0\x90\x80",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xF8\x88\x80\x80\x80",
        "\xFE",
        "\xFF",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint32_t point;
        if (utf8_sequence(bytes_str(cases[i]), &point) != 0 || utf8_is_valid(bytes_str(cases[i])))
            fail_msg("ill-formed sequence %zu was taken", i);
    }
    uint32_t point;
    assert_int_equal(0, utf8_sequence(BYTES_NONE, &point));
}

TEST(text_is_valid_as_a_whole_and_without_nul)
{
    assert_true(utf8_is_valid(BYTES_NONE));
    assert_true(utf8_is_valid(BYTES_LIT("M\xC3\xBCller \xE6\x97\xA5\xF0\x9F\x94\x91")));
    assert_false(utf8_is_valid(BYTES_LIT("a\0b")));
    assert_false(utf8_is_valid(BYTES_LIT("ok\xC3")));
    assert_false(utf8_is_valid(BYTES_LIT("ok\xFFok")));
}

RUN(T(boundary_code_points_of_each_length_are_read), T(ill_formed_sequences_are_refused),
    T(text_is_valid_as_a_whole_and_without_nul))
