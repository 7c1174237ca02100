/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing CRLs: on demand, for a revocation, and when one is due. Numbers never go back and are never given twice, also
   when a publication fails half-way. With delta CRLs (delta_validity_s) each full one has a delta of the same number beside
   it; a full one that was asked for, is the first, or is due by time becomes the base of the deltas that follow. Where the CA
   has several partitions, each has CRLs of its own, all with numbers from one sequence. */
#pragma once
#include "ca/crl.h"

/* A new one of each partition, now. ERR_BAD_REQUEST for a delta where there are none. */
NODISCARD enum err crl_publish(struct ca *ca, struct issuer *issuer, enum crl_kind kind, struct why *why);
/* The same of one partition. ERR_USAGE where there is no such one. */
NODISCARD enum err crl_publish_partition(struct ca *ca, struct issuer *issuer, unsigned partition, struct why *why);
/* Returns once the status change `version` is in a published CRL: in a delta where there are deltas (the full one follows
   within the minute), otherwise in a full one, that of the certificate's partition. One serves all that wait for it. */
NODISCARD enum err crl_cover(struct ca *ca, struct issuer *issuer, unsigned partition, int64_t version, struct why *why);
/* Publishes what there is not yet, is due, or lacks a change. For every minute. */
NODISCARD enum err crl_publish_due(struct ca *ca, struct issuer *issuer, struct why *why);
