/* SPDX-License-Identifier: Apache-2.0 */
/* Failures by address and of all, against what is allowed. */
#include "scep/budget.h"

#include "base/fault.h"
#include "base/log.h"
#include "scep/tally.h"
#include <stdatomic.h>

struct budget {
    struct budget_limits limits;
    struct tally *failures;
    atomic_uint in_flight;
};

enum err budget_new(const struct budget_limits *limits, struct budget **ret, struct why *why)
{
    struct tally *failures = NULL;
    TRY(tally_new(BUDGET_WINDOW_MS, &failures, why));
    struct budget *budget = xcalloc(1, sizeof(*budget));
    budget->limits = *limits;
    budget->failures = failures;
    atomic_init(&budget->in_flight, 0);
    *ret = budget;
    return OK;
}

void budget_free(struct budget *budget)
{
    if (!budget)
        return;
    tally_free(budget->failures);
    free(budget);
}

static bool allows(struct budget *budget, const char *peer, unsigned in_flight, int64_t now_ms)
{
    const struct budget_limits *limits = &budget->limits;
    struct tally_count failures = tally_now(budget->failures, peer, now_ms);
    bool many = !FAULT(budget_per_key) && failures.total + in_flight >= limits->per_key;
    return many ? failures.address == 0 : failures.address < limits->per_address;
}

bool budget_allows(struct budget *budget, const char *peer, int64_t now_ms)
{
    return allows(budget, peer, atomic_load(&budget->in_flight), now_ms);
}

bool budget_begin(struct budget *budget, const char *peer, int64_t now_ms)
{
    unsigned before = atomic_fetch_add(&budget->in_flight, 1);
    if (allows(budget, peer, before, now_ms))
        return true;
    budget_end(budget);
    return false;
}

void budget_end(struct budget *budget)
{
    atomic_fetch_sub(&budget->in_flight, 1);
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
