/* SPDX-License-Identifier: Apache-2.0 */
/* Which serials were sealed, and where in the journal: 15 to 19 octets for each, so that millions fit in memory. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

struct sealed_set;
struct sealed_set *sealed_set_new(void);
void sealed_set_free(struct sealed_set *set);
AUTO_DECLARE(sealed_set)
struct sealed_key { uint8_t bytes[16]; };                    /* half of SHA-256(ca name ‖ 0 ‖ serial) */
NODISCARD enum err sealed_key_make(struct bytes ca, struct bytes serial, struct sealed_key *ret, struct why *why);
bool sealed_set_find(const struct sealed_set *set, const struct sealed_key *key, uint64_t *ret_offset);
void sealed_set_add(struct sealed_set *set, const struct sealed_key *key, uint64_t offset);   /* 1 to SEALED_OFFSET_MAX */
#define SEALED_OFFSET_MAX 0xFFFFFFFFFFu                      /* 1 TB of journal: some 700 million certificates */
