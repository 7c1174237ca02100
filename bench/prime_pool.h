/* SPDX-License-Identifier: Apache-2.0 */
/* Very many distinct RSA-2048 keys from few primes: n = p_i q_j. Whoever holds two of these keys can factor both, so they
   are for load alone; to a server each is a key like any other. A pool of 150 primes makes 11,175 keys, and costs the time
   of 75. */
#pragma once
#include "x509/key.h"

#include <openssl/bn.h>

#define PRIME_BITS 1024

struct prime_pool { BIGNUM **primes; size_t count; };

struct prime_pool prime_pool_make(size_t count);             /* on every core */
void prime_pool_free(struct prime_pool *pool);
size_t prime_pool_size_for(size_t keys);                     /* how many primes make that many keys */
struct prime_pair { size_t p, q; };
struct prime_pair prime_pair_at(size_t index);               /* the index-th pair, p < q */
struct key *prime_pool_key(const struct prime_pool *pool, struct prime_pair pair);   /* tests/support/evp_key.h */
