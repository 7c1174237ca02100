/* SPDX-License-Identifier: Apache-2.0 */
/* Which principal may have certificates of which template. */
#pragma once
#include "ca/ca.h"

/* Request Certificates on the CA, Read and Enroll on the template; ERR_TEMPLATE_DENIED names principal, right and template. */
NODISCARD enum err may_enrol(struct ca *ca, const struct issuer *issuer, const char *principal,
                             struct bytes template_name, struct why *why);
