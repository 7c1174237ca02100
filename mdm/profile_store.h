/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles in the store: of each one its newest version, and every version before it as it was saved. */
#pragma once
#include "mdm/object.h"
#include "mdm/problem.h"
#include "mdm/profile.h"

/* What lists and other tables need of the newest version. All of it is the service's own: a profile is changed as a whole. */
extern const struct object_class profile_class;

/* Asked for in a unit that has its change number. problems is filled afresh each time the unit runs. */
struct profile_saving {
    struct bytes text;                                       /* JSON (docs/profiles.md); its root by name or id */
    struct problems *problems;
    const char *actor;
    int64_t change, now;
};
/* ERR_PROFILE: problems has all that is wrong. ERR_CONFLICT: another profile has that name. */
NODISCARD enum err profile_add(struct store_tx *tx, const struct profile_saving *saving, const char *id, struct object *ret,
                               struct why *why);
/* Everybody it is assigned to is concerned. The next version of *profile, which was found before; *ret_changed false: it says the same, and there is none. Type and platform are
   for ever: its devices have a certificate by them. */
NODISCARD enum err profile_save(struct store_tx *tx, const struct profile_saving *saving, struct object *profile, bool *ret_changed,
                                struct why *why);
/* ERR_CONFLICT: it is in use. */
NODISCARD enum err profile_delete(struct store_tx *tx, struct object *profile, int64_t change, int64_t now, struct why *why);

/* A version as it was saved; root_certificate is an id. ERR_NOT_FOUND. */
struct profile_version { struct buf text; char *saved_by; int64_t version, saved_at; };
void profile_version_free(struct profile_version *version);
NODISCARD enum err profile_version_load(struct store_tx *tx, const char *id, int64_t version, struct profile_version *ret,
                                        struct why *why);
NODISCARD enum err profile_load(struct store_tx *tx, const char *id, int64_t version, struct profile *ret, struct why *why);
