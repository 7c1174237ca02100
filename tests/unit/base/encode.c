/* SPDX-License-Identifier: Apache-2.0 */
/* Hex, base64 and PEM: what is written is read back, and nothing else is. */
#include "tests/unit/test.h"

#include "base/auto.h"

TEST(hex_writes_both_cases)
{
    AUTO_BUF out = { 0 };
    hex_append(&out, BYTES_LIT("\x00\x9A\xFF"));
    hex_append_upper(&out, BYTES_LIT("\x00\x9A\xFF"));
    ASSERT_BYTES(buf_bytes(&out), BYTES_LIT("009aff009AFF"));
}

TEST(hex_reads_either_case)
{
    AUTO_BUF out = { 0 };
    assert_true(hex_decode(BYTES_LIT("009aFf"), &out));
    ASSERT_BYTES(buf_bytes(&out), BYTES_LIT("\x00\x9A\xFF"));
    AUTO_BUF empty = { 0 };
    assert_true(hex_decode(BYTES_NONE, &empty));
    assert_int_equal(0, empty.len);
}

TEST(hex_refuses_anything_else)
{
    static const char *const cases[] = { "0", "abc", "0g", "0x", " 00", "00 ", "0:", "@0", "`0", "G0" };
    AUTO_BUF out = { 0 };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (hex_decode(bytes_str(cases[i]), &out))
            fail_msg("hex '%s' was taken", cases[i]);
    }
    assert_null(out.data);
}

/* RFC 4648 section 10 */
TEST(base64_matches_the_vectors_of_the_rfc)
{
    static const char *const plain[] = { "", "f", "fo", "foo", "foob", "fooba", "foobar" };
    static const char *const coded[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
    for (size_t i = 0; i < 7; i++) {
        AUTO_BUF out = { 0 }, back = { 0 };
        base64_append(&out, bytes_str(plain[i]));
        ASSERT_BYTES(buf_bytes(&out), bytes_str(coded[i]));
        assert_true(base64_decode(bytes_str(coded[i]), false, &back));
        ASSERT_BYTES(buf_bytes(&back), bytes_str(plain[i]));
    }
}

TEST(base64_reads_back_every_octet_at_every_place)
{
    uint8_t octets[259];
    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = (uint8_t)(i * 7);
    for (size_t len = 0; len <= sizeof(octets); len++) {
        AUTO_BUF text = { 0 }, back = { 0 };
        base64_append(&text, bytes_of(octets, len));
        assert_true(base64_decode(buf_bytes(&text), false, &back));
        ASSERT_BYTES(buf_bytes(&back), bytes_of(octets, len));
    }
}

TEST(base64_padding_may_be_missing_but_not_wrong)
{
    static const char *const good[] = { "Zg", "Zm8", "Zm9vYg" };
    static const char *const bad[] = { "Zg=",  "Zm8==", "Zm9v=", "Zm9v==", "=",     "==",
                                       "====", "Z",     "Zm9vY", "Z===",   "Zg=A=", "Zg==Zg==" };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        AUTO_BUF out = { 0 };
        assert_true(base64_decode(bytes_str(good[i]), false, &out));
    }
    AUTO_BUF out = { 0 };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (base64_decode(bytes_str(bad[i]), true, &out))
            fail_msg("base64 '%s' was taken", bad[i]);
    }
    assert_null(out.data);
}

TEST(base64_refuses_bits_that_no_octet_holds)
{
    AUTO_BUF out = { 0 };
    assert_true(base64_decode(BYTES_LIT("Zg=="), false, &out));
    AUTO_BUF none = { 0 };
    assert_false(base64_decode(BYTES_LIT("Zh=="), false, &none));
    assert_false(base64_decode(BYTES_LIT("Zv"), true, &none));
    assert_false(base64_decode(BYTES_LIT("Zm9="), false, &none));
    assert_null(none.data);
}

TEST(base64_skips_line_ends_only_when_lenient)
{
    static const char text[] = "\r\nZm\n9v\r\nYg\n=\n=\n";
    AUTO_BUF out = { 0 }, none = { 0 };
    assert_true(base64_decode(bytes_str(text), true, &out));
    ASSERT_BYTES(buf_bytes(&out), BYTES_LIT("foob"));
    assert_false(base64_decode(bytes_str(text), false, &none));
    assert_false(base64_decode(BYTES_LIT("Zm 9v"), true, &none));
    assert_false(base64_decode(BYTES_LIT("Zm\t9v"), true, &none));
    assert_false(base64_decode(BYTES_LIT("Zm9v\0"), true, &none));
    assert_null(none.data);
}

TEST(base64_takes_the_plain_alphabet_only)
{
    AUTO_BUF out = { 0 }, none = { 0 };
    assert_true(base64_decode(BYTES_LIT("+/+/"), false, &out));
    assert_false(base64_decode(BYTES_LIT("-_-_"), false, &none));
    assert_false(base64_decode(BYTES_LIT("Zm9\x80"), false, &none));
}

TEST(pem_is_read_back_and_gives_the_rest)
{
    uint8_t der[100];
    memset(der, 0x5A, sizeof(der));
    AUTO_BUF text = { 0 }, first = { 0 }, second = { 0 };
    buf_append_str(&text, "subject=x\n");
    pem_append(&text, "CERTIFICATE", BYTES_ARR(der));
    pem_append(&text, "CERTIFICATE", BYTES_LIT("two"));
    struct bytes rest;
    assert_true(pem_decode(buf_bytes(&text), "CERTIFICATE", &first, &rest));
    ASSERT_BYTES(buf_bytes(&first), BYTES_ARR(der));
    assert_true(pem_decode(rest, "CERTIFICATE", &second, &rest));
    ASSERT_BYTES(buf_bytes(&second), BYTES_LIT("two"));
    ASSERT_BYTES(rest, BYTES_LIT("\n"));
}

TEST(pem_lines_have_64_characters_at_most)
{
    uint8_t der[49] = { 0 }; /* 68 characters */
    AUTO_BUF text = { 0 };
    pem_append(&text, "X", BYTES_ARR(der));
    size_t line = 0;
    for (size_t i = 0; i < text.len; i++) {
        line = text.data[i] == '\n' ? 0 : line + 1;
        assert_true(line <= 64);
    }
}

TEST(pem_that_is_not_whole_is_refused)
{
    static const char *const cases[] = {
        "",
        "-----BEGIN X-----\nZm9v\n",
        "Zm9v\n-----END X-----\n",
        "-----BEGIN Y-----\nZm9v\n-----END Y-----\n",
        "-----BEGIN X-----\nZm9v\n-----END Y-----\n",
        "-----BEGIN X-----\nZm 9v\n-----END X-----\n",
        "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nZm9v\n-----END X-----\n",
        "-----BEGIN X----\nZm9v\n-----END X-----\n",
    };
    AUTO_BUF out = { 0 };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (pem_decode(bytes_str(cases[i]), "X", &out, NULL))
            fail_msg("PEM case %zu was taken", i);
    }
    assert_null(out.data);
}

RUN(T(hex_writes_both_cases), T(hex_reads_either_case), T(hex_refuses_anything_else),
    T(base64_matches_the_vectors_of_the_rfc), T(base64_reads_back_every_octet_at_every_place),
    T(base64_padding_may_be_missing_but_not_wrong), T(base64_refuses_bits_that_no_octet_holds),
    T(base64_skips_line_ends_only_when_lenient), T(base64_takes_the_plain_alphabet_only),
    T(pem_is_read_back_and_gives_the_rest), T(pem_lines_have_64_characters_at_most),
    T(pem_that_is_not_whole_is_refused))
