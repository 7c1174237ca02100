/* SPDX-License-Identifier: Apache-2.0 */
/* Entries into objects, a batch at a time: read first, since mostly nothing has changed, and written in one unit of work where something has. */
#include "mdm/ldap/run_part.h"

#include "base/fault.h"
#include "http/json_text.h"
#include "mdm/audit.h"
#include "mdm/change.h"
#include "mdm/group_store.h"
#include "mdm/user_store.h"
#include <stdio.h>

static void item_clear(struct item *item)
{
    mapped_free(&item->mapped);
    free(item->label);
    *item = (struct item){ 0 };
}

void item_list_clear(struct item_list *items)
{
    for (size_t i = 0; i < items->count; i++)
        item_clear(&items->list[i]);
    free(items->list);
    *items = (struct item_list){ 0 };
}

enum err apply_audit(struct store_tx *tx, const struct run *run, const char *action, const char *object,
                     const char *detail, struct why *why)
{
    AUTO_STR actor = xasprintf("directory/%s", run->settings->name);
    AUTO_BUF text = { 0 };
    AUTO_JSON json = detail ? json_pack("{s:s}", "entry", detail) : NULL;
    if (json)
        json_text_append(&text, json);
    const struct audit_entry entry = { actor, action, object, buf_text(&text), run_now(run) };
    return audit_write(tx, &entry, why);
}

/* --- what has to be written --- */

static enum err judge(struct store_tx *tx, const struct run *run, const struct item *item, bool *ret_write,
                      struct why *why)
{
    const struct mapped *mapped = &item->mapped;
    AUTO_VAL(kept_entry) kept = { 0 };
    AUTO_VAL(object) object = { 0 };
    bool same = true;
    *ret_write = true;
    if (item->err != OK)
        return OK;
    TRY(kept_entry_load(tx, run->settings->name, mapped->id, &kept, why));
    if (!kept.found || strcmp(kept.kind, run->class->name) != 0)
        return OK;
    TRY(object_load(tx, run->class, kept.object_id, &object, why));
    if (run->class == &group_class)
        TRY(kept_links_same(tx, run->settings->name, mapped, &same, why));
    *ret_write = !same || object_number(&object, "deleted_at") || object_differs(&object, &mapped->given) ||
                 !kept_entry_same(&kept, mapped);
    return OK;
}

struct unit { /* of work, on some items of the batch */
    struct run *run;
    bool write[LIMIT_LDAP_BATCH];
    bool wanted; /* is there anything to write? */
    bool again[LIMIT_LDAP_BATCH];
    bool news[LIMIT_LDAP_BATCH]; /* its problem is one that nobody had said */
    char reasons[LIMIT_LDAP_BATCH][200];
    struct run_counts counts;
    int64_t change;
};

static enum err judge_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct unit *unit = arg;
    struct run *run = unit->run;
    unit->wanted = false;
    for (size_t i = 0; i < run->batch.count; i++) {
        TRY(judge(tx, run, &run->batch.list[i], &unit->write[i], why));
        unit->wanted |= unit->write[i];
    }
    return OK;
}

/* --- writing --- */

static enum err object_make(struct store_tx *tx, struct unit *unit, const struct mapped *mapped,
                            struct object *object, struct why *why)
{
    char id[UUID_TEXT];
    int64_t now = run_now(unit->run);
    TRY(uuid_make(id, why));
    object->class = unit->run->class;
    object_copy(object, &mapped->given);
    object_set(object, "id", bytes_str(id));
    object_set(object, "source", BYTES_LIT("directory"));
    object_set_number(object, "created_at", now);
    if (object->class == &group_class)
        object_set(object, "kind", BYTES_LIT("user"));
    TRY(object_complete(object, why));
    change_stamp(object, unit->change, now);
    TRY(object_add(tx, object, why));
    unit->counts.added++;
    return OK;
}

/* One that was marked as deleted is back. */
static enum err object_change(struct store_tx *tx, struct unit *unit, const struct mapped *mapped,
                              const struct kept_entry *kept, struct object *object, struct why *why)
{
    TRY(object_load(tx, unit->run->class, kept->object_id, object, why));
    bool back = object_number(object, "deleted_at") != 0;
    if (!back && !object_differs(object, &mapped->given))
        return OK;
    TRY(object_merge(object, &mapped->given, why));
    object_set_number(object, "deleted_at", 0);
    change_stamp(object, unit->change, run_now(unit->run));
    TRY(object_save(tx, object, why));
    unit->counts.changed++;
    return OK;
}

static enum err item_write(struct store_tx *tx, struct unit *unit, const struct item *item, struct why *why)
{
    struct run *run = unit->run;
    const struct mapped *mapped = &item->mapped;
    const char *source = run->settings->name;
    AUTO_VAL(kept_entry) kept = { 0 };
    AUTO_VAL(object) object = { 0 };
    TRY(kept_entry_load(tx, source, mapped->id, &kept, why));
    if (kept.found && strcmp(kept.kind, run->class->name) != 0)
        return fail(why, ERR_CONFLICT, "the entry was a %s, and is a %s now", kept.kind, run->class->name);
    const char *verb = kept.found ? "set" : "add";
    if (kept.found)
        TRY(object_change(tx, unit, mapped, &kept, &object, why));
    else
        TRY(object_make(tx, unit, mapped, &object, why));
    TRY(kept_entry_save(tx, source, mapped, object_id(&object), why));
    if (run->class == &group_class)
        TRY(kept_links_save(tx, source, mapped, run->kept.run, why));
    TRY(kept_problem_clear(tx, source, mapped->id, why));
    AUTO_STR action = xasprintf("%s_%s", run->class->name, verb);
    bool changed = object_number(&object, "change") == unit->change; /* or only its keys were */
    return changed ? apply_audit(tx, run, action, object_id(&object), item->label, why) : OK;
}

static enum err problem_keep(struct store_tx *tx, struct unit *unit, size_t i, const struct why *reason,
                             struct why *why)
{
    struct run *run = unit->run;
    const struct item *item = &run->batch.list[i];
    const struct kept_problem problem = { *item->mapped.id ? item->mapped.id : item->label, item->label,
                                          reason->text, run->kept.run, run_now(run) };
    TRY(kept_problem_save(tx, run->settings->name, &problem, &unit->news[i], why));
    snprintf(unit->reasons[i], sizeof(unit->reasons[i]), "%.199s", reason->text);
    if (reason->err == ERR_CONFLICT)
        unit->counts.conflicts++;
    else
        unit->counts.refused++;
    return OK;
}

/* What is wrong with one entry is that entry's alone; what is wrong with the store ends the unit. */
static enum err item_work(struct store_tx *tx, struct unit *unit, size_t i, struct why *why)
{
    struct run *run = unit->run;
    const struct item *item = &run->batch.list[i];
    struct why inner = item->why;
    inner.err = item->err;
    enum err err = item->err == OK ? item_write(tx, unit, item, &inner) : item->err;
    if (err == OK)
        return OK;
    if (err == ERR_STORE || err == ERR_INTERNAL)
        return fail(why, err, "%s", inner.text);
    unit->again[i] =
        err == ERR_CONFLICT && run->full && !run->last_try && run->again.count < LIMIT_LDAP_RETRIES;
    return unit->again[i] ? OK : problem_keep(tx, unit, i, &inner, why);
}

static enum err write_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct unit *unit = arg;
    struct run *run = unit->run;
    unit->counts = (struct run_counts){ 0 };
    TRY(change_next(tx, &unit->change, why));
    for (size_t i = 0; i < run->batch.count; i++) {
        unit->again[i] = unit->news[i] = false;
        unit->reasons[i][0] = '\0';
        if (unit->write[i])
            TRY(item_work(tx, unit, i, why));
    }
    return OK;
}

static void item_keep_again(struct run *run, struct item *item)
{
    if (!run->again.list)
        run->again.list = xcalloc(LIMIT_LDAP_RETRIES, sizeof(*run->again.list));
    if (run->again.count == LIMIT_LDAP_RETRIES)
        return; /* the next run has it again */
    run->again.list[run->again.count++] = *item;
    *item = (struct item){ 0 };
}

static void unit_done(struct run *run, const struct unit *unit)
{
    struct run_counts *counts = &run->counts;
    counts->added += unit->counts.added;
    counts->changed += unit->counts.changed;
    counts->refused += unit->counts.refused;
    counts->conflicts += unit->counts.conflicts;
    for (size_t i = 0; i < run->batch.count; i++) {
        if (*unit->reasons[i])
            run_warn(run, run->batch.list[i].label, unit->reasons[i]);
        /* Somebody has the name: maybe only until what is gone there is deleted here. */
        run->want_full |= unit->news[i] && !run->full && run->batch.list[i].err == OK;
        if (unit->again[i])
            item_keep_again(run, &run->batch.list[i]);
    }
}

enum err apply_rest(struct run *run, struct why *why)
{
    struct unit *unit = xcalloc(1, sizeof(*unit));
    unit->run = run;
    enum err err = run_go_on(run, why);
    if (err == OK && run->batch.count)
        err = store_read(run->context->store, judge_work, unit, why);
    if (err == OK && unit->wanted)
        err = store_write(run->context->store, write_work, unit, why);
    if (err == OK)
        unit_done(run, unit);
    free(unit);
    for (size_t i = 0; i < run->batch.count; i++)
        item_clear(&run->batch.list[i]);
    run->batch.count = 0;
    return err;
}

/* --- entries --- */

static enum err count(struct run *run, const struct mapped *mapped, struct why *why)
{
    bool user = run->class == &user_class;
    struct id_set *seen = user ? &run->users : &run->groups;
    int64_t *number = user ? &run->counts.users : &run->counts.groups;
    if (++*number > LIMIT_LDAP_ENTRIES)
        return fail(why, ERR_LIMIT, "more than %d %s; narrow %s_filter or base", LIMIT_LDAP_ENTRIES,
                    run->class->plural, run->class->name);
    if (!*mapped->id)
        run->nameless++;
    else
        id_set_add(seen, mapped->id);
    if (mapped->changed_at > run->newest)
        run->newest = mapped->changed_at;
    return OK;
}

enum err apply_entry(struct run *run, struct entry *entry, struct why *why)
{
    struct item item = { .label = entry_label(entry) };
    if (!run->batch.list)
        run->batch.list = xcalloc(LIMIT_LDAP_BATCH, sizeof(*run->batch.list));
    item.err = mapping_take(run->settings, run->class, entry, &item.mapped, &item.why);
    enum err err = count(run, &item.mapped, why);
    bool passed = item.err == ERR_NOT_FOUND;
    run->counts.passed_over += passed;
    if (err != OK || passed) {
        item_clear(&item);
        return err;
    }
    run->batch.list[run->batch.count++] = item;
    return run->batch.count == LIMIT_LDAP_BATCH ? apply_rest(run, why) : OK;
}

/* Users first: their class is that of the item's object. */
enum err apply_again(struct run *run, struct why *why)
{
    const struct object_class *const classes[] = { &user_class, &group_class };
    run->last_try = true;
    for (size_t c = 0; c < 2; c++) {
        run->class = classes[c];
        for (size_t i = 0; i < run->again.count; i++) {
            struct item *item = &run->again.list[i];
            if (item->mapped.given.class != run->class)
                continue;
            run->batch.list[run->batch.count++] = *item;
            *item = (struct item){ 0 };
            if (run->batch.count == LIMIT_LDAP_BATCH)
                TRY(apply_rest(run, why));
        }
        TRY(apply_rest(run, why));
    }
    return OK;
}
