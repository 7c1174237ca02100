/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of users and groups of devices. A group has members of its kind, and groups of its kind; no group is in itself, by whatever way. */
#pragma once
#include "mdm/object.h"

extern const struct object_class group_class;
/* The class of what can be in the group beside groups. */
const struct object_class *group_member_class(const struct object *group);

/* In a unit that has its change number. ERR_VALUE: of another kind. ERR_CONFLICT: it would be in itself. *ret_changed false: it was there,
   or was not. The number is the member's: nobody else is concerned. */
struct member_change { const struct object *group, *member; int64_t change, now; };
NODISCARD enum err member_add(struct store_tx *tx, const struct member_change *what, bool *ret_changed, struct why *why);
NODISCARD enum err member_remove(struct store_tx *tx, const struct member_change *what, bool *ret_changed, struct why *why);

/* Conditions for object_list. Of the class of what is listed; $1 is a group's id, or that of a member. */
#define MEMBERS_OF_GROUP                "id IN (SELECT member_id FROM member WHERE group_id = $1)"
/* Groups that it is in, and those that these are in, and so on; a deleted one passes nothing on. */
extern const char groups_of_member[];
