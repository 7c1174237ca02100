/* SPDX-License-Identifier: Apache-2.0 */
/* Query parameters as devices write them. */
#include "http/query.h"

#include "base/auto.h"
#include "tests/unit/test.h"

static void assert_value(const char *query, const char *name, const char *expected)
{
    AUTO_BUF value = { 0 };
    bool malformed = true;
    assert_true(query_get(bytes_str(query), name, &value, &malformed));
    assert_false(malformed);
    ASSERT_BYTES(bytes_str(expected), buf_bytes(&value));
}

static void assert_absent(const char *query, const char *name, bool expected_malformed)
{
    struct buf value = { 0 };
    bool malformed = !expected_malformed;
    assert_false(query_get(bytes_str(query), name, &value, &malformed));
    assert_int_equal(expected_malformed, malformed);
    assert_null(value.data);
}

TEST(literal_plus_stays_and_escapes_are_decoded)
{
    assert_value("operation=PKIOperation&message=MIA+/g%3D%3D", "message", "MIA+/g==");
    assert_value("message=a%20b%0A%0a%2B", "message", "a b\n\n+");
    assert_value("message=a=b==", "message", "a=b==");
}

TEST(first_of_equal_names_counts_and_names_compare_exactly)
{
    assert_value("a=1&a=2", "a", "1");
    assert_value("aa=1&a=2&&", "a", "2");
    assert_absent("A=1", "a", false);
    assert_absent("aa=1&ba=2", "a", false);
    assert_absent("", "a", false);
}

TEST(empty_values_are_there)
{
    assert_value("a=&b=2", "a", "");
    assert_value("a&b=2", "a", "");
    assert_value("b=2&a", "a", "");
}

TEST(bad_escapes_are_told)
{
    assert_absent("a=%", "a", true);
    assert_absent("a=%4", "a", true);
    assert_absent("a=%4&b=1", "a", true);
    assert_absent("a=%G0", "a", true);
    assert_absent("a=%0G", "a", true);
    assert_absent("a=%%41", "a", true);
    assert_value("a=%zz&b=1", "b", "1");
}

TEST(nul_is_a_byte_like_others)
{
    AUTO_BUF value = { 0 };
    assert_true(percent_decode(BYTES_LIT("a%00b"), &value));
    ASSERT_BYTES(BYTES_LIT("a\0b"), buf_bytes(&value));
}

TEST(parameters_come_one_by_one)
{
    struct bytes rest = BYTES_LIT("a=1&b&=c&&d=");
    static const struct {
        const char *name, *value;
        bool has_value;
    } expected[] = {
        { "a", "1", true }, { "b", "", false }, { "", "c", true }, { "", "", false }, { "d", "", true }
    };
    struct parameter got;
    for (size_t i = 0; i < 5; i++) {
        assert_true(query_next(&rest, &got));
        ASSERT_BYTES(bytes_str(expected[i].name), got.name);
        ASSERT_BYTES(bytes_str(expected[i].value), got.value);
        assert_int_equal(expected[i].has_value, got.has_value);
    }
    assert_false(query_next(&rest, &got));
}

RUN(T(literal_plus_stays_and_escapes_are_decoded), T(first_of_equal_names_counts_and_names_compare_exactly),
    T(empty_values_are_there), T(bad_escapes_are_told), T(nul_is_a_byte_like_others),
    T(parameters_come_one_by_one))
