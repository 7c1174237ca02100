/* SPDX-License-Identifier: Apache-2.0 */
/* "Still targeted", phase 2 of the guides: an authority says that a device may have no certificate of a profile any more. Told once
   and kept; ca never asks. What was issued before stays issued: revoking it is another word of the authority's. */
#pragma once
#include "ca/managed.h"

#define AUTHORISATION_ENDS_MAX 1000                          /* told at once */

struct authorisation_end {
    struct bytes device, profile;                            /* UUIDs as text */
    int64_t version;                                         /* this one and those before; INT64_MAX: every one */
    int64_t ended_at;                                        /* by the authority's clock: challenges from then on count again; INT64_MAX: none */
};
struct authorisation_ends { const struct issuer *issuer; const char *authority; const struct authorisation_end *list; size_t count; };
/* All of them in one unit. The same again changes nothing, whatever the order. */
NODISCARD enum err authorisation_end_all(struct ca *ca, const struct authorisation_ends *ends, struct why *why);
/* ERR_NOT_TARGETED names device, profile and version. */
NODISCARD enum err authorisation_judge(struct store_tx *tx, const struct issuer *issuer, const struct managed *managed,
                                       struct why *why);
NODISCARD enum err authorisation_look(struct ca *ca, const struct issuer *issuer, const struct managed *managed, struct why *why);
