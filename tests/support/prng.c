/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 in counter mode over a seed. */
#include "tests/support/prng.h"

#include <openssl/rand.h>
#include <openssl/sha.h>

struct prng prng_seeded(const char *seed)
{
    struct prng prng = { .seeded = true };
    SHA256((const uint8_t *)seed, strlen(seed), prng.seed);
    return prng;
}

void prng_fill(struct prng *prng, void *out, size_t len)
{
    if (!prng->seeded) {
        if (RAND_bytes(out, (int)len) != 1)
            die("the random generator failed");
        return;
    }
    uint8_t block[40], mask[32];
    memcpy(block, prng->seed, sizeof(prng->seed));
    for (size_t at = 0; at < len; at += sizeof(mask)) {
        uint64_t counter = prng->counter++;
        memcpy(block + sizeof(prng->seed), &counter, sizeof(counter));
        SHA256(block, sizeof(block), mask);
        memcpy((uint8_t *)out + at, mask, len - at < sizeof(mask) ? len - at : sizeof(mask));
    }
}

uint32_t prng_below(struct prng *prng, uint32_t limit)
{
    uint32_t value;
    prng_fill(prng, &value, sizeof(value));
    return value % limit;
}
