/* SPDX-License-Identifier: Apache-2.0 */
/* Failures by address and of all, against what is allowed. */
#include "scep/budget.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/tally.h"
#include <pthread.h>

struct budget {
    struct budget_limits limits;
    struct tally *failures;
    pthread_mutex_t lock; /* what follows */
    struct address *in_flight;
    size_t count, room;
};

enum err budget_new(const struct budget_limits *limits, struct budget **ret, struct why *why)
{
    struct tally *failures = NULL;
    TRY(tally_new(BUDGET_WINDOW_MS, &failures, why));
    struct budget *budget = xcalloc(1, sizeof(*budget));
    budget->limits = *limits;
    budget->failures = failures;
    pthread_mutex_init(&budget->lock, NULL);
    *ret = budget;
    return OK;
}

void budget_free(struct budget *budget)
{
    if (!budget)
        return;
    tally_free(budget->failures);
    pthread_mutex_destroy(&budget->lock);
    free(budget->in_flight);
    free(budget);
}

/* What is in flight may fail, too. An address that has never failed is not suspected. */
static bool allows(struct budget *budget, const char *peer, int64_t now_ms)
{
    const struct address address = tally_key(peer);
    struct tally_count failures = tally_now(budget->failures, peer, now_ms);
    if (failures.address == 0)
        return true;
    size_t own = 0;
    for (size_t i = 0; i < budget->count; i++)
        own += address_equal(&budget->in_flight[i], &address);
    bool many = !FAULT(budget_per_key) && failures.total + budget->count >= budget->limits.per_key;
    return !many && failures.address + own < budget->limits.per_address;
}

bool budget_allows(struct budget *budget, const char *peer, int64_t now_ms)
{
    pthread_mutex_lock(&budget->lock);
    bool allowed = allows(budget, peer, now_ms);
    pthread_mutex_unlock(&budget->lock);
    return allowed;
}

/* As many as there are workers at the most. */
static void in_flight_add(struct budget *budget, struct address address)
{
    if (budget->count == budget->room) {
        size_t room = budget->room ? 2 * budget->room : 64;
        struct address *grown = xcalloc(room, sizeof(*grown));
        if (budget->count)
            memcpy(grown, budget->in_flight, budget->count * sizeof(*grown));
        free(budget->in_flight);
        budget->in_flight = grown;
        budget->room = room;
    }
    budget->in_flight[budget->count++] = address;
}

bool budget_begin(struct budget *budget, const char *peer, int64_t now_ms)
{
    pthread_mutex_lock(&budget->lock);
    bool allowed = allows(budget, peer, now_ms);
    if (allowed)
        in_flight_add(budget, tally_key(peer));
    pthread_mutex_unlock(&budget->lock);
    return allowed;
}

void budget_end(struct budget *budget, const char *peer)
{
    const struct address address = tally_key(peer);
    pthread_mutex_lock(&budget->lock);
    size_t at = 0;
    while (at < budget->count && !address_equal(&budget->in_flight[at], &address))
        at++;
    if (at < budget->count)
        budget->in_flight[at] = budget->in_flight[--budget->count];
    pthread_mutex_unlock(&budget->lock);
}

void budget_spend(struct budget *budget, const char *peer, int64_t now_ms)
{
    struct tally_count failures = tally_add(budget->failures, peer, now_ms);
    if (failures.address == budget->limits.per_address)
        log_warn(NULL,
                 "failed decryptions: an address used up its budget, its messages are refused unread peer=%s "
                 "failures=%u window_s=%d",
                 peer, failures.address, BUDGET_WINDOW_MS / 1000);
    if (failures.total == budget->limits.per_key)
        log_error(NULL,
                  "ALARM failed decryptions: somebody may be attacking the RA keys failures=%u window_s=%d",
                  failures.total, BUDGET_WINDOW_MS / 1000);
}

unsigned budget_spent(struct budget *budget, int64_t now_ms)
{
    return tally_now(budget->failures, "", now_ms).total;
}
