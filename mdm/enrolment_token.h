/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment tokens: what a device that nobody knows yet shows to be let in. 128 random bits, of which the store has a digest alone; for so
   many devices, until a time; of one user's devices, or for one device that is there already, or of whoever has it. */
#pragma once
#include "mdm/object.h"

#define ENROLMENT_TOKEN_BYTES 16
#define ENROLMENT_TOKEN_TEXT  (2 * ENROLMENT_TOKEN_BYTES + 1)

extern const struct object_class token_class;

NODISCARD enum err enrolment_token_make(char ret[static ENROLMENT_TOKEN_TEXT], struct why *why);
/* In a unit of work: the token is that of the row from now on. */
NODISCARD enum err enrolment_token_keep(struct store_tx *tx, const char *id, const char *token, struct why *why);
/* The row of a token that lets somebody in at that time. ERR_NOT_AUTHORISED, with the reason, which is for the log alone. */
NODISCARD enum err enrolment_token_find(struct store_tx *tx, struct bytes token, int64_t now, struct object *ret, struct why *why);
/* One of its uses: ERR_NOT_AUTHORISED when there is none left, whoever asks at the same time. */
NODISCARD enum err enrolment_token_claim(struct store_tx *tx, const char *id, int64_t now, struct why *why);
