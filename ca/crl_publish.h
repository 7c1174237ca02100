/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation, and the full CRL that says so. */
#pragma once
#include "ca/ca.h"
#include "x509/crl.h"

struct revocation { const char *serial, *actor; enum crl_reason reason; };
/* Final: a revoked certificate stays revoked, with its first time and reason; doing it again is fine. ERR_NOT_FOUND for a
   serial that was never handed out. Publishes a CRL before it returns. */
NODISCARD enum err ca_revoke(struct ca *ca, struct issuer *issuer, const struct revocation *revocation, struct why *why);

/* Numbers never go back and are never given twice, also when a publication fails half-way. */
NODISCARD enum err crl_publish(struct ca *ca, struct issuer *issuer, struct why *why);
/* Publishes if there is none, the last one is due, or it lacks a revocation. */
NODISCARD enum err crl_publish_due(struct ca *ca, struct issuer *issuer, struct why *why);

struct crl_state { bool exists; int64_t number, this_update, next_update, entries; };
NODISCARD enum err crl_current(struct ca *ca, const struct issuer *issuer, struct crl_state *ret, struct buf *ret_der,
                               struct why *why);            /* ret_der may be NULL */
