/* SPDX-License-Identifier: Apache-2.0 */
/* The variables of profiles, {{Name}}: one table says where each has its value, and where it may stand. */
#pragma once
#include "mdm/device.h"
#include "mdm/user.h"

enum certificate_kind { CERTIFICATE_NONE, CERTIFICATE_USER, CERTIFICATE_DEVICE, CERTIFICATE_KIND_COUNT };
extern const struct words certificate_kind_words;

/* Whom a certificate is for. */
struct holder { const struct user *user;                     /* NULL: the device has none */
                const struct device *device; };
/* What a profile says about the variables in it. */
struct scope { enum certificate_kind kind; enum platform platform; };

struct variable {
    const char *name;                                        /* without its braces; letter case counts */
    unsigned kinds;                                          /* 1 << enum certificate_kind */
    bool of_user;                                            /* the field of struct user, or else of struct device … */
    size_t field;                                            /* … at this offset */
    const char *what;                                        /* "IMEI" */
    const char *sample;                                      /* a shortest value, to try a profile with */
    bool forgeable;                                          /* whoever holds the device can change it */
    bool in_domain;                                          /* devices of a domain alone have it */
    bool is_name;                                            /* a distinguished name: RDNs, not a text */
};
/* ERR_PROFILE: no such variable, one of the other kind of certificate, or one that the platform never has. */
NODISCARD enum err variable_find(struct bytes name, const struct scope *scope, const struct variable **ret, struct why *why);
/* A view into the holder. ERR_PROFILE_VALUE names variable and device where there is no value. */
NODISCARD enum err variable_value(const struct variable *variable, const struct holder *holder, struct bytes *ret, struct why *why);
