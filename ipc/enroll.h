/* SPDX-License-Identifier: Apache-2.0 */
/* What scep asks of ca, put and get side by side: verbs "request" and "poll". */
#pragma once
#include "ipc/frame.h"

/* verb "request": a certification request as the device sent it, after scep checked the message around it. */
struct enroll_request {
    struct bytes endpoint;                                   /* name */
    struct bytes csr;                                        /* PKCS#10 DER as decrypted, challenge inside */
    struct bytes transaction_id;
    struct bytes signer_cert;                                /* whole DER; self-signed with the CSR's key, or else a renewal */
    struct bytes peer;                                       /* address text, for log and rate limits */
};
/* verb "poll" (CertPoll, RFC 8894 3.3.3): the issuer and subject it names and its transaction. */
struct enroll_poll { struct bytes endpoint, transaction_id, issuer, subject, signer_cert; };

enum enroll_disposition { ENROLL_ISSUED = 0, ENROLL_PENDING = 3 };
struct enroll_answer { enum enroll_disposition disposition; int64_t request_id; struct bytes certificate; };

void enroll_request_put(struct buf *out, const struct enroll_request *request);
NODISCARD enum err enroll_request_get(struct bytes body, struct enroll_request *ret, struct why *why);
void enroll_poll_put(struct buf *out, const struct enroll_poll *poll);
NODISCARD enum err enroll_poll_get(struct bytes body, struct enroll_poll *ret, struct why *why);
void enroll_answer_put(struct buf *out, const struct enroll_answer *answer);
NODISCARD enum err enroll_answer_get(struct bytes body, struct enroll_answer *ret, struct why *why);
