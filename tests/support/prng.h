/* SPDX-License-Identifier: Apache-2.0 */
/* Random octets for test messages: the same ones again for the same seed. */
#pragma once
#include "base/bytes.h"

struct prng { bool seeded; uint8_t seed[32]; uint64_t counter; };   /* { 0 }: the system's generator */
struct prng prng_seeded(const char *seed);
void prng_fill(struct prng *prng, void *out, size_t len);
uint32_t prng_below(struct prng *prng, uint32_t limit);
