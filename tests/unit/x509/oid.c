/* SPDX-License-Identifier: Apache-2.0 */
/* The table of object identifiers: encodings against the dotted text, here and in OpenSSL. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "base/limits.h"
#include "x509/der.h"
#include "x509/oid.h"
#include <openssl/objects.h>

#define DOTTED_ROW(name, dotted, text) [name] = (dotted),
static const char *const dotted_of[OID_COUNT] = { OIDS(DOTTED_ROW) };

TEST(every_encoding_is_that_of_its_dotted_text)
{
    for (int oid = OID_UNKNOWN + 1; oid < OID_COUNT; oid++) {
        AUTO_BUF content = { 0 }, back = { 0 };
        assert_true(oid_from_dotted(dotted_of[oid], &content));
        if (!bytes_equal(buf_bytes(&content), oid_bytes((enum oid)oid)))
            fail_msg("the encoding of %s is wrong", oid_name((enum oid)oid));
        oid_append_dotted(&back, oid_bytes((enum oid)oid));
        assert_string_equal(dotted_of[oid], buf_text(&back));
    }
}

TEST(every_encoding_is_openssl_s)
{
    for (int oid = OID_UNKNOWN + 1; oid < OID_COUNT; oid++) {
        ASN1_OBJECT *object = OBJ_txt2obj(dotted_of[oid], 1);
        assert_non_null(object);
        ASSERT_BYTES(oid_bytes((enum oid)oid), bytes_of(OBJ_get0_data(object), OBJ_length(object)));
        ASN1_OBJECT_free(object);
    }
}

TEST(every_encoding_is_read_by_the_strict_reader)
{
    for (int oid = OID_UNKNOWN + 1; oid < OID_COUNT; oid++) {
        AUTO_BUF der = { 0 };
        der_put_oid(&der, oid_bytes((enum oid)oid));
        struct der_reader in = der_reader_over(buf_bytes(&der));
        struct bytes content;
        assert_true(der_get_oid(&in, &content));
    }
}

TEST(encodings_and_names_are_distinct_and_found)
{
    for (int oid = OID_UNKNOWN + 1; oid < OID_COUNT; oid++) {
        assert_int_equal(oid, oid_find(oid_bytes((enum oid)oid)));
        assert_int_equal(oid, oid_by_name(oid_name((enum oid)oid)));
        assert_true(oid_is(oid_bytes((enum oid)oid), (enum oid)oid));
    }
    assert_int_equal(OID_CN, oid_by_name("cn"));
}

TEST(unknown_identifiers_are_unknown)
{
    assert_int_equal(OID_UNKNOWN, oid_find(BYTES_LIT("\x55\x04\x7F")));
    assert_int_equal(OID_UNKNOWN, oid_find(BYTES_NONE));
    assert_int_equal(OID_UNKNOWN, oid_by_name("nonsense"));
    assert_int_equal(OID_UNKNOWN, oid_by_name(""));
    assert_false(oid_is(BYTES_NONE, OID_UNKNOWN));
    assert_false(oid_is(oid_bytes(OID_CN), OID_OU));
    assert_int_equal(0, oid_bytes(OID_UNKNOWN).len);
    assert_int_equal(0, oid_bytes((enum oid)9999).len);
    assert_string_equal("unknown", oid_name((enum oid)9999));
}

TEST(dotted_text_goes_both_ways_at_its_edges)
{
    static const struct {
        const char *dotted;
        struct bytes content;
    } cases[] = {
        { "0.0", BYTES_LIT("\x00") },
        { "0.39", BYTES_LIT("\x27") },
        { "1.39.127.128", BYTES_LIT("\x4F\x7F\x81\x00") },
        { "2.0", BYTES_LIT("\x50") },
        { "2.47", BYTES_LIT("\x7F") },
        { "2.48", BYTES_LIT("\x81\x00") },
        { "2.999.3", BYTES_LIT("\x88\x37\x03") },
        { "1.2.18446744073709551615", BYTES_LIT("\x2A\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F") },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        AUTO_BUF content = { 0 }, back = { 0 };
        assert_true(oid_from_dotted(cases[i].dotted, &content));
        ASSERT_BYTES(buf_bytes(&content), cases[i].content);
        oid_append_dotted(&back, cases[i].content);
        assert_string_equal(cases[i].dotted, buf_text(&back));
    }
}

TEST(malformed_dotted_text_is_refused)
{
    static const char *const cases[] = { "",
                                         "1",
                                         "1.",
                                         ".1",
                                         "1..2",
                                         "1.2.",
                                         "3.1",
                                         "0.40",
                                         "1.40",
                                         "1.2.03",
                                         "01.2",
                                         "-1.2",
                                         "1.+2",
                                         "1.2 ",
                                         " 1.2",
                                         "1.2.a",
                                         "1,2",
                                         "1.2.18446744073709551616",
                                         "2.18446744073709551615" };
    AUTO_BUF content = { 0 };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (oid_from_dotted(cases[i], &content))
            fail_msg("'%s' was taken", cases[i]);
    }
    assert_null(content.data);
}

TEST(arcs_and_octets_are_limited)
{
    AUTO_BUF text = { 0 }, content = { 0 }, none = { 0 };
    buf_append_str(&text, "1.2");
    for (int arc = 3; arc <= LIMIT_OID_ARCS; arc++)
        buf_append_str(&text, ".1");
    assert_true(oid_from_dotted(buf_text(&text), &content));
    buf_append_str(&text, ".1");
    assert_false(oid_from_dotted(buf_text(&text), &none));
    /* 1 + 9 * 7 octets are 64 */
    assert_true(
        oid_from_dotted("1.2.9223372036854775807.9223372036854775807.9223372036854775807."
                        "9223372036854775807.9223372036854775807.9223372036854775807.9223372036854775807",
                        &none));
    assert_int_equal(LIMIT_OID_BYTES, none.len);
    buf_free(&none);
    assert_false(
        oid_from_dotted("1.2.9223372036854775807.9223372036854775807.9223372036854775807."
                        "9223372036854775807.9223372036854775807.9223372036854775807.9223372036854775807.1",
                        &none));
}

TEST(an_arc_beyond_64_bits_is_shown_as_such)
{
    AUTO_BUF text = { 0 };
    oid_append_dotted(&text, BYTES_LIT("\x2A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"));
    assert_string_equal("1.2.(too large)", buf_text(&text));
}

RUN(T(every_encoding_is_that_of_its_dotted_text), T(every_encoding_is_openssl_s),
    T(every_encoding_is_read_by_the_strict_reader), T(encodings_and_names_are_distinct_and_found),
    T(unknown_identifiers_are_unknown), T(dotted_text_goes_both_ways_at_its_edges),
    T(malformed_dotted_text_is_refused), T(arcs_and_octets_are_limited),
    T(an_arc_beyond_64_bits_is_shown_as_such))
