/* SPDX-License-Identifier: Apache-2.0 */
/* The subject of a request against the one that a challenge expects. */
#pragma once
#include "base/bytes.h"

/* Both passed name_check. ERR_SUBJECT_MISSING, ERR_SUBJECT_MISMATCH with the first RDN in which they differ. */
NODISCARD enum err subject_compare(struct bytes expected, struct bytes subject, struct why *why);
