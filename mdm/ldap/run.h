/* SPDX-License-Identifier: Apache-2.0 */
/* One run: what a directory says becomes what ours says, in batches, so that no writer waits long for it. What is known of deletions
   and memberships is done at the end, once everything has been read; so a run that breaks off has taken nothing from anybody, and the next
   one reads the same again. */
#pragma once
#include "mdm/ldap/reader.h"
#include <stdatomic.h>

struct run_counts {
    int64_t users, groups;                                   /* entries that were read */
    int64_t added, changed, deleted;                         /* objects; one that is back is changed */
    int64_t members_added, members_removed;
    int64_t refused, conflicts;                              /* entries that are not taken: for a value; because somebody else has the name */
    int64_t passed_over;                                     /* users without a UPN */
    int64_t held;                                            /* deletions and memberships that would go, and do not: the alarm */
};
struct run_request { bool full, allow_deletions; };
struct run_context {
    const struct ldap_settings *settings;
    const struct ldap_reader *reader;
    struct store *store;
    const struct clock *clock;
    const atomic_bool *stop;                                 /* NULL: nobody stops it */
};
/* Always kept in the store, however it ends (mdm/ldap/kept.h). ERR_PARTIAL: something was held. */
NODISCARD enum err ldap_run(const struct run_context *context, const struct run_request *request, struct why *why);
