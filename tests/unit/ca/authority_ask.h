/* SPDX-License-Identifier: Apache-2.0 */
/* The authority "mdm", as it is made and as it asks. */
#pragma once
#include "tests/unit/ca/fixture.h"

/* authority_add or authority_set, by the administrator; field may be NULL. */
NODISCARD enum err authority_limit(struct world *world, const char *verb, const char *field, const char *value,
                                   struct why *why);
/* *ret_waits: it was taken, and has no certificate. */
NODISCARD enum err authority_issue(struct world *world, const char *template, const struct device *device, bool *ret_waits,
                                   struct why *why);
