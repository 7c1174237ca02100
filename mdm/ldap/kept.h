/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of a directory beside the objects: which entry is which, whom its groups name, what is refused, and the last run. */
#pragma once
#include "mdm/ldap/mapping.h"

/* --- entries --- */
struct kept_entry { bool found; char kind[8], object_id[UUID_TEXT]; char *dn, *uid, *sid, *primary; };
void kept_entry_free(struct kept_entry *entry);
NODISCARD enum err kept_entry_load(struct store_tx *tx, const char *source, const char *entry_id, struct kept_entry *ret, struct why *why);
bool kept_entry_same(const struct kept_entry *kept, const struct mapped *mapped);
NODISCARD enum err kept_entry_save(struct store_tx *tx, const char *source, const struct mapped *mapped, const char *object_id, struct why *why);
/* Whose an object is: the name of a directory; NULL: none that is known. The caller frees it. */
NODISCARD enum err kept_source_of(struct store_tx *tx, const char *object_id, char **ret, struct why *why);

/* --- whom a group names: keys in order --- */
NODISCARD enum err kept_links_same(struct store_tx *tx, const char *source, const struct mapped *group, bool *ret, struct why *why);
NODISCARD enum err kept_links_save(struct store_tx *tx, const char *source, const struct mapped *group, int64_t run, struct why *why);

/* --- what is refused --- */
struct kept_problem { const char *entry_id, *entry, *reason; int64_t run, at; };
/* *ret_new: nobody had said that yet. */
NODISCARD enum err kept_problem_save(struct store_tx *tx, const char *source, const struct kept_problem *problem, bool *ret_new, struct why *why);
NODISCARD enum err kept_problem_clear(struct store_tx *tx, const char *source, const char *entry_id, struct why *why);
NODISCARD enum err kept_problems_before(struct store_tx *tx, const char *source, int64_t run, struct why *why);   /* clears them */

/* --- runs --- */
struct kept_run { int64_t run, begun_at, ended_at, succeeded_at, full_at; char *mark, *kind, *outcome, *detail, *counts; };
void kept_run_free(struct kept_run *run);
/* Of a directory that was never read: zeros and empty texts. */
NODISCARD enum err kept_run_load(struct store_tx *tx, const char *source, struct kept_run *ret, struct why *why);
NODISCARD enum err kept_run_save(struct store_tx *tx, const char *source, const struct kept_run *run, struct why *why);
