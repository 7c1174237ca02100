/* SPDX-License-Identifier: Apache-2.0 */
/* Entries that are gone: their objects are marked, and nothing else (spec profiles.md, removal: certificates stay). */
#include "mdm/ldap/run_part.h"

#include "base/fault.h"
#include "mdm/change.h"
#include "mdm/group_store.h"
#include "mdm/user_store.h"

struct gone { /* of one class */
    struct run *run;
    const struct object_class *class;
    struct id_set *seen;   /* of a full run; NULL */
    struct id_set *said;   /* of an incremental one; NULL */
    struct id_set objects; /* those that go */
    struct guard_counts counts;
    size_t from, done; /* of objects: where a unit begins, and how many it marked */
};

static enum err gone_each(const struct store_rows *row, void *arg, struct why *why)
{
    (void)why;
    struct gone *gone = arg;
    const char *entry = store_str(row, 0, 0);
    gone->counts.known++;
    if (gone->seen ? !id_set_has(gone->seen, entry) : id_set_has(gone->said, entry))
        id_set_add(&gone->objects, store_str(row, 0, 1));
    return OK;
}

static enum err gone_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct gone *gone = arg;
    AUTO_STR sql = xasprintf("SELECT e.entry_id, e.object_id FROM directory_entry e JOIN %s o ON o.id = "
                             "e.object_id WHERE e.source = $1 AND o.deleted_at IS NULL",
                             gone->class->table);
    gone->counts = (struct guard_counts){ 0 };
    gone->objects.count = 0;
    TRY(store_for_each(tx, sql, S_ARGS(S_TEXT(gone->run->settings->name)), gone_each, gone, why));
    gone->counts.gone = gone->objects.count;
    return OK;
}

static enum err delete_one(struct store_tx *tx, struct gone *gone, const char *id, int64_t change,
                           struct why *why)
{
    AUTO_VAL(object) object = { 0 };
    AUTO_STR action = xasprintf("%s_delete", gone->class->name);
    int64_t now = run_now(gone->run);
    TRY(object_load(tx, gone->class, id, &object, why));
    if (object_number(&object, "deleted_at"))
        return OK;
    object_set_number(&object, "deleted_at", now);
    change_stamp(&object, change, now);
    TRY(object_save(tx, &object, why));
    gone->done++;
    return apply_audit(tx, gone->run, action, id, NULL, why);
}

static enum err delete_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct gone *gone = arg;
    int64_t change;
    gone->done = 0;
    TRY(change_next(tx, &change, why));
    for (size_t i = gone->from; i < gone->objects.count && i < gone->from + LIMIT_LDAP_BATCH; i++)
        TRY(delete_one(tx, gone, gone->objects.ids[i], change, why));
    return OK;
}

static enum err gone_delete(struct gone *gone, struct why *why)
{
    struct run *run = gone->run;
    for (gone->from = 0; gone->from < gone->objects.count; gone->from += LIMIT_LDAP_BATCH) {
        TRY(run_go_on(run, why));
        TRY(store_write(run->context->store, delete_work, gone, why));
        run->counts.deleted += (int64_t)gone->done;
    }
    return OK;
}

static void hold(struct run *run, const struct gone *gone, const char *what)
{
    AUTO_STR reason = xasprintf("%zu of %zu %s would go, and %s", gone->counts.gone, gone->counts.known,
                                gone->class->plural, what);
    run->counts.held += (int64_t)gone->counts.gone;
    run_warn(run, run->settings->base, reason);
}

/* Both classes are looked at before either is touched. */
static enum err both_delete(struct gone gone[static 2], struct why *why)
{
    struct run *run = gone[0].run;
    for (size_t i = 0; i < 2; i++) {
        TRY(store_read(run->context->store, gone_work, &gone[i], why));
        if (run->nameless && gone[i].counts.gone && !FAULT(ldap_nameless))
            hold(run, &gone[i], "there are entries whose id cannot be read");
        else if (!run->allow_deletions && guard_holds(gone[i].counts, run->settings->max_deletions))
            hold(run, &gone[i], "that is more than max_deletions, or all of them");
    }
    for (size_t i = 0; i < 2 && !run->counts.held; i++)
        TRY(gone_delete(&gone[i], why));
    return OK;
}

static void gone_free(struct gone gone[static 2])
{
    id_set_free(&gone[0].objects);
    id_set_free(&gone[1].objects);
}

enum err deletions_full(struct run *run, struct why *why)
{
    struct gone gone[2] = { { .run = run, .class = &user_class, .seen = &run->users },
                            { .run = run, .class = &group_class, .seen = &run->groups } };
    enum err err = both_delete(gone, why);
    gone_free(gone);
    return err;
}

/* --- what Active Directory says --- */

static enum err tombstone(struct entry *entry, void *arg, struct why *why)
{
    struct gone *gone = arg;
    char id[UUID_TEXT];
    struct why inner;
    if (gone->said->count >= LIMIT_LDAP_ENTRIES)
        return fail(why, ERR_LIMIT, "more than %d deleted entries", LIMIT_LDAP_ENTRIES);
    if (mapping_id(gone->run->settings, entry, id, &inner) == OK)
        id_set_add(gone->said, id);
    return OK;
}

enum err deletions_said(struct run *run, struct why *why)
{
    const struct ldap_reader *reader = run->context->reader;
    struct id_set said = { 0 };
    struct gone gone[2] = { { .run = run, .class = &user_class, .said = &said },
                            { .run = run, .class = &group_class, .said = &said } };
    AUTO_BUF filter = { 0 };
    char *const attributes[] = { "objectGUID", NULL };
    struct why inner = { 0 };
    if (run->settings->schema != LDAP_SCHEMA_AD || !run->root.naming_context)
        return OK;
    mark_append_filter(&filter, &run->mark, run->settings, "(isDeleted=TRUE)");
    const struct ldap_search search = { run->root.naming_context, buf_text(&filter), attributes, true };
    /* It takes a right that not every account has; the next full run sees them all the same. */
    enum err err = reader->search(reader->arg, &search, tombstone, &gone[0], &inner);
    err = err == OK && said.count ? both_delete(gone, why) : OK;
    gone_free(gone);
    id_set_free(&said);
    return err;
}
