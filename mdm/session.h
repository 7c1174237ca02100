/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of administrators: rows, so that they outlive a restart, and end for all who serve them at once. */
#pragma once
#include "mdm/bearer.h"
#include "mdm/uuid.h"
#include "store/store.h"

struct session_times { int64_t idle_s, lifetime_s; };        /* options session_idle and session_lifetime */
struct session {
    char id[UUID_TEXT], administrator[UUID_TEXT];
    char name[64 + 1];                                       /* of the administrator */
    unsigned roles;                                          /* theirs, now */
    int64_t created_at, seen_at;
};

/* In a unit of work. A new one of an administrator; of many the one that was not heard of for longest ends. */
NODISCARD enum err session_add(struct store_tx *tx, const struct session *session, const uint8_t digest[static BEARER_DIGEST],
                               struct why *why);
/* The one of a digest, of an administrator who may sign in, that has not ended. ERR_SIGN_IN with the reason, which is for the log alone. */
NODISCARD enum err session_find(struct store_tx *tx, const uint8_t digest[static BEARER_DIGEST], const struct session_times *times,
                                int64_t now, struct session *ret, struct why *why);
/* Has it been heard of long enough ago that it is to be written? Not every request is. */
bool session_is_stale(const struct session *session, const struct session_times *times, int64_t now);
NODISCARD enum err session_touch(struct store_tx *tx, const char *id, int64_t now, struct why *why);
int64_t session_ends(const struct session *session, const struct session_times *times);   /* at the latest */
NODISCARD enum err session_end(struct store_tx *tx, const char *id, struct why *why);
NODISCARD enum err sessions_end(struct store_tx *tx, const char *administrator, struct why *why);   /* all of an administrator */
NODISCARD enum err sessions_sweep(struct store_tx *tx, const struct session_times *times, int64_t now, struct why *why);   /* what is over */
