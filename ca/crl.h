/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs as the store keeps them: full ones, and deltas that share their numbers (RFC 5280 5.2.3). Of each kind only the last
   has its octets. */
#pragma once
#include "ca/ca.h"
#include "x509/crl.h"

struct crl_state {
    bool exists;
    int64_t number, this_update, next_update, entries;
    int64_t version;                                         /* the last status change that is in it (ca/status.h) */
    int64_t base_number;                                     /* of a delta */
    bool is_base;                                            /* of a full one: deltas may be based on it */
};
const char *crl_kind_name(enum crl_kind kind);               /* "full" */
/* The last one of a kind. ret_der may be NULL. */
NODISCARD enum err crl_current(struct ca *ca, const struct issuer *issuer, enum crl_kind kind, struct crl_state *ret,
                               struct buf *ret_der, struct why *why);
/* The same inside a unit of work, without octets. */
NODISCARD enum err crl_last(struct store_tx *tx, const struct issuer *issuer, enum crl_kind kind, struct crl_state *ret,
                            struct why *why);
/* The full CRL that a delta of this number is based on: the last base before it, or that very number when it is the first. */
NODISCARD enum err crl_base(struct store_tx *tx, const struct issuer *issuer, int64_t number, struct crl_state *ret,
                            struct why *why);
/* Keeps one with its audit row. ERR_BUSY when there is a later one of its kind. */
struct crl_keep { const struct ca *ca; const struct issuer *issuer; enum crl_kind kind; const struct crl_state *state;
                  struct bytes der; };
NODISCARD enum err crl_keep(struct store_tx *tx, const struct crl_keep *keep, struct why *why);
