/* SPDX-License-Identifier: Apache-2.0 */
/* Primes once, then a key is one multiplication and a few inversions. */
#include "bench/prime_pool.h"

#include "bench/parallel.h"
#include "tests/support/evp_key.h"
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#define EXPONENT 65537

static void make_prime(void *arg, size_t index)
{
    struct prime_pool *pool = arg;
    BIGNUM *prime = BN_new();
    do { /* both top bits are set, so every product of two has 2048 bits; e must have an inverse */
        if (!prime || BN_generate_prime_ex(prime, PRIME_BITS, 0, NULL, NULL, NULL) != 1)
            die("no prime");
    } while (BN_mod_word(prime, EXPONENT) == 1);
    pool->primes[index] = prime;
}

struct prime_pool prime_pool_make(size_t count)
{
    struct prime_pool pool = { xcalloc(count, sizeof(BIGNUM *)), count };
    parallel(count, make_prime, &pool);
    return pool;
}

void prime_pool_free(struct prime_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        BN_free(pool->primes[i]);
    free(pool->primes);
    *pool = (struct prime_pool){ 0 };
}

size_t prime_pool_size_for(size_t keys)
{
    size_t primes = 2;
    while (primes * (primes - 1) / 2 < keys)
        primes++;
    return primes;
}

struct prime_pair prime_pair_at(size_t index)
{
    size_t q = 1; /* every q has q pairs */
    while (q * (q + 1) / 2 <= index)
        q++;
    return (struct prime_pair){ index - q * (q - 1) / 2, q };
}

enum { N, E, D, P, Q, DP, DQ, QINV, NUMBERS };

static bool derive(BIGNUM *number[NUMBERS], BN_CTX *ctx)
{
    BIGNUM *p1 = BN_CTX_get(ctx), *q1 = BN_CTX_get(ctx), *phi = BN_CTX_get(ctx);
    return phi && BN_set_word(number[E], EXPONENT) && BN_sub(p1, number[P], BN_value_one()) &&
           BN_sub(q1, number[Q], BN_value_one()) && BN_mul(phi, p1, q1, ctx) &&
           BN_mul(number[N], number[P], number[Q], ctx) && BN_mod_inverse(number[D], number[E], phi, ctx) &&
           BN_mod(number[DP], number[D], p1, ctx) && BN_mod(number[DQ], number[D], q1, ctx) &&
           BN_mod_inverse(number[QINV], number[Q], number[P], ctx);
}

static EVP_PKEY *key_of(BIGNUM *number[NUMBERS])
{
    static const char *const names[NUMBERS] = {
        OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    };
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    for (int i = 0; i < NUMBERS; i++)
        OSSL_PARAM_BLD_push_BN(build, names[i], number[i]);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    if (!params || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
        die("no key of these primes");
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

struct key *prime_pool_key(const struct prime_pool *pool, struct prime_pair pair)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *number[NUMBERS];
    BN_CTX_start(ctx);
    for (int i = 0; i < NUMBERS; i++)
        number[i] = BN_CTX_get(ctx);
    if (!number[NUMBERS - 1] || !BN_copy(number[P], pool->primes[pair.p]) ||
        !BN_copy(number[Q], pool->primes[pair.q]) || !derive(number, ctx))
        die("no numbers of a key");
    EVP_PKEY *pkey = key_of(number);
    BN_CTX_end(ctx);
    BN_CTX_free(ctx);
    return evp_key_new(pkey);
}
