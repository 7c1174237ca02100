/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks that stand still, and the calendar against the C library's. */
#include "tests/unit/test.h"

#include "base/clock.h"

TEST(a_held_clock_stands_still_until_it_is_moved)
{
    struct clock clock = clock_held_at(1000);
    assert_int_equal(1000, clock_now(&clock));
    clock.held = 5;
    assert_int_equal(5, clock_now(&clock));
}

TEST(the_system_clock_is_the_system_s)
{
    int64_t before = time(NULL), now = clock_now(&clock_system);
    assert_true(now >= before && now <= time(NULL) + 1);
    int64_t mono = clock_mono_us();
    assert_true(clock_mono_us() >= mono);
    assert_true(clock_mono_ms() >= mono / 1000);
}

static void compare_with_libc(int64_t utc)
{
    struct tm tm;
    time_t at = (time_t)utc;
    assert_non_null(gmtime_r(&at, &tm));
    struct calendar c = calendar_of(utc);
    assert_int_equal(tm.tm_year + 1900, c.year);
    assert_int_equal(tm.tm_mon + 1, c.month);
    assert_int_equal(tm.tm_mday, c.day);
    assert_int_equal(tm.tm_hour, c.hour);
    assert_int_equal(tm.tm_min, c.minute);
    assert_int_equal(tm.tm_sec, c.second);
    assert_int_equal(utc, calendar_utc(&c));
}

TEST(every_day_of_1200_years_agrees_with_the_c_library)
{
    for (int64_t day = -300 * 365; day < 900 * 366; day++)
        compare_with_libc(day * 86400 + (day & 0xFFFF));
}

TEST(edges_of_years_ages_and_32_bits_agree)
{
    static const int64_t edges[] = { 0,
                                     -1,
                                     1,
                                     INT32_MAX,
                                     (int64_t)INT32_MAX + 1,
                                     INT32_MIN,
                                     951782399,
                                     951782400,
                                     951868799,
                                     951868800,
                                     2524607999,
                                     2524608000,
                                     4107542399,
                                     4107542400,
                                     253402300799,
                                     -62167219200,
                                     -62167219201 };
    for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++)
        compare_with_libc(edges[i]);
}

TEST(rfc3339_is_utc_with_z)
{
    char text[21];
    clock_rfc3339(0, text);
    assert_string_equal("1970-01-01T00:00:00Z", text);
    clock_rfc3339(2524608000, text);
    assert_string_equal("2050-01-01T00:00:00Z", text);
    clock_rfc3339(253402300799, text);
    assert_string_equal("9999-12-31T23:59:59Z", text);
    clock_rfc3339(-1, text);
    assert_string_equal("1969-12-31T23:59:59Z", text);
}

TEST(rfc3339_stays_inside_its_room_for_absurd_times)
{
    char text[22];
    text[21] = '!';
    clock_rfc3339(INT64_MAX / 2, text);
    assert_int_equal('!', text[21]);
    assert_true(strlen(text) <= 20);
}

TEST(rfc3339_is_read_as_it_is_written)
{
    static const int64_t times[] = { 0, 951782400, 2524608000, 253402300799, -1 };
    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        char text[21];
        int64_t read = 7;
        clock_rfc3339(times[i], text);
        assert_true(clock_from_rfc3339(bytes_str(text), &read));
        assert_int_equal(times[i], read);
    }
}

TEST(other_forms_and_times_that_are_none_are_not_read)
{
    static const char *const wrong[] = { "",
                                         "2026-02-29T00:00:00Z",
                                         "2026-13-01T00:00:00Z",
                                         "2026-00-01T00:00:00Z",
                                         "2026-01-00T00:00:00Z",
                                         "2026-01-01T24:00:00Z",
                                         "2026-01-01T00:60:00Z",
                                         "2026-01-01T00:00:60Z",
                                         "2026-01-01 00:00:00Z",
                                         "2026-01-01T00:00:00z",
                                         "2026-01-01T00:00:00",
                                         "2026-01-01T00:00:00Zx",
                                         "2026-1-01T00:00:000Z",
                                         " 026-01-01T00:00:00Z" };
    int64_t read = 7;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_false(clock_from_rfc3339(bytes_str(wrong[i]), &read));
    assert_int_equal(7, read);
}

RUN(T(a_held_clock_stands_still_until_it_is_moved), T(the_system_clock_is_the_system_s),
    T(every_day_of_1200_years_agrees_with_the_c_library), T(edges_of_years_ages_and_32_bits_agree),
    T(rfc3339_is_utc_with_z), T(rfc3339_stays_inside_its_room_for_absurd_times),
    T(rfc3339_is_read_as_it_is_written), T(other_forms_and_times_that_are_none_are_not_read))
