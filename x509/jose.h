/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and signatures as JSON Web Tokens have them (RFC 7518): an allow-list of three algorithms. There is no "none" here, and nothing with a shared
   secret, so that no public key can be taken for one. */
#pragma once
#include "x509/key.h"

enum jose { JOSE_RS256 = 1, JOSE_PS256, JOSE_ES256 };
bool jose_by_name(struct bytes name, enum jose *ret);        /* exact spelling */
/* Big-endian magnitudes, as a JWK's members decoded. ERR_WEAK_KEY, ERR_MALFORMED. */
NODISCARD enum err jose_rsa_key(struct bytes n, struct bytes e, struct public_key **ret, struct why *why);
NODISCARD enum err jose_p256_key(struct bytes x, struct bytes y, struct public_key **ret, struct why *why);
/* ERR_BAD_ALG: the algorithm is not of the key's kind; ERR_BAD_MESSAGE_CHECK. */
NODISCARD enum err jose_verify(const struct public_key *key, enum jose algorithm, struct bytes data, struct bytes signature,
                               struct why *why);
