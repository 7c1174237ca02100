/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of addresses that hold places now; empty entries go at once. */
#include "http/peers.h"

#include "base/fault.h"
#include "base/secret.h"

#define PEERS_BUCKETS 4096

struct peer_count {
    struct peer_count *next;
    struct address address;
    size_t count;
};

struct peers {
    uint64_t seed;
    struct peer_count *buckets[PEERS_BUCKETS];
};

enum err peers_new(struct peers **ret, struct why *why)
{
    AUTO(peers) peers = xcalloc(1, sizeof(*peers));
    TRY(random_fill(&peers->seed, sizeof(peers->seed), why));
    *ret = TAKE(peers);
    return OK;
}

void peers_free(struct peers *peers)
{
    for (size_t i = 0; peers && i < PEERS_BUCKETS; i++) {
        struct peer_count *next;
        for (struct peer_count *at = peers->buckets[i]; at; at = next) {
            next = at->next;
            free(at);
        }
    }
    free(peers);
}

static struct peer_count **bucket_of(struct peers *peers, const struct address *address)
{
    return &peers->buckets[address_hash(address, peers->seed) % PEERS_BUCKETS];
}

struct peer_count *peers_enter(struct peers *peers, const struct address *address, size_t limit)
{
    const struct address holder = address_holder(*address);
    struct peer_count **bucket = bucket_of(peers, &holder), *at = *bucket;
    while (at && !address_equal(&at->address, &holder))
        at = at->next;
    if (!FAULT(connection_cap_per_address) && (at ? at->count : 0) >= limit)
        return NULL;
    if (!at) {
        at = xcalloc(1, sizeof(*at));
        at->address = holder;
        at->next = *bucket;
        *bucket = at;
    }
    at->count++;
    return at;
}

void peers_leave(struct peers *peers, struct peer_count *count)
{
    if (!count || --count->count)
        return;
    struct peer_count **at = bucket_of(peers, &count->address);
    while (*at != count)
        at = &(*at)->next;
    *at = count->next;
    free(count);
}
