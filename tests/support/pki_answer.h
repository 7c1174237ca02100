/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a CertRep as the device that asked would. */
#pragma once
#include "x509/cms.h"

struct answer {
    struct buf pki_status, fail_info, transaction_id, recipient_nonce;   /* texts; the nonce in hex */
    struct buf certificate;                                  /* whole DER; empty unless there is one for this key */
    size_t certificates;                                     /* how many were sent */
};
/* The signature is checked against the certificate in the answer; whose that is is for the caller to check, in
   *ret_signer (may be NULL). */
NODISCARD enum err answer_open(struct bytes der, const struct key *key, struct answer *ret, struct buf *ret_signer,
                               struct why *why);
void answer_free(struct answer *answer);
