/* SPDX-License-Identifier: Apache-2.0 */
/* A managed request: one whose challenge an authority has sealed. The certificate is made from what the challenge expects and from
   the template; of the request it has the public key alone. */
#pragma once
#include "ca/request.h"
#include "ca/template.h"
#include "challenge/challenge.h"

struct managed { struct challenge_opened opened; char *authority; };
struct managed *managed_new(const char *authority);
void managed_free(struct managed *managed);
AUTO_DECLARE(managed)
/* Of a kept request, whose challenge was judged when it came in; *ret NULL: it is none. */
NODISCARD enum err managed_of_row(const struct request_row *row, struct managed **ret, struct why *why);

/* What is judged in the request's place: its key, its hash and what else it asks for, but subject, names, purposes and key usage as the
   challenge expects them. Views into both. */
struct csr managed_csr(const struct managed *managed, const struct csr *csr);
/* After template_apply: purposes and key usage are the challenge's, no more than the template's; ERR_TEMPLATE_USAGE names both. So
   is a shorter validity, where the CA lets requesters have one (EDITF_ATTRIBUTEENDDATE); a longer one is refused anyway. */
NODISCARD enum err managed_narrow(const struct issuer *issuer, struct grant *grant, struct why *why);
