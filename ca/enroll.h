/* SPDX-License-Identifier: Apache-2.0 */
/* One enrolment, from what a device asks to what it gets. */
#pragma once
#include "ca/ca.h"
#include "ca/authority.h"
#include "ca/request.h"

struct enrolled {
    enum enroll_disposition disposition;
    int64_t request_id;
    struct buf certificate;                                  /* DER; empty while pending */
    char serial[2 * SERIAL_BYTES + 1];                       /* of it */
    char over[AUTHORITY_OVER_BYTES];                         /* of an authority's that waits: over which limit it is */
    bool again;                                              /* the answer to a request that was answered before */
};
void enrolled_free(struct enrolled *enrolled);               /* held by value */
/* The same request again gets the same bytes. Nothing is answered before it is durable. */
NODISCARD enum err ca_enroll(struct ca *ca, const struct enroll_request *ask, struct enrolled *ret, struct why *why);
/* As ca_enroll, without a thread that waits: done is called exactly once, by another thread or before this returns, and is
   brief; it takes *enrolled, which is there with OK alone. ask stays until then. What goes wrong is dealt with by go_on,
   which has `work` run where it may wait. */
typedef void (*enroll_done)(void *arg, enum err err, struct enrolled *enrolled, const struct why *why);
struct enroll_start {
    const struct enroll_request *ask;
    void (*go_on)(void *arg, void (*work)(void *work_arg), void *work_arg);
    enroll_done done;
    void *arg;                                               /* of both */
};
void ca_enroll_start(struct ca *ca, const struct enroll_start *start);
/* The same without an endpoint: *own stays until done, start->ask is not looked at. */
void ca_enroll_own_start(struct ca *ca, const struct own_request *own, const struct enroll_start *start);
/* CertPoll: by endpoint, transactionID and signer's key. */
NODISCARD enum err ca_poll(struct ca *ca, const struct enroll_poll *ask, struct enrolled *ret, struct why *why);

/* Administrators, on requests: pending ones. */
NODISCARD enum err ca_approve(struct ca *ca, struct issuer *issuer, int64_t request_id, const char *actor, struct why *why);
/* Failed or denied ones, judged anew (ca/resubmit.c). */
NODISCARD enum err ca_resubmit(struct ca *ca, struct issuer *issuer, int64_t request_id, const char *actor, struct why *why);
struct denial { int64_t request_id; const char *actor, *reason; };
NODISCARD enum err ca_deny(struct ca *ca, const struct issuer *issuer, const struct denial *denial, struct why *why);
