/* SPDX-License-Identifier: Apache-2.0 */
/* The SCEP pkiMessage (RFC 8894 3): a request's signed attributes in, a CertRep out. */
#pragma once
#include "x509/cms.h"

enum scep_type { SCEP_CERT_REP = 3, SCEP_RENEWAL_REQ = 17, SCEP_PKCS_REQ = 19, SCEP_CERT_POLL = 20, SCEP_GET_CERT = 21,
                 SCEP_GET_CRL = 22 };
enum scep_status { SCEP_SUCCESS = 0, SCEP_FAILURE = 2, SCEP_PENDING = 3 };
const char *scep_type_name(enum scep_type type);
const char *scep_fail_info_name(int fail_info);              /* "badAlg" */

struct scep_message {
    struct cms_signed cms;
    struct bytes transaction_id;                             /* printable ASCII, 1..LIMIT_TRANSACTION_ID_BYTES */
    bool has_sender_nonce; struct bytes sender_nonce;
};
/* What an answer needs: the CMS, its signer's certificate and the transactionID. Without these there is none. */
NODISCARD enum err scep_message_decode(struct bytes ber, struct scep_message *ret, struct why *why);
void scep_message_free(struct scep_message *message);
/* The rest of the rules: messageType one of those a client sends, in exact decimal; no attribute of an answer. */
NODISCARD enum err scep_message_check(const struct scep_message *message, enum scep_type *ret_type, struct why *why);

struct scep_reply {
    enum scep_status status;
    int fail_info; const char *fail_info_text;               /* FAILURE only; NULL: no text */
    struct bytes transaction_id;
    bool has_recipient_nonce; struct bytes recipient_nonce;  /* the request's senderNonce */
    enum digest digest;
    struct bytes envelope;                                   /* SUCCESS only: EnvelopedData */
};
/* signer: whole DER, the RA's; the fresh senderNonce is made here. */
NODISCARD enum err scep_reply_encode(const struct scep_reply *reply, const struct cert *signer, const struct key *key,
                                     struct buf *ret, struct why *why);
