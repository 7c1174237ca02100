/* SPDX-License-Identifier: Apache-2.0 */
/* The scep role's one context: what its main makes and every request is handed. */
#pragma once
#include "base/clock.h"
#include "scep/budget.h"
#include "scep/ca_client.h"
#include "scep/endpoint.h"
#include <pthread.h>
#include <stdatomic.h>

struct pool;
struct scep_counters { atomic_ullong issued, pending, answered, refused, unavailable, unreadable; };
struct scep {
    const struct clock *clock;
    struct pool *pool;
    struct ca_client *ca;
    struct budget *budget;
    struct scep_counters counters;
    atomic_llong expired_said_ms;                            /* when the log last said that an RA certificate expired */
    pthread_mutex_t lock;
    struct endpoint_set *endpoints;                          /* under lock */
};

/* Takes ca and endpoints, also when it fails. */
NODISCARD enum err scep_new(const struct clock *clock, struct pool *pool, struct ca_client *ca,
                            struct endpoint_set *endpoints, struct scep **ret, struct why *why);
void scep_free(struct scep *scep);
AUTO_DECLARE(scep)
struct endpoint_set *scep_endpoints(struct scep *scep);      /* with a reference of the caller's own */
void scep_endpoints_replace(struct scep *scep, struct endpoint_set *taken);
