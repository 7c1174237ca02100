/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared statements by their text: a few dozen, so a walk over hashes is enough for a text that was never seen. */
#include "store/cache.h"

#include <stdlib.h>

/* FNV-1a: the texts are our own constants, so nobody can aim collisions at it, and the text is compared
 * anyway. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return hash;
}

static uint64_t hash_of(const char *types, const char *sql)
{
    return hash_text(hash_text(0xcbf29ce484222325u, types), sql);
}

static bool slot_is(const struct cache_slot *slot, const char *types, const char *sql)
{
    return slot && slot->sql && strcmp(slot->sql, sql) == 0 && strcmp(slot->types, types) == 0;
}

static struct cache_slot *find_by_hash(struct cache *cache, const char *types, const char *sql)
{
    uint64_t hash = hash_of(types, sql);
    for (size_t i = 0; i < CACHE_SLOTS; i++) {
        if (cache->slots[i].hash == hash && slot_is(&cache->slots[i], types, sql))
            return &cache->slots[i];
    }
    return NULL;
}

struct cache_slot *cache_find(struct cache *cache, const char *types, const char *sql)
{
    struct cache_slot **hint = &cache->hints[(uintptr_t)sql / 16 % CACHE_SLOTS];
    struct cache_slot *slot = slot_is(*hint, types, sql) ? *hint : find_by_hash(cache, types, sql);
    if (!slot)
        return NULL;
    *hint = slot;
    slot->used = ++cache->tick;
    return slot;
}

struct cache_slot *cache_oldest(struct cache *cache)
{
    struct cache_slot *oldest = &cache->slots[0];
    for (size_t i = 0; i < CACHE_SLOTS; i++) {
        if (!cache->slots[i].sql)
            return &cache->slots[i];
        if (cache->slots[i].used < oldest->used)
            oldest = &cache->slots[i];
    }
    return oldest;
}

void cache_fill(struct cache *cache, struct cache_slot *slot, const char *types, const char *sql,
                void *statement)
{
    cache_empty(slot);
    slot->sql = xstrdup(sql);
    slot->types = xstrdup(types);
    slot->hash = hash_of(types, sql);
    slot->used = ++cache->tick;
    slot->statement = statement;
}

void cache_empty(struct cache_slot *slot)
{
    free(slot->sql);
    free(slot->types);
    *slot = (struct cache_slot){ 0 };
}
