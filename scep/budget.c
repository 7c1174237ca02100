/* SPDX-License-Identifier: Apache-2.0 */
/* The budget as a count-min sketch under a random key: two rows, so that an attacker with a thousand
   addresses spoils it for one bystander in a thousand, and nobody can aim at a bystander. */
#include "scep/budget.h"

#include "base/log.h"
#include "base/secret.h"
#include <arpa/inet.h>
#include <pthread.h>

#define ROWS 2
#define CELLS                                                                                                \
    32768 /* a thousand bad addresses meet a good one in both rows with probability (1000/32768)^2 */

struct budget {
    pthread_mutex_t lock;
    uint64_t key[ROWS];
    uint16_t cells[ROWS][CELLS];
    int64_t window_began_ms;
    bool began;
    unsigned total;
};

enum err budget_new(struct budget **ret, struct why *why)
{
    uint64_t key[ROWS];
    TRY(random_fill(key, sizeof(key), why));
    struct budget *budget = xcalloc(1, sizeof(*budget));
    memcpy(budget->key, key, sizeof(key));
    pthread_mutex_init(&budget->lock, NULL);
    *ret = budget;
    return OK;
}

void budget_free(struct budget *budget)
{
    if (!budget)
        return;
    pthread_mutex_destroy(&budget->lock);
    free(budget);
}

/* Whoever has one IPv6 address has a /64 of them. Anything that is no address counts as its text. */
static struct bytes address_key(const char *peer, uint8_t storage[static 16])
{
    char plain[INET6_ADDRSTRLEN + 1];
    size_t len = strcspn(peer, "%");
    if (len < sizeof(plain)) {
        memcpy(plain, peer, len);
        plain[len] = '\0';
        if (inet_pton(AF_INET, plain, storage) == 1)
            return bytes_of(storage, 4);
        if (inet_pton(AF_INET6, plain, storage) == 1)
            return bytes_of(storage, 8);
    }
    return bytes_str(peer);
}

/* FNV-1a from a secret start, with a final mix: enough that nobody can choose who shares his cell. */
static size_t cell_of(uint64_t key, struct bytes address)
{
    uint64_t hash = key ^ 0xCBF29CE484222325u;
    for (size_t i = 0; i < address.len; i++)
        hash = (hash ^ address.data[i]) * 0x100000001B3u;
    hash ^= hash >> 33;
    hash *= 0xFF51AFD7ED558CCDu ^ (key | 1);
    hash ^= hash >> 29;
    return (size_t)(hash % CELLS);
}

static void window_turn(struct budget *budget, int64_t now_ms)
{
    if (budget->began && now_ms - budget->window_began_ms < BUDGET_WINDOW_MS)
        return;
    memset(budget->cells, 0, sizeof(budget->cells));
    budget->total = 0;
    budget->window_began_ms = now_ms;
    budget->began = true;
}

static unsigned failures_of(const struct budget *budget, struct bytes address)
{
    unsigned first = budget->cells[0][cell_of(budget->key[0], address)];
    unsigned second = budget->cells[1][cell_of(budget->key[1], address)];
    return first < second ? first : second;
}

bool budget_allows(struct budget *budget, const char *peer, int64_t now_ms)
{
    uint8_t storage[16];
    struct bytes address = address_key(peer, storage);
    pthread_mutex_lock(&budget->lock);
    window_turn(budget, now_ms);
    unsigned failures = failures_of(budget, address);
    bool allowed = budget->total < BUDGET_PER_KEY ? failures < BUDGET_PER_ADDRESS : failures == 0;
    pthread_mutex_unlock(&budget->lock);
    return allowed;
}

void budget_spend(struct budget *budget, const char *peer, int64_t now_ms)
{
    uint8_t storage[16];
    struct bytes address = address_key(peer, storage);
    pthread_mutex_lock(&budget->lock);
    window_turn(budget, now_ms);
    for (int row = 0; row < ROWS; row++) {
        uint16_t *cell = &budget->cells[row][cell_of(budget->key[row], address)];
        *cell += *cell < UINT16_MAX;
    }
    unsigned total = ++budget->total, failures = failures_of(budget, address);
    pthread_mutex_unlock(&budget->lock);
    if (failures == BUDGET_PER_ADDRESS)
        log_warn(NULL,
                 "failed decryptions: an address used up its budget, its messages are refused unread peer=%s "
                 "failures=%u window_s=%d",
                 peer, failures, BUDGET_WINDOW_MS / 1000);
    if (total == BUDGET_PER_KEY)
        log_error(NULL,
                  "ALARM failed decryptions: somebody may be attacking the RA keys failures=%u window_s=%d",
                  total, BUDGET_WINDOW_MS / 1000);
}

unsigned budget_spent(struct budget *budget, int64_t now_ms)
{
    pthread_mutex_lock(&budget->lock);
    window_turn(budget, now_ms);
    unsigned total = budget->total;
    pthread_mutex_unlock(&budget->lock);
    return total;
}
