/* SPDX-License-Identifier: Apache-2.0 */
/* The quick arithmetic of the weak-key check against the plain one, number by number: the same verdict, for the same reason. */
#include "tests/unit/test.h"
#include "tests/unit/x509/weak_plain.h"

static BN_CTX *ctx;

static int begin(void **state)
{
    (void)state;
    ctx = BN_CTX_new();
    return ctx ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    BN_CTX_free(ctx);
    return 0;
}

static const int sizes[] = { 512,  513,  521,  544,  767,  1000, 1023, 1024, 1025, 1055,
                             1056, 1057, 1536, 2016, 2017, 2047, 2048, 2049, 2080, 2081,
                             3071, 3072, 4095, 4096, 4097, 6001, 8191, 8192 };
#define SIZES (sizeof(sizes) / sizeof(*sizes))
/* As many more of the short ones as they cost less. */
static int samples_of(int bits)
{
    return bits <= 1100 ? 24 : bits <= 2100 ? 12 : bits <= 4100 ? 4 : 1;
}

static void random_of(BIGNUM *n, int bits, bool odd)
{
    assert_int_equal(1, BN_rand(n, bits, BN_RAND_TOP_ONE, odd ? BN_RAND_BOTTOM_ODD : BN_RAND_BOTTOM_ANY));
}

static void random_without_small_factor(BIGNUM *n, int bits)
{
    do
        random_of(n, bits, true);
    while (weak_smallest_divisor(n));
}

TEST(random_numbers_of_all_sizes)
{
    BIGNUM *n = BN_new();
    for (size_t i = 0; i < SIZES; i++) {
        for (int sample = 0; sample < samples_of(sizes[i]); sample++) {
            random_of(n, sizes[i], sample % 4 != 0);
            weak_compare(n);
            random_without_small_factor(n, sizes[i]);
            weak_compare(n);
        }
    }
    BN_free(n);
}

TEST(every_small_number)
{
    BIGNUM *n = BN_new();
    for (BN_ULONG value = 1; value < 3000; value++) {
        BN_set_word(n, value);
        weak_compare(n);
    }
    for (int bits = 12; bits <= 130; bits++) {
        random_without_small_factor(n, bits);
        weak_compare(n);
    }
    BN_free(n);
}

TEST(products_of_two_small_primes)
{
    BIGNUM *n = BN_new();
    for (BN_ULONG p = SMALL_MOST + 2; p < 1200; p += 2) {
        for (BN_ULONG q = p; q < 1200; q += 2) {
            BN_set_word(n, p * q);
            if (weak_is_prime(p) && weak_is_prime(q))
                weak_compare(n);
        }
    }
    BN_free(n);
}

TEST(every_small_factor_in_numbers_of_all_sizes)
{
    BIGNUM *n = BN_new(), *rest = BN_new();
    for (BN_ULONG p = 2; p <= SMALL_MOST + 20; p++) {
        if (!weak_is_prime(p))
            continue;
        int bits = sizes[p % SIZES];
        random_without_small_factor(rest, bits - 20);
        BN_copy(n, rest);
        BN_mul_word(n, p);
        weak_compare(n);
        BN_mul_word(n, p > 400 ? 2 : SMALL_MOST);
        weak_compare(n);
    }
    BN_free(n);
    BN_free(rest);
}

/* Where every word is as large as it can be, or but one bit is set. */
TEST(numbers_of_extreme_words)
{
    BIGNUM *n = BN_new();
    for (size_t i = 0; i < SIZES; i++) {
        for (int below = 0; below < 6; below++) {
            BN_one(n);
            BN_lshift(n, n, sizes[i]);
            BN_sub_word(n, (BN_ULONG)(2 * below + 1));
            weak_compare(n);
            BN_one(n);
            BN_lshift(n, n, sizes[i] - 1);
            BN_add_word(n, (BN_ULONG)(2 * below + 1));
            weak_compare(n);
        }
    }
    BN_free(n);
}

TEST(squares_and_their_neighbours)
{
    BIGNUM *n = BN_new(), *root = BN_new();
    for (size_t i = 0; i < SIZES; i++) {
        for (int kind = 0; kind < 3; kind++) {
            random_without_small_factor(root, sizes[i] / 2);
            if (kind == 1) { /* all ones */
                BN_one(root);
                BN_lshift(root, root, sizes[i] / 2);
                BN_sub_word(root, 1);
            } else if (kind == 2) {
                BN_clear_bit(root, sizes[i] / 2 - 2);
            }
            for (int off = -2; off <= 2; off += sizes[i] > 4100 ? 2 : 1) {
                BN_sqr(n, root, ctx);
                if (off < 0)
                    BN_sub_word(n, (BN_ULONG)-off);
                else
                    BN_add_word(n, (BN_ULONG)off);
                weak_compare(n);
            }
        }
    }
    BN_free(n);
    BN_free(root);
}

/* n = (a - b)(a + b) with a of half as many bits. b: given, or with b^2 = about `halves` times a, so that Fermat's method
   finds it in about halves / 2 rounds. */
static void close_product(BIGNUM *n, int bits, const BIGNUM *b_given, BN_ULONG halves)
{
    BIGNUM *a = BN_new(), *b = BN_new(), *p = BN_new(), *q = BN_new();
    do {
        assert_int_equal(1, BN_rand(a, bits / 2, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY));
        BN_copy(q, a);
        BN_mul_word(q, halves);
        if (b_given)
            BN_copy(b, b_given);
        else
            weak_plain_root(q, b);
        if (BN_is_odd(a) == BN_is_odd(b))
            BN_add_word(a, 1);
        BN_sub(p, a, b);
        BN_add(q, a, b);
    } while (weak_smallest_divisor(p) || weak_smallest_divisor(q));
    assert_int_equal(1, BN_mul(n, p, q, ctx));
    BN_free(a);
    BN_free(b);
    BN_free(p);
    BN_free(q);
}

TEST(factors_whose_difference_has_few_bits)
{
    BIGNUM *n = BN_new(), *b = BN_new();
    char verdict[40];
    for (size_t i = 0; i < SIZES; i++) {
        for (int bits = 1; bits <= 96; bits += sizes[i] > 2100 ? 19 : 3) {
            random_of(b, bits, false);
            close_product(n, sizes[i], b, 0);
            weak_compare(n);
            weak_verdict(n, verdict);
            assert_string_equal("in round 1", verdict);
        }
    }
    BN_free(n);
    BN_free(b);
}

TEST(close_factors_up_to_the_last_round_and_past_it)
{
    BIGNUM *n = BN_new();
    char verdict[40];
    int found = 0;
    for (size_t i = 0; i < SIZES; i++) {
        for (int sample = 0; sample < 4 * samples_of(sizes[i]); sample++) {
            BN_ULONG halves = (BN_ULONG)(sample % 4 == 0 ? 196 + sample % 9 : (sample * 37 + (int)i) % 210);
            close_product(n, sizes[i], NULL, halves);
            weak_compare(n);
            weak_verdict(n, verdict);
            found += strncmp(verdict, "in round", 8) == 0;
        }
    }
    assert_true(found > 200); /* or the test would look at sound numbers alone */
    BN_free(n);
}

/* 65537^x modulo the product of the primes from 3 to 167, and a multiple of it; of one prime another residue where wrong. */
static void infineon_like(BIGNUM *n, int bits, uint64_t wrong)
{
    BIGNUM *m = BN_new(), *power = BN_new(), *x = BN_new(), *base = BN_new();
    BN_one(m);
    for (BN_ULONG p = 3; p <= ROCA_MOST; p++) {
        if (weak_is_prime(p))
            BN_mul_word(m, p);
    }
    BN_set_word(base, 65537);
    do {
        assert_int_equal(1, BN_rand(x, 60, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY));
        assert_int_equal(1, BN_mod_exp(power, base, x, m, ctx));
        random_of(n, bits - BN_num_bits(m), false);
        BN_mul(n, n, m, ctx);
        BN_add(n, n, power);
        if (wrong) {
            BN_copy(x, m);
            BN_div_word(x, wrong);
            BN_add(n, n, x);
        }
        if (!BN_is_odd(n))
            BN_add(n, n, m); /* which is odd */
    } while (weak_smallest_divisor(n));
    BN_free(m);
    BN_free(power);
    BN_free(x);
    BN_free(base);
}

TEST(the_infineon_fingerprint_and_what_lacks_it_in_one_prime)
{
    BIGNUM *n = BN_new();
    char verdict[40];
    for (size_t i = 0; i < SIZES; i++) {
        infineon_like(n, sizes[i], 0);
        weak_compare(n);
        weak_verdict(n, verdict);
        assert_string_equal("ROCA", verdict);
        for (uint64_t p = 5; p <= ROCA_MOST; p++) {
            if (!weak_is_prime(p) || (sizes[i] > 1100 && p % 7 != i % 7))
                continue;
            infineon_like(n, sizes[i], p);
            weak_compare(n);
        }
    }
    BN_free(n);
}

#define K(name) cmocka_unit_test_setup_teardown(name, begin, end)
RUN(K(random_numbers_of_all_sizes), K(every_small_number), K(every_small_factor_in_numbers_of_all_sizes),
    K(numbers_of_extreme_words), K(squares_and_their_neighbours), K(products_of_two_small_primes),
    K(factors_whose_difference_has_few_bits), K(close_factors_up_to_the_last_round_and_past_it),
    K(the_infineon_fingerprint_and_what_lacks_it_in_one_prime))
