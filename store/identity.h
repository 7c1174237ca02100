/* SPDX-License-Identifier: Apache-2.0 */
/* Is this the database that this site has used before? */
#pragma once
#include "base/clock.h"
#include "store/store.h"

/* Where a role keeps the name in its store: keep takes it as $1 and the time as $2, and leaves one that is there; find gives it. */
struct store_identity { const char *keep, *find; };

/* A store has a random name from its first start on, and the file at path holds the name of the one that this site uses. Without
   the file it is made: a site may begin with an empty database, or with one that another node uses. ERR_STORE when the
   store has another name or none: it was lost, or is not this site's. */
NODISCARD enum err store_identity_check(struct store *store, const struct store_identity *where, const struct clock *clock,
                                        const char *path, struct why *why);
