/* SPDX-License-Identifier: Apache-2.0 */
/* A user, as the directory has them. Texts are UTF-8; NULL or empty: no value. */
#pragma once
#include "base/auto.h"
#include <stdbool.h>

struct user {
    char *id;                                                /* UUID, lower case */
    char *upn, *name, *email;                                /* user principal name; shown name */
    char *distinguished_name, *sam_name;                     /* onPremisesDistinguishedName, onPremisesSamAccountName */
    char *sid;                                               /* S-1-5-21-… */
    bool enabled, deleted;
};
void user_free(struct user *user);
