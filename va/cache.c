/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table under a secret seed, and a list in the order of the last questions. */
#include "va/cache.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/secret.h"
#include <pthread.h>
#include <sys/queue.h>

/* A CA is named by four digests, and who asks often uses one: the rest is room. */
#define VARIANTS 4
#define LOAD     2 /* entries for each bucket */

struct variant {
    struct buf cert_id;
    struct document *answer;
    int64_t at;    /* when the status was so that it says */
    bool renewing; /* somebody is at it */
};
struct entry {
    struct entry *next; /* in its bucket */
    TAILQ_ENTRY(entry) recent;
    struct cache_key key;
    struct known known;
    struct variant variants[VARIANTS];
    size_t oldest; /* variant that gives way */
};
struct of_authority {
    int64_t confirmed_at;
    uint64_t changes;
    size_t count;
};
struct cache {
    struct cache_config config;
    uint64_t seed;
    pthread_mutex_t lock;
    struct entry **buckets;
    size_t bucket_count, count;
    TAILQ_HEAD(recent_list, entry) recent; /* asked for last first */
    struct of_authority authorities[LIMIT_VA_AUTHORITIES];
};

enum err cache_new(const struct cache_config *config, struct cache **ret, struct why *why)
{
    AUTO(cache) cache = xcalloc(1, sizeof(*cache));
    cache->config = *config;
    cache->bucket_count = config->entries / LOAD + 1;
    cache->buckets = xcalloc(cache->bucket_count, sizeof(*cache->buckets));
    TAILQ_INIT(&cache->recent);
    pthread_mutex_init(&cache->lock, NULL);
    TRY(random_fill(&cache->seed, sizeof(cache->seed), why));
    *ret = TAKE(cache);
    return OK;
}

/* --- entries; all under the lock --- */

static struct entry **bucket_of(struct cache *cache, const struct cache_key *key)
{
    /* FNV-1a from a secret start: nobody can aim at one bucket, and serials are ca's own anyway. */
    uint64_t hash = cache->seed ^ key->authority;
    for (size_t i = 0; i < key->serial.len; i++)
        hash = (hash ^ key->serial.octets[i]) * UINT64_C(0x100000001B3);
    return &cache->buckets[(hash ^ hash >> 32) % cache->bucket_count];
}

static bool key_equal(const struct cache_key *a, const struct cache_key *b)
{
    return a->authority == b->authority && bytes_equal(serial_bytes(&a->serial), serial_bytes(&b->serial));
}

static struct entry *entry_find(struct cache *cache, const struct cache_key *key)
{
    struct entry *entry = *bucket_of(cache, key);
    while (entry && !key_equal(&entry->key, key))
        entry = entry->next;
    return entry;
}

static void entry_touch(struct cache *cache, struct entry *entry)
{
    if (TAILQ_FIRST(&cache->recent) == entry)
        return;
    TAILQ_REMOVE(&cache->recent, entry, recent);
    TAILQ_INSERT_HEAD(&cache->recent, entry, recent);
}

static void variant_clear(struct variant *variant)
{
    buf_free(&variant->cert_id);
    document_unref(variant->answer);
    *variant = (struct variant){ 0 };
}

static void answers_drop(struct entry *entry)
{
    for (size_t i = 0; i < VARIANTS; i++)
        variant_clear(&entry->variants[i]);
}

static void entry_remove(struct cache *cache, struct entry *entry)
{
    struct entry **link = bucket_of(cache, &entry->key);
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    TAILQ_REMOVE(&cache->recent, entry, recent);
    cache->count--;
    cache->authorities[entry->key.authority].count--;
    answers_drop(entry);
    free(entry);
}

static struct entry *entry_add(struct cache *cache, const struct cache_key *key)
{
    if (cache->count >= cache->config.entries && !FAULT(va_cache_limit))
        entry_remove(cache, TAILQ_LAST(&cache->recent, recent_list));
    struct entry *entry = xcalloc(1, sizeof(*entry));
    struct entry **bucket = bucket_of(cache, key);
    entry->key = *key;
    entry->next = *bucket;
    *bucket = entry;
    TAILQ_INSERT_HEAD(&cache->recent, entry, recent);
    cache->count++;
    cache->authorities[key->authority].count++;
    return entry;
}

static int64_t known_at(const struct cache *cache, const struct entry *entry)
{
    int64_t confirmed = cache->authorities[entry->key.authority].confirmed_at;
    return entry->known.at > confirmed ? entry->known.at : confirmed;
}

static struct variant *variant_find(struct entry *entry, struct bytes cert_id)
{
    for (size_t i = 0; i < VARIANTS; i++) {
        struct variant *variant = &entry->variants[i];
        if (variant->answer && bytes_equal(buf_bytes(&variant->cert_id), cert_id))
            return variant;
    }
    return NULL;
}

/* --- answers --- */

static struct document *answer_find(struct cache *cache, struct entry *entry, struct bytes cert_id,
                                    int64_t now, bool *ret_renew)
{
    struct variant *variant = entry ? variant_find(entry, cert_id) : NULL;
    if (!variant || (now >= document_expires(variant->answer) && !FAULT(va_answer_end)))
        return NULL;
    entry_touch(cache, entry);
    int64_t half = (document_expires(variant->answer) - variant->at) / 2;
    *ret_renew = now >= variant->at + half && known_at(cache, entry) > variant->at && !variant->renewing;
    variant->renewing = variant->renewing || *ret_renew;
    return document_ref(variant->answer);
}

struct document *cache_answer(struct cache *cache, const struct cache_key *key, struct bytes cert_id,
                              int64_t now, bool *ret_renew)
{
    *ret_renew = false;
    pthread_mutex_lock(&cache->lock);
    struct document *answer = answer_find(cache, entry_find(cache, key), cert_id, now, ret_renew);
    pthread_mutex_unlock(&cache->lock);
    return answer;
}

static bool status_equal(const struct cert_status *a, const struct cert_status *b)
{
    return a->status == b->status && a->revoked_at == b->revoked_at && a->reason == b->reason;
}

void cache_put_answer(struct cache *cache, const struct cache_key *key, struct bytes cert_id,
                      const struct known *said, struct document *answer)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = entry_find(cache, key);
    if (entry && (FAULT(va_stale_answer) || status_equal(&entry->known.status, &said->status))) {
        struct variant *variant = variant_find(entry, cert_id);
        if (!variant) {
            variant = &entry->variants[entry->oldest];
            entry->oldest = (entry->oldest + 1) % VARIANTS;
        }
        variant_clear(variant);
        *variant = (struct variant){ buf_dup(cert_id), document_ref(answer), said->at, false };
    }
    pthread_mutex_unlock(&cache->lock);
}

/* --- statuses --- */

bool cache_status(struct cache *cache, const struct cache_key *key, int64_t now, struct known *ret)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = entry_find(cache, key);
    int64_t at = entry ? known_at(cache, entry) : 0;
    bool found = entry && (now < at + cache->config.validity_s || FAULT(va_status_end));
    if (found) {
        entry_touch(cache, entry);
        *ret = (struct known){ entry->known.status, at };
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

uint64_t cache_mark(struct cache *cache, unsigned authority)
{
    pthread_mutex_lock(&cache->lock);
    uint64_t mark = cache->authorities[authority].changes;
    pthread_mutex_unlock(&cache->lock);
    return mark;
}

/* Under the lock. A changed status takes what was signed with it. */
static void entry_set(struct entry *entry, const struct known *known)
{
    if (!status_equal(&entry->known.status, &known->status) && !FAULT(va_change))
        answers_drop(entry);
    entry->known = *known;
}

void cache_put_status(struct cache *cache, const struct cache_key *key, uint64_t mark,
                      const struct known *known)
{
    if (known->status.status == OCSP_UNKNOWN && !FAULT(va_unknown_kept))
        return;
    pthread_mutex_lock(&cache->lock);
    if (mark == cache->authorities[key->authority].changes || FAULT(va_missed_change)) {
        struct entry *entry = entry_find(cache, key);
        entry_set(entry ? entry : entry_add(cache, key), known);
    }
    pthread_mutex_unlock(&cache->lock);
}

void cache_change(struct cache *cache, const struct cache_key *key, const struct known *known)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = entry_find(cache, key);
    cache->authorities[key->authority].changes++;
    if (entry && known->status.status == OCSP_UNKNOWN)
        entry_remove(cache, entry);
    else if (entry)
        entry_set(entry, known);
    pthread_mutex_unlock(&cache->lock);
}

void cache_confirm(struct cache *cache, unsigned authority, int64_t at)
{
    pthread_mutex_lock(&cache->lock);
    struct of_authority *of = &cache->authorities[authority];
    of->confirmed_at = at > of->confirmed_at ? at : of->confirmed_at;
    pthread_mutex_unlock(&cache->lock);
}

static void forget_locked(struct cache *cache, unsigned authority)
{
    struct entry *next;
    for (struct entry *entry = TAILQ_FIRST(&cache->recent); entry; entry = next) {
        next = TAILQ_NEXT(entry, recent);
        if (entry->key.authority == authority)
            entry_remove(cache, entry);
    }
}

void cache_forget(struct cache *cache, unsigned authority)
{
    pthread_mutex_lock(&cache->lock);
    cache->authorities[authority].changes++;
    forget_locked(cache, authority);
    pthread_mutex_unlock(&cache->lock);
}

size_t cache_count(struct cache *cache, unsigned authority)
{
    pthread_mutex_lock(&cache->lock);
    size_t count = cache->authorities[authority].count;
    pthread_mutex_unlock(&cache->lock);
    return count;
}

void cache_free(struct cache *cache)
{
    if (!cache)
        return;
    while (!TAILQ_EMPTY(&cache->recent))
        entry_remove(cache, TAILQ_FIRST(&cache->recent));
    pthread_mutex_destroy(&cache->lock);
    free(cache->buckets);
    free(cache);
}
