/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of certificates that a CA has issued: their statuses, and the OCSP answers that say so. A serial that was never issued
   has no place here, so that no stranger can fill it; the bound holds for those who know real ones. From any thread. */
#pragma once
#include "va/document.h"
#include "ipc/cert_status.h"

struct cache;
struct cache_config {
    size_t entries;                                          /* certificates; the one asked for longest ago gives way */
    int64_t validity_s;                                      /* from a status to the end of answers that say it */
};
NODISCARD enum err cache_new(const struct cache_config *config, struct cache **ret, struct why *why);
void cache_free(struct cache *cache);
AUTO_DECLARE(cache)

struct cache_key { unsigned authority; struct serial serial; };

/* The answer to that CertID (whole DER), with a reference for the caller, while it lasts; NULL otherwise. *ret_renew: half of its life is
   over and a newer status is known: it is to be signed anew, by this caller alone. */
struct document *cache_answer(struct cache *cache, const struct cache_key *key, struct bytes cert_id, int64_t now, bool *ret_renew);
/* Keeps it, unless the certificate has no place or another status by now than the answer says. Takes no reference. */
struct known { struct cert_status status; int64_t at; };     /* at: when it was so */
void cache_put_answer(struct cache *cache, const struct cache_key *key, struct bytes cert_id, const struct known *said,
                      struct document *answer);

/* false: nothing is known, or it was too long ago. */
bool cache_status(struct cache *cache, const struct cache_key *key, int64_t now, struct known *ret);
/* A mark to be taken before ca is asked: what changes after it is not undone by the older answer. */
uint64_t cache_mark(struct cache *cache, unsigned authority);
/* Good and revoked are kept, unless something changed since the mark. */
void cache_put_status(struct cache *cache, const struct cache_key *key, uint64_t mark, const struct known *known);

/* What ca says has changed. Answers that say otherwise are gone at once. */
void cache_change(struct cache *cache, const struct cache_key *key, const struct known *known);
/* ca was asked at that time and has told of every change until then: whatever is kept was still so. */
void cache_confirm(struct cache *cache, unsigned authority, int64_t at);
void cache_forget(struct cache *cache, unsigned authority);  /* all of one CA */
size_t cache_count(struct cache *cache, unsigned authority);
