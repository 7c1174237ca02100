/* SPDX-License-Identifier: Apache-2.0 */
/* What authorities are told of their requests (design.md section 3): a row for each event, written in the unit that decides it,
   leased by whoever the authority is, and delivered at least once, under the same number. */
#pragma once
#include "ca/ca.h"

#define OUTBOX_LEASE_MAX 500                                 /* rows at once; a page ends before a frame is full */
#define OUTBOX_KEPT_S    (2 * 86400)                         /* a delivered row: for so long a refusal is not told of again */

/* kind: issued, failed, pending, denied, revoked, released. Without an authority nobody is told: nothing is written, but for `issued`,
   which waits in its place for what asks for it one day. error and reason: NULL, or why. */
struct outbox_event { const char *issuer, *authority; int64_t request_id; const char *kind, *error, *reason; };
/* The same kind of the same request again is a new event, under a new number. */
NODISCARD enum err outbox_put(struct store_tx *tx, const struct ca *ca, const struct outbox_event *event, struct why *why);

struct outbox_lease { const struct issuer *issuer; const char *authority; int64_t limit, lease_s; };
/* A list of records, the oldest event first; one with the field `server` is of a request that another SCEP server asked about, and of
   another CA's certificate (ca/registration.h). What is in it nobody else gets until the lease is over. */
NODISCARD enum err outbox_lease(struct ca *ca, const struct outbox_lease *lease, struct buf *ret, struct why *why);
struct outbox_done { const struct issuer *issuer; const char *authority; const int64_t *events; size_t count; };
/* Numbers that are another authority's, or are delivered already, change nothing. *ret_done: how many it was new of. */
NODISCARD enum err outbox_done(struct ca *ca, const struct outbox_done *done, int64_t *ret_done, struct why *why);
NODISCARD enum err outbox_forget(struct ca *ca, struct why *why);   /* what was delivered long ago */
/* Inside the unit that removes the authority. */
NODISCARD enum err outbox_remove(struct store_tx *tx, const char *issuer, const char *authority, struct why *why);
