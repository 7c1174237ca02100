/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators do to templates: each function is a part of a unit of work, so that one command may do several or none.
   A change is judged whole before it is stored, is a new version, and has its audit row. */
#pragma once
#include "ca/template_row.h"
#include "ipc/record.h"

struct template_edit {
    const struct ca *ca;
    struct store_tx *tx;
    const char *actor;
    int64_t now;
    struct buf *changes;                                     /* records {action, object, property, old, new}; borrowed */
};
/* Every field of a record that `skip` does not name ("name from") sets a property; unknown or twice: ERR_USAGE. */
NODISCARD enum err template_assign(struct template *template, const struct record *record, const char *skip, struct why *why);

struct template_new { const char *name, *from; const struct record *record; const char *skip; };
/* Made from another one, or from the defaults: not published. */
NODISCARD enum err template_edit_new(struct template_edit *edit, const struct template_new *new, struct why *why);
struct template_set { const char *name; int64_t expect_version; const struct record *record; const char *skip; };
/* expect_version 0: any. ERR_CONFLICT when it has another version. Nothing changes when nothing is different. */
NODISCARD enum err template_edit_set(struct template_edit *edit, const struct template_set *set, struct why *why);
NODISCARD enum err template_edit_publish(struct template_edit *edit, const char *name, bool publish, struct why *why);
/* The role that has certificates of its own by it; NULL: none. Caller frees. */
NODISCARD enum err template_edit_role_of(struct template_edit *edit, const char *name, char **ret, struct why *why);
/* Refused while a slot, another template's `superseded` or a request that waits names it, or a role has its certificates by
   it. The rights on it go with it, in force after rights_reload. */
NODISCARD enum err template_edit_delete(struct template_edit *edit, const char *name, struct why *why);
/* Every name in `superseded` is a template's, and not its own. After all edits of a unit. */
NODISCARD enum err template_edit_check_superseded(struct template_edit *edit, struct why *why);
