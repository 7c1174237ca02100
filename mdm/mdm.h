/* SPDX-License-Identifier: Apache-2.0 */
/* The mdm role's one context: what its main makes and every request is handed. */
#pragma once
#include "base/clock.h"
#include "store/store.h"

struct ca_link;
struct device_ca;
struct ldap_keeper;
struct oidc;
struct sign_in;
struct tally;
struct mdm {
    const struct clock *clock;
    struct store *store;
    struct device_ca *device_ca;
    struct ca_link *link;                                    /* NULL: a test without one */
    int64_t challenge_lifetime_s;
    struct ldap_keeper *directories;                         /* NULL: none, as in most tests */
    struct sign_in *sign_in;                                 /* of administrators (mdm/sign_in.h) */
    struct oidc *oidc;                                       /* the OpenID provider; NULL: none */
    struct tally *refused_tokens;                            /* by address (mdm/agent/enrol.c) */
};
