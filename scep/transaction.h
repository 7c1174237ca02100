/* SPDX-License-Identifier: Apache-2.0 */
/* One PKIOperation, from the pkiMessage to the answer (RFC 8894 3): two jobs of a worker, with ca's work between them. */
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
/* Waits for ca. */
void pki_operation_run(const struct pki_request *request, struct pki_answer *ret);
/* Does not: done is called exactly once, before this returns or later by go_on's work, and *answer is gone then. go_on has
   the work run on a worker. What request points to stays until then. */
struct pki_start {
    const struct pki_request *request;
    void (*go_on)(void *arg, void (*work)(void *work_arg), void *work_arg);
    void (*done)(void *arg, const struct pki_answer *answer);
    void *arg;                                               /* of both */
};
void pki_operation_start(const struct pki_start *start);
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
    struct bytes subject, spki;                              /* asked for in the CSR, once it is readable; in plain */
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

/* content.c: what is in the envelope, by messageType. First what is to be asked of ca, then what ca's answer means: err and
   *why as channel_done has them. */
NODISCARD enum err content_ask(struct transaction *tx, const char **ret_verb, struct buf *ret_body, struct why *why);
NODISCARD enum err content_answered(struct transaction *tx, enum err err, struct bytes answer, struct outcome *ret,
                                    struct why *why);
