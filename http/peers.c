/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of addresses that hold connections now; empty entries go at once. */
#include "http/peers.h"

#include "base/bytes.h"
#include "base/secret.h"
#include <netinet/in.h>
#include <sys/socket.h>

#define PEERS_BUCKETS 4096

struct peer_count {
    struct peer_count *next;
    uint8_t key[20]; /* family or scope, then the address or its /64 */
    size_t count;
};

struct peers {
    uint64_t seed; /* nobody outside can aim at one bucket */
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

static void key_of6(const struct sockaddr_in6 *in6, uint8_t key[static 20])
{
    const uint8_t *address = in6->sin6_addr.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        key[0] = AF_INET;
        memcpy(key + 4, address + 12, 4);
        return;
    }
    bool whole = IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) || IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    key[0] = AF_INET6;
    key[1] = (uint8_t)in6->sin6_scope_id;
    memcpy(key + 4, address, whole ? 16 : 8);
}

static void key_of(const struct sockaddr *address, uint8_t key[static 20])
{
    memset(key, 0, 20);
    if (address->sa_family == AF_INET6) {
        key_of6((const struct sockaddr_in6 *)address, key);
    } else if (address->sa_family == AF_INET) {
        key[0] = AF_INET;
        memcpy(key + 4, &((const struct sockaddr_in *)address)->sin_addr, 4);
    }
}

static struct peer_count **bucket_of(struct peers *peers, const uint8_t key[static 20])
{
    uint64_t hash = peers->seed;
    for (size_t i = 0; i < 20; i++) {
        hash = (hash ^ key[i]) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    return &peers->buckets[hash % PEERS_BUCKETS];
}

struct peer_count *peers_enter(struct peers *peers, const struct sockaddr *address, size_t limit)
{
    uint8_t key[20];
    key_of(address, key);
    struct peer_count **bucket = bucket_of(peers, key), *at = *bucket;
    while (at && memcmp(at->key, key, sizeof(key)) != 0)
        at = at->next;
    if ((at ? at->count : 0) >= limit)
        return NULL;
    if (!at) {
        at = xcalloc(1, sizeof(*at));
        memcpy(at->key, key, sizeof(key));
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
    struct peer_count **at = bucket_of(peers, count->key);
    while (*at != count)
        at = &(*at)->next;
    *at = count->next;
    free(count);
}
