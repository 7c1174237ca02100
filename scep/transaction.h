/* SPDX-License-Identifier: Apache-2.0 */
/* One PKIOperation, on a worker thread: from the pkiMessage to the answer (RFC 8894 3). */
#pragma once
#include "scep/message.h"
#include "scep/scep.h"

struct pki_request { struct scep *scep; const struct endpoint *endpoint; struct bytes message; const char *peer; };
struct pki_answer {
    int status;                                              /* HTTP; 200: message is a CertRep */
    struct buf message;
    bool held;                                               /* to be given at a fixed time (operation.c) */
    char transaction_id[LIMIT_TRANSACTION_ID_BYTES + 1];     /* for logs: blanks replaced; "" when unknown */
};
void pki_operation_run(const struct pki_request *request, struct pki_answer *ret);
void pki_answer_free(struct pki_answer *answer);

struct transaction {
    struct scep *scep;
    const struct endpoint *endpoint;
    const char *peer;
    struct scep_message message;
    enum scep_type type;
    struct cert signer; struct public_key *signer_key;
    struct cms_enveloped envelope;
    struct buf plain; uint8_t good;                          /* secret; as cms_enveloped_open gave them */
    bool budgeted;                                           /* stands in the budget until the end */
    bool opened;                                             /* the RA key was used */
    bool proved;                                             /* the signer is known to have chosen the content itself */
    struct bytes subject;                                    /* asked for in the CSR, once it is readable; in plain */
    bool intact;                                             /* ca verified the CSR: nobody altered the content */
    char ctx[LIMIT_TRANSACTION_ID_BYTES + 256];              /* of its log lines */
};
void transaction_free(struct transaction *tx);

struct outcome {
    enum scep_status status;                                 /* SUCCESS or PENDING */
    struct buf payload;                                      /* certs-only or crls-only SignedData, not yet sealed */
    struct buf note;                                         /* for the log: "serial=…" */
};
void outcome_free(struct outcome *outcome);

/* content.c: what is in the envelope, by messageType. */
NODISCARD enum err content_run(struct transaction *tx, struct outcome *ret, struct why *why);
