/* SPDX-License-Identifier: Apache-2.0 */
/* ID tokens of an OpenID provider (OpenID Connect Core 1.0, 3.1.3.7; RFC 8725): who somebody is, signed, for us, for this sign-in, now. What is not listed is
   refused. */
#pragma once
#include "mdm/jwk.h"

#define ID_TOKEN_SKEW_S 60                                   /* by which clocks may differ */
#define ID_TOKEN_AGE_S  600                                  /* since it was made: it comes straight from the provider */

struct id_token_rules { const char *issuer, *client, *nonce; int64_t now; };
/* *ret_claims: the claims; the caller owns them. ERR_SIGN_IN with the reason, which is for the log alone; ERR_NOT_FOUND: signed with a key that the set does not
   have, so that fetching the keys anew may help. */
NODISCARD enum err id_token_judge(struct bytes token, const struct jwk_set *keys, const struct id_token_rules *rules, json_t **ret_claims,
                                  struct why *why);
