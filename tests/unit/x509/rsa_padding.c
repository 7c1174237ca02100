/* SPDX-License-Identifier: Apache-2.0 */
/* Padding taken off: every valid block gives its key, every kind of invalid one leaves the substitute alone.
 */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "tests/support/rsa_encode.h"
#include "x509/constant_time.h"
#include "x509/rsa_padding.h"

static const size_t block_sizes[] = { 128, 256, 384, 512 };
static const size_t key_sizes[] = { 16, 24, 32 };
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct buf filled(uint8_t octet, size_t len)
{
    struct buf out = { 0 };
    for (size_t i = 0; i < len; i++)
        buf_append_byte(&out, octet);
    return out;
}

static struct buf key_of(size_t len)
{
    struct buf out = { 0 };
    for (size_t i = 0; i < len; i++)
        buf_append_byte(&out, (uint8_t)(0xA1 + i));
    return out;
}

static void expect_pkcs1(struct bytes block, size_t key_len, bool good)
{
    AUTO_BUF key = filled(0x55, key_len), substitute = filled(0x55, key_len), right = key_of(key_len);
    assert_int_equal(rsa_unpad_pkcs1(block, &key), good ? 0xFF : 0x00);
    ASSERT_BYTES(buf_bytes(&key), buf_bytes(good ? &right : &substitute));
}

TEST(every_valid_pkcs1_block_gives_its_key)
{
    struct prng prng = prng_seeded("pkcs1");
    for (size_t s = 0; s < COUNT(block_sizes); s++) {
        for (size_t k = 0; k < COUNT(key_sizes); k++) {
            AUTO_BUF key = key_of(key_sizes[k]);
            for (int round = 0; round < 20; round++) {
                AUTO_BUF block = rsa_pad_pkcs1(&prng, block_sizes[s], buf_bytes(&key));
                expect_pkcs1(buf_bytes(&block), key.len, true);
            }
        }
    }
}

TEST(every_invalid_pkcs1_block_leaves_the_substitute)
{
    struct prng prng = prng_seeded("pkcs1 broken");
    assert_true(rsa_breaks >= 25);
    for (size_t s = 0; s < COUNT(block_sizes); s++) {
        for (size_t k = 0; k < COUNT(key_sizes); k++) {
            AUTO_BUF key = key_of(key_sizes[k]);
            for (size_t way = 0; way < rsa_breaks; way++) {
                AUTO_BUF block = rsa_pad_pkcs1(&prng, block_sizes[s], buf_bytes(&key));
                rsa_break_pkcs1(&block, key.len, way);
                expect_pkcs1(buf_bytes(&block), key.len, false);
            }
        }
    }
}

TEST(a_pkcs1_key_of_any_other_length_is_bad_padding)
{
    struct prng prng = prng_seeded("pkcs1 length");
    for (size_t len = 0; len <= 40; len++) {
        AUTO_BUF key = key_of(len);
        AUTO_BUF block = rsa_pad_pkcs1(&prng, 256, buf_bytes(&key));
        expect_pkcs1(buf_bytes(&block), 16, len == 16);
        expect_pkcs1(buf_bytes(&block), 24, len == 24);
        expect_pkcs1(buf_bytes(&block), 32, len == 32);
    }
}

TEST(a_pkcs1_block_needs_eight_octets_of_padding)
{
    struct prng prng = prng_seeded("pkcs1 shortest");
    AUTO_BUF key = key_of(16);
    AUTO_BUF shortest = rsa_pad_pkcs1(&prng, 16 + 11, buf_bytes(&key));
    AUTO_BUF shorter = rsa_pad_pkcs1(&prng, 16 + 10, buf_bytes(&key));
    expect_pkcs1(buf_bytes(&shortest), 16, true);
    expect_pkcs1(buf_bytes(&shorter), 16, false);
    expect_pkcs1(BYTES_NONE, 16, false);
}

static const struct oaep oaeps[] = {
    { DIGEST_SHA1, DIGEST_SHA1 },     { DIGEST_SHA256, DIGEST_SHA256 }, { DIGEST_SHA256, DIGEST_SHA1 },
    { DIGEST_SHA384, DIGEST_SHA384 }, { DIGEST_SHA512, DIGEST_SHA512 },
};

static void expect_oaep(struct bytes block, const struct oaep *oaep, size_t key_len, bool good)
{
    struct why why = { 0 };
    uint8_t mask = 0x5A;
    AUTO_BUF key = filled(0x55, key_len), substitute = filled(0x55, key_len), right = key_of(key_len);
    ASSERT_OK(rsa_unpad_oaep(block, oaep, &key, &mask, &why), &why);
    assert_int_equal(mask, good ? 0xFF : 0x00);
    ASSERT_BYTES(buf_bytes(&key), buf_bytes(good ? &right : &substitute));
}

TEST(every_valid_oaep_block_gives_its_key)
{
    struct prng prng = prng_seeded("oaep");
    for (size_t o = 0; o < COUNT(oaeps); o++) {
        for (size_t k = 0; k < COUNT(key_sizes); k++) {
            AUTO_BUF key = key_of(key_sizes[k]);
            AUTO_BUF block = rsa_pad_oaep(&prng, 256, &oaeps[o], buf_bytes(&key));
            expect_oaep(buf_bytes(&block), &oaeps[o], key.len, true);
        }
    }
}

TEST(an_oaep_block_with_any_octet_changed_leaves_the_substitute)
{
    struct prng prng = prng_seeded("oaep broken");
    for (size_t o = 0; o < COUNT(oaeps); o++) {
        AUTO_BUF key = key_of(32);
        AUTO_BUF block = rsa_pad_oaep(&prng, 256, &oaeps[o], buf_bytes(&key));
        /* Changing the masked key itself changes the seed too, and so all of DB. */
        for (size_t i = 0; i < block.len; i++) {
            block.data[i] ^= 0x40;
            expect_oaep(buf_bytes(&block), &oaeps[o], 32, false);
            block.data[i] ^= 0x40;
        }
        expect_oaep(buf_bytes(&block), &oaeps[o], 32, true);
    }
}

TEST(an_oaep_key_of_any_other_length_or_digest_is_bad_padding)
{
    struct prng prng = prng_seeded("oaep length");
    for (size_t len = 0; len <= 40; len++) {
        AUTO_BUF key = key_of(len);
        AUTO_BUF block = rsa_pad_oaep(&prng, 256, &oaeps[1], buf_bytes(&key));
        expect_oaep(buf_bytes(&block), &oaeps[1], 16, len == 16);
        expect_oaep(buf_bytes(&block), &oaeps[1], 32, len == 32);
        expect_oaep(buf_bytes(&block), &oaeps[0], 32, false);
        expect_oaep(buf_bytes(&block), &oaeps[2], 32, false);
    }
}

TEST(an_oaep_block_too_small_for_its_digest_is_bad_padding)
{
    AUTO_BUF block = filled(0, 128);
    expect_oaep(buf_bytes(&block), &oaeps[4], 16, false); /* 16 + 2 * 64 + 2 = 146 */
    expect_oaep(BYTES_NONE, &oaeps[1], 16, false);
    struct prng prng = prng_seeded("oaep smallest");
    AUTO_BUF key = key_of(16);
    AUTO_BUF smallest = rsa_pad_oaep(&prng, 146, &oaeps[4], buf_bytes(&key));
    expect_oaep(buf_bytes(&smallest), &oaeps[4], 16, true);
}

TEST(masks_are_right_for_every_octet)
{
    for (uint32_t a = 0; a < 256; a++) {
        assert_int_equal(ct_is_zero(a), a == 0 ? 0xFF : 0);
        for (uint32_t b = 0; b < 256; b++) {
            assert_int_equal(ct_equal(a, b), a == b ? 0xFF : 0);
            assert_int_equal(ct_less(a, b), a < b ? 0xFF : 0);
        }
    }
    assert_int_equal(ct_is_zero(UINT32_MAX), 0);
    assert_int_equal(ct_is_zero(UINT32_C(1) << 31), 0);
}

RUN(T(every_valid_pkcs1_block_gives_its_key), T(every_invalid_pkcs1_block_leaves_the_substitute),
    T(a_pkcs1_key_of_any_other_length_is_bad_padding), T(a_pkcs1_block_needs_eight_octets_of_padding),
    T(every_valid_oaep_block_gives_its_key), T(an_oaep_block_with_any_octet_changed_leaves_the_substitute),
    T(an_oaep_key_of_any_other_length_or_digest_is_bad_padding),
    T(an_oaep_block_too_small_for_its_digest_is_bad_padding), T(masks_are_right_for_every_octet))
