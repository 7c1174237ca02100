/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/x509/weak_plain.h"

#include "tests/unit/test.h"
#include "x509/key_internal.h"

#define ROUNDS 100

unsigned weak_smallest_divisor(const BIGNUM *n)
{
    for (unsigned d = 2; d <= SMALL_MOST; d++) {
        if (BN_mod_word(n, d) == 0)
            return d;
    }
    return 0;
}

static uint64_t power_mod(uint64_t exponent, uint64_t p)
{
    uint64_t result = 1 % p, base = 65537 % p;
    for (; exponent; exponent >>= 1, base = base * base % p)
        result = exponent & 1 ? result * base % p : result;
    return result;
}

static uint64_t order_mod(uint64_t p)
{
    uint64_t order = 1;
    while (power_mod(order, p) != 1)
        order++;
    return order;
}

static uint64_t common(uint64_t a, uint64_t b)
{
    return b ? common(b, a % b) : a;
}

bool weak_is_prime(uint64_t p)
{
    for (uint64_t d = 2; d * d <= p; d++) {
        if (p % d == 0)
            return false;
    }
    return true;
}

/* The one exponent for all primes at once, searched for prime by prime: it stays below 2^63. */
static bool is_power_of_65537(const BIGNUM *n)
{
    uint64_t x = 0, period = 1;
    for (uint64_t p = 3; p <= ROCA_MOST; p++) {
        if (!weak_is_prime(p))
            continue;
        uint64_t residue = BN_mod_word(n, p), order = order_mod(p), tries = order / common(order, period);
        while (tries > 0 && power_mod(x, p) != residue) {
            x += period;
            tries--;
        }
        if (tries == 0)
            return false;
        period *= order / common(order, period);
    }
    return true;
}

/* However it was found: root^2 <= value < (root + 1)^2. */
void weak_plain_root(const BIGNUM *value, BIGNUM *root)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *next = BN_new(), *above = BN_new();
    BN_zero(root);
    if (!BN_is_zero(value))
        assert_int_equal(1, BN_set_bit(root, BN_num_bits(value) / 2 + 1));
    while (!BN_is_zero(root)) {
        assert_int_equal(1, BN_div(next, NULL, value, root, ctx));
        BN_add(next, next, root);
        BN_rshift1(next, next);
        if (BN_cmp(next, root) >= 0)
            break;
        BN_copy(root, next);
    }
    BN_sqr(next, root, ctx);
    BN_copy(above, root);
    BN_add_word(above, 1);
    BN_sqr(above, above, ctx);
    assert_true(BN_cmp(next, value) <= 0 && BN_cmp(value, above) < 0);
    BN_free(next);
    BN_free(above);
    BN_CTX_free(ctx);
}

static bool is_square(const BIGNUM *value)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *root = BN_new();
    weak_plain_root(value, root);
    BN_sqr(root, root, ctx);
    BN_CTX_free(ctx);
    bool square = BN_cmp(root, value) == 0;
    BN_free(root);
    return square;
}

/* From 1; 0: in none of the hundred. */
static unsigned round_that_factors(const BIGNUM *n)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *a = BN_new(), *rest = BN_new();
    unsigned found = 0;
    weak_plain_root(n, a);
    BN_sqr(rest, a, ctx);
    if (BN_cmp(rest, n) < 0)
        BN_add_word(a, 1);
    for (unsigned round = 1; round <= ROUNDS && !found; round++, BN_add_word(a, 1)) {
        BN_sqr(rest, a, ctx);
        BN_sub(rest, rest, n);
        found = is_square(rest) ? round : 0;
    }
    BN_free(a);
    BN_free(rest);
    BN_CTX_free(ctx);
    return found;
}

static void plain_verdict(const BIGNUM *n, char ret[static 40])
{
    unsigned number = weak_smallest_divisor(n);
    if (number)
        snprintf(ret, 40, "divisible by %u", number);
    else if (is_power_of_65537(n))
        snprintf(ret, 40, "ROCA");
    else if ((number = round_that_factors(n)))
        snprintf(ret, 40, "in round %u", number);
    else
        snprintf(ret, 40, "sound");
}

/* --- and ours --- */

void weak_verdict(const BIGNUM *n, char ret[static 40])
{
    static const uint8_t f4[] = { 1, 0, 1 };
    uint8_t octets[RSA_MAX_BYTES];
    struct why why = { 0 };
    assert_true(BN_num_bytes(n) <= RSA_MAX_BYTES);
    const struct public_key key = { .kind = KEY_RSA,
                                    .bits = BN_num_bits(n),
                                    .modulus = bytes_of(octets, (size_t)BN_bn2bin(n, octets)),
                                    .exponent = BYTES_ARR(f4) };
    enum err err = public_key_check_weak(&key, 1, &why);
    static const char *const reasons[] = { "divisible by", "ROCA", "in round" };
    snprintf(ret, 40, "%s", err == OK ? "sound" : "?");
    for (size_t i = 0; i < 3; i++) {
        const char *at = err == ERR_WEAK_KEY ? strstr(why.text, reasons[i]) : NULL;
        if (at)
            snprintf(ret, 40, "%s", i == 1 ? "ROCA" : at);
    }
}

void weak_compare(const BIGNUM *n)
{
    char plain[40], ours[40];
    plain_verdict(n, plain);
    weak_verdict(n, ours);
    if (strcmp(plain, ours) != 0)
        fail_msg("0x%s is %s, we say %s", BN_bn2hex(n), plain, ours);
}
