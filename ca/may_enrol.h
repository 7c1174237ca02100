/* SPDX-License-Identifier: Apache-2.0 */
/* Which principal may have certificates of which template. */
#pragma once
#include "base/bytes.h"

/* ERR_NOT_AUTHORISED names principal, right and template. What is not allowed is refused. */
NODISCARD enum err may_enrol(const char *principal, struct bytes template_name, struct why *why);
