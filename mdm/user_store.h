/* SPDX-License-Identifier: Apache-2.0 */
/* Users of the directory. */
#pragma once
#include "mdm/object.h"
#include "mdm/user.h"

extern const struct object_class user_class;
/* The same as what profiles work with; the caller frees it. */
void user_of(const struct object *object, struct user *ret);
/* By id, in a unit of work; deleted ones, too. */
NODISCARD enum err user_load(struct store_tx *tx, const char *id, struct user *ret, struct why *why);
