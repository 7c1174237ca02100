/* SPDX-License-Identifier: Apache-2.0 */
/* Key agreement for CMS (RFC 5753): an ephemeral key for the sender, the key that both sides derive, and the wrapping of a
   content key with it. The recipient's half of the agreement is key_agree (x509/key.h). */
#pragma once
#include "x509/key.h"

#define KEK_BYTES         16                                 /* of AES-128 */
#define WRAPPED_KEY_BYTES 24                                 /* such a key, wrapped */

/* Makes a key on the recipient's curve for this one use: *ret_point is its public point, uncompressed. */
NODISCARD enum err agreement_start(const struct public_key *recipient, struct buf *ret_point, struct secret *ret_shared,
                                   struct why *why);
/* A point as a sender gave it, on the curve of kind: checked as by public_key_parse. */
NODISCARD enum err agreement_point(enum key_kind kind, struct bytes point, struct public_key **ret, struct why *why);
/* The first KEK_BYTES of the X9.63 KDF with SHA-256 (SEC 1 3.6.1), which need one round of it. */
NODISCARD enum err kek_derive(struct bytes shared, struct bytes info, struct secret *ret_kek, struct why *why);
/* AES key wrap (RFC 3394) of a key of KEK_BYTES octets. */
NODISCARD enum err key_wrap(struct bytes kek, struct bytes key, uint8_t ret[static WRAPPED_KEY_BYTES], struct why *why);
/* ERR_BAD_MESSAGE_CHECK: wrapped by another key, or altered. */
NODISCARD enum err key_unwrap(struct bytes kek, struct bytes wrapped, struct secret *ret_key, struct why *why);
