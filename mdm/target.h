/* SPDX-License-Identifier: Apache-2.0 */
/* Which profiles reach a device, and why others that are assigned to its groups do not. Resolved upwards, from the device to its groups and
   its user's and the groups that these are in: a device is in few groups, a group may have every device (docs/decisions/018). */
#pragma once
#include "mdm/profile.h"
#include "store/store.h"

enum target_state {
    TARGET_REACHES,
    TARGET_EXCLUDED,                                         /* it, or its user, is in an excluded group, too */
    /* Of several includes the one that says the earlier word decides. */
    TARGET_USER,                                             /* the user is disabled or deleted; or there is none, and one is needed */
    TARGET_GROUP_DELETED,                                    /* it would be in an included group, had this not been deleted */
    TARGET_PLATFORM, TARGET_STATE, TARGET_MODE,              /* the device's is not the profile's; is not enrolled */
    TARGET_ROOT,                                             /* its root certificate does not reach the device */
    TARGET_STATE_COUNT
};
extern const struct words target_state_words;

struct target {
    char *profile, *name;                                    /* id and name */
    int64_t version;                                         /* the newest */
    enum profile_type type;
    char *root;                                              /* id of the profile that has to reach the device, too; NULL: none */
    enum target_state state;
    char *group;                                             /* id of the group that decided: included, excluded or deleted */
    char *why;                                               /* a sentence for an administrator */
};
struct targets {
    struct target *list; size_t count;                       /* in the order of the names */
    int64_t change;                                          /* they hold until target_change gives another number */
};
void targets_free(struct targets *targets);
/* holder->user NULL: the device has none. */
NODISCARD enum err targets_resolve(struct store_tx *tx, const struct holder *holder, struct targets *ret, struct why *why);
/* The newest change that concerns the device: of itself, its user, the groups of both, or of everybody. */
NODISCARD enum err target_change(struct store_tx *tx, const struct device *device, int64_t *ret, struct why *why);

/* For a test of how much they read; $1 is the device's id, $2 its user's. */
extern const char target_change_sql[], target_assignments_sql[];
