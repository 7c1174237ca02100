/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates that challenges are encrypted to: those that ca said it has, kept, so that devices check in and get challenges while ca is
   down. */
#pragma once
#include "challenge/challenge.h"
#include "store/store.h"

struct crp_certificate { int64_t generation, expires; struct buf der; struct cert cert; struct public_key *key; };
struct crp_list { struct crp_certificate of[LIMIT_CHALLENGE_RECIPIENTS]; size_t count; };   /* the newest first */
void crp_list_free(struct crp_list *list);
/* What ca answers crp_get with. ERR_PROTOCOL: it is no such answer; a list without certificates is none. */
NODISCARD enum err crp_list_take(struct bytes answer, struct crp_list *ret, struct why *why);
NODISCARD enum err crp_list_save(struct store_tx *tx, const struct crp_list *list, struct why *why);   /* in place of what was there */
/* Those that have not ended. */
NODISCARD enum err crp_list_load(struct store_tx *tx, int64_t now, struct crp_list *ret, struct why *why);
bool crp_list_equal(const struct crp_list *a, const struct crp_list *b);
