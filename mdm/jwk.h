/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that an OpenID provider signs with (RFC 7517), as its jwks_uri has them; and base64url, of which all of it is made. */
#pragma once
#include "base/limits.h"
#include "http/json_text.h"
#include "x509/jose.h"

/* RFC 7515 2: without padding, and without characters of other alphabets. */
NODISCARD bool base64url_decode(struct bytes text, struct buf *ret);

struct jwk { char *kid;                                      /* NULL: none */
             bool bound; enum jose algorithm;                /* to one algorithm */
             struct public_key *key; };
struct jwk_set { struct jwk keys[LIMIT_JWKS]; size_t count; };       /* starts as { 0 } */
void jwk_set_free(struct jwk_set *set);
/* Keys that are not for signatures, or of kinds that are not verified here, are left out; one that is wrong or weak refuses the set. */
NODISCARD enum err jwk_set_read(struct bytes text, struct jwk_set *ret, struct why *why);
