/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table with open addressing; its keys are hashes already. */
#include "signer/sealed.h"

#include "x509/algorithm.h"

struct slot {
    struct sealed_key key;
    uint64_t offset; /* 0: free */
};
struct sealed_set {
    struct slot *slots;
    size_t size, count; /* size is a power of two */
};

struct sealed_set *sealed_set_new(void)
{
    struct sealed_set *set = xcalloc(1, sizeof(*set));
    set->size = 1024;
    set->slots = xcalloc(set->size, sizeof(*set->slots));
    return set;
}

void sealed_set_free(struct sealed_set *set)
{
    if (!set)
        return;
    free(set->slots);
    free(set);
}

enum err sealed_key_make(struct bytes ca, struct bytes serial, struct sealed_key *ret, struct why *why)
{
    const struct bytes parts[] = { ca, bytes_of("\0", 1), serial };
    uint8_t hash[32];
    TRY(sha256_parts(parts, 3, hash, why));
    memcpy(ret->bytes, hash, sizeof(ret->bytes));
    return OK;
}

/* The slot that has the key, or the free one where it belongs. */
static struct slot *slot_of(const struct sealed_set *set, const struct sealed_key *key)
{
    uint64_t start;
    memcpy(&start, key->bytes, sizeof(start));
    size_t at = (size_t)start & (set->size - 1);
    while (set->slots[at].offset && memcmp(&set->slots[at].key, key, sizeof(*key)) != 0)
        at = (at + 1) & (set->size - 1);
    return &set->slots[at];
}

bool sealed_set_find(const struct sealed_set *set, const struct sealed_key *key, uint64_t *ret_offset)
{
    const struct slot *slot = slot_of(set, key);
    if (!slot->offset)
        return false;
    *ret_offset = slot->offset;
    return true;
}

static void grow(struct sealed_set *set)
{
    struct sealed_set larger = { .size = set->size * 2 };
    larger.slots = xcalloc(larger.size, sizeof(*larger.slots));
    for (size_t i = 0; i < set->size; i++) {
        if (set->slots[i].offset)
            *slot_of(&larger, &set->slots[i].key) = set->slots[i];
    }
    free(set->slots);
    set->slots = larger.slots;
    set->size = larger.size;
}

void sealed_set_add(struct sealed_set *set, const struct sealed_key *key, uint64_t offset)
{
    if (set->count * 10 >= set->size * 7)
        grow(set);
    struct slot *slot = slot_of(set, key);
    set->count += slot->offset == 0;
    *slot = (struct slot){ *key, offset };
}
