/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of VerifyRequest and Notify: JSON of ours (docs/other-scep-servers.md), since nobody published theirs. Read strictly: each
   member of its type, once, and no other. */
#pragma once
#include "ipc/registration.h"

/* What a body says; views of the claim and the notice are into it. The caller fills of.ca, of.server and of.peer. */
struct crs_body { char *transaction_id, *template_name, *challenge; struct registration_claim claim; struct registration_notice notice; };
void crs_body_free(struct crs_body *body);                   /* held by value */
/* ERR_HTTP_BAD names what is wrong. */
NODISCARD enum err crs_body_verify(struct bytes text, struct crs_body *ret, struct why *why);
NODISCARD enum err crs_body_notify(struct bytes text, struct crs_body *ret, struct why *why);
