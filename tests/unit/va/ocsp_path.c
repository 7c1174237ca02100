/* SPDX-License-Identifier: Apache-2.0 */
/* Requests in paths, as clients write them. */
#include "va/ocsp_path.h"
#include "base/auto.h"
#include "base/limits.h"
#include "tests/unit/test.h"

static const uint8_t der[] = {
    0x30, 0xFB, 0xEF, 0xBE, 0xFF, 0xFF
};                                                  /* base64 MPvvvv// : with '/' at its end */
static const uint8_t plus[] = { 0x30, 0xFB, 0xE0 }; /* MPvg */

static void is(const char *rest, struct bytes expected)
{
    AUTO_BUF decoded = { 0 };
    if (!ocsp_path_decode(bytes_str(rest), &decoded))
        fail_msg("%s is not decoded", rest);
    ASSERT_BYTES(buf_bytes(&decoded), expected);
}

TEST(every_spelling_of_base64_in_a_path_is_read)
{
    is("/MPvvvv//", BYTES_ARR(der));
    is("//MPvvvv//", BYTES_ARR(der)); /* a URL that ends in a slash */
    is("///MPvvvv//", BYTES_ARR(der));
    is("/MPvvvv%2F%2f", BYTES_ARR(der));
    is("/%4dPvvvv%2F/", BYTES_ARR(der));
    is("/MPvvvv__", BYTES_ARR(der)); /* base64url */
    is("/MPvg", BYTES_ARR(plus));
    is("/MPvg%0D%0A", BYTES_ARR(plus)); /* a line end inside */
    static const uint8_t two[] = { 0x30, 0xFB, 0xEF, 0xBE };
    is("/MPvvvg==", BYTES_ARR(two));
    is("/MPvvvg%3D%3d", BYTES_ARR(two));
    is("/MPvvvg", BYTES_ARR(two)); /* without its padding */
    static const uint8_t sum[] = { 0x30, 0x0F, 0xBE };
    is("/MA++", BYTES_ARR(sum));
    is("/MA%2B+", BYTES_ARR(sum));
    is("/MA%20%20", BYTES_ARR(sum)); /* what a form decoder makes of '+' */
    is("/MA--", BYTES_ARR(sum));
}

TEST(what_is_no_base64_is_not_read)
{
    static const char *const bad[] = { "",         "/",        "//",    "/%",
                                       "/M",       "/MPvg?",   "/MPv*", "/%00%00%00%00",
                                       "/MPvg/=x", "/MPvg====" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        AUTO_BUF decoded = { 0 };
        if (ocsp_path_decode(bytes_str(bad[i]), &decoded))
            fail_msg("%s is decoded", bad[i]);
    }
}

TEST(a_path_is_read_up_to_the_longest_that_a_request_can_need)
{
    AUTO_BUF rest = { 0 };
    buf_append_byte(&rest, '/');
    while (rest.len < 4 * LIMIT_OCSP_REQUEST_BYTES - 3)
        buf_append_str(&rest, "MPvg");
    AUTO_BUF decoded = { 0 };
    assert_int_equal(rest.len, 4 * LIMIT_OCSP_REQUEST_BYTES - 3);
    assert_true(ocsp_path_decode(buf_bytes(&rest), &decoded));
    AUTO_BUF more = { 0 };
    buf_append_str(&rest, "MPvg");
    assert_false(ocsp_path_decode(buf_bytes(&rest), &more));
}

RUN(T(every_spelling_of_base64_in_a_path_is_read), T(what_is_no_base64_is_not_read),
    T(a_path_is_read_up_to_the_longest_that_a_request_can_need))
