/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of profile_check; only the files profile_check*.c include this. */
#pragma once
#include "mdm/profile_check.h"

struct profile_checking {
    const struct profile *profile;
    const struct surroundings *around;                       /* may be NULL */
    struct problems *problems;
};
/* What scep and pkcs have in common: whom it is for, what it is called, how long it lasts. */
void profile_check_certificate(const struct profile_checking *checking);
void profile_check_purposes(const struct profile_checking *checking, bool required);
void profile_check_key_storage(const struct profile_checking *checking);
void profile_check_root(const struct profile_checking *checking, bool required);
void profile_check_scep(const struct profile_checking *checking);
void profile_check_pkcs(const struct profile_checking *checking);
