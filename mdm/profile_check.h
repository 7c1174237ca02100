/* SPDX-License-Identifier: Apache-2.0 */
/* May this profile be saved? All that is wrong with it is said at once (mdm/problem.h); warnings are what the console says where
   something was chosen. */
#pragma once
#include "mdm/problem.h"
#include "mdm/profile.h"

/* What a profile is judged by beside itself. */
struct surroundings {
    const struct profile *root;                              /* whom root_certificate names; NULL: there is no such profile */
    const struct bytes *chain; size_t chain_count;           /* DER, the issuing CA and all above it; 0: not known here */
    int64_t template_validity_s;                             /* 0: not known */
    int64_t ca_not_after;                                    /* 0: not known */
    int64_t now;
};
/* around NULL: by itself alone. */
void profile_check(const struct profile *profile, const struct surroundings *around, struct problems *problems);
