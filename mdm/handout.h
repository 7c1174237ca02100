/* SPDX-License-Identifier: Apache-2.0 */
/* A challenge for one profile of one device, made of what the preview says, and kept as handed out. */
#pragma once
#include "mdm/mdm.h"
#include "mdm/profile.h"

#define HANDOUT_OPEN_MAX 64                                  /* of one profile on one device that may be used: one a check-in for an hour
                                                                are 20 */
struct handing { struct mdm *mdm; const char *device, *profile;
                 const uint8_t *key;                         /* SHA-256 of its SubjectPublicKeyInfo; NULL: it cannot name it */
                 int64_t now; };
struct handout { struct buf challenge; int64_t version, expires; struct profile profile; };
void handout_free(struct handout *handout);                  /* held by value */
/* ERR_PROFILE_DEVICE: the profile does not reach the device, or the request cannot be made. ERR_WRONG_STATE: there is nothing that it could
   be for. ERR_UNAVAILABLE: ca has not said what to encrypt to. ERR_RATE. */
NODISCARD enum err handout_make(const struct handing *handing, struct handout *ret, struct why *why);
/* For every minute: those that ended long ago. */
NODISCARD enum err handouts_forget(struct store_tx *tx, int64_t now, struct why *why);
/* Does a device of this platform name its key before it asks for a certificate? The others get the challenge with the order. */
bool platform_names_key(enum platform platform);
