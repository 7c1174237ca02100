/* SPDX-License-Identifier: Apache-2.0 */
/* May this device have this profile at all, whatever is in its certificate? */
#pragma once
#include "mdm/profile.h"

enum suit { SUIT_YES, SUIT_NOT_PLATFORM, SUIT_NOT_STATE, SUIT_NOT_MODE, SUIT_NOT_USER };

/* Of the profile its type, platform and kind are asked. ERR_PROFILE_DEVICE with a sentence, and *ret (may be NULL) says of which kind. */
NODISCARD enum err suit_check(const struct profile *profile, const struct holder *holder, enum suit *ret, struct why *why);
/* `device "NAME" (ID) REASON` */
enum err suit_refuse(const struct holder *holder, const char *reason, struct why *why);
