/* SPDX-License-Identifier: Apache-2.0 */
/* What reaches a device, laid against how its profiles stand: what is new is targeted, what is another version is made anew, and what reaches
   it no more ends, as the removal table says (docs/decisions/022). */
#pragma once
#include "mdm/deployment.h"
#include "mdm/holder.h"

struct judging {
    const char *device;
    int64_t now;
    struct kept_holder holder;                               /* filled, as the following are */
    struct deployments all;
    bool anew;                                               /* something changed since it was judged last */
};
void judging_free(struct judging *judging);                  /* held by value */
/* In a unit of work, afresh each time it runs. */
NODISCARD enum err judge_device(struct store_tx *tx, struct judging *judging, struct why *why);
/* The same, from nothing but the device's id. */
NODISCARD enum err judge_alone(struct store_tx *tx, const char *device, int64_t now, struct why *why);
