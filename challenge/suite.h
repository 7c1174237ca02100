/* SPDX-License-Identifier: Apache-2.0 */
/* The one suite of sealed challenges (spec design.md section 8): ECDH P-256 with an ephemeral key, X9.63 KDF with SHA-256,
   AES-128 key wrap, AES-128-CBC; ECDSA P-256 with SHA-256 over that. Another suite is another file, and a version that says so. */
#pragma once
#include "challenge/challenge.h"

/* DER of SignedData over EnvelopedData (RFC 5652, 5753). */
NODISCARD enum err suite_seal(struct bytes plain, const struct challenge_seal_params *params, struct buf *ret_der,
                              struct why *why);
/* ret_plain is secret. *ret_signer and *ret_own: which of the keys. Errors as challenge_open's, up to ERR_CHALLENGE_DECRYPTION. */
NODISCARD enum err suite_open(struct bytes der, const struct challenge_keys *keys, struct challenge_opened *ret, struct why *why);
