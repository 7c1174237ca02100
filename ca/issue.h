/* SPDX-License-Identifier: Apache-2.0 */
/* From a grant to a certificate, in the three steps of design.md section 3. This is the one way to one: enrolment, approval
   and init all come through here (spec security.md, rule 8 of its first section). */
#pragma once
#include "ca/authority.h"
#include "ca/request.h"
#include "ca/template.h"

/* What T1 did. */
struct reservation {
    const struct issuer *issuer;
    int64_t request_id;
    char serial[2 * SERIAL_BYTES + 1];
    char authority[LIMIT_NAME_BYTES + 1];                    /* whom the outbox tells; "": nobody */
    struct buf tbs;
    char over[AUTHORITY_OVER_BYTES];                         /* not empty: no serial is taken, it waits for an administrator */
};
void reservation_free(struct reservation *slot);             /* held by value */

void reservation_of_authority(struct reservation *slot, const char *authority);   /* NULL: nobody */

/* Who asks and what is kept of it: the same for a device, for an approval and for init. */
struct reserve_params {
    const struct issuer *issuer;
    const char *endpoint, *requester, *validator;            /* endpoint "" for init and for roles: validator "init", "role" */
    const struct endpoint *claim_at;                         /* where the grant's challenge is claimed; NULL: none */
    struct bytes request_key, transaction_id, signer, spki, spki_digest, info, peer;
    struct bytes challenge_mac;                              /* of a one-time password, kept where it was not taken */
    const struct own_tls *follows;                           /* what makes it a role's own TLS certificate; NULL: it is none */
    const char *authority;                                   /* within whose limits; NULL: nobody's */
    const char *signed_with;                                 /* the hash under the request's signature; NULL: none */
    int64_t approved_id;                                     /* 0: a new row; else the pending one that is approved */
    const char *approved_by;
    const char *resubmitted;                                 /* NULL, or what approved_id was: "failed: ERR_TEMPLATE_SUBJECT" */
};
/* The authority that a request is counted against; NULL: none. */
const char *authority_asking(const char *requester, const struct grant *grant);
struct reserve_params reserve_params_of(const struct request *request, const struct grant *grant);

/* T1: one durable unit keeps the request, claims the challenge, takes the serial and stores the TBS. A serial that is
   taken already is replaced by a fresh one. ERR_CONFLICT: the same request came in meanwhile (look it up again). */
NODISCARD enum err issue_reserve(struct ca *ca, const struct reserve_params *params, const struct grant *grant,
                                 struct reservation *ret, struct why *why);
/* This one, and the seal and T2 below, also without waiting: done is called exactly once, by another thread or before it
   returns, and is brief. What is handed over by pointer stays until then; *ret is written before done says OK. */
typedef void (*issue_done)(void *arg, enum err err, const struct why *why);
struct reserve_start { const struct reserve_params *params; const struct grant *grant; struct reservation *ret; };
void issue_await(void *await, enum err err, const struct why *why);   /* done of those who wait: a struct await */
void issue_reserve_start(struct ca *ca, const struct reserve_start *start, issue_done done, void *arg);
/* A request that waits for approval, within the endpoint's pending_max, its challenge claimed in the same unit. ERR_CONFLICT as above. */
NODISCARD enum err issue_wait(struct ca *ca, const struct reserve_params *params, const struct grant *grant,
                              int64_t pending_max, int64_t *ret_request_id, struct why *why);
/* Accepted, but not to be issued as asked: kept with its reason and what the grant had come to, its key free. */
struct refused { const struct reserve_params *params; const struct grant *grant; const struct csr *csr; };
NODISCARD enum err issue_refuse(struct ca *ca, const struct refused *refused, const struct why *reason, struct why *why);
/* Outside any unit of work. What comes back is compared with the TBS and its signature verified. */
NODISCARD enum err issue_seal(struct ca *ca, const struct reservation *slot, struct buf *ret_der, struct why *why);
void issue_seal_start(struct ca *ca, const struct reservation *slot, struct buf *ret_der, issue_done done, void *arg);
/* T2: certificate, disposition, audit row and outbox row in one durable unit. ERR_CONFLICT: somebody else finished or
   voided this reservation; what the store says then counts. */
NODISCARD enum err issue_record(struct ca *ca, const struct reservation *slot, struct bytes der, struct why *why);
void issue_record_start(struct ca *ca, const struct reservation *slot, struct bytes der, issue_done done, void *arg);
/* The signer refused for good: the request failed, its challenge and key are free, the serial is spent. */
NODISCARD enum err issue_fail(struct ca *ca, const struct reservation *slot, const struct why *reason, struct why *why);

#define ISSUE_VOID_S 600                                     /* a T1 without its T2 for so long is voided */
/* Voids those of one issuer; *ret_voided may be NULL. */
NODISCARD enum err issue_void_stale(struct ca *ca, const struct issuer *issuer, int64_t *ret_voided, struct why *why);
