/* SPDX-License-Identifier: Apache-2.0 */
/* The key that management services encrypt challenges to: the certificate registration point of the guides. Made and kept by this
   role, in generations, keys/crp-N.key.pem and certs/crp-N.crt.pem. The certificates are self-signed: whoever asks for one knows
   whom it asked. */
#pragma once
#include "base/clock.h"
#include "base/generation.h"
#include "challenge/challenge.h"
#include <stdatomic.h>

#define CRP_DAY_S          86400
#define CRP_VALIDITY_S     (365LL * CRP_DAY_S)
#define CRP_RENEW_BEFORE_S (60LL * CRP_DAY_S)                /* two keys at once for so long: a challenge lives a day at most */
#define CRP_KEPT_S         (2LL * LIMIT_CHALLENGE_LIFETIME_S)   /* how long after its end a key still decrypts */
_Static_assert(CRP_RENEW_BEFORE_S > LIMIT_CHALLENGE_LIFETIME_S, "whoever has the old certificate still enrols");

struct crp;
struct crp_source { const char *keys_dir, *certs_dir; const struct secret *unlock; struct key_gate *gate; };   /* borrowed */
/* What is there; the first generation where there is none. A key that cannot be used is logged and passed over, unless there is
   no other: then somebody has to look, and no new one is made in its place. */
NODISCARD enum err crp_open(const struct crp_source *source, int64_t now, struct crp **ret, struct why *why);
void crp_free(struct crp *crp);
AUTO_DECLARE(crp)
/* For every minute: the next generation when it is time, and the end of those that nothing is encrypted to any more. On failure
   what is in use stays. */
NODISCARD enum err crp_keep(struct crp *crp, int64_t now, struct why *why);

/* The keys as they are now, the newest first; held until they are given back, whatever crp_keep does meanwhile. */
struct crp_key { int generation; struct key *key; struct buf der; struct cert cert; };
struct crp_keys { atomic_int holders; struct crp_key of[GENERATIONS_MAX]; size_t count; };
struct crp_keys *crp_keys_hold(struct crp *crp);
void crp_keys_free(struct crp_keys *keys);                   /* gives them back; NULL is fine */
AUTO_DECLARE(crp_keys)
