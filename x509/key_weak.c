/* SPDX-License-Identifier: Apache-2.0 */
/* RSA keys that others can factor (spec security.md B12): small factors, close primes, and the Infineon
   library of CVE-2017-15361. Everything here is about public numbers, so nothing needs constant time. */
#include "x509/key_internal.h"

#include "base/encode.h"
#include "base/fault.h"
#include <openssl/bn.h>

/* Every prime below 752, as public CAs test (CA/B BR 6.1.6). */
static const uint16_t primes[] = {
    /* clang-format off */
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
    103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193, 197, 199,
    211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271, 277, 281, 283, 293, 307, 311, 313, 317,
    331, 337, 347, 349, 353, 359, 367, 373, 379, 383, 389, 397, 401, 409, 419, 421, 431, 433, 439, 443,
    449, 457, 461, 463, 467, 479, 487, 491, 499, 503, 509, 521, 523, 541, 547, 557, 563, 569, 571, 577,
    587, 593, 599, 601, 607, 613, 617, 619, 631, 641, 643, 647, 653, 659, 661, 673, 677, 683, 691, 701,
    709, 719, 727, 733, 739, 743, 751,
    /* clang-format on */
};
#define PRIMES (sizeof(primes) / sizeof(*primes))

static uint32_t word_at(struct bytes number, size_t from_end)
{
    uint32_t word = 0;
    for (size_t i = 4; i-- > 0;) {
        size_t at = from_end * 4 + i;
        word = word << 8 | (at < number.len ? number.data[number.len - 1 - at] : 0);
    }
    return word;
}

static uint32_t residue_of(const uint32_t *words, size_t count, uint32_t modulus)
{
    uint64_t rest = 0;
    for (size_t i = count; i-- > 0;)
        rest = (rest << 32 | words[i]) % modulus;
    return (uint32_t)rest;
}

/* Primes are taken together while their product fits 32 bits. With the powers of 2^32 modulo that product a residue is one
   sum of products, and not a chain of as many divisions, each of which waits for the one before: every device's key comes
   through here. */
#define GROUPS_MAX  64
#define QUICK_WORDS 64 /* moduli up to 2048 bits; for longer ones the chain is long enough */
static struct group {
    size_t from, to; /* in primes */
    uint32_t product, powers[QUICK_WORDS];
} groups[GROUPS_MAX];
static size_t group_count;
static pthread_once_t groups_once = PTHREAD_ONCE_INIT;

static void groups_make(void)
{
    for (size_t to = 0; to < PRIMES; group_count++) {
        struct group *group = &groups[group_count];
        uint64_t product = 1, power = 1;
        group->from = to;
        while (to < PRIMES && product * primes[to] <= UINT32_MAX)
            product *= primes[to++];
        group->to = to;
        group->product = (uint32_t)product;
        for (size_t i = 0; i < QUICK_WORDS; i++, power = (power << 32) % product)
            group->powers[i] = (uint32_t)power;
    }
}

static uint32_t residue_of_group(const uint32_t *words, size_t count, const struct group *group)
{
    uint64_t low = 0, high = 0; /* of the sum: neither reaches 64 bits */
    if (count > QUICK_WORDS)
        return residue_of(words, count, group->product);
    for (size_t i = 0; i < count; i++) {
        uint64_t part = (uint64_t)words[i] * group->powers[i];
        low += (uint32_t)part;
        high += part >> 32;
    }
    high += low >> 32;
    return (uint32_t)(((high % group->product) << 32 | (uint32_t)low) % group->product);
}

struct weak_check {
    uint32_t words[RSA_MAX_BYTES / 4]; /* the modulus, least significant first */
    size_t count;
    uint16_t residues[PRIMES]; /* modulus mod primes[i] */
};

static void fill_residues(struct weak_check *check, struct bytes modulus)
{
    pthread_once(&groups_once, groups_make);
    check->count = (modulus.len + 3) / 4;
    for (size_t i = 0; i < check->count; i++)
        check->words[i] = word_at(modulus, i);
    for (size_t i = 0; i < group_count; i++) {
        uint32_t rest = residue_of_group(check->words, check->count, &groups[i]);
        for (size_t k = groups[i].from; k < groups[i].to; k++)
            check->residues[k] = (uint16_t)(rest % primes[k]);
    }
}

/* x with 65537^x = residue (mod prime), and the order of 65537; false when there is no such x. */
static bool discrete_log(uint32_t prime, uint32_t residue, uint32_t *ret_log, uint32_t *ret_order)
{
    bool found = false;
    uint32_t power = 1, exponent = 0;
    do {
        if (power == residue) {
            *ret_log = exponent;
            found = true;
        }
        power = power * (65537 % prime) % prime;
        exponent++;
    } while (power != 1);
    *ret_order = exponent;
    return found;
}

static uint32_t greatest_common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* "The Return of Coppersmith's Attack" (Nemec et al., 2017): the library's primes are k M + (65537^a mod M),
   with M the product of the first primes (2 to 167 at the least), so its moduli are powers of 65537 modulo M.
   That is: there is one x for all primes of M, which holds exactly if the logarithms agree modulo the common
   divisors of the orders. */
static bool has_infineon_fingerprint(const struct weak_check *check)
{
    enum { FIRST = 1, LAST = 38 }; /* 3 to 167; all moduli are odd */
    uint32_t logs[LAST + 1], orders[LAST + 1];
    for (size_t i = FIRST; i <= LAST; i++) {
        if (!discrete_log(primes[i], check->residues[i], &logs[i], &orders[i]))
            return false;
        for (size_t k = FIRST; k < i; k++) {
            uint32_t common = greatest_common_divisor(orders[i], orders[k]);
            if (logs[i] % common != logs[k] % common)
                return false;
        }
    }
    return true;
}

struct numbers {
    BN_CTX *ctx;
    BIGNUM *n, *root, *rest, *square, *next, *part;
};

static void numbers_free(struct numbers *numbers)
{
    BN_CTX_free(numbers->ctx);
    BN_free(numbers->n);
    BN_free(numbers->root);
    BN_free(numbers->rest);
    BN_free(numbers->square);
    BN_free(numbers->next);
    BN_free(numbers->part);
}

static bool numbers_make(struct numbers *b, struct bytes modulus)
{
    b->ctx = BN_CTX_new();
    b->n = BN_bin2bn(modulus.data, (int)modulus.len, NULL);
    b->root = BN_new();
    b->rest = BN_new();
    b->square = BN_new();
    b->next = BN_new();
    b->part = BN_new();
    return b->ctx && b->n && b->root && b->rest && b->square && b->next && b->part;
}

static uint64_t root_of_word(uint64_t value)
{
    uint64_t root = 0;
    for (uint64_t bit = 1ull << 31; bit; bit >>= 1) {
        if ((root + bit) * (root + bit) <= value)
            root += bit;
    }
    return root;
}

/* One step of Newton's from above: root is never less than the integer root of value afterwards. */
static bool newton(struct numbers *b, const BIGNUM *value, BIGNUM *root)
{
    return BN_div(b->next, NULL, value, root, b->ctx) && BN_add(root, root, b->next) &&
           BN_rshift1(root, root);
}

/* Integer square root. The leading 31 bits first, by themselves; then each step of Newton's doubles how many are right, so all
   but the last look at leading bits of the value alone. */
static bool root_of(struct numbers *b, const BIGNUM *value, BIGNUM *ret)
{
    int bits = BN_num_bits(value),
        shift = bits > 62 ? (bits - 61) / 2 * 2 : 0; /* of value, not looked at yet */
    if (!BN_rshift(b->next, value, shift) || !BN_set_word(ret, root_of_word(BN_get_word(b->next))))
        return false;
    while (shift > 0) {
        int right = BN_num_bits(ret) - 2, by = right < shift / 2 ? right : shift / 2;
        shift -= 2 * by;
        if (!BN_add_word(ret, 1) || !BN_lshift(ret, ret, by) || !BN_rshift(b->part, value, shift) ||
            !newton(b, b->part, ret))
            return false;
    }
    for (;;) { /* it may be one too large */
        if (!BN_sqr(b->part, ret, b->ctx))
            return false;
        if (BN_cmp(b->part, value) <= 0)
            return true;
        if (!BN_sub_word(ret, 1))
            return false;
    }
}

/* Is (root + round)^2 - n a square? Sets *ret_square; false when libcrypto fails. */
static bool round_is_square(struct numbers *b, unsigned round, bool *ret_square)
{
    BIGNUM *a = b->square;
    if (!BN_copy(a, b->root) || !BN_add_word(a, round) || !BN_sqr(a, a, b->ctx) ||
        !BN_sub(b->rest, a, b->n) || !root_of(b, b->rest, b->square) || !BN_sqr(b->next, b->square, b->ctx))
        return false;
    *ret_square = BN_cmp(b->next, b->rest) == 0;
    return true;
}

/* Small moduli that tell nearly every non-square without long arithmetic. Two products hold them all, so n and its root are
   divided twice. */
#define SIEVES 8
static const uint8_t sieve_moduli[SIEVES] = { 64, 63, 65, 11, 17, 19, 23, 31 };
#define SIEVES_FIRST        6
#define SIEVE_PRODUCT_FIRST 931170240u /* 64 63 65 11 17 19 */
#define SIEVE_PRODUCT_REST  713u       /* 23 31 */
struct sieve {
    uint32_t modulus, root, n;
    uint64_t squares[2]; /* a bit for each square */
};

static void fill_sieves(struct sieve sieves[SIEVES], const struct weak_check *check, const BIGNUM *root)
{
    static const uint32_t products[2] = { SIEVE_PRODUCT_FIRST, SIEVE_PRODUCT_REST };
    uint32_t roots[2], ns[2];
    for (size_t i = 0; i < 2; i++) {
        roots[i] = (uint32_t)BN_mod_word(root, products[i]);
        ns[i] = residue_of(check->words, check->count, products[i]);
    }
    for (size_t i = 0; i < SIEVES; i++) {
        uint32_t m = sieve_moduli[i];
        size_t of = i >= SIEVES_FIRST;
        sieves[i] = (struct sieve){ .modulus = m, .root = roots[of] % m, .n = ns[of] % m };
        for (uint32_t x = 0, square = 0; x <= m / 2; square = (square + 2 * x + 1) % m, x++)
            sieves[i].squares[square / 64] |= 1ull << (square % 64);
    }
}

static bool may_be_square(const struct sieve sieves[SIEVES], unsigned round)
{
    for (size_t i = 0; i < SIEVES; i++) {
        const struct sieve *s = &sieves[i];
        uint32_t a = (s->root + round) % s->modulus;
        uint32_t rest = (a * a + s->modulus - s->n) % s->modulus;
        if (!(s->squares[rest / 64] >> (rest % 64) & 1))
            return false;
    }
    return true;
}

/* Fermat: from the root of n upwards, 100 rounds (CA/B BR 6.1.1.3). *ret_round is the round that factors n,
 * or -1. */
static bool fermat_rounds(struct numbers *b, const struct weak_check *check, int *ret_round)
{
    enum { ROUNDS = 100 };
    if (!root_of(b, b->n, b->root) || !BN_sqr(b->square, b->root, b->ctx) ||
        (BN_cmp(b->square, b->n) < 0 && !BN_add_word(b->root, 1)))
        return false;
    struct sieve sieves[SIEVES];
    fill_sieves(sieves, check, b->root);
    *ret_round = -1;
    for (unsigned round = 0; round < ROUNDS && *ret_round < 0; round++) {
        bool square = false;
        if (may_be_square(sieves, round) && !round_is_square(b, round, &square))
            return false;
        if (square)
            *ret_round = (int)round;
    }
    return true;
}

static enum err check_close_primes(const struct public_key *key, const struct weak_check *check,
                                   struct why *why)
{
    AUTO_VAL(numbers) numbers = { 0 };
    int round;
    if (!numbers_make(&numbers, key->modulus) || !fermat_rounds(&numbers, check, &round))
        return crypto_failed(why, ERR_INTERNAL, "big-number arithmetic failed in libcrypto");
    if (!FAULT(rsa_fermat) && round >= 0)
        return fail(why, ERR_WEAK_KEY, "RSA primes are too close: Fermat's method finds them in round %d",
                    round + 1);
    return OK;
}

static enum err check_sizes(const struct public_key *key, int min_rsa_bits, struct why *why)
{
    static const uint8_t f4[] = { 1, 0, 1 };
    if (!FAULT(rsa_minimum) && key->bits < min_rsa_bits)
        return fail(why, ERR_WEAK_KEY, "RSA modulus of %d bits, at least %d", key->bits, min_rsa_bits);
    if (!FAULT(rsa_exponent) && !bytes_equal(key->exponent, BYTES_ARR(f4))) {
        AUTO_BUF hex = { 0 };
        hex_append(&hex, key->exponent);
        return fail(why, ERR_WEAK_KEY,
                    "RSA exponent is 0x%s, only 65537 (0x010001) is taken; no setting widens it",
                    buf_text(&hex));
    }
    return OK;
}

enum err public_key_check_weak(const struct public_key *key, int min_rsa_bits, struct why *why)
{
    if (key->kind != KEY_RSA)
        return OK; /* the curves are an allow-list of the parser */
    TRY(check_sizes(key, min_rsa_bits, why));
    struct weak_check check;
    fill_residues(&check, key->modulus);
    for (size_t i = 0; i < PRIMES; i++) {
        if (!FAULT(rsa_small_factors) && check.residues[i] == 0)
            return fail(why, ERR_WEAK_KEY, "RSA modulus is divisible by %u", primes[i]);
    }
    if (!FAULT(rsa_roca) && has_infineon_fingerprint(&check))
        return fail(why, ERR_WEAK_KEY,
                    "RSA key was made by the flawed Infineon library (ROCA, CVE-2017-15361)");
    return check_close_primes(key, &check, why);
}
