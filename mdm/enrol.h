/* SPDX-License-Identifier: Apache-2.0 */
/* A device is let in: the token is good, the device is a new one or may be taken for one that is there, and it gets its certificate. */
#pragma once
#include "mdm/device_ca.h"
#include "mdm/mdm.h"
#include "mdm/object.h"

struct enrolling {
    struct mdm *mdm;
    struct bytes token, csr;                                 /* csr: DER */
    const struct object *given;                              /* of device_class: what it says of itself */
    int64_t now;
};
struct enrolled { char device[UUID_TEXT]; bool again; struct device_certificate certificate; };
void enrolled_free(struct enrolled *enrolled);
/* ERR_NOT_AUTHORISED: by the token, with a reason for the log alone. ERR_CONFLICT: the device that is there is not to be had by this token, whose
   use is then not taken. */
NODISCARD enum err enrol(const struct enrolling *enrolling, struct enrolled *ret, struct why *why);
