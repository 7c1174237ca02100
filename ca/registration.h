/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that another SCEP server has judged by our certificate registration point, and that another CA issues (spec challenge.md): a
   row for each claimed challenge, and what the server said became of it. The challenge is taken as one of our own is, in the same
   table: whoever has used it at one service has used it at all. */
#pragma once
#include "ca/managed.h"
#include "ipc/registration.h"

/* The CRP's phases, the authority's limits, and the claim. ERR_CHALLENGE_USED names who has it. The same request (server, transaction and
   CertificationRequestInfo) again is told the same, until its certificate is issued: ret->again. Which refusals leave it open
   err_row()->retryable says. */
struct registration_ask { struct ca *ca; struct issuer *issuer; const struct registration_claim *claim; };
struct registered { int64_t request_id; bool again; char authority[LIMIT_NAME_BYTES + 1]; };
NODISCARD enum err registration_claim(const struct registration_ask *ask, struct registered *ret, struct why *why);

/* What became of a claim: written, with the authority's outbox row. The same notice again changes nothing: ret->again.
   ERR_NOT_FOUND: no claim of this server, transaction and challenge; ERR_WRONG_STATE: it was issued before, as something else;
   ERR_REGISTERED_KEY: the certificate is of another key than the request. */
struct registration_tell { struct ca *ca; struct issuer *issuer; const struct registration_notice *notice; };
NODISCARD enum err registration_close(const struct registration_tell *tell, struct registered *ret, struct why *why);
