/* SPDX-License-Identifier: Apache-2.0 */
/* The weak-key check once more, the slow and plain way. */
#pragma once
#include <openssl/bn.h>
#include <stdbool.h>
#include <stdint.h>

#define SMALL_MOST 751                                       /* prime factors that are looked for */
#define ROCA_MOST  167                                       /* primes of the fingerprint */
unsigned weak_smallest_divisor(const BIGNUM *n);             /* 0: none up to SMALL_MOST */
bool weak_is_prime(uint64_t p);
void weak_plain_root(const BIGNUM *value, BIGNUM *root);     /* checks that it is the integer root */
void weak_verdict(const BIGNUM *n, char ret[static 40]);     /* ours: "sound", "divisible by 3", "ROCA", "in round 7" */
void weak_compare(const BIGNUM *n);                          /* fails when it is not the plain one's */
