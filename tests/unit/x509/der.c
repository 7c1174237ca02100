/* SPDX-License-Identifier: Apache-2.0 */
/* The strict DER reader and writer: round trips, each way not to be DER, limits at and one past. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "base/limits.h"
#include "x509/der.h"
#include <openssl/asn1.h>

static struct buf der_of(const char *hex)
{
    struct buf der = { 0 };
    assert_true(hex_decode(bytes_str(hex), &der));
    return der;
}

/* Runs a getter over hex; false must leave the reader where it was, true must have moved it to the end. */
#define READS(hex, getter, ...)                                                                              \
    ({                                                                                                       \
        AUTO_BUF der_ = der_of(hex);                                                                         \
        struct der_reader in_ = der_reader_over(buf_bytes(&der_));                                           \
        bool read_ = getter(&in_, ##__VA_ARGS__);                                                            \
        assert_int_equal(read_ ? 0 : der_.len, in_.rest.len);                                                \
        read_;                                                                                               \
    })

static bool is_element(const char *hex)
{
    struct der_item item;
    return READS(hex, der_get_any, &item);
}

TEST(lengths_are_minimal_definite_and_inside)
{
    assert_true(is_element("0400"));
    assert_true(is_element("0401aa"));
    assert_false(is_element(""));
    assert_false(is_element("04"));
    assert_false(is_element("0402aa"));     /* past the end */
    assert_false(is_element("048101aa"));   /* long form for a short length */
    assert_false(is_element("04820001aa")); /* leading zero */
    assert_false(is_element("0480aa0000")); /* indefinite */
    assert_false(is_element("048181"));     /* cut off behind the length */
    assert_false(is_element("0482"));       /* cut off inside the length */
    assert_false(is_element("0484ffffffff"));
    assert_false(is_element("048501000000aa")); /* five length octets */
    assert_false(is_element("04ffaa"));
    assert_false(is_element("1f8101aa")); /* high tag number */
    assert_false(is_element("3f0100"));
}

TEST(every_length_form_goes_both_ways)
{
    static const size_t sizes[] = { 0, 1, 127, 128, 255, 256, 65535, 65536, 70000 };
    uint8_t *content = xcalloc(70000, 1);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        AUTO_BUF put = { 0 }, nested = { 0 };
        der_put_octets(&put, bytes_of(content, sizes[i]));
        size_t mark = der_begin(&nested, DER_OCTET_STRING);
        buf_append(&nested, bytes_of(content, sizes[i]));
        der_end(&nested, mark);
        ASSERT_BYTES(buf_bytes(&put), buf_bytes(&nested));
        for (size_t j = 0; j < sizeof(sizes) / sizeof(*sizes); j++) {
            AUTO_BUF expecting = buf_dup(BYTES_LIT("before"));
            mark = der_begin_expecting(&expecting, DER_OCTET_STRING, sizes[j]);
            buf_append(&expecting, bytes_of(content, sizes[i]));
            der_end(&expecting, mark);
            ASSERT_BYTES(bytes_of(expecting.data + 6, expecting.len - 6), buf_bytes(&put));
        }
        struct der_reader in = der_reader_over(buf_bytes(&put));
        struct bytes back;
        assert_true(der_get_octets(&in, &back));
        assert_int_equal(sizes[i], back.len);
        assert_true(der_at_end(&in));
    }
    free(content);
}

TEST(a_cut_anywhere_is_noticed)
{
    AUTO_BUF der = { 0 };
    size_t mark = der_begin(&der, DER_SEQUENCE);
    der_put_int64(&der, 300);
    der_put_utf8(&der, BYTES_LIT("text"));
    der_end(&der, mark);
    assert_true(der_is_valid(buf_bytes(&der)));
    for (size_t len = 0; len < der.len; len++) {
        /* a copy of exactly this size, so that a read past its end is caught by the sanitizer */
        AUTO_BUF cut = { .data = xmalloc(len), .cap = len };
        memcpy(cut.data, der.data, len);
        cut.len = len;
        struct der_item item;
        struct der_reader in = der_reader_over(buf_bytes(&cut));
        assert_false(der_get_any(&in, &item));
        assert_false(der_is_valid(buf_bytes(&cut)));
    }
}

TEST(another_type_leaves_the_reader_where_it_was)
{
    struct bytes content;
    struct der_reader inside;
    assert_false(READS("0401aa", der_get, DER_UTF8_STRING, &content));
    assert_false(READS("0401aa", der_get_whole, DER_SEQUENCE, &content));
    assert_false(READS("0401aa", der_get_sequence, &inside));
    assert_false(READS("3000", der_get_set, &inside));
    assert_true(READS("3100", der_get_set, &inside));
    AUTO_BUF der = der_of("0401aa");
    struct der_reader in = der_reader_over(buf_bytes(&der)), empty = der_reader_over(BYTES_NONE);
    assert_true(der_next_is(&in, DER_OCTET_STRING));
    assert_false(der_next_is(&in, DER_NULL));
    assert_false(der_next_is(&empty, DER_NULL));
}

TEST(whole_and_content_are_views_of_the_same_element)
{
    AUTO_BUF der = der_of("0402aabb0500");
    struct der_reader in = der_reader_over(buf_bytes(&der));
    struct der_item item;
    assert_true(der_get_any(&in, &item));
    assert_ptr_equal(der.data, item.whole.data);
    assert_int_equal(4, item.whole.len);
    assert_ptr_equal(der.data + 2, item.content.data);
    assert_true(der_get_null(&in));
    assert_true(der_at_end(&in));
}

TEST(integers_are_minimal)
{
    struct bytes content;
    assert_true(READS("020100", der_get_integer_bytes, &content));
    assert_true(READS("0201ff", der_get_integer_bytes, &content));
    assert_true(READS("02020080", der_get_integer_bytes, &content));
    assert_true(READS("0202ff7f", der_get_integer_bytes, &content));
    assert_false(READS("0200", der_get_integer_bytes, &content));
    assert_false(READS("0202007f", der_get_integer_bytes, &content));
    assert_false(READS("0202ff80", der_get_integer_bytes, &content));
    assert_false(READS("0a0101", der_get_integer_bytes, &content));
}

TEST(int64_goes_both_ways_as_openssl_writes_it)
{
    static const int64_t values[] = { 0,         1,         -1,        127,          128,   -128,
                                      -129,      255,       256,       32767,        32768, -32768,
                                      INT32_MAX, INT64_MAX, INT64_MIN, INT64_MIN + 1 };
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        AUTO_BUF der = { 0 };
        der_put_int64(&der, values[i]);
        struct der_reader in = der_reader_over(buf_bytes(&der));
        int64_t back;
        assert_true(der_get_int64(&in, &back));
        assert_true(back == values[i]);
        ASN1_INTEGER *integer = ASN1_INTEGER_new();
        uint8_t *reference = NULL;
        assert_int_equal(1, ASN1_INTEGER_set_int64(integer, values[i]));
        int len = i2d_ASN1_INTEGER(integer, &reference);
        ASSERT_BYTES(buf_bytes(&der), bytes_of(reference, (size_t)len));
        OPENSSL_free(reference);
        ASN1_INTEGER_free(integer);
    }
}

TEST(an_int64_of_nine_octets_is_refused)
{
    int64_t value;
    assert_true(READS("02087fffffffffffffff", der_get_int64, &value));
    assert_false(READS("0209008000000000000000", der_get_int64, &value));
    assert_false(READS("0209ff7fffffffffffffff", der_get_int64, &value));
}

TEST(unsigned_numbers_lose_the_sign_octet_and_refuse_the_sign)
{
    struct bytes magnitude;
    AUTO_BUF der = der_of("02020080");
    struct der_reader in = der_reader_over(buf_bytes(&der));
    assert_true(der_get_unsigned_bytes(&in, &magnitude));
    ASSERT_BYTES(magnitude, BYTES_LIT("\x80"));
    assert_true(READS("020100", der_get_unsigned_bytes, &magnitude));
    assert_int_equal(1, magnitude.len);
    assert_false(READS("020180", der_get_unsigned_bytes, &magnitude));
    assert_false(READS("0201ff", der_get_unsigned_bytes, &magnitude));
}

TEST(unsigned_numbers_are_written_minimal_and_positive)
{
    static const struct {
        struct bytes magnitude;
        const char *hex;
    } cases[] = {
        { BYTES_NONE, "020100" },
        { BYTES_LIT("\x00\x00"), "020100" },
        { BYTES_LIT("\x7F"), "02017f" },
        { BYTES_LIT("\x80"), "02020080" },
        { BYTES_LIT("\x00\x00\x01\x00"), "02020100" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        AUTO_BUF der = { 0 }, want = der_of(cases[i].hex);
        der_put_unsigned_bytes(&der, cases[i].magnitude);
        ASSERT_BYTES(buf_bytes(&der), buf_bytes(&want));
    }
}

TEST(booleans_are_00_or_ff)
{
    bool value = false;
    assert_true(READS("0101ff", der_get_boolean, &value));
    assert_true(value);
    assert_true(READS("010100", der_get_boolean, &value));
    assert_false(value);
    assert_false(READS("010101", der_get_boolean, &value));
    assert_false(READS("0100", der_get_boolean, &value));
    assert_false(READS("0102ffff", der_get_boolean, &value));
    AUTO_BUF der = { 0 }, want = der_of("0101ff010100");
    der_put_boolean(&der, true);
    der_put_boolean(&der, false);
    ASSERT_BYTES(buf_bytes(&der), buf_bytes(&want));
}

TEST(null_is_empty)
{
    assert_true(READS("0500", der_get_null));
    assert_false(READS("050100", der_get_null));
    AUTO_BUF der = { 0 };
    der_put_null(&der);
    ASSERT_BYTES(buf_bytes(&der), BYTES_LIT("\x05\x00"));
}

TEST(oids_are_well_formed)
{
    struct bytes oid;
    assert_true(READS("0603550403", der_get_oid, &oid));
    assert_true(READS("0603883703", der_get_oid, &oid));
    assert_false(READS("0600", der_get_oid, &oid));
    assert_false(READS("06025583", der_get_oid, &oid));   /* cut inside an arc */
    assert_false(READS("0603558003", der_get_oid, &oid)); /* an arc that begins with 80 */
    assert_false(READS("06028001", der_get_oid, &oid));
}

TEST(oids_are_limited_in_octets_and_arcs)
{
    uint8_t content[LIMIT_OID_BYTES + 1];
    struct bytes oid;
    /* one octet an arc; the first octet holds two */
    memset(content, 1, sizeof(content));
    for (int past = 0; past < 2; past++) {
        AUTO_BUF der = { 0 };
        der_put(&der, DER_OID, bytes_of(content, LIMIT_OID_ARCS - 1 + (size_t)past));
        struct der_reader in = der_reader_over(buf_bytes(&der));
        assert_int_equal(!past, der_get_oid(&in, &oid));
    }
    /* arcs of eight octets each */
    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = i % 8 == 7 || i == LIMIT_OID_BYTES ? 0x01 : 0x81;
    for (int past = 0; past < 2; past++) {
        AUTO_BUF der = { 0 };
        der_put(&der, DER_OID, bytes_of(content, LIMIT_OID_BYTES + (size_t)past));
        struct der_reader in = der_reader_over(buf_bytes(&der));
        assert_int_equal(!past, der_get_oid(&in, &oid));
    }
}

TEST(bit_strings_of_whole_octets)
{
    struct bytes bits;
    AUTO_BUF one = der_of("030200aa");
    struct der_reader in = der_reader_over(buf_bytes(&one));
    assert_true(der_get_bits(&in, &bits));
    ASSERT_BYTES(bits, BYTES_LIT("\xAA"));
    assert_true(READS("030100", der_get_bits, &bits));
    assert_int_equal(0, bits.len);
    assert_false(READS("0300", der_get_bits, &bits));
    assert_false(READS("030201aa", der_get_bits, &bits));
    AUTO_BUF der = { 0 };
    der_put_bits(&der, BYTES_LIT("\xAA"));
    ASSERT_BYTES(buf_bytes(&der), BYTES_LIT("\x03\x02\x00\xAA"));
}

TEST(named_bits_go_both_ways)
{
    for (uint32_t bits = 0; bits <= 0xFFFF; bits++) {
        AUTO_BUF der = { 0 };
        der_put_named_bits(&der, (uint16_t)bits);
        struct der_reader in = der_reader_over(buf_bytes(&der));
        uint16_t back = 0;
        if (!der_get_named_bits(&in, &back) || back != bits || !der_at_end(&in))
            fail_msg("named bits %04x came back as %04x", bits, back);
    }
}

TEST(named_bits_are_numbered_from_the_left_without_trailing_zeros)
{
    uint16_t bits = 0;
    AUTO_BUF der = { 0 };
    der_put_named_bits(&der, 1 << 0 | 1 << 2); /* digitalSignature, keyEncipherment */
    ASSERT_BYTES(buf_bytes(&der), BYTES_LIT("\x03\x02\x05\xA0"));
    assert_true(READS("0303078080", der_get_named_bits, &bits));
    assert_int_equal(1 << 0 | 1 << 8, bits);
    assert_true(READS("0303070080", der_get_named_bits, &bits));
    assert_int_equal(1 << 8, bits);
    assert_false(READS("030204a0", der_get_named_bits, &bits)); /* a trailing zero bit */
    assert_false(READS("030206a0", der_get_named_bits, &bits)); /* an unused bit that is set */
    assert_false(READS("03020700", der_get_named_bits, &bits));
    assert_false(READS("030107", der_get_named_bits, &bits)); /* unused bits of nothing */
    assert_false(READS("03020880", der_get_named_bits, &bits));
    assert_false(READS("0300", der_get_named_bits, &bits));
    assert_false(READS("030400000001", der_get_named_bits, &bits));
    assert_true(READS("030100", der_get_named_bits, &bits));
    assert_int_equal(0, bits);
}

static bool reads_time(uint8_t tag, const char *text, int64_t *ret)
{
    AUTO_BUF der = { 0 };
    der_put(&der, tag, bytes_str(text));
    struct der_reader in = der_reader_over(buf_bytes(&der));
    bool read = der_get_time(&in, ret);
    assert_int_equal(read ? 0 : der.len, in.rest.len);
    return read;
}

TEST(times_turn_at_1950_2049_and_2050)
{
    static const struct {
        int64_t utc;
        uint8_t tag;
        const char *text;
    } cases[] = {
        { -631152001, DER_GENERALIZED_TIME, "19491231235959Z" },
        { -631152000, DER_UTC_TIME, "500101000000Z" },
        { 0, DER_UTC_TIME, "700101000000Z" },
        { 2524607999, DER_UTC_TIME, "491231235959Z" },
        { 2524608000, DER_GENERALIZED_TIME, "20500101000000Z" },
        { 253402300799, DER_GENERALIZED_TIME, "99991231235959Z" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        AUTO_BUF der = { 0 }, want = { 0 };
        der_put_time(&der, cases[i].utc);
        der_put(&want, cases[i].tag, bytes_str(cases[i].text));
        ASSERT_BYTES(buf_bytes(&der), buf_bytes(&want));
        int64_t back;
        struct der_reader in = der_reader_over(buf_bytes(&der));
        assert_true(der_get_time(&in, &back));
        assert_true(back == cases[i].utc);
    }
}

TEST(times_without_seconds_zone_or_sense_are_refused)
{
    static const char *const utc[] = { "",
                                       "7001010000Z",
                                       "700101000000",
                                       "700101000000+0000",
                                       "700101000000z",
                                       "70010100000Z",
                                       "701301000000Z",
                                       "700001000000Z",
                                       "700100000000Z",
                                       "700132000000Z",
                                       "700230000000Z",
                                       "230229000000Z",
                                       "700101240000Z",
                                       "700101006000Z",
                                       "700101000060Z",
                                       "7001 1000000Z",
                                       "-00101000000Z",
                                       "700101000000ZZ" };
    static const char *const general[] = { "197001010000Z",     "19700101000000",  "19700101000000.0Z",
                                           "19700101000000,5Z", "20230229000000Z", "19000229000000Z",
                                           "20501301000000Z",   "700101000000Z" };
    int64_t value;
    for (size_t i = 0; i < sizeof(utc) / sizeof(*utc); i++) {
        if (reads_time(DER_UTC_TIME, utc[i], &value))
            fail_msg("UTCTime '%s' was taken", utc[i]);
    }
    for (size_t i = 0; i < sizeof(general) / sizeof(*general); i++) {
        if (reads_time(DER_GENERALIZED_TIME, general[i], &value))
            fail_msg("GeneralizedTime '%s' was taken", general[i]);
    }
    assert_false(reads_time(DER_UTF8_STRING, "700101000000Z", &value));
    assert_true(reads_time(DER_UTC_TIME, "240229000000Z", &value));
    assert_true(reads_time(DER_GENERALIZED_TIME, "20000229000000Z", &value));
}

TEST(utf8_strings_are_well_formed)
{
    struct bytes text;
    AUTO_BUF letter = der_of("0c02c3bc");
    struct der_reader in = der_reader_over(buf_bytes(&letter));
    assert_true(der_get_utf8(&in, &text));
    ASSERT_BYTES(text, BYTES_LIT("\xC3\xBC"));
    assert_true(READS("0c00", der_get_utf8, &text));
    assert_false(READS("0c01c3", der_get_utf8, &text));
    assert_false(READS("0c0100", der_get_utf8, &text));
    assert_false(READS("130141", der_get_utf8, &text));
    AUTO_BUF der = { 0 };
    der_put_utf8(&der, BYTES_LIT("x"));
    ASSERT_BYTES(buf_bytes(&der), BYTES_LIT("\x0C\x01x"));
}

/* `depth` elements inside one another, the innermost a NULL. */
static struct buf nested(size_t depth)
{
    struct buf der = { 0 };
    size_t *marks = xcalloc(depth, sizeof(*marks));
    for (size_t i = 0; i + 1 < depth; i++)
        marks[i] = der_begin(&der, DER_SEQUENCE);
    der_put_null(&der);
    for (size_t i = depth - 1; i-- > 0;)
        der_end(&der, marks[i]);
    free(marks);
    return der;
}

TEST(the_depth_limit_holds_at_the_level)
{
    AUTO_BUF at = nested(LIMIT_DER_DEPTH), past = nested(LIMIT_DER_DEPTH + 1), far = nested(10000);
    assert_true(der_is_valid(buf_bytes(&at)));
    assert_false(der_is_valid(buf_bytes(&past)));
    assert_false(der_is_valid(buf_bytes(&far)));
}

static bool valid_hex(const char *hex)
{
    AUTO_BUF der = der_of(hex);
    return der_is_valid(buf_bytes(&der));
}

TEST(a_valid_tree_is_one_element_of_der_tags)
{
    assert_true(valid_hex("3000"));
    assert_true(valid_hex("30053003020105"));
    assert_true(valid_hex("a003020105"));
    assert_true(valid_hex("8000"));
    assert_false(valid_hex(""));
    assert_false(valid_hex("05000500"));       /* two */
    assert_false(valid_hex("300500"));         /* cut */
    assert_false(valid_hex("300405000400ff")); /* trailing */
    assert_false(valid_hex("3003020205"));     /* inner length past the outer */
    assert_false(valid_hex("24040402aabb"));   /* constructed OCTET STRING (X.690 10.2) */
    assert_false(valid_hex("1000"));           /* primitive SEQUENCE */
    assert_false(valid_hex("2200"));           /* constructed INTEGER */
    assert_false(valid_hex("30020000"));       /* end-of-contents */
    assert_false(valid_hex("3080020105"
                           "0000")); /* indefinite */
}

TEST(nested_values_grow_their_lengths_as_they_are_closed)
{
    AUTO_BUF der = { 0 };
    uint8_t filler[200] = { 0 };
    size_t outer = der_begin(&der, DER_SEQUENCE), inner = der_begin(&der, DER_CONTEXT_CONSTRUCTED(3));
    der_put_octets(&der, BYTES_ARR(filler));
    der_end(&der, inner);
    der_put_null(&der);
    der_end(&der, outer);
    struct der_reader in = der_reader_over(buf_bytes(&der)), sequence, context;
    struct bytes octets;
    assert_true(der_get_sequence(&in, &sequence) && der_at_end(&in));
    assert_true(der_get_constructed(&sequence, DER_CONTEXT_CONSTRUCTED(3), &context));
    assert_true(der_get_octets(&context, &octets) && der_at_end(&context));
    ASSERT_BYTES(octets, BYTES_ARR(filler));
    assert_true(der_get_null(&sequence) && der_at_end(&sequence));
}

TEST(set_of_is_sorted_as_octets)
{
    AUTO_BUF der = { 0 }, elements = der_of("0202010002010105000401ff040100"),
             want = der_of("310f0201010202010004010004"
                           "01ff0500");
    assert_true(der_put_set_of(&der, DER_SET, buf_bytes(&elements)));
    ASSERT_BYTES(buf_bytes(&der), buf_bytes(&want));
    AUTO_BUF empty = { 0 };
    assert_true(der_put_set_of(&empty, DER_SET, BYTES_NONE));
    ASSERT_BYTES(buf_bytes(&empty), BYTES_LIT("\x31\x00"));
}

TEST(set_of_refuses_what_is_not_der_and_more_than_the_limit)
{
    AUTO_BUF out = { 0 }, elements = { 0 };
    assert_false(der_put_set_of(&out, DER_SET, BYTES_LIT("\x02\x02\x01")));
    for (int i = 0; i < LIMIT_SAN_NAMES; i++)
        der_put_null(&elements);
    assert_true(der_put_set_of(&out, DER_SET, buf_bytes(&elements)));
    der_put_null(&elements);
    AUTO_BUF none = { 0 };
    assert_false(der_put_set_of(&none, DER_SET, buf_bytes(&elements)));
    assert_int_equal(0, none.len);
}

RUN(T(lengths_are_minimal_definite_and_inside), T(every_length_form_goes_both_ways),
    T(a_cut_anywhere_is_noticed), T(another_type_leaves_the_reader_where_it_was),
    T(whole_and_content_are_views_of_the_same_element), T(integers_are_minimal),
    T(int64_goes_both_ways_as_openssl_writes_it), T(an_int64_of_nine_octets_is_refused),
    T(unsigned_numbers_lose_the_sign_octet_and_refuse_the_sign),
    T(unsigned_numbers_are_written_minimal_and_positive), T(booleans_are_00_or_ff), T(null_is_empty),
    T(oids_are_well_formed), T(oids_are_limited_in_octets_and_arcs), T(bit_strings_of_whole_octets),
    T(named_bits_go_both_ways), T(named_bits_are_numbered_from_the_left_without_trailing_zeros),
    T(times_turn_at_1950_2049_and_2050), T(times_without_seconds_zone_or_sense_are_refused),
    T(utf8_strings_are_well_formed), T(the_depth_limit_holds_at_the_level),
    T(a_valid_tree_is_one_element_of_der_tags), T(nested_values_grow_their_lengths_as_they_are_closed),
    T(set_of_is_sorted_as_octets), T(set_of_refuses_what_is_not_der_and_more_than_the_limit))
