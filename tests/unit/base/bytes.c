/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers and comparisons of bytes. */
#include "tests/unit/test.h"

#include "base/auto.h"

TEST(equal_compares_length_and_content)
{
    assert_true(bytes_equal(BYTES_LIT("abc"), BYTES_LIT("abc")));
    assert_false(bytes_equal(BYTES_LIT("abc"), BYTES_LIT("abd")));
    assert_false(bytes_equal(BYTES_LIT("abc"), BYTES_LIT("ab")));
    assert_true(bytes_equal(BYTES_NONE, BYTES_LIT("")));
    assert_false(bytes_equal(BYTES_NONE, BYTES_LIT("a")));
}

TEST(compare_orders_as_memcmp_and_a_prefix_first)
{
    assert_true(bytes_compare(BYTES_LIT("ab"), BYTES_LIT("abc")) < 0);
    assert_true(bytes_compare(BYTES_LIT("abc"), BYTES_LIT("ab")) > 0);
    assert_true(bytes_compare(BYTES_LIT("b"), BYTES_LIT("abc")) > 0);
    assert_true(bytes_compare(BYTES_LIT("\x7F"), BYTES_LIT("\x80")) < 0);
    assert_int_equal(0, bytes_compare(BYTES_NONE, BYTES_LIT("")));
    assert_true(bytes_compare(BYTES_NONE, BYTES_LIT("a")) < 0);
}

TEST(append_grows_and_keeps_what_was_there)
{
    AUTO_BUF buf = { 0 };
    for (int i = 0; i < 1000; i++)
        buf_append_byte(&buf, (uint8_t)i);
    assert_int_equal(1000, buf.len);
    assert_true(buf.cap >= buf.len);
    for (int i = 0; i < 1000; i++)
        assert_int_equal((uint8_t)i, buf.data[i]);
}

TEST(append_of_nothing_needs_no_memory)
{
    AUTO_BUF buf = { 0 };
    buf_append(&buf, BYTES_NONE);
    buf_append_str(&buf, "");
    assert_null(buf.data);
}

TEST(printf_appends_short_and_long_text)
{
    AUTO_BUF buf = { 0 };
    buf_append_str(&buf, "<");
    buf_printf(&buf, "%d-%s", 7, "x");
    ASSERT_BYTES(buf_bytes(&buf), BYTES_LIT("<7-x"));
    buf_printf(&buf, "%0300d", 1);
    assert_int_equal(304, buf.len);
    assert_int_equal('1', buf.data[303]);
    assert_int_equal('0', buf.data[4]);
}

TEST(printf_fills_the_room_it_asked_for_to_the_last_octet)
{
    for (int width = 100; width < 140; width++) {
        AUTO_BUF buf = { 0 };
        buf_printf(&buf, "%0*d", width, 1);
        assert_int_equal(width, buf.len);
        assert_int_equal('1', buf.data[width - 1]);
    }
}

TEST(text_ends_in_nul_that_is_not_counted)
{
    AUTO_BUF buf = { 0 };
    assert_string_equal("", buf_text(&buf));
    for (int i = 0; i < 64; i++)
        buf_append_byte(&buf, 'a'); /* exactly the first capacity */
    assert_int_equal(64, strlen(buf_text(&buf)));
    assert_int_equal(64, buf.len);
}

TEST(clear_keeps_memory_and_free_resets)
{
    struct buf buf = buf_dup(BYTES_LIT("abc"));
    uint8_t *data = buf.data;
    buf_clear(&buf);
    assert_int_equal(0, buf.len);
    assert_ptr_equal(data, buf.data);
    buf_free(&buf);
    assert_null(buf.data);
    assert_int_equal(0, buf.cap);
    buf_free(&buf);
    buf_free(NULL);
    buf_wipe(&buf);
    buf_wipe(NULL);
}

TEST(take_hands_over_and_leaves_nothing_behind)
{
    AUTO_BUF from = buf_dup(BYTES_LIT("abc"));
    AUTO_BUF to = TAKE_BUF(from);
    assert_null(from.data);
    ASSERT_BYTES(buf_bytes(&to), BYTES_LIT("abc"));
}

TEST(allocators_copy_and_format)
{
    AUTO_STR copy = xstrndup("abcdef", 3);
    AUTO_STR formatted = xasprintf("%s-%03d", copy, 5);
    assert_string_equal("abc", copy);
    assert_string_equal("abc-005", formatted);
    AUTO_STR empty = xstrndup(NULL, 0);
    assert_string_equal("", empty);
    uint8_t *zeroed = xcalloc(4, 8);
    for (int i = 0; i < 32; i++)
        assert_int_equal(0, zeroed[i]);
    free(zeroed);
    free(xmalloc(0));
}

RUN(T(equal_compares_length_and_content), T(compare_orders_as_memcmp_and_a_prefix_first),
    T(append_grows_and_keeps_what_was_there), T(append_of_nothing_needs_no_memory),
    T(printf_appends_short_and_long_text), T(printf_fills_the_room_it_asked_for_to_the_last_octet),
    T(text_ends_in_nul_that_is_not_counted), T(clear_keeps_memory_and_free_resets),
    T(take_hands_over_and_leaves_nothing_behind), T(allocators_copy_and_format))
