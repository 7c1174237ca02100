/* SPDX-License-Identifier: Apache-2.0 */
/* What was sealed is found with its place, what was not is not, and each serial costs little memory. */
#include "signer/sealed.h"

#include "tests/unit/test.h"
#include <malloc.h>

static struct sealed_key key_of(unsigned serial)
{
    struct sealed_key key;
    struct why why;
    ASSERT_OK(sealed_key_make(BYTES_LIT("issuing"), bytes_of(&serial, sizeof(serial)), &key, &why), &why);
    return key;
}

TEST(fifty_thousand_serials_are_found_each_at_its_place_and_no_other)
{
    AUTO(sealed_set) set = sealed_set_new();
    uint64_t offset;
    for (unsigned i = 0; i < 50000; i++) {
        struct sealed_key key = key_of(i);
        assert_false(sealed_set_find(set, &key, &offset));
        sealed_set_add(set, &key, 20 + (uint64_t)i * 1400);
    }
    for (unsigned i = 0; i < 50000; i++) {
        struct sealed_key key = key_of(i);
        assert_true(sealed_set_find(set, &key, &offset));
        assert_int_equal(offset, 20 + (uint64_t)i * 1400);
    }
    for (unsigned i = 50000; i < 60000; i++) {
        struct sealed_key key = key_of(i);
        assert_false(sealed_set_find(set, &key, &offset));
    }
}

TEST(the_same_serial_of_another_ca_is_another)
{
    AUTO(sealed_set) set = sealed_set_new();
    struct sealed_key one = key_of(7), other;
    struct why why;
    uint64_t offset;
    unsigned serial = 7;
    ASSERT_OK(sealed_key_make(BYTES_LIT("other"), bytes_of(&serial, sizeof(serial)), &other, &why), &why);
    sealed_set_add(set, &one, 20);
    assert_false(sealed_set_find(set, &other, &offset));
}

TEST(a_serial_that_is_added_again_moves)
{
    AUTO(sealed_set) set = sealed_set_new();
    struct sealed_key key = key_of(1);
    uint64_t offset;
    sealed_set_add(set, &key, 20);
    sealed_set_add(set, &key, SEALED_OFFSET_MAX);
    assert_true(sealed_set_find(set, &key, &offset));
    assert_int_equal(offset, SEALED_OFFSET_MAX);
}

#ifndef __SANITIZE_ADDRESS__ /* mallinfo is glibc's */
TEST(a_serial_costs_twenty_octets_and_no_more)
{
    enum { SERIALS = 300000 };
    AUTO(sealed_set) set = sealed_set_new();
    struct sealed_key key = { 0 };
    struct mallinfo2 before = mallinfo2();
    for (uint64_t i = 0; i < SERIALS; i++) {
        uint64_t mixed = i * 0x9E3779B97F4A7C15u;
        memcpy(key.bytes, &mixed, sizeof(mixed));
        key.bytes[15] = (uint8_t)(mixed >> 20);
        sealed_set_add(set, &key, i + 1);
    }
    struct mallinfo2 after = mallinfo2();
    size_t used = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    assert_in_range(used, SERIALS * 12, SERIALS * 20);
}
#define MEMORY_TESTS , T(a_serial_costs_twenty_octets_and_no_more)
#else
#define MEMORY_TESTS
#endif

RUN(T(fifty_thousand_serials_are_found_each_at_its_place_and_no_other),
    T(the_same_serial_of_another_ca_is_another), T(a_serial_that_is_added_again_moves) MEMORY_TESTS)
