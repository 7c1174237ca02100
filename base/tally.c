/* SPDX-License-Identifier: Apache-2.0 */
/* Two rows of cells under random keys, so that an attacker with a thousand addresses spoils the count of one
   bystander in a thousand, and nobody can aim at a bystander. */
#include "base/tally.h"

#include "base/auto.h"
#include "base/secret.h"
#include <pthread.h>

#define ROWS 2
/* A thousand bad addresses meet a good one in both rows with probability (1000/32768)^2. */
#define CELLS 32768

struct tally {
    pthread_mutex_t lock;
    int window_ms;
    uint64_t key[ROWS];
    uint16_t cells[ROWS][CELLS];
    int64_t window_began_ms;
    bool began;
    unsigned total;
};

enum err tally_new(int window_ms, struct tally **ret, struct why *why)
{
    uint64_t key[ROWS];
    TRY(random_fill(key, sizeof(key), why));
    struct tally *tally = xcalloc(1, sizeof(*tally));
    memcpy(tally->key, key, sizeof(key));
    tally->window_ms = window_ms;
    pthread_mutex_init(&tally->lock, NULL);
    *ret = tally;
    return OK;
}

void tally_free(struct tally *tally)
{
    if (!tally)
        return;
    pthread_mutex_destroy(&tally->lock);
    free(tally);
}

struct address tally_key(const char *peer)
{
    struct address address = { 0 };
    if (!address_parse(bytes_str(peer), &address))
        memcpy(address.octets, peer, strnlen(peer, sizeof(address.octets)));
    return address_holder(address);
}

static uint16_t *cell_of(struct tally *tally, int row, const struct address *address)
{
    return &tally->cells[row][address_hash(address, tally->key[row]) % CELLS];
}

static void window_turn(struct tally *tally, int64_t now_ms)
{
    if (tally->began && now_ms - tally->window_began_ms < tally->window_ms)
        return;
    memset(tally->cells, 0, sizeof(tally->cells));
    tally->total = 0;
    tally->window_began_ms = now_ms;
    tally->began = true;
}

static struct tally_count count_of(struct tally *tally, const struct address *address)
{
    unsigned first = *cell_of(tally, 0, address), second = *cell_of(tally, 1, address);
    return (struct tally_count){ first < second ? first : second, tally->total };
}

struct tally_count tally_add(struct tally *tally, const char *peer, int64_t now_ms)
{
    const struct address address = tally_key(peer);
    pthread_mutex_lock(&tally->lock);
    window_turn(tally, now_ms);
    for (int row = 0; row < ROWS; row++) {
        uint16_t *cell = cell_of(tally, row, &address);
        *cell += *cell < UINT16_MAX;
    }
    tally->total++;
    struct tally_count count = count_of(tally, &address);
    pthread_mutex_unlock(&tally->lock);
    return count;
}

struct tally_count tally_now(struct tally *tally, const char *peer, int64_t now_ms)
{
    const struct address address = tally_key(peer);
    pthread_mutex_lock(&tally->lock);
    window_turn(tally, now_ms);
    struct tally_count count = count_of(tally, &address);
    pthread_mutex_unlock(&tally->lock);
    return count;
}
