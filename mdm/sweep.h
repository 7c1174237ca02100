/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that are judged without coming: those that hold a challenge at once, so that it ends when its profile does; the others bit by bit, so
   that what they have is revoked although they stay away. */
#pragma once
#include "mdm/mdm.h"
#include "mdm/uuid.h"

#define SWEEP_PAGE 500                                       /* devices looked at in one read */

struct sweep {
    int64_t open, all;                                       /* the change that those with challenges, and all, were looked at by */
    int64_t going;                                           /* the change that a pass over all began with */
    char after[UUID_TEXT];                                   /* of that pass; empty: none is under way */
};
/* Those with challenges; nothing where nothing changed. */
NODISCARD enum err sweep_open(struct mdm *mdm, struct sweep *sweep, struct why *why);
/* The next page of all. */
NODISCARD enum err sweep_some(struct mdm *mdm, struct sweep *sweep, struct why *why);
