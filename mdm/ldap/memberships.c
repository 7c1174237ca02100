/* SPDX-License-Identifier: Apache-2.0 */
/* Who is in the groups that come from a directory: whom they name there, as far as we have them. Of users and groups that were deleted memberships
   stay as they are, since losing a group takes certificates and being deleted does not (spec profiles.md, removal). */
#include "mdm/ldap/run_part.h"

#include "base/fault.h"
#include "mdm/change.h"
#include "mdm/group_store.h"
#include "mdm/user_store.h"
#include <stdio.h>

/* Whom groups name, as pairs of our ids. %s: the column that their keys are. */
#define WANTED                                                                                               \
    "wanted (group_id, member_id, kind) AS ("                                                                \
    "SELECT g.object_id, m.object_id, m.kind FROM directory_link l "                                         \
    "JOIN directory_entry g ON g.source = l.source AND g.entry_id = l.group_entry "                          \
    "JOIN directory_entry m ON m.source = l.source AND m.%s = l.member_key WHERE l.source = $1 "             \
    "UNION SELECT g.object_id, m.object_id, m.kind FROM directory_entry m "                                  \
    "JOIN directory_entry g ON g.source = m.source AND g.sid = m.primary_group AND g.kind = 'group' "        \
    "WHERE m.source = $1 AND m.primary_group <> '')"
/* Neither side is marked as deleted. */
#define BOTH_THERE                                                                                           \
    "EXISTS (SELECT 1 FROM directory_group o WHERE o.id = %1$s.group_id AND o.deleted_at IS NULL) AND "      \
    "(EXISTS (SELECT 1 FROM directory_user o WHERE o.id = %1$s.member_id AND o.deleted_at IS NULL) OR "      \
    "EXISTS (SELECT 1 FROM directory_group o WHERE o.id = %1$s.member_id AND o.deleted_at IS NULL))"

struct moves {
    struct run *run;
    struct store_rows *removed, *added; /* group, member, kind, the member's entry */
    size_t had, unknown;
    bool *keep; /* of removed: it stays */
    const struct store_rows *rows;
    bool adds; /* what a unit works on */
    size_t from, done, conflicts;
    char odd[200]; /* the last conflict */
};

static void moves_free(struct moves *moves)
{
    store_rows_free(moves->removed);
    store_rows_free(moves->added);
    free(moves->keep);
}

static const char *key_column(const struct ldap_settings *settings)
{
    return settings->schema == LDAP_SCHEMA_AD ? "entry_id" : settings->members_are_uids ? "uid" : "dn";
}

static enum err count_of(struct store_tx *tx, const char *sql, const char *source, int64_t run, size_t *ret,
                         struct why *why)
{
    AUTO(store_rows) rows = NULL;
    const struct store_value values[] = { S_TEXT(source), S_INT(run) };
    TRY(store_query(tx, sql, (struct store_args){ values, run ? 2 : 1 }, &rows, why));
    *ret = (size_t)store_int(rows, 0, 0);
    return OK;
}

static enum err removed_find(struct store_tx *tx, struct moves *moves, struct why *why)
{
    AUTO_BUF sql = { 0 };
    buf_append_str(&sql, "WITH ");
    buf_printf(&sql, WANTED, key_column(moves->run->settings));
    buf_append_str(&sql, " SELECT x.group_id, x.member_id, x.kind, e.entry_id FROM member x "
                         "JOIN directory_entry g ON g.object_id = x.group_id AND g.source = $1 "
                         "LEFT JOIN directory_entry e ON e.object_id = x.member_id AND e.source = $1 "
                         "LEFT JOIN wanted w ON w.group_id = x.group_id AND w.member_id = x.member_id "
                         "WHERE w.group_id IS NULL");
    if (!FAULT(ldap_deleted_member))
        buf_printf(&sql, " AND " BOTH_THERE, "x");
    buf_append_str(&sql, " ORDER BY x.group_id, x.member_id");
    store_rows_free(TAKE(moves->removed));
    return store_query(tx, buf_text(&sql), S_ARGS(S_TEXT(moves->run->settings->name)), &moves->removed, why);
}

static enum err added_find(struct store_tx *tx, struct moves *moves, struct why *why)
{
    AUTO_BUF sql = { 0 };
    buf_append_str(&sql, "WITH ");
    buf_printf(&sql, WANTED, key_column(moves->run->settings));
    buf_printf(&sql,
               " SELECT w.group_id, w.member_id, w.kind FROM wanted w LEFT JOIN member x ON x.group_id = "
               "w.group_id AND x.member_id = w.member_id WHERE x.group_id IS NULL AND " BOTH_THERE
               " ORDER BY w.group_id, w.member_id",
               "w");
    store_rows_free(TAKE(moves->added));
    return store_query(tx, buf_text(&sql), S_ARGS(S_TEXT(moves->run->settings->name)), &moves->added, why);
}

static enum err moves_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct moves *moves = arg;
    const struct run *run = moves->run;
    const char *source = run->settings->name;
    AUTO_STR unknown =
        xasprintf("SELECT COUNT(*) FROM directory_link l WHERE l.source = $1 AND l.run = $2 AND NOT "
                  "EXISTS (SELECT 1 FROM directory_entry m WHERE m.source = l.source AND m.%s = "
                  "l.member_key)",
                  key_column(run->settings));
    TRY(count_of(
        tx,
        "SELECT COUNT(*) FROM member x JOIN directory_entry g ON g.object_id = x.group_id AND g.source = "
        "$1 JOIN directory_group o ON o.id = x.group_id AND o.deleted_at IS NULL",
        source, 0, &moves->had, why));
    TRY(count_of(tx, unknown, source, run->kept.run, &moves->unknown, why));
    TRY(removed_find(tx, moves, why));
    return added_find(tx, moves, why);
}

/* --- doing it --- */

static enum err move_one(struct store_tx *tx, struct moves *moves, size_t row, int64_t change,
                         struct why *why)
{
    const char *group_id = store_str(moves->rows, row, 0), *member_id = store_str(moves->rows, row, 1);
    bool nested = strcmp(store_str(moves->rows, row, 2), "group") == 0, changed = false;
    AUTO_VAL(object) group = { 0 };
    AUTO_VAL(object) member = { 0 };
    struct why inner = { 0 };
    const struct member_change what = { &group, &member, change, run_now(moves->run) };
    TRY(object_load(tx, &group_class, group_id, &group, why));
    TRY(object_load(tx, nested ? &group_class : &user_class, member_id, &member, why));
    enum err err =
        moves->adds ? member_add(tx, &what, &changed, &inner) : member_remove(tx, &what, &changed, &inner);
    if (err == ERR_CONFLICT || err == ERR_VALUE) { /* a circle, which Active Directory does not mind */
        bool fresh;
        AUTO_STR key = xasprintf("%s/%s", group_id, member_id);
        const struct kept_problem problem = { key, object_text(&group, "name"), inner.text,
                                              moves->run->kept.run, what.now };
        snprintf(moves->odd, sizeof(moves->odd), "%.199s", inner.text);
        moves->conflicts++;
        return kept_problem_save(tx, moves->run->settings->name, &problem, &fresh, why);
    }
    if (err != OK)
        return fail(why, err, "%s", inner.text);
    moves->done += changed;
    return changed ? apply_audit(tx, moves->run, moves->adds ? "member_add" : "member_remove", group_id,
                                 member_id, why)
                   : OK;
}

static enum err move_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct moves *moves = arg;
    size_t count = store_rows_count(moves->rows);
    int64_t change;
    moves->done = moves->conflicts = 0;
    TRY(change_next(tx, &change, why));
    for (size_t i = moves->from; i < count && i < moves->from + LIMIT_LDAP_BATCH; i++) {
        if (moves->adds || !moves->keep[i])
            TRY(move_one(tx, moves, i, change, why));
    }
    return OK;
}

static enum err rows_move(struct moves *moves, bool adds, struct why *why)
{
    struct run *run = moves->run;
    moves->adds = adds;
    moves->rows = adds ? moves->added : moves->removed;
    for (moves->from = 0; moves->from < store_rows_count(moves->rows); moves->from += LIMIT_LDAP_BATCH) {
        TRY(run_go_on(run, why));
        TRY(store_write(run->context->store, move_work, moves, why));
        *(adds ? &run->counts.members_added : &run->counts.members_removed) += (int64_t)moves->done;
        run->counts.conflicts += (int64_t)moves->conflicts;
        if (moves->conflicts)
            run_warn(run, "a membership", moves->odd);
    }
    return OK;
}

/* --- an incremental run --- */

static enum err there_still(struct entry *entry, void *arg, struct why *why)
{
    struct run *run = arg;
    char id[UUID_TEXT];
    TRY(mapping_id(run->settings, entry, id, why));
    id_set_add(&run->users, id);
    return OK;
}

#define ASKED_AT_ONCE 50

/* Those of the rows from there on who are still in the directory become known as seen. */
static enum err members_ask(struct moves *moves, size_t from, const struct object_class *class,
                            struct why *why)
{
    struct run *run = moves->run;
    const struct ldap_settings *settings = run->settings;
    const struct ldap_reader *reader = run->context->reader;
    bool ad = settings->schema == LDAP_SCHEMA_AD;
    char *const attributes[] = { ad ? "objectGUID" : "entryUUID", NULL };
    AUTO_BUF filter = { 0 };
    buf_printf(&filter, "(&%s(|", class == &user_class ? settings->user_filter : settings->group_filter);
    for (size_t i = from; i < from + ASKED_AT_ONCE && i < store_rows_count(moves->removed); i++) {
        const char *id = store_str(moves->removed, i, 3);
        if (!*id)
            continue;
        buf_printf(&filter, "(%s=", attributes[0]);
        if (ad)
            filter_append_guid(&filter, id);
        else
            filter_append_value(&filter, bytes_str(id));
        buf_append_str(&filter, ")");
    }
    buf_append_str(&filter, "))");
    const struct ldap_search search = { settings->base, buf_text(&filter), attributes, false };
    return reader->search(reader->arg, &search, there_still, run, why);
}

/* A server takes who is deleted out of its groups at once, and we hear of that before we hear of the deletion: whoever is not there any more has
   lost no group. */
static enum err leavers_check(struct moves *moves, struct why *why)
{
    struct run *run = moves->run;
    size_t count = store_rows_count(moves->removed);
    if (FAULT(ldap_leaver))
        return OK;
    for (size_t i = 0; i < count; i += ASKED_AT_ONCE) {
        TRY(members_ask(moves, i, &user_class, why));
        TRY(members_ask(moves, i, &group_class, why));
    }
    for (size_t i = 0; i < count; i++) {
        moves->keep[i] = !id_set_has(&run->users, store_str(moves->removed, i, 3));
        run->want_full |= moves->keep[i];
    }
    return OK;
}

static enum err removals_judge(struct moves *moves, struct why *why)
{
    struct run *run = moves->run;
    size_t count = store_rows_count(moves->removed);
    struct guard_counts counts = { .known = moves->had, .gone = count };
    bool small = counts.gone <= 3; /* the last member of the only group may go */
    moves->keep = xcalloc(count ? count : 1, sizeof(*moves->keep));
    if (!run->counts.held && !run->allow_deletions && !small &&
        guard_holds(counts, run->settings->max_deletions)) {
        AUTO_STR reason = xasprintf("%zu of %zu memberships would go, and that is more than max_deletions",
                                    count, moves->had);
        run->counts.held += (int64_t)count;
        run_warn(run, run->settings->base, reason);
    }
    for (size_t i = 0; i < count; i++)
        moves->keep[i] = run->counts.held > 0; /* of deletions, too: who is gone has left no group */
    if (run->full || run->counts.held || !count)
        return OK;
    if (count > LIMIT_LDAP_CHECKS)
        run->want_full = true;
    return run->want_full ? OK : leavers_check(moves, why);
}

static enum err follow(struct moves *moves, struct why *why)
{
    struct run *run = moves->run;
    TRY(store_read(run->context->store, moves_work, moves, why));
    /* Names that nobody here has may be new ones of entries that were moved: a full run reads those, too. Ids never change. */
    if (!run->full && run->settings->schema != LDAP_SCHEMA_AD && moves->unknown)
        run->want_full = true;
    if (run->want_full)
        return OK;
    TRY(removals_judge(moves, why));
    if (run->want_full && store_rows_count(moves->removed) > LIMIT_LDAP_CHECKS)
        return OK;
    TRY(rows_move(moves, false, why));
    return rows_move(moves, true, why);
}

enum err memberships_follow(struct run *run, struct why *why)
{
    struct moves moves = { .run = run };
    enum err err = follow(&moves, why);
    moves_free(&moves);
    return err;
}
