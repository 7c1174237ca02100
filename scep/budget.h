/* SPDX-License-Identifier: Apache-2.0 */
/* The budget of failed decryptions (spec security.md B2, S17): whoever wants to learn something from an RA key needs
   thousands of messages that fail, and gets a few dozen an hour. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

#define BUDGET_WINDOW_MS   3600000
#define BUDGET_PER_ADDRESS 60   /* a fleet behind one NAT that still has an old RA certificate makes a few */
#define BUDGET_PER_KEY     1000 /* S17. All keys of the role are counted together, which is never more than each alone */

struct budget;
struct budget_limits { unsigned per_address, per_key; };     /* an hour; settings, with the defaults above */
NODISCARD enum err budget_new(const struct budget_limits *limits, struct budget **ret, struct why *why);
void budget_free(struct budget *budget);
AUTO_DECLARE(budget)
/* May this address have another message decrypted? Below per_key: while it has failed less than per_address times in the
   window; above: only if it has not failed at all, so that devices which do nothing wrong still enrol. */
bool budget_allows(struct budget *budget, const char *peer, int64_t now_ms);
/* As budget_allows, and if so the message counts as failed until budget_end: what is being decrypted at the same time
   cannot take the keys, or an address that has failed before, past their limit. */
bool budget_begin(struct budget *budget, const char *peer, int64_t now_ms);
void budget_end(struct budget *budget, const char *peer);
/* A message of this address failed to decrypt. Logs an alarm when that uses up a budget. */
void budget_spend(struct budget *budget, const char *peer, int64_t now_ms);
unsigned budget_spent(struct budget *budget, int64_t now_ms);
