/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation, hold and release, each in a CRL before anybody is told that it is done. */
#pragma once
#include "ca/ca.h"
#include "x509/crl.h"

struct revocation { const char *serial, *actor; enum crl_reason reason; };
/* Final but for certificateHold: a revoked certificate stays revoked, with its first time and reason, and doing it again for
   the same reason changes nothing; one on hold may be revoked for good (with the time of its hold) or released. ERR_NOT_FOUND
   for a serial that was never handed out, ERR_REVOKED for another reason than that of what is revoked for good, a hold among
   them. *ret_changed: it was not so before. */
NODISCARD enum err ca_revoke(struct ca *ca, struct issuer *issuer, const struct revocation *revocation, bool *ret_changed,
                             struct why *why);
/* ERR_REVOKED when it is revoked for good, ERR_WRONG_STATE when it is not on hold. */
NODISCARD enum err ca_release(struct ca *ca, struct issuer *issuer, const char *serial, const char *actor, struct why *why);
