/* SPDX-License-Identifier: Apache-2.0 */
/* Challenge passwords. None is ever stored or logged: what is kept is HMAC-SHA-256(challenge key, password), so that the
   store without the ca role's secrets gives no password away (spec security.md A16). */
#pragma once
#include "ca/ca.h"
#include "x509/csr.h"

#define CHALLENGE_KEY_BYTES 32
NODISCARD enum err challenge_mac(const struct secret *key, struct bytes password, uint8_t ret[static 32], struct why *why);
/* The challenge of a request, judged for form: ERR_CHALLENGE_MISSING when absent or empty, ERR_CHALLENGE_WRONG when it is
   no text, holds a NUL or is over-long. */
NODISCARD enum err challenge_of(const struct ca *ca, const struct csr *csr, uint8_t ret_mac[static 32], struct why *why);
/* 64 hex digits of a file: a challenge key or a static endpoint's MAC. */
NODISCARD enum err challenge_hex_file(const char *path, struct secret *ret, struct why *why);

/* One-time passwords. */
#define CHALLENGE_PASSWORD_BYTES 8                           /* as NDES: 8 octets in hex */
#define CHALLENGE_KEPT_S         (30 * 86400)                /* after its end a challenge is still known as used or expired */
NODISCARD enum err challenge_new(struct ca *ca, const struct endpoint *endpoint, const char *actor,
                                 char ret_password[static 2 * CHALLENGE_PASSWORD_BYTES + 1], int64_t *ret_expires,
                                 struct why *why);
/* Would it be taken now? Says exactly why not; the taking itself is challenge_claim, in T1. */
NODISCARD enum err challenge_look(struct ca *ca, const struct endpoint *endpoint, const uint8_t mac[static 32],
                                  struct why *why);
struct challenge_claim { const struct endpoint *endpoint; const uint8_t *mac; int64_t request_id, now; };
NODISCARD enum err challenge_claim(struct store_tx *tx, const struct challenge_claim *claim, struct why *why);
/* Where an administrator's word stands for it, used or not: from now on it is used. ERR_CHALLENGE_USED: by another request. */
NODISCARD enum err challenge_spend(struct store_tx *tx, const struct challenge_claim *claim, struct why *why);
NODISCARD enum err challenge_release(struct store_tx *tx, const char *issuer, int64_t request_id, struct why *why);
NODISCARD enum err challenge_forget(struct ca *ca, struct why *why);   /* those long past their end */
