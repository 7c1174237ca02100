/* SPDX-License-Identifier: Apache-2.0 */
/* What relying parties are told of a serial, and in which order that changed: each revocation, hold and release of an issuer
   has the next version number, committed in that order. */
#pragma once
#include "ca/ca.h"
#include "x509/crl.h"

enum standing { STANDING_UNKNOWN, STANDING_GOOD, STANDING_REVOKED };
const char *standing_name(enum standing standing);           /* "good" */
struct cert_status {
    enum standing standing;                                  /* unknown: never handed out, whatever it is */
    int64_t revoked_at; enum crl_reason reason;              /* of a revoked one */
    int64_t version;                                         /* the answer knows every change up to this one */
};
/* serial: as stored. */
NODISCARD enum err status_get(struct ca *ca, const struct issuer *issuer, const char *serial, struct cert_status *ret,
                              struct why *why);
/* The last change of the issuer; 0: there was none. */
NODISCARD enum err status_version(struct store_tx *tx, const struct issuer *issuer, int64_t *ret, struct why *why);
/* The last change of a certificate of that partition. */
NODISCARD enum err status_version_in(struct store_tx *tx, const struct issuer *issuer, unsigned partition, int64_t *ret,
                                     struct why *why);
/* Numbers a change that this unit has just made to the certificate. */
NODISCARD enum err status_mark(struct store_tx *tx, const struct issuer *issuer, const char *serial, int64_t now,
                               int64_t *ret_version, struct why *why);
