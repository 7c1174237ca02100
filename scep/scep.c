/* SPDX-License-Identifier: Apache-2.0 */
/* The scep role's context. */
#include "scep/scep.h"

enum err scep_new(const struct clock *clock, struct pool *pool, struct ca_client *ca,
                  struct endpoint_set *endpoints, struct scep **ret, struct why *why)
{
    struct scep *scep = xcalloc(1, sizeof(*scep));
    scep->clock = clock;
    scep->pool = pool;
    scep->ca = ca;
    scep->endpoints = endpoints;
    pthread_mutex_init(&scep->lock, NULL);
    atomic_init(&scep->expired_said_ms, INT64_MIN);
    enum err err = budget_new(&scep->budget, why);
    if (err != OK) {
        scep_free(scep);
        return err;
    }
    *ret = scep;
    return OK;
}

void scep_free(struct scep *scep)
{
    if (!scep)
        return;
    endpoint_set_unref(scep->endpoints);
    ca_client_free(scep->ca);
    budget_free(scep->budget);
    pthread_mutex_destroy(&scep->lock);
    free(scep);
}

struct endpoint_set *scep_endpoints(struct scep *scep)
{
    pthread_mutex_lock(&scep->lock);
    struct endpoint_set *set = endpoint_set_ref(scep->endpoints);
    pthread_mutex_unlock(&scep->lock);
    return set;
}

void scep_endpoints_replace(struct scep *scep, struct endpoint_set *taken)
{
    pthread_mutex_lock(&scep->lock);
    struct endpoint_set *old = scep->endpoints;
    scep->endpoints = taken;
    pthread_mutex_unlock(&scep->lock);
    endpoint_set_unref(old);
}
