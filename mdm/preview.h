/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile comes to on one device, before the device is asked: the request that it would make, exactly as the challenge
   will say it, or why there would be none. */
#pragma once
#include "challenge/challenge.h"
#include "mdm/profile.h"

#define PKCS_RSA_BITS 2048                                   /* of the keys that a connector makes */

struct preview {
    enum err err;                                            /* ERR_PROFILE_VALUE, ERR_PROFILE_DEVICE: it would fail */
    struct challenge_expectation expects;                    /* views into the three buffers; of scep and pkcs, if err is OK */
    struct buf subject, san, eku;
    struct buf text;                                         /* for an administrator, several lines */
};
void preview_free(struct preview *preview);
/* The profile has passed profile_check. Returns err, whose sentence is in why and in the text; *ret is filled either way, unlike
   elsewhere. holder->user NULL: the device has none. */
NODISCARD enum err preview_make(const struct profile *profile, const struct holder *holder, struct preview *ret, struct why *why);
