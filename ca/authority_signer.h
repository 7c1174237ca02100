/* SPDX-License-Identifier: Apache-2.0 */
/* Whose challenges count: the certificates that authorities sign them with, pinned by the administrator of this host, each followed
   by a successor that its own key vouches for. Rows of the store, and a copy in memory, as with rights: no device waits for the store
   to have the signature on its challenge checked. */
#pragma once
#include "ca/ca.h"
#include "challenge/challenge.h"

#define AUTHORITY_SIGNERS_MAX        64                      /* of all authorities at one CA */
#define AUTHORITY_SIGNER_BEFORE_MAX  4                       /* of one authority, beside the current one: none renews its key hourly */
#define AUTHORITY_SIGNER_OVERLAP_S   (LIMIT_CHALLENGE_LIFETIME_S + 3600)   /* what a predecessor has signed lives no longer */
#define AUTHORITY_SIGNER_VALIDITY_S  (5 * 366 * 86400LL)     /* no pinned certificate is valid for longer */

struct authority_signers;
struct authority_signers *authority_signers_new(void);
void authority_signers_free(struct authority_signers *signers);
NODISCARD enum err authority_signers_reload(struct ca *ca, struct why *why);   /* on failure the copy stays */
/* Those past their overlap are gone. For every minute. */
NODISCARD enum err authority_signers_forget(struct ca *ca, struct why *why);

/* Who may have signed a challenge that comes in at this CA now. Held until it is freed. */
struct pins;
struct pinned { struct pins *held; struct challenge_peer peers[AUTHORITY_SIGNERS_MAX]; const char *authority[AUTHORITY_SIGNERS_MAX];
                size_t count; };
struct pinned pinned_at(struct ca *ca, const struct issuer *issuer, int64_t now);
void pinned_free(struct pinned *pinned);                     /* held by value: AUTO_VAL(pinned) */

/* Inside a unit of work that has the counter "right" of the issuer, by the administrator's word: what was pinned before is good no
   longer, for its key may be the reason. der empty: nothing is pinned any more. In force after authority_signers_reload.
   ERR_USAGE for a certificate that can't be one. */
struct signer_pin { const struct issuer *issuer; const char *authority, *actor; struct bytes der; };
NODISCARD enum err authority_signer_pin(struct store_tx *tx, const struct ca *ca, const struct signer_pin *pin, struct why *why);
/* By the authority's own: signed by the key of the current one, which stays good for the overlap. The current one again changes
   nothing; one that has ended vouches for nobody (ERR_EXPIRED). In force when it returns. */
NODISCARD enum err authority_signer_succeed(struct ca *ca, const struct signer_pin *pin, struct why *why);
