/* SPDX-License-Identifier: Apache-2.0 */
/* The va role's one context: what its main makes and every request is handed. */
#pragma once
#include "base/clock.h"
#include "base/limits.h"
#include "va/authority.h"
#include "va/cache.h"
#include "va/published.h"
#include <stdatomic.h>

struct ca_client;
struct pool;
struct va_counters { atomic_ullong from_cache, signed_now, unknown, refused, later; };
struct va {
    const struct clock *clock;
    struct pool *pool;
    struct ca_client *ca;
    struct authority *authorities[LIMIT_VA_AUTHORITIES]; size_t authority_count;
    struct cache *cache;
    struct published *published;
    int64_t validity_s, max_age_s;                           /* of an OCSP answer; of its copy in a proxy */
    atomic_bool ca_is_away;                                  /* it did not answer; nobody is kept waiting for it until it does */
    struct va_counters counters;
    atomic_llong failure_said_ms;                            /* when the log last said that an answer could not be made; 0: never */
};
struct va_config {
    const struct clock *clock;
    struct pool *pool;
    struct ca_client *ca;                                    /* taken, also when va_new fails */
    const char *published_dir;
    size_t cache_entries;
    int64_t validity_s, max_age_s;
};
NODISCARD enum err va_new(const struct va_config *config, struct va **ret, struct why *why);
void va_free(struct va *va);
AUTO_DECLARE(va)
/* ERR_CONFIG: more than LIMIT_VA_AUTHORITIES. */
NODISCARD enum err va_add_authority(struct va *va, const struct authority_params *params, struct why *why);
/* The CA that a CertID names, if it has OCSP; NULL: none of ours. *ret_all_known: every CA's certificate is here, so that NULL is final. */
struct authority *va_find_authority(const struct va *va, const struct ocsp_cert_id *id, bool *ret_all_known);
