/* SPDX-License-Identifier: Apache-2.0 */
/* RSA keys that others can factor are refused, sound ones are not (spec security.md B12). */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "x509/key.h"
#include <openssl/bn.h>
#include <openssl/evp.h>

static struct buf spki_of(const BIGNUM *n, struct bytes exponent)
{
    uint8_t octets[4096];
    struct bytes modulus = bytes_of(octets, (size_t)BN_bn2bin(n, octets));
    struct buf spki = { 0 }, numbers = { 0 };
    size_t pair = der_begin(&numbers, DER_SEQUENCE);
    der_put_unsigned_bytes(&numbers, modulus);
    der_put_unsigned_bytes(&numbers, exponent);
    der_end(&numbers, pair);
    size_t whole = der_begin(&spki, DER_SEQUENCE);
    size_t algorithm = der_begin(&spki, DER_SEQUENCE);
    der_put_oid(&spki, oid_bytes(OID_RSA_ENCRYPTION));
    der_put_null(&spki);
    der_end(&spki, algorithm);
    der_put_bits(&spki, buf_bytes(&numbers));
    der_end(&spki, whole);
    buf_free(&numbers);
    return spki;
}

#define F4 BYTES_LIT("\x01\x00\x01")

/* Parse, then the weak-key check with at least `least` bits. */
static enum err check_with(const BIGNUM *n, struct bytes exponent, int least, struct why *why)
{
    AUTO_BUF spki = spki_of(n, exponent);
    AUTO(public_key) key = NULL;
    TRY(public_key_parse(buf_bytes(&spki), &key, why));
    return public_key_check_weak(key, least, why);
}

static void assert_weak(const BIGNUM *n, const char *reason)
{
    struct why why = { 0 };
    ASSERT_ERR(ERR_WEAK_KEY, check_with(n, F4, 1024, &why), &why);
    if (!strstr(why.text, reason))
        fail_msg("refused for '%s', wanted '%s'", why.text, reason);
}

static BIGNUM *sound_modulus(int bits)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
    BIGNUM *n = NULL;
    assert_int_equal(1, EVP_PKEY_get_bn_param(pkey, "n", &n));
    EVP_PKEY_free(pkey);
    return n;
}

static bool has_small_factor(const BIGNUM *n)
{
    for (BN_ULONG divisor = 2; divisor < 752; divisor++) {
        if (BN_mod_word(n, divisor) == 0)
            return true;
    }
    return false;
}

TEST(sound_keys_pass)
{
    struct why why = { 0 };
    for (int bits = 1024; bits <= 3072; bits += 1024) {
        BIGNUM *n = sound_modulus(bits);
        ASSERT_OK(check_with(n, F4, bits, &why), &why);
        BN_free(n);
    }
}

/* Whatever has no small factor and is random is neither an Infineon key nor near a square. */
TEST(random_moduli_are_not_mistaken_for_weak_ones)
{
    struct why why = { 0 };
    BIGNUM *n = BN_new();
    for (int sample = 0; sample < 100;) {
        assert_int_equal(1, BN_rand(n, 2048, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD));
        if (has_small_factor(n))
            continue;
        ASSERT_OK(check_with(n, F4, 2048, &why), &why);
        sample++;
    }
    BN_free(n);
}

TEST(sizes_count_in_bits_at_the_minimum)
{
    struct why why = { 0 };
    BIGNUM *n = sound_modulus(1024);
    ASSERT_OK(check_with(n, F4, 1024, &why), &why);
    ASSERT_ERR(ERR_WEAK_KEY, check_with(n, F4, 1025, &why), &why);
    BIGNUM *half = BN_new();
    assert_int_equal(1, BN_rshift1(half, n));
    BN_set_bit(half, 0);
    assert_weak(half, "1023 bits");
    BN_free(half);
    BN_free(n);
}

/* Never generated, only sized: what is too long is refused before arithmetic. */
TEST(sizes_are_bounded_above)
{
    struct why why = { 0 };
    BIGNUM *n = BN_new();
    do {
        assert_int_equal(1, BN_rand(n, 8192, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD));
    } while (has_small_factor(n));
    ASSERT_OK(check_with(n, F4, 2048, &why), &why);
    BN_set_bit(n, 8192);
    assert_weak(n, "1025 octets");
    BN_set_bit(n, 16383);
    assert_weak(n, "2048 octets");
    BN_free(n);
}

TEST(only_the_exponent_65537_is_taken)
{
    static const struct bytes refused[] = { BYTES_LIT("\x00"),
                                            BYTES_LIT("\x01"),
                                            BYTES_LIT("\x02"),
                                            BYTES_LIT("\x03"),
                                            BYTES_LIT("\x11"),
                                            BYTES_LIT("\x01\x00\x00"),
                                            BYTES_LIT("\x01\x00\x03"),
                                            BYTES_LIT("\x01\x00\x00\x00\x01"),
                                            BYTES_LIT("\x01\x00\x00\x00\x00\x00\x00\x00\x01") };
    struct why why = { 0 };
    BIGNUM *n = sound_modulus(1024);
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        ASSERT_ERR(ERR_WEAK_KEY, check_with(n, refused[i], 1024, &why), &why);
    assert_non_null(strstr(why.text, "exponent"));
    ASSERT_OK(check_with(n, F4, 1024, &why), &why);
    BN_free(n);
}

TEST(even_moduli_are_refused)
{
    BIGNUM *n = sound_modulus(1024);
    BN_clear_bit(n, 0);
    assert_weak(n, "even");
    BN_free(n);
}

TEST(small_factors_are_refused_to_751)
{
    static const BN_ULONG factors[] = { 3, 5, 167, 173, 743, 751 };
    for (size_t i = 0; i < sizeof(factors) / sizeof(*factors); i++) {
        BIGNUM *n = sound_modulus(1024);
        char reason[32];
        snprintf(reason, sizeof(reason), "divisible by %lu", factors[i]);
        assert_int_equal(1, BN_mul_word(n, factors[i]));
        assert_weak(n, reason);
        BN_free(n);
    }
    struct why why = { 0 };
    BIGNUM *n = sound_modulus(1024);
    assert_int_equal(1, BN_mul_word(n, 757));
    ASSERT_OK(check_with(n, F4, 1024, &why), &why);
    BN_free(n);
}

/* A prime as the flawed library makes them: k M + (65537^a mod M), M the product of the first 39 primes. */
static void make_infineon_prime(BIGNUM *prime, int bits, BN_CTX *ctx)
{
    BIGNUM *m = BN_new(), *power = BN_new(), *base = BN_new(), *exponent = BN_new();
    BN_one(m);
    for (BN_ULONG candidate = 2; candidate <= 167; candidate++) {
        bool is_prime = true;
        for (BN_ULONG d = 2; d * d <= candidate; d++)
            is_prime = is_prime && candidate % d != 0;
        if (is_prime)
            BN_mul_word(m, candidate);
    }
    BN_set_word(base, 65537);
    do {
        assert_int_equal(1, BN_rand(exponent, 60, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY));
        assert_int_equal(1, BN_mod_exp(power, base, exponent, m, ctx));
        assert_int_equal(1, BN_rand(prime, bits - BN_num_bits(m) + 1, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY));
        assert_int_equal(1, BN_mul(prime, prime, m, ctx));
        assert_int_equal(1, BN_add(prime, prime, power));
    } while (BN_check_prime(prime, ctx, NULL) != 1);
    BN_free(m);
    BN_free(power);
    BN_free(base);
    BN_free(exponent);
}

TEST(keys_of_the_flawed_infineon_library_are_refused)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = BN_new(), *q = BN_new(), *n = BN_new();
    for (int bits = 512; bits <= 1024; bits += 256) {
        make_infineon_prime(p, bits, ctx);
        make_infineon_prime(q, bits, ctx);
        assert_int_equal(1, BN_mul(n, p, q, ctx));
        assert_weak(n, "ROCA");
    }
    /* one such prime is not the fingerprint: the other half hides it, and the attack needs both forms known */
    struct why why = { 0 };
    assert_int_equal(1, BN_generate_prime_ex(q, 1024, 0, NULL, NULL, NULL));
    assert_int_equal(1, BN_mul(n, p, q, ctx));
    ASSERT_OK(check_with(n, F4, 1024, &why), &why);
    BN_free(p);
    BN_free(q);
    BN_free(n);
    BN_CTX_free(ctx);
}

/* A power of 65537 modulo each prime by itself, but not one and the same power: chance, not the flawed library. */
static void make_look_alike(BIGNUM *n, BN_CTX *ctx)
{
    BIGNUM *m = BN_new();
    BN_one(m);
    BN_one(n);
    for (BN_ULONG prime = 3, power = 1; prime <= 167; prime += 2) {
        if (BN_mod_word(m, prime) == 0 ||
            (prime > 9 && (prime % 3 == 0 || prime % 5 == 0 || prime % 7 == 0)) || prime == 9 ||
            prime == 121 || prime == 143)
            continue;
        power = 1;
        for (BN_ULONG times = prime / 3; times > 0; times--)
            power = power * (65537 % prime) % prime;
        while (BN_mod_word(n, prime) != power)
            BN_add(n, n, m);
        BN_mul_word(m, prime);
    }
    BN_lshift1(m, m);
    BIGNUM *times = BN_new(), *base = BN_dup(n);
    do {
        BN_rand(times, 2048 - BN_num_bits(m), BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY);
        BN_mul(n, m, times, ctx);
        BN_add(n, n, base);
        if (!BN_is_odd(n)) {
            BN_rshift1(times, m);
            BN_add(n, n, times);
        }
    } while (has_small_factor(n));
    BN_free(times);
    BN_free(base);
    BN_free(m);
}

TEST(a_look_alike_of_the_fingerprint_passes)
{
    struct why why = { 0 };
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_new();
    make_look_alike(n, ctx);
    ASSERT_OK(check_with(n, F4, 1024, &why), &why);
    BN_free(n);
    BN_CTX_free(ctx);
}

static void integer_root(BIGNUM *root, const BIGNUM *value, BN_CTX *ctx)
{
    BIGNUM *next = BN_new();
    BN_zero(root);
    BN_set_bit(root, BN_num_bits(value) / 2 + 1);
    for (;;) {
        BN_div(next, NULL, value, root, ctx);
        BN_add(next, next, root);
        BN_rshift1(next, next);
        if (BN_cmp(next, root) >= 0)
            break;
        BN_copy(root, next);
    }
    BN_free(next);
}

/* n = (a - d)(a + d) with d^2 / 2a = halves / 2, which Fermat's method finds in round halves / 2 (rounded up). */
static void make_close(BIGNUM *n, int bits, BN_ULONG halves, BN_CTX *ctx)
{
    BIGNUM *a = BN_new(), *d = BN_new(), *p = BN_new(), *q = BN_new();
    do {
        assert_int_equal(1, BN_rand(a, bits / 2, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY));
        BN_copy(q, a);
        BN_mul_word(q, halves);
        integer_root(d, q, ctx);
        if (BN_is_odd(a) == BN_is_odd(d))
            BN_add_word(a, 1);
        BN_sub(p, a, d);
        BN_add(q, a, d);
    } while (has_small_factor(p) || has_small_factor(q));
    assert_int_equal(1, BN_mul(n, p, q, ctx));
    BN_free(a);
    BN_free(d);
    BN_free(p);
    BN_free(q);
}

TEST(close_primes_are_refused_to_the_hundredth_round)
{
    struct why why = { 0 };
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_new();
    static const int sizes[] = { 1024, 2048, 4096, 8192 };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        make_close(n, sizes[i], 1, ctx);
        assert_weak(n, "in round 1");
        make_close(n, sizes[i], 101, ctx);
        assert_weak(n, "in round 51");
        make_close(n, sizes[i], 199, ctx);
        assert_weak(n, "in round 100");
        make_close(n, sizes[i], 201, ctx);
        ASSERT_OK(check_with(n, F4, 1024, &why), &why);
    }
    BN_free(n);
    BN_CTX_free(ctx);
}

TEST(neighbouring_primes_and_squares_are_refused)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = BN_new(), *q = BN_new(), *n = BN_new();
    assert_int_equal(1, BN_generate_prime_ex(p, 1024, 0, NULL, NULL, NULL));
    assert_int_equal(1, BN_sqr(n, p, ctx));
    assert_weak(n, "in round 1");
    BN_copy(q, p);
    do {
        BN_add_word(q, 2);
    } while (BN_check_prime(q, ctx, NULL) != 1);
    assert_int_equal(1, BN_mul(n, p, q, ctx));
    assert_weak(n, "in round 1");
    BN_free(p);
    BN_free(q);
    BN_free(n);
    BN_CTX_free(ctx);
}

RUN(T(sound_keys_pass), T(random_moduli_are_not_mistaken_for_weak_ones),
    T(sizes_count_in_bits_at_the_minimum), T(sizes_are_bounded_above), T(only_the_exponent_65537_is_taken),
    T(even_moduli_are_refused), T(small_factors_are_refused_to_751),
    T(keys_of_the_flawed_infineon_library_are_refused), T(a_look_alike_of_the_fingerprint_passes),
    T(close_primes_are_refused_to_the_hundredth_round), T(neighbouring_primes_and_squares_are_refused))
