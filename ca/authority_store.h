/* SPDX-License-Identifier: Apache-2.0 */
/* Changing an authority's limits. Its rights follow: Request Certificates on the CA, Read and Enroll on its templates. */
#pragma once
#include "ca/authority.h"

struct authority_change {
    const struct issuer *issuer;
    const char *actor;
    enum authority_how { AUTHORITY_ADD, AUTHORITY_SET, AUTHORITY_REMOVE } how;
    struct buf certificate; bool pins;                              /* pins: the certificate is the one pinned from now on, or none is */
    struct authority_limits values;                                 /* NULL and -1: as it is, or the default of a new one */
};
/* ERR_CONFLICT, ERR_NOT_FOUND; in force when it returns. */
NODISCARD enum err authority_change(struct ca *ca, const struct authority_change *change, struct why *why);
