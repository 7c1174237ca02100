/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate revocation lists (RFC 5280 5): version 2, built as a TBSCertList, and read strictly. */
#pragma once
#include "x509/extension.h"
#include "x509/key.h"

enum crl_reason { CRL_UNSPECIFIED = 0, CRL_KEY_COMPROMISE = 1, CRL_CA_COMPROMISE = 2, CRL_AFFILIATION_CHANGED = 3,
                  CRL_SUPERSEDED = 4, CRL_CESSATION_OF_OPERATION = 5, CRL_CERTIFICATE_HOLD = 6, CRL_REMOVE_FROM_CRL = 8,
                  CRL_PRIVILEGE_WITHDRAWN = 9, CRL_AA_COMPROMISE = 10 };
bool crl_reason_by_name(const char *name, enum crl_reason *ret);   /* "keyCompromise", or "1" as certutil has it */
const char *crl_reason_name(enum crl_reason reason);               /* NULL for a number that has none */

struct crl_entry { struct bytes serial;                            /* magnitude */
                   int64_t revoked_at; enum crl_reason reason; };  /* unspecified is not written (RFC 5280 5.3.1) */
struct crl_params { struct signature_algorithm algorithm; struct bytes issuer, issuer_key_id; int64_t this_update,
                    next_update; int64_t number;
                    bool is_delta; int64_t base_number;      /* a delta says what changed since that full one (RFC 5280 5.2.4) */
                    const char *const *idp; size_t idp_count;             /* of a partition: its URLs (RFC 5280 5.2.5) */
                    const char *const *freshest; size_t freshest_count;   /* of a full one: where its deltas are */
                    size_t expected_entries; };              /* room made at once; 0: as it comes */
/* Streaming, so that a million entries cost one buffer: begin, entries, end. */
struct crl_builder { struct buf tbs; const struct crl_params *params; size_t tbs_mark, list_at, list_mark; };
/* Broken rules here are our own bugs (assert): serial of 1 to 20 octets, reason that exists, number not negative,
   removeFromCRL in a delta alone, whose base is not after it. */
void crl_begin(struct crl_builder *builder, const struct crl_params *params);
void crl_add(struct crl_builder *builder, const struct crl_entry *entry);
void crl_end(struct crl_builder *builder, struct buf *ret_tbs);

struct crl { struct bytes der, tbs, issuer, entries;               /* entries: content; empty when none */
             struct signature_algorithm algorithm; struct bytes algorithm_der, signature, aki;
             int64_t this_update, next_update, number;
             bool is_delta; int64_t base_number;
             struct bytes idp; };                                  /* issuingDistributionPoint; empty: about all certificates */
/* At most LIMIT_CRL_FRAME_BYTES. nextUpdate, AKI and cRLNumber must be there; a critical extension other than the delta
   indicator and an issuingDistributionPoint that is a place and nothing else refuses. */
NODISCARD enum err crl_parse(struct bytes der, struct crl *ret, struct why *why);
NODISCARD enum err crl_tbs_parse(struct bytes tbs, struct crl *ret, struct why *why);   /* der, signature stay empty */
NODISCARD enum err crl_verify(const struct crl *crl, const struct public_key *issuer_key, struct why *why);
/* false at the end: crl_parse has checked every entry. */
NODISCARD bool crl_next(struct der_reader *entries, struct crl_entry *ret);
