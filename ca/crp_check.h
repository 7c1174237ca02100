/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate registration point: may this request be issued by the challenge that it carries? In three phases, as the guides count
   them, each with its lines in the CRP log. Nothing is taken here: that is for the unit that keeps the request (ca/managed_claim.h). */
#pragma once
#include "ca/crp_log.h"
#include "ca/managed.h"

/* request->key is there. *ret_managed is written as soon as phase 1 is over, also when a later one refuses: from there on it is known
   whose request it is. lines: begun. */
struct crp_question { struct ca *ca; const struct request *request; struct crp_lines *lines; };
NODISCARD enum err crp_check(const struct crp_question *question, struct managed **ret_managed, struct why *why);
