/* SPDX-License-Identifier: Apache-2.0 */
/* What other SCEP servers ask of the certificate registration point and tell it (spec challenge.md), between scep, which knows the server
   by its TLS certificate, and ca, which judges. Records, so that ca finds the field `ca` where it looks for it in each verb. Views into
   the body, but what was base64 in it. */
#pragma once
#include "ipc/record.h"

#define REGISTRATION_SERVER_BYTES 253                        /* of a server's DNS name: RFC 1035 2.3.4, as text */
#define REGISTRATION_TEMPLATE_BYTES 256                      /* as the server calls it; nothing is decided by it */

/* Whose, and which: the same in both. */
struct registration_of { struct bytes ca, server, transaction_id, peer; };

/* challenge_claim: VerifyRequest. */
struct registration_claim { struct registration_of of; struct bytes template_name; struct buf csr; };
void registration_claim_put(struct buf *out, const struct registration_claim *claim);
NODISCARD enum err registration_claim_get(struct bytes body, struct registration_claim *ret, struct why *why);
void registration_claim_free(struct registration_claim *claim);   /* held by value */
/* verified false: error and reason say why not; another error of the call itself decides nothing. */
struct registration_answer { bool verified, again; int64_t request_id; enum err error; char reason[sizeof(((struct why *)0)->text)]; };
void registration_answer_put(struct buf *out, const struct registration_answer *answer);
NODISCARD enum err registration_answer_get(struct bytes body, struct registration_answer *ret, struct why *why);

/* challenge_close: Notify. X509SCEPDisposition and HRESULT as the server says them. */
enum registration_disposition { REGISTRATION_UNKNOWN = -1, REGISTRATION_ISSUED = 0, REGISTRATION_FAILED = 2, REGISTRATION_PENDING = 3 };
struct registration_notice { struct registration_of of; struct bytes challenge; enum registration_disposition disposition;
                             uint32_t hresult;
                             struct buf certificate; };      /* empty: none, as it has to be unless it is issued */
void registration_notice_put(struct buf *out, const struct registration_notice *notice);
NODISCARD enum err registration_notice_get(struct bytes body, struct registration_notice *ret, struct why *why);
void registration_notice_free(struct registration_notice *notice);   /* held by value */
bool registration_transaction_is(struct bytes id);           /* 1 to LIMIT_TRANSACTION_ID_BYTES printable octets, as of a SCEP message */
bool registration_disposition_is(int64_t value);             /* is it one of the four? */
