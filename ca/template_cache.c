/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/template_cache.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>

/* Whoever changes the table beside this process (an administrator in psql) is heeded within this time. */
#define TEMPLATE_KEEP_MS 1000
#define ENTRIES_MAX      64 /* endpoints name a handful; above, the store is read */

struct entry {
    struct template *template;
    int64_t read_ms;
};
struct template_cache {
    struct store *store;
    pthread_mutex_t lock; /* everything below */
    struct entry entries[ENTRIES_MAX];
    size_t count;
    uint64_t forgotten; /* how often: what was read before the last time is not kept */
};

struct template_cache *template_cache_new(struct store *store)
{
    struct template_cache *cache = xcalloc(1, sizeof(*cache));
    cache->store = store;
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

/* Under the lock. */
static void entries_free(struct template_cache *cache)
{
    while (cache->count)
        template_free(cache->entries[--cache->count].template);
}

void template_cache_free(struct template_cache *cache)
{
    if (!cache)
        return;
    entries_free(cache);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

void template_cache_forget(struct template_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    entries_free(cache);
    cache->forgotten++;
    pthread_mutex_unlock(&cache->lock);
}

/* Under the lock. */
static struct entry *entry_find(struct template_cache *cache, struct bytes name)
{
    for (size_t i = 0; i < cache->count; i++) {
        if (bytes_equal(bytes_str(cache->entries[i].template->name), name))
            return &cache->entries[i];
    }
    return NULL;
}

static struct template *find_fresh(struct template_cache *cache, struct bytes name, uint64_t *ret_forgotten)
{
    pthread_mutex_lock(&cache->lock);
    const struct entry *entry = entry_find(cache, name);
    bool fresh = entry && clock_mono_ms() - entry->read_ms < TEMPLATE_KEEP_MS;
    struct template *found = fresh ? template_share(entry->template) : NULL;
    *ret_forgotten = cache->forgotten;
    pthread_mutex_unlock(&cache->lock);
    return found;
}

struct reading {
    int64_t read_ms;
    uint64_t forgotten;
};

/* What was read while somebody changed a template may be the old one. */
static void keep(struct template_cache *cache, struct template *template, const struct reading *reading)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = entry_find(cache, bytes_str(template->name));
    bool current = cache->forgotten == reading->forgotten;
    if (entry && current)
        template_free(entry->template);
    else if (current && cache->count < ENTRIES_MAX)
        entry = &cache->entries[cache->count++];
    if (entry && current)
        *entry = (struct entry){ template_share(template), reading->read_ms };
    pthread_mutex_unlock(&cache->lock);
}

enum err template_cache_find(struct template_cache *cache, struct bytes name, struct template **ret,
                             struct why *why)
{
    struct reading reading;
    *ret = find_fresh(cache, name, &reading.forgotten);
    if (*ret)
        return OK;
    /* before the reading: a change in between is not overlooked for longer */
    reading.read_ms = clock_mono_ms();
    TRY(template_load(cache->store, name, ret, why));
    keep(cache, *ret, &reading);
    return OK;
}
