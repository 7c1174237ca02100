/* SPDX-License-Identifier: Apache-2.0 */
/* Counting by address: windows, networks, and the end of a cell. */
#include "base/tally.h"

#include "base/auto.h"
#include "tests/unit/test.h"

#define WINDOW_MS 1000

static struct tally *tally_make(void)
{
    struct tally *tally = NULL;
    struct why why;
    ASSERT_OK(tally_new(WINDOW_MS, &tally, &why), &why);
    return tally;
}

TEST(each_address_is_counted_by_itself_and_all_together)
{
    struct tally *tally = tally_make();
    for (unsigned i = 1; i <= 3; i++) {
        struct tally_count count = tally_add(tally, "192.0.2.1", 0);
        assert_int_equal(count.address, i);
        assert_int_equal(count.total, i);
    }
    assert_int_equal(tally_add(tally, "192.0.2.2", 0).address, 1);
    assert_int_equal(tally_now(tally, "192.0.2.1", 0).address, 3);
    assert_int_equal(tally_now(tally, "192.0.2.3", 0).address, 0);
    assert_int_equal(tally_now(tally, "192.0.2.3", 0).total, 4);
    tally_free(tally);
}

TEST(a_window_ends_to_the_millisecond)
{
    struct tally *tally = tally_make();
    tally_add(tally, "192.0.2.1", 5);
    assert_int_equal(tally_now(tally, "192.0.2.1", 5 + WINDOW_MS - 1).address, 1);
    assert_int_equal(tally_now(tally, "192.0.2.1", 5 + WINDOW_MS).address, 0);
    assert_int_equal(tally_now(tally, "192.0.2.1", 5 + WINDOW_MS).total, 0);
    tally_free(tally);
}

TEST(a_network_of_ipv6_is_one_and_a_mapped_address_is_ipv4)
{
    struct tally *tally = tally_make();
    tally_add(tally, "2001:db8:1:2::1", 0);
    assert_int_equal(tally_add(tally, "2001:db8:1:2:9::9%13", 0).address, 2);
    assert_int_equal(tally_add(tally, "2001:db8:1:3::1", 0).address, 1);
    tally_add(tally, "192.0.2.1", 0);
    assert_int_equal(tally_add(tally, "::ffff:192.0.2.1", 0).address, 2);
    tally_free(tally);
}

TEST(a_count_stops_where_its_cell_is_full)
{
    struct tally *tally = tally_make();
    struct tally_count count = { 0 };
    for (int i = 0; i < UINT16_MAX + 2; i++)
        count = tally_add(tally, "192.0.2.1", 0);
    assert_int_equal(count.address, UINT16_MAX);
    assert_int_equal(count.total, UINT16_MAX + 2);
    tally_free(tally);
}

RUN(T(each_address_is_counted_by_itself_and_all_together), T(a_window_ends_to_the_millisecond),
    T(a_network_of_ipv6_is_one_and_a_mapped_address_is_ipv4), T(a_count_stops_where_its_cell_is_full))
