/* SPDX-License-Identifier: Apache-2.0 */
/* The BER converter: what real clients send, and what nobody should. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "base/limits.h"
#include "tests/support/prng.h"
#include "x509/ber.h"

static struct buf hex(const char *text)
{
    struct buf out = { 0 };
    assert_true(hex_decode(bytes_str(text), &out));
    return out;
}

static void converts(enum ber_layer layer, const char *ber, const char *der)
{
    struct why why = { 0 };
    AUTO_BUF in = hex(ber), wanted = hex(der), out = { 0 };
    ASSERT_OK(ber_to_der(buf_bytes(&in), layer, &out, &why), &why);
    ASSERT_BYTES(buf_bytes(&out), buf_bytes(&wanted));
    assert_true(der_is_valid(buf_bytes(&out)));
}

static void refuses(enum ber_layer layer, const char *ber)
{
    struct why why = { 0 };
    struct buf out = { 0 };
    AUTO_BUF in = hex(ber);
    enum err got = ber_to_der(buf_bytes(&in), layer, &out, &why);
    if (got != ERR_MALFORMED)
        fail_msg("%s gave %s", ber, err_row(got)->name);
    assert_null(out.data);
    assert_true(strlen(why.text) > 0);
}

TEST(der_passes_unchanged)
{
    converts(BER_SIGNED, "0500", "0500");
    converts(BER_SIGNED, "30080201050403414243", "30080201050403414243");
}

TEST(nested_der_passes_unchanged)
{
    converts(BER_SIGNED, "3009a007310530030201ff", "3009a007310530030201ff");
    converts(BER_ENVELOPED, "3004a0020400", "3004a0020400");
}

TEST(indefinite_lengths_become_definite)
{
    converts(BER_SIGNED, "30800000", "3000");
    converts(BER_SIGNED, "30800201050000", "3003020105");
    converts(BER_SIGNED, "3080a0803180020101000000000000", "3007a0053103020101");
}

TEST(lengths_that_are_not_minimal_become_minimal)
{
    converts(BER_SIGNED, "3081020500", "30020500");
    converts(BER_SIGNED, "308400000003058100", "30020500");
    converts(BER_SIGNED, "04880000000000000001ff", "0401ff");
}

TEST(octet_strings_in_parts_are_joined)
{
    converts(BER_SIGNED, "24800401aa0402bbcc0000", "0403aabbcc");
    converts(BER_SIGNED, "24070401aa0402bbcc", "0403aabbcc");
    converts(BER_SIGNED, "24800000", "0400");
    converts(BER_SIGNED,
             "2480248004"
             "01aa0000240304"
             "01bb04000000",
             "0402aabb");
}

TEST(encrypted_content_in_parts_is_joined_in_its_place_only)
{
    /* ContentInfo, [0], EnvelopedData, EncryptedContentInfo, [0] */
    converts(BER_ENVELOPED,
             "3080a08030803080a0800401aa0401bb"
             "00000000000000000000",
             "300aa00830063004"
             "8002aabb");
    converts(BER_SIGNED,
             "3080a08030803080a0800401aa0401bb"
             "00000000000000000000",
             "300ea00c300a3008a0060401aa0401bb");
    /* an explicit [0] anywhere else stays what it is */
    converts(BER_ENVELOPED, "3080a0800401aa00000000",
             "3005a003"
             "0401aa");
    refuses(BER_ENVELOPED, "3080a08030803080a0800201aa"
                           "00000000000000000000");
}

TEST(signed_attributes_must_be_der_already)
{
    /* ContentInfo, [0], SignedData, signerInfos, SignerInfo, [0] signedAttrs, Attribute */
    converts(BER_SIGNED,
             "3080a0803080318030"
             "80a0023000"
             "00000000000000000000",
             "300ca00a3008310630"
             "04a0023000");
    refuses(BER_SIGNED, "3080a0803080318030"
                        "80a080300000"
                        "00"
                        "00000000000000000000");
    refuses(BER_SIGNED, "3080a0803080318030"
                        "80a004308000"
                        "00"
                        "00000000000000000000");
    refuses(BER_SIGNED, "3080a0803080318030"
                        "80a081023000"
                        "00000000000000000000");
    refuses(BER_SIGNED, "3080a0803080318030"
                        "80a003308100"
                        "00000000000000000000");
    refuses(BER_SIGNED, "3080a0803080318030"
                        "80a004048101aa"
                        "00000000000000000000");
    refuses(BER_SIGNED, "3080a0803080318030"
                        "80a00524030401aa"
                        "00000000000000000000");
    /* unsignedAttrs [1] may be BER */
    converts(BER_SIGNED,
             "3080a0803080318030"
             "80a180300000"
             "00"
             "00000000000000000000",
             "300ca00a3008310630"
             "04a1023000");
}

TEST(end_of_contents_is_exact)
{
    static const char *const bad[] = {
        "",
        "30",
        "00",
        "0000",
        "3080",
        "308000",
        "30800001",
        "3080000000",
        "30020000",
        "3080050000",
        "308005000000"
        "00",
        "248004"
        "01aa",
        "0480aa0000",
        "3080008100",
        "308020000000",
        "2000",
        "3004308000"
        "00"
        "0000",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        refuses(BER_SIGNED, bad[i]);
}

TEST(an_inner_element_never_reaches_past_the_outer_one)
{
    refuses(BER_SIGNED, "300204"
                        "02aabb");
    refuses(BER_SIGNED, "3004308004"
                        "0100"
                        "0000");
    refuses(BER_SIGNED, "308404"
                        "000000");
    refuses(BER_SIGNED, "3003308000"
                        "00");
    refuses(BER_SIGNED, "04"
                        "88ffffffffffffffff"
                        "00");
    refuses(BER_SIGNED, "04"
                        "8900000000000000000100");
    refuses(BER_SIGNED, "04ff");
    refuses(BER_SIGNED, "0482"
                        "00");
}

TEST(tags_that_no_format_has_are_refused)
{
    refuses(BER_SIGNED, "1f2000"); /* high tag number  */
    refuses(BER_SIGNED, "30033f0100");
    refuses(BER_SIGNED, "23800000");   /* BIT STRING in parts */
    refuses(BER_SIGNED, "2c030c0141"); /* UTF8String in parts */
    refuses(BER_SIGNED, "1000");       /* primitive SEQUENCE, SET */
    refuses(BER_SIGNED, "30021100");
    refuses(BER_SIGNED, "24030201aa"); /* INTEGER as a part   */
    refuses(BER_SIGNED, "24800000"
                        "00"); /* trailing octet      */
    refuses(BER_SIGNED, "05000500");
}

static struct buf nested(size_t levels, uint8_t tag, bool closed)
{
    struct buf out = { 0 };
    for (size_t i = 0; i < levels; i++) {
        buf_append_byte(&out, tag);
        buf_append_byte(&out, 0x80);
    }
    for (size_t i = 0; closed && i < 2 * levels; i++)
        buf_append_byte(&out, 0);
    return out;
}

TEST(depth_is_limited)
{
    static const uint8_t tags[] = { DER_SEQUENCE, 0x24, DER_CONTEXT_CONSTRUCTED(0) };
    for (size_t i = 0; i < sizeof(tags); i++) {
        struct why why = { 0 };
        AUTO_BUF deepest = nested(LIMIT_DER_DEPTH, tags[i], true),
                 deeper = nested(LIMIT_DER_DEPTH + 1, tags[i], true);
        AUTO_BUF out = { 0 };
        ASSERT_OK(ber_to_der(buf_bytes(&deepest), BER_SIGNED, &out, &why), &why);
        assert_true(der_is_valid(buf_bytes(&out)));
        struct buf none = { 0 };
        ASSERT_ERR(ERR_MALFORMED, ber_to_der(buf_bytes(&deeper), BER_SIGNED, &none, &why), &why);
        AUTO_BUF bomb = nested(10000, tags[i], false);
        ASSERT_ERR(ERR_MALFORMED, ber_to_der(buf_bytes(&bomb), BER_SIGNED, &none, &why), &why);
    }
}

/* Empty at the bottom, or with something in it: what is DER for der_is_valid passes, and nothing deeper does. */
TEST(the_depth_of_der_is_that_of_der_is_valid)
{
    for (size_t levels = LIMIT_DER_DEPTH - 2; levels < LIMIT_DER_DEPTH + 3; levels++) {
        for (int full = 0; full < 2; full++) {
            AUTO_BUF der = { 0 }, out = { 0 };
            size_t marks[LIMIT_DER_DEPTH + 3];
            struct why why;
            for (size_t i = 0; i < levels; i++)
                marks[i] = der_begin(&der, DER_SEQUENCE);
            if (full)
                der_put_null(&der);
            for (size_t i = levels; i-- > 0;)
                der_end(&der, marks[i]);
            bool valid = levels + (size_t)full <= LIMIT_DER_DEPTH;
            assert_int_equal(der_is_valid(buf_bytes(&der)), valid);
            ASSERT_ERR(valid ? OK : ERR_MALFORMED, ber_to_der(buf_bytes(&der), BER_SIGNED, &out, &why), &why);
        }
    }
}

TEST(size_is_limited)
{
    struct why why = { 0 };
    AUTO_BUF content = { 0 }, largest = { 0 }, out = { 0 };
    buf_reserve(&content, LIMIT_PKI_MESSAGE_BYTES);
    memset(content.data, 0x5A, LIMIT_PKI_MESSAGE_BYTES);
    content.len = LIMIT_PKI_MESSAGE_BYTES - 4; /* 04 82 xx xx */
    der_put_octets(&largest, buf_bytes(&content));
    assert_int_equal(largest.len, LIMIT_PKI_MESSAGE_BYTES);
    ASSERT_OK(ber_to_der(buf_bytes(&largest), BER_SIGNED, &out, &why), &why);
    ASSERT_BYTES(buf_bytes(&out), buf_bytes(&largest));
    buf_append_byte(&largest, 0);
    struct buf none = { 0 };
    ASSERT_ERR(ERR_LIMIT, ber_to_der(buf_bytes(&largest), BER_SIGNED, &none, &why), &why);
}

/* As many parts as fit, deeply nested: the work is a pass over the input, not one for each level of each
 * part. */
TEST(thousands_of_parts_are_joined)
{
    struct why why = { 0 };
    AUTO_BUF ber = { 0 }, out = { 0 };
    const uint8_t open[] = { 0x24, 0x80 }, part[] = { 0x24, 0x80, 0x04, 0x01, 0x77, 0x00, 0x00 },
                  end[] = { 0, 0 };
    size_t parts = (LIMIT_PKI_MESSAGE_BYTES - 8) / sizeof(part);
    buf_append(&ber, BYTES_ARR(open));
    for (size_t i = 0; i < parts; i++)
        buf_append(&ber, BYTES_ARR(part));
    buf_append(&ber, BYTES_ARR(end));
    ASSERT_OK(ber_to_der(buf_bytes(&ber), BER_SIGNED, &out, &why), &why);
    assert_int_equal(out.len, parts + 4);
}

/* Random DER up to `deepest` levels: at each step an element opens, ends, or gets an octet string. */
static void grow_tree(struct prng *prng, struct buf *out, size_t deepest)
{
    size_t marks[LIMIT_DER_DEPTH], depth = 0;
    uint8_t content[200] = { 0 };
    marks[depth++] = der_begin(out, DER_SEQUENCE);
    for (int step = 0; step < 60 && depth > 0; step++) {
        uint32_t what = prng_below(prng, 5);
        if (what < 2 && depth < deepest)
            marks[depth++] = der_begin(out, what ? DER_SET : DER_CONTEXT_CONSTRUCTED(1));
        else if (what == 2 && depth > 1)
            der_end(out, marks[--depth]);
        else
            der_put(out, DER_OCTET_STRING, bytes_of(content, prng_below(prng, sizeof(content))));
    }
    while (depth > 0)
        der_end(out, marks[--depth]);
}

TEST(any_der_comes_back_unchanged_and_any_cut_is_refused)
{
    struct prng prng = prng_seeded("ber trees");
    for (int round = 0; round < 50; round++) {
        struct why why = { 0 };
        AUTO_BUF der = { 0 }, out = { 0 };
        grow_tree(&prng, &der, LIMIT_DER_DEPTH - 1);
        ASSERT_OK(ber_to_der(buf_bytes(&der), BER_SIGNED, &out, &why), &why);
        ASSERT_BYTES(buf_bytes(&out), buf_bytes(&der));
        for (size_t len = 0; len < der.len; len += 7) {
            struct buf none = { 0 };
            ASSERT_ERR(ERR_MALFORMED, ber_to_der(bytes_of(der.data, len), BER_SIGNED, &none, &why), &why);
        }
    }
}

RUN(T(der_passes_unchanged), T(nested_der_passes_unchanged), T(indefinite_lengths_become_definite),
    T(lengths_that_are_not_minimal_become_minimal), T(octet_strings_in_parts_are_joined),
    T(encrypted_content_in_parts_is_joined_in_its_place_only), T(signed_attributes_must_be_der_already),
    T(end_of_contents_is_exact), T(an_inner_element_never_reaches_past_the_outer_one),
    T(tags_that_no_format_has_are_refused), T(depth_is_limited), T(the_depth_of_der_is_that_of_der_is_valid),
    T(size_is_limited), T(thousands_of_parts_are_joined),
    T(any_der_comes_back_unchanged_and_any_cut_is_refused))
