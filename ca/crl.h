/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs as the store keeps them: full ones, of each partition where a CA has several, and deltas that share their numbers
   (RFC 5280 5.2.3). Of each scope only the last has its octets. */
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
/* What a CRL is about: all of a CA's certificates (partition 0), or those of one partition; the changes of all, a delta. */
struct crl_scope { const struct issuer *issuer; enum crl_kind kind; unsigned partition; };
const char *crl_kind_name(enum crl_kind kind);               /* "full" */
/* Partitions from the first to the last, or 0 to 0 where there is one complete CRL. */
static inline unsigned partition_first(const struct issuer *issuer) { return crl_is_partitioned(&issuer->partitions); }
static inline unsigned partition_last(const struct issuer *issuer)
{
    return crl_is_partitioned(&issuer->partitions) ? issuer->partitions.count : 0;
}
/* serial: as stored. */
NODISCARD enum err crl_partition_of_text(const struct issuer *issuer, const char *serial, unsigned *ret, struct why *why);
/* The last one of a scope. ret_der may be NULL. */
NODISCARD enum err crl_current(struct ca *ca, const struct crl_scope *scope, struct crl_state *ret, struct buf *ret_der,
                               struct why *why);
/* The same inside a unit of work, without octets. */
NODISCARD enum err crl_last(struct store_tx *tx, const struct crl_scope *scope, struct crl_state *ret, struct why *why);
/* Of all the partitions' last full ones: the highest number, the earliest times, all entries; exists when each has one. */
NODISCARD enum err crl_overview(struct ca *ca, const struct issuer *issuer, struct crl_state *ret, struct why *why);
/* The partition's last CRL with the lowest number above `number`; *ret_der stays empty when there is none. */
NODISCARD enum err crl_after(struct ca *ca, const struct issuer *issuer, int64_t number, struct buf *ret_der, struct why *why);
/* The full CRL that a delta of this number is based on: the last base before it, or that very number when it is the first. */
NODISCARD enum err crl_base(struct store_tx *tx, const struct issuer *issuer, int64_t number, struct crl_state *ret,
                            struct why *why);
/* Keeps one with its audit row. ERR_BUSY when there is a later one of its kind, of any partition. */
struct crl_keep { const struct ca *ca; const struct crl_scope *scope; const struct crl_state *state; struct bytes der; };
NODISCARD enum err crl_keep(struct store_tx *tx, const struct crl_keep *keep, struct why *why);
