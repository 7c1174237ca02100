/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a run share. */
#pragma once
#include "mdm/ldap/guard.h"
#include "mdm/ldap/kept.h"
#include "mdm/ldap/run.h"

struct item {                                                /* an entry on its way into the store */
    struct mapped mapped;
    enum err err;                                            /* not OK: it is refused, and why says so */
    struct why why;
    char *label;
};
struct item_list { struct item *list; size_t count; };
void item_list_clear(struct item_list *items);
struct run {
    const struct run_context *context;
    const struct ldap_settings *settings;
    struct kept_run kept;                                    /* the run before; then this one */
    struct mark mark;                                        /* of the run before */
    struct ldap_root root;
    const struct object_class *class;                        /* what is being read */
    struct item_list batch, again;                           /* again: met a conflict, and is tried once more */
    struct id_set users, groups;
    struct run_counts counts;
    int64_t newest;                                          /* modifyTimestamp of the entries that were read */
    size_t nameless;                                         /* entries whose id could not be read */
    int warned;
    bool full, allow_deletions, last_try;
    bool want_full;                                          /* this incremental run met what only a full one can judge */
};
int64_t run_now(const struct run *run);
void run_warn(struct run *run, const char *entry, const char *reason);   /* to the log, as long as there are few */
NODISCARD enum err run_go_on(const struct run *run, struct why *why);    /* ERR_UNAVAILABLE: the role is stopping */

/* apply.c: takes the entry; a batch that is full is judged and written. */
NODISCARD enum err apply_entry(struct run *run, struct entry *entry, struct why *why);
NODISCARD enum err apply_rest(struct run *run, struct why *why);
NODISCARD enum err apply_again(struct run *run, struct why *why);        /* those that met a conflict */
/* What a run did to an object, in the audit trail. */
NODISCARD enum err apply_audit(struct store_tx *tx, const struct run *run, const char *action, const char *object, const char *detail,
                               struct why *why);

/* deletions.c: of a full run what it has not seen; of an incremental one those that Active Directory says are deleted. */
NODISCARD enum err deletions_full(struct run *run, struct why *why);
NODISCARD enum err deletions_said(struct run *run, struct why *why);
/* memberships.c: in the groups from here is who they name. */
NODISCARD enum err memberships_follow(struct run *run, struct why *why);
