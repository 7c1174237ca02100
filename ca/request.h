/* SPDX-License-Identifier: Apache-2.0 */
/* A request for a certificate: as it is asked, and as a row of the store.

   What a row keeps of the PKCS#10: its CertificationRequestInfo without the challengePassword attribute, and no signature.
   Signature and digest of the original would let whoever reads the store try out passwords offline; for the same reason
   the request key is kept as an HMAC under the ca role's challenge key. Proof of possession is checked before anything is
   kept. */
#pragma once
#include "ca/ca.h"
#include "ipc/enroll.h"
#include "x509/csr.h"

/* Who has a right to ask does: a role for itself, an administrator, an authority. There is no endpoint, no challenge and no
   signer. */
struct own_tls;
struct own_request {
    struct issuer *issuer;
    const char *requester;                                   /* "role/va", "cli" */
    struct bytes template_name, csr;
    const struct own_tls *follows;                           /* its right to ask, instead of one on the template; NULL: that */
};
struct request {                                             /* while it is worked on; views into what was asked */
    struct endpoint *endpoint;                               /* NULL: an own_request */
    struct issuer *issuer;
    const char *requester;                                   /* "endpoint/NAME", "role/va" */
    struct bytes template_name;                              /* of an own_request */
    const struct own_tls *follows;                           /* of an own_request; NULL: it asks by a right on the template */
    struct bytes transaction_id, peer;
    struct csr csr;
    struct cert signer; bool self_signed;
    struct public_key *key;                                  /* of the CSR: after authorise */
    struct buf info;                                         /* what the row keeps */
    struct buf der;                                          /* of a kept request: what csr views */
    uint8_t request_key[32], signer_digest[32], spki_digest[32];
};
void request_free(struct request *request);                  /* held by value: AUTO_VAL(request) */
/* Finds the endpoint, parses CSR and signer, computes the keys. Judges nothing else. */
NODISCARD enum err request_open(struct ca *ca, const struct enroll_request *ask, struct request *ret, struct why *why);
NODISCARD enum err request_open_own(struct ca *ca, const struct own_request *own, struct request *ret, struct why *why);
/* CertificationRequestInfo without its challengePassword attribute. */
NODISCARD enum err request_info_strip(struct bytes info, struct buf *ret, struct why *why);
/* The other way: a kept info as a CSR to be read again (its signature is empty). ret_der owns what *ret views. */
NODISCARD enum err request_info_parse(struct bytes info, struct buf *ret_der, struct csr *ret, struct why *why);

enum disposition { DISPOSITION_SEALING, DISPOSITION_ISSUED, DISPOSITION_PENDING, DISPOSITION_DENIED, DISPOSITION_FAILED };
const char *disposition_name(enum disposition disposition);  /* as stored and listed */

/* A row, with its certificate's where it has one. */
struct request_row {
    int64_t request_id;
    enum disposition disposition;
    char *endpoint, *validator, *requester;
    enum err error; char *reason;
    struct buf info;
    char *template_name; int64_t template_version;           /* that it met; "" and 0 when it met none */
    char *serial;                                            /* NULL before T1 */
    char *certificate_status;                                /* NULL before T1 */
    struct buf tbs, der;
    int64_t not_after;
    struct buf failed_key, challenge_mac; char *signed_with; /* of schema 10; empty, or NULL */
    char *authority; struct buf challenge;                   /* of an authority's: its name; of a managed one: what its challenge said */
};
void request_row_free(struct request_row *row);              /* held by value */
struct request_lookup {
    struct ca *ca; const struct issuer *issuer;
    enum { LOOKUP_KEY, LOOKUP_ID, LOOKUP_TRANSACTION } by;
    const uint8_t *request_key;
    int64_t request_id;
    const char *endpoint; struct bytes transaction_id; const uint8_t *signer_digest;
};
/* A row as a request that can be judged again, key and all; it views into the row. No signature: that was checked before the row
   was kept. ERR_BAD_REQUEST when the row has not what it takes, or its endpoint is gone. */
NODISCARD enum err request_open_kept(struct ca *ca, struct issuer *issuer, const struct request_row *row, struct request *ret,
                                     struct why *why);
/* *ret_found false: no such row. */
NODISCARD enum err request_find(const struct request_lookup *lookup, bool *ret_found, struct request_row *ret,
                                struct why *why);
