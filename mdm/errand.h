/* SPDX-License-Identifier: Apache-2.0 */
/* What ca is to be told: ends of authorisations, and revocations. Written in the unit that decides it, sent until ca has acknowledged it,
   in their order as far as ca takes them. */
#pragma once
#include "mdm/mdm.h"

enum errand_kind { ERRAND_END, ERRAND_REVOKE, ERRAND_KIND_COUNT };
struct errand {
    enum errand_kind kind;
    const char *ca;                                          /* NULL: every one */
    const char *device, *profile; int64_t version;
    int64_t valid_from;                                      /* of an end: challenges from then on count again; 0: none does */
    const char *serial, *reason;                             /* of a revocation; reason as RFC 5280 names it */
};
NODISCARD enum err errand_put(struct store_tx *tx, const struct errand *errand, int64_t now, struct why *why);

/* Sends what is due, until ca cannot be reached. On a worker, one at a time. */
NODISCARD enum err errands_run(struct mdm *mdm, struct why *why);
/* For every minute: those long done. */
NODISCARD enum err errands_forget(struct store_tx *tx, int64_t now, struct why *why);
