/* SPDX-License-Identifier: Apache-2.0 */
/* Which groups a profile is for, and which it is not for. */
#pragma once
#include "mdm/object.h"
#include "mdm/problem.h"

enum assignment_mode { ASSIGN_INCLUDE, ASSIGN_EXCLUDE };
extern const struct words assignment_mode_words;

/* In a unit that has its change number, which becomes the group's: everybody in it is concerned. */
struct assignment { const struct object *profile, *group; enum assignment_mode mode; int64_t change, now; };
/* ERR_CONFLICT: the group is there in the other mode. *ret_changed false: it was there. */
NODISCARD enum err assignment_add(struct store_tx *tx, const struct assignment *assignment, bool *ret_changed, struct why *why);
/* In whichever mode. ERR_NOT_FOUND. */
NODISCARD enum err assignment_remove(struct store_tx *tx, const struct assignment *assignment, struct why *why);
/* What would keep the profile from somebody: a group without members (group NULL: not asked), a root that is not assigned as the profiles
   are that need it. As warnings. */
NODISCARD enum err assignment_warn(struct store_tx *tx, const struct object *profile, const struct object *group,
                                   struct problems *problems, struct why *why);
/* The word that a profile has for a group; NULL: none. The caller frees it. */
NODISCARD enum err assignment_mode_of(struct store_tx *tx, const char *profile, const char *group, char **ret, struct why *why);
/* The profile was changed: so say all groups that it is assigned to. */
NODISCARD enum err assignment_stamp(struct store_tx *tx, const char *profile, int64_t change, struct why *why);

/* Conditions for object_list; $1 is the other side's id. */
#define GROUPS_OF_PROFILE "id IN (SELECT group_id FROM assignment WHERE profile_id = $1)"
#define PROFILES_OF_GROUP "id IN (SELECT profile_id FROM assignment WHERE group_id = $1)"
