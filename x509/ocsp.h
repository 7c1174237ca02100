/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP (RFC 6960, in the profile of RFC 5019, with the nonces of RFC 9654): requests read strictly, responses written. */
#pragma once
#include "base/limits.h"
#include "x509/crl.h"

/* OCSPResponseStatus (RFC 6960 4.2.1). */
enum ocsp_response_status { OCSP_SUCCESSFUL = 0, OCSP_MALFORMED_REQUEST = 1, OCSP_INTERNAL_ERROR = 2, OCSP_TRY_LATER = 3,
                            OCSP_SIG_REQUIRED = 5, OCSP_UNAUTHORIZED = 6 };

struct ocsp_cert_id {
    struct bytes der;                                        /* as the client wrote it: it finds its answer by these octets */
    enum digest digest;                                      /* 0: one that is not in the allow-list, so it names none of ours */
    struct bytes name_hash, key_hash;
    struct bytes serial;                                     /* magnitude */
};
struct ocsp_request {
    struct ocsp_cert_id ids[LIMIT_OCSP_REQUESTS]; size_t count;   /* at least one */
    struct bytes nonce;                                      /* 1 to 128 octets; empty: none was sent */
};
/* Views into der. A signature is not asked for, and not looked at when it is there (RFC 5019 2.1.1). ERR_MALFORMED or
   ERR_LIMIT are answered as malformedRequest. */
NODISCARD enum err ocsp_request_parse(struct bytes der, struct ocsp_request *ret, struct why *why);

/* How a CertID names one CA, with each digest of the allow-list. */
struct ocsp_issuer { uint8_t name_hash[DIGEST_SHA512 + 1][DIGEST_MAX_BYTES], key_hash[DIGEST_SHA512 + 1][DIGEST_MAX_BYTES]; };
/* subject: the CA's Name, whole DER; spki: its SubjectPublicKeyInfo, whole DER. */
NODISCARD enum err ocsp_issuer_make(struct bytes subject, struct bytes spki, struct ocsp_issuer *ret, struct why *why);
bool ocsp_issuer_is(const struct ocsp_issuer *issuer, const struct ocsp_cert_id *id);

enum ocsp_cert_status { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };
struct ocsp_single {
    struct bytes cert_id;                                    /* whole DER, from the request */
    enum ocsp_cert_status status;
    int64_t revoked_at; enum crl_reason reason;              /* of a revoked one; unspecified is not written */
    int64_t this_update, next_update;
};
struct ocsp_params {
    struct bytes responder_key_id;                           /* 20 octets: SHA-1 of the responder's public key (RFC 6960 4.2.1) */
    int64_t produced_at;
    const struct ocsp_single *singles; size_t count;
    struct bytes nonce;                                      /* of the request; empty: none */
};
/* The ResponseData that is signed. Times are written without fractions of a second (RFC 5019 2.2.4). */
void ocsp_tbs_build(const struct ocsp_params *params, struct buf *ret_tbs);
/* A successful OCSPResponse; signer_cert: the delegated responder's certificate, or empty when the CA itself signs. */
void ocsp_response_assemble(struct bytes tbs, struct signature_algorithm algorithm, struct bytes signature,
                            struct bytes signer_cert, struct buf *ret_der);
/* Any other one: it says nothing but its status, and is not signed. */
void ocsp_error_put(struct buf *out, enum ocsp_response_status status);
