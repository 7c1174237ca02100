/* SPDX-License-Identifier: Apache-2.0 */
/* The one name that a role can have a certificate for: the one that it has already (docs/decisions/027). Whoever takes scep or mdm over gets
   from this rule what that role holds anyway: a certificate for exactly its names, for TLS servers, some a day. */
#pragma once
#include "ca/template.h"

#define OWN_TLS_TEMPLATE "WebServer"
#define OWN_TLS_PER_DAY  3                                   /* a renewal a year, a second try and an administrator's */
#define OWN_TLS_LATE_S   (30 * 86400)                        /* so long after its end it is still followed */

struct own_tls {
    const char *role;                                        /* "role/scep": who asks; borrowed */
    struct buf der; struct cert cert;                        /* the certificate that is followed, and views into it */
    char *serial;
};
void own_tls_free(struct own_tls *own);                      /* held by value */
/* What a role says: the certificate, and its key's signature over OWN_TLS_LABEL and the new request. ERR_NOT_FOUND: of no CA here. */
#define OWN_TLS_LABEL "chancery tls renewal"                 /* and a zero octet */
struct own_tls_ask { const char *role; struct bytes certificate, csr, proof; };
NODISCARD enum err own_tls_open(const struct ca *ca, const struct own_tls_ask *ask, struct issuer **ret_issuer,
                                struct own_tls *ret, struct why *why);
/* By what the store says now: issued here, to this role, neither ended long ago nor revoked nor followed by a revoked one, and not too
   often. ERR_NOT_FOUND, ERR_NOT_AUTHORISED, ERR_EXPIRED, ERR_REVOKED, ERR_RATE. Inside T1 with the issuer's counter row taken, and
   before, so that most refusals leave no row. reserved: requests of this one that have their row already. */
struct own_tls_judging { const struct issuer *issuer; const struct own_tls *own; int64_t now; int reserved; };
NODISCARD enum err own_tls_judge(struct store_tx *tx, const struct own_tls_judging *judging, struct why *why);
/* The same subject, the same names, and TLS servers alone: whatever the template has become. */
NODISCARD enum err own_tls_judge_grant(const struct own_tls *own, const struct grant *grant, struct why *why);
