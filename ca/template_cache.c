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

static struct template *find_fresh(struct template_cache *cache, struct bytes name)
{
    pthread_mutex_lock(&cache->lock);
    const struct entry *entry = entry_find(cache, name);
    bool fresh = entry && clock_mono_ms() - entry->read_ms < TEMPLATE_KEEP_MS;
    struct template *found = fresh ? template_share(entry->template) : NULL;
    pthread_mutex_unlock(&cache->lock);
    return found;
}

static void keep(struct template_cache *cache, struct template *template, int64_t read_ms)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = entry_find(cache, bytes_str(template->name));
    if (entry)
        template_free(entry->template);
    else if (cache->count < ENTRIES_MAX)
        entry = &cache->entries[cache->count++];
    if (entry)
        *entry = (struct entry){ template_share(template), read_ms };
    pthread_mutex_unlock(&cache->lock);
}

enum err template_cache_find(struct template_cache *cache, struct bytes name, struct template **ret,
                             struct why *why)
{
    *ret = find_fresh(cache, name);
    if (*ret)
        return OK;
    int64_t read_ms =
        clock_mono_ms(); /* before the reading: a change in between is not overlooked for longer */
    TRY(template_load(cache->store, name, ret, why));
    keep(cache, *ret, read_ms);
    return OK;
}
