/* SPDX-License-Identifier: Apache-2.0 */
/* The budget of failed decryptions (spec security.md B2, S17): whoever wants to learn something from an RA key needs
   thousands of messages that fail, and gets a few dozen an hour. Memory is bounded whatever the number of addresses. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

#define BUDGET_WINDOW_MS   3600000
#define BUDGET_PER_ADDRESS 60   /* a fleet behind one NAT that still has an old RA certificate makes a few */
#define BUDGET_PER_KEY     1000 /* S17. All keys of the role are counted together, which is never more than each alone */

struct budget;
NODISCARD enum err budget_new(struct budget **ret, struct why *why);
void budget_free(struct budget *budget);
AUTO_DECLARE(budget)
/* May this address have another message decrypted? Below BUDGET_PER_KEY: while it has failed less than
   BUDGET_PER_ADDRESS times in the window; above: only if it has not failed at all, so that devices which do nothing
   wrong still enrol. */
bool budget_allows(struct budget *budget, const char *peer, int64_t now_ms);
/* A message of this address failed to decrypt. Logs an alarm when that uses up a budget. */
void budget_spend(struct budget *budget, const char *peer, int64_t now_ms);
unsigned budget_spent(struct budget *budget, int64_t now_ms);
