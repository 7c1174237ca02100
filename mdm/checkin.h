/* SPDX-License-Identifier: Apache-2.0 */
/* A device says what it is and what it has, and is told how it stands. One that says what it said before costs a read. */
#pragma once
#include "mdm/device.h"
#include "mdm/device_ca.h"
#include "mdm/mdm.h"
#include "mdm/object.h"
#include "mdm/visit.h"

#define CHECKIN_SEEN_S 900                                   /* a last contact is that exact: each write is a flush of the disk */

struct installed { const char *thumbprint, *key, *profile; };   /* SHA-256 of certificate and SubjectPublicKeyInfo, in lower-case
                                                                hexadecimals; profile NULL: not by one of ours */
struct checkin {
    struct mdm *mdm;
    const struct device_identity *identity;
    const struct object *given;                              /* of device_class: what it says of itself; may be empty */
    const struct installed *installed; size_t installed_count; bool told_installed;
    const struct result *results; size_t result_count;
    struct bytes whole;                                      /* all that it said: compared with the last time */
    int64_t now;
};
struct standing { enum device_state state; enum platform platform; int64_t enrolled_at;
                  struct deployments orders; };              /* what it is told to do */
void standing_free(struct standing *standing);               /* held by value */
/* ERR_NOT_AUTHORISED: its certificate counts no more. ERR_CONFLICT: it says to be another device. */
NODISCARD enum err checkin(const struct checkin *checkin, struct standing *ret, struct why *why);
/* How long until the next one: often after enrolment, then rarely, as each platform is used to. */
int checkin_poll_s(enum platform platform, int64_t enrolled_s_ago);
