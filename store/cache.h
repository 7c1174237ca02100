/* SPDX-License-Identifier: Apache-2.0 */
/* The prepared statements of one connection, found again by their text; bounded, the least recently used goes. */
#pragma once
#include "base/bytes.h"

#define CACHE_SLOTS 64                   /* a role has some forty statements */

struct cache_slot { char *sql, *types; uint64_t hash, used; void *statement; };   /* sql NULL: free */
struct cache {
    struct cache_slot slots[CACHE_SLOTS];
    uint64_t tick;
    struct cache_slot *hints[CACHE_SLOTS];               /* by where the text lies: nearly all are constants of ours */
};

/* types: what else belongs to the identity of a statement (PostgreSQL: its parameter types), or "". */
struct cache_slot *cache_find(struct cache *cache, const char *types, const char *sql);
/* The slot to fill next. When its statement is not NULL the caller ends that first. */
struct cache_slot *cache_oldest(struct cache *cache);
void cache_fill(struct cache *cache, struct cache_slot *slot, const char *types, const char *sql, void *statement);
void cache_empty(struct cache_slot *slot);                   /* forgets the text; the caller ended the statement */
