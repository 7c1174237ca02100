/* SPDX-License-Identifier: Apache-2.0 */
/* The key that management services encrypt challenges to: the certificate registration point of the guides. Made and kept by this
   role, in generations, keys/crp-N.key.pem and certs/crp-N.crt.pem. The certificates are self-signed: whoever asks for one knows
   whom it asked. */
#pragma once
#include "base/clock.h"
#include "challenge/challenge.h"
#include "x509/kept_key.h"

#define CRP_DAY_S          86400
#define CRP_VALIDITY_S     (365LL * CRP_DAY_S)
#define CRP_RENEW_BEFORE_S (60LL * CRP_DAY_S)                /* two keys at once for so long: a challenge lives a day at most */
#define CRP_KEPT_S         (2LL * LIMIT_CHALLENGE_LIFETIME_S)   /* how long after its end a key still decrypts */
_Static_assert(CRP_RENEW_BEFORE_S > LIMIT_CHALLENGE_LIFETIME_S, "whoever has the old certificate still enrols");

NODISCARD enum err crp_open(const struct kept_key_source *source, int64_t now, struct kept_key **ret, struct why *why);
