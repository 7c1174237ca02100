/* SPDX-License-Identifier: Apache-2.0 */
/* Hash tables with open addressing; their keys are hashes already. There are many small ones, each growing by a
   quarter when it is its turn: one large one would need twice the memory while it grows. */
#include "signer/sealed.h"

#include "x509/algorithm.h"

#define SEGMENTS   256
#define SIZE_FIRST 16
/* Of a key's 128 random bits 56 are kept, and 8 choose the segment: two among a million serials share them once in
   thirty million sites. */
#define HASH_BYTES   7
#define OFFSET_BYTES 5

struct slot { /* no padding */
    uint8_t hash[HASH_BYTES];
    uint8_t offset[OFFSET_BYTES]; /* 0: free */
};
struct segment {
    struct slot *slots;
    size_t size, count;
};
struct sealed_set {
    struct segment segments[SEGMENTS];
};

struct sealed_set *sealed_set_new(void)
{
    struct sealed_set *set = xcalloc(1, sizeof(*set));
    for (size_t i = 0; i < SEGMENTS; i++) {
        set->segments[i].size = SIZE_FIRST;
        set->segments[i].slots = xcalloc(SIZE_FIRST, sizeof(struct slot));
    }
    return set;
}

void sealed_set_free(struct sealed_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < SEGMENTS; i++)
        free(set->segments[i].slots);
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

static uint64_t number_of(const uint8_t *bytes, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++)
        number = number << 8 | bytes[i];
    return number;
}

static uint64_t offset_of(const struct slot *slot)
{
    return number_of(slot->offset, OFFSET_BYTES);
}

/* The slot that has the hash, or the free one where it belongs. */
static struct slot *slot_of(const struct segment *segment, const uint8_t hash[static HASH_BYTES])
{
    /* The hash as a fraction of 1, times the size. */
    size_t at = (size_t)((number_of(hash, 4) * segment->size) >> 32);
    while (offset_of(&segment->slots[at]) && memcmp(segment->slots[at].hash, hash, HASH_BYTES) != 0)
        at = at + 1 < segment->size ? at + 1 : 0;
    return &segment->slots[at];
}

static struct segment *segment_of(const struct sealed_set *set, const struct sealed_key *key)
{
    return (struct segment *)&set->segments[key->bytes[sizeof(key->bytes) - 1]];
}

bool sealed_set_find(const struct sealed_set *set, const struct sealed_key *key, uint64_t *ret_offset)
{
    uint64_t offset = offset_of(slot_of(segment_of(set, key), key->bytes));
    if (!offset)
        return false;
    *ret_offset = offset;
    return true;
}

static void grow(struct segment *segment)
{
    struct segment larger = { .size = segment->size + segment->size / 4, .count = segment->count };
    larger.slots = xcalloc(larger.size, sizeof(*larger.slots));
    for (size_t i = 0; i < segment->size; i++) {
        if (offset_of(&segment->slots[i]))
            *slot_of(&larger, segment->slots[i].hash) = segment->slots[i];
    }
    free(segment->slots);
    *segment = larger;
}

void sealed_set_add(struct sealed_set *set, const struct sealed_key *key, uint64_t offset)
{
    if (offset == 0 || offset > SEALED_OFFSET_MAX)
        die("journal offset %llu, at most %llu", (unsigned long long)offset,
            (unsigned long long)SEALED_OFFSET_MAX);
    struct segment *segment = segment_of(set, key);
    if (segment->count * 10 >= segment->size * 8)
        grow(segment);
    struct slot *slot = slot_of(segment, key->bytes);
    segment->count += offset_of(slot) == 0;
    memcpy(slot->hash, key->bytes, HASH_BYTES);
    for (size_t i = 0; i < OFFSET_BYTES; i++)
        slot->offset[i] = (uint8_t)(offset >> (8 * (OFFSET_BYTES - 1 - i)));
}
