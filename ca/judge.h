/* SPDX-License-Identifier: Apache-2.0 */
/* What may be issued of what is asked: the stage after authorise(), and after an administrator's word instead of it. */
#pragma once
#include "ca/request.h"
#include "ca/template.h"

/* The template that is in force now, the requester's rights on it, what it makes of the request. request->key is there. */
/* What the template of the grant makes of it: by what an authority expects, where one does. */
NODISCARD enum err judge_contents(const struct issuer *issuer, const struct csr *csr, const struct public_key *key,
                                  struct grant *grant, struct why *why);
NODISCARD enum err judge_asked(struct ca *ca, const struct request *request, struct grant *grant, struct why *why);
