/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of ca/registration.h, inside units of work. */
#pragma once
#include "ca/registration.h"

/* disposition: verified, then pending, failed or issued, as the server says; or refused, which has no claim. */
struct registration_row { int64_t request_id; char *server, *disposition, *serial, *reason, *authority;
                          struct buf transaction_id, request_key, spki_digest, der; };
void registration_row_free(struct registration_row *row);    /* held by value */

/* The row that has this challenge, in the whole store. *ret_found false: none has. */
NODISCARD enum err registration_row_of_challenge(struct store_tx *tx, struct bytes challenge_id, bool *ret_found,
                                                 struct registration_row *ret, struct why *why);
struct registration_key { const char *issuer; struct bytes server, transaction_id, challenge_digest; };
NODISCARD enum err registration_row_find(struct store_tx *tx, const struct registration_key *key, bool *ret_found,
                                         struct registration_row *ret, struct why *why);

/* What is written of a request; error OK: it is verified, and claims its challenge. */
struct registration_new { const struct ca *ca; const struct request *request; const struct managed *managed; const char *server;
                          struct bytes template_name; int64_t request_id, now; const struct why *refusal; };
NODISCARD enum err registration_row_insert(struct store_tx *tx, const struct registration_new *new, struct why *why);
/* One row for each challenge and error: the last request. *ret_changed false: there is none yet. */
NODISCARD enum err registration_row_refuse_again(struct store_tx *tx, const struct registration_new *new, bool *ret_changed,
                                                 struct why *why);
struct registration_change { const char *issuer, *disposition, *reason; int64_t request_id, not_after, now; const char *serial;
                             struct bytes der; };
NODISCARD enum err registration_row_change(struct store_tx *tx, const struct registration_change *change, struct why *why);
