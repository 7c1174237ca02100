/* SPDX-License-Identifier: Apache-2.0 */
/* A challenge is used once: by the request that took it, at whichever CA of this role, whatever runs beside it (design.md, exactly
   once). As with one-time passwords (ca/challenge.h), which live in a table of their own. */
#pragma once
#include "ca/managed.h"

#define MANAGED_KEPT_S (30 * 86400)                          /* after its end a challenge is still known as used, not only as ended */

struct managed_claim { const struct ca *ca; const struct issuer *issuer; const struct managed *managed; int64_t request_id, now; };
/* In T1. ERR_CHALLENGE_USED names the request that has it; ERR_CHALLENGE_EXPIRED: whether it was used is known no more; ERR_NOT_TARGETED: the authorisation ended since it was looked at. */
NODISCARD enum err managed_claim_take(struct store_tx *tx, const struct managed_claim *claim, struct why *why);
/* Where an administrator's word stands for it: it may be this request's already. */
NODISCARD enum err managed_claim_spend(struct store_tx *tx, const struct managed_claim *claim, struct why *why);
NODISCARD enum err managed_claim_release(struct store_tx *tx, const char *issuer, int64_t request_id, struct why *why);
NODISCARD enum err managed_claims_forget(struct ca *ca, struct why *why);   /* of challenges long past their end */
