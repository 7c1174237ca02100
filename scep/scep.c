/* SPDX-License-Identifier: Apache-2.0 */
/* The scep role's context. */
#include "scep/scep.h"

#include "base/log.h"
#include "base/tally.h"

enum err scep_new(const struct scep_config *config, struct scep **ret, struct why *why)
{
    AUTO(scep) scep = xcalloc(1, sizeof(*scep));
    scep->clock = config->clock;
    scep->pool = config->pool;
    scep->ca = config->ca;
    scep->endpoints = config->endpoints;
    scep->refusal_lines = config->refusal_lines;
    scep->plugin_log = config->plugin_log;
    pthread_mutex_init(&scep->lock, NULL);
    atomic_init(&scep->expired_said_ms, INT64_MIN);
    TRY(budget_new(&config->budget, &scep->budget, why));
    TRY(tally_new(REFUSAL_LINES_WINDOW_MS, &scep->refusals, why));
    *ret = TAKE(scep);
    return OK;
}

/* How many lines it makes with this one, of all addresses. */
static unsigned line_count(struct scep *scep, int64_t now_ms)
{
    pthread_mutex_lock(&scep->lock);
    if (now_ms - scep->lines_since_ms >= REFUSAL_LINES_WINDOW_MS) {
        scep->lines_since_ms = now_ms;
        scep->lines = 0;
    }
    unsigned count = ++scep->lines;
    pthread_mutex_unlock(&scep->lock);
    return count;
}

bool scep_may_log(struct scep *scep, const char *peer)
{
    int64_t now_ms = clock_mono_ms();
    unsigned own = tally_add(scep->refusals, peer, now_ms).address;
    if (own > scep->refusal_lines + 1)
        return false;
    unsigned most = scep->refusal_lines * REFUSAL_LINES_ALL, all = line_count(scep, now_ms);
    if (all == most + 1)
        log_warn(NULL, "refusals are no longer logged here, the access log has them lines=%u window_s=%d",
                 most, REFUSAL_LINES_WINDOW_MS / 1000);
    if (all > most)
        return false;
    if (own == scep->refusal_lines + 1)
        log_warn(NULL,
                 "refusals of this address are no longer logged here, the access log has them peer=%s "
                 "lines=%u window_s=%d",
                 peer, scep->refusal_lines, REFUSAL_LINES_WINDOW_MS / 1000);
    return own <= scep->refusal_lines;
}

void scep_free(struct scep *scep)
{
    if (!scep)
        return;
    endpoint_set_unref(scep->endpoints);
    ca_client_free(scep->ca);
    budget_free(scep->budget);
    tally_free(scep->refusals);
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
