/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles as JSON (docs/profiles.md): how the API, `chancery apply` and the store write them. */
#pragma once
#include "mdm/problem.h"
#include "mdm/profile.h"

/* Takes what it can into *out, which is empty before, and says of each member that it could not take what is wrong with it. */
void profile_json_take(struct bytes text, struct profile *out, struct problems *problems);
/* The members that the profile has, in the order of docs/profiles.md. What is taken again is the same profile. */
void profile_json_append(struct buf *out, const struct profile *profile);
