/* SPDX-License-Identifier: Apache-2.0 */
/* Generations of a key, by their file names: PREFIX-N.key.pem, N from 1 on, without leading zeros (design.md section 8). */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define GENERATION_KEY_SUFFIX ".key.pem"
#define GENERATIONS_MAX       8

struct generations {
    int list[GENERATIONS_MAX]; size_t count;                 /* ascending */
    bool more;                                               /* than the list has room for */
    int highest;                                             /* of all; 0: none */
};
/* A folder that cannot be read is an empty one: the caller then misses what it looks for, and names it. */
struct generations generations_find(const char *dir, const char *prefix);
int generation_highest(const char *dir, const char *prefix); /* 0 when there is none */
