/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/ldap/kept.h"

#include "mdm/group_store.h"
#include <stdio.h>

/* --- entries --- */

void kept_entry_free(struct kept_entry *entry)
{
    free(entry->dn);
    free(entry->uid);
    free(entry->sid);
    free(entry->primary);
    *entry = (struct kept_entry){ 0 };
}

enum err kept_entry_load(struct store_tx *tx, const char *source, const char *entry_id,
                         struct kept_entry *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT kind, object_id, dn, uid, sid, primary_group FROM directory_entry "
                    "WHERE source = $1 AND entry_id = $2",
                    S_ARGS(S_TEXT(source), S_TEXT(entry_id)), &rows, why));
    *ret = (struct kept_entry){ .found = store_rows_count(rows) == 1 };
    if (!ret->found)
        return OK;
    snprintf(ret->kind, sizeof(ret->kind), "%s", store_str(rows, 0, 0));
    snprintf(ret->object_id, sizeof(ret->object_id), "%s", store_str(rows, 0, 1));
    ret->dn = xstrdup(store_str(rows, 0, 2));
    ret->uid = xstrdup(store_str(rows, 0, 3));
    ret->sid = xstrdup(store_str(rows, 0, 4));
    ret->primary = xstrdup(store_str(rows, 0, 5));
    return OK;
}

bool kept_entry_same(const struct kept_entry *kept, const struct mapped *mapped)
{
    return bytes_equal(bytes_str(kept->dn), buf_bytes(&mapped->dn)) &&
           bytes_equal(bytes_str(kept->uid), buf_bytes(&mapped->uid)) &&
           strcmp(kept->sid, mapped->sid) == 0 && strcmp(kept->primary, mapped->primary) == 0;
}

enum err kept_entry_save(struct store_tx *tx, const char *source, const struct mapped *mapped,
                         const char *object_id, struct why *why)
{
    return store_exec(
        tx,
        "INSERT INTO directory_entry (source, entry_id, kind, object_id, dn, uid, sid, primary_group) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (source, entry_id) DO UPDATE SET "
        "dn = $5, uid = $6, sid = $7, primary_group = $8",
        S_ARGS(S_TEXT(source), S_TEXT(mapped->id), S_TEXT(mapped->given.class->name), S_TEXT(object_id),
               store_text_of(buf_bytes(&mapped->dn)), store_text_of(buf_bytes(&mapped->uid)),
               S_TEXT(mapped->sid), S_TEXT(mapped->primary)),
        NULL, why);
}

enum err kept_source_of(struct store_tx *tx, const char *object_id, char **ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT source FROM directory_entry WHERE object_id = $1", S_ARGS(S_TEXT(object_id)),
                    &rows, why));
    *ret = store_rows_count(rows) ? xstrdup(store_str(rows, 0, 0)) : NULL;
    return OK;
}

/* --- links --- */

static enum err links_load(struct store_tx *tx, const char *source, const struct mapped *group,
                           struct store_rows **ret, struct why *why)
{
    return store_query(tx, "SELECT member_key FROM directory_link WHERE source = $1 AND group_entry = $2",
                       S_ARGS(S_TEXT(source), S_TEXT(group->id)), ret, why);
}

static int key_compare(const void *key, const void *member)
{
    return strcmp(key, *(char *const *)member);
}

static bool has_member(const struct mapped *group, const char *key)
{
    return bsearch(key, group->members, group->member_count, sizeof(*group->members), key_compare) != NULL;
}

enum err kept_links_same(struct store_tx *tx, const char *source, const struct mapped *group, bool *ret,
                         struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(links_load(tx, source, group, &rows, why));
    *ret = store_rows_count(rows) == group->member_count;
    for (size_t i = 0; *ret && i < group->member_count; i++)
        *ret = has_member(group, store_str(rows, i, 0));
    return OK;
}

enum err kept_links_save(struct store_tx *tx, const char *source, const struct mapped *group, int64_t run,
                         struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(links_load(tx, source, group, &rows, why));
    for (size_t i = 0; i < store_rows_count(rows); i++) {
        const char *key = store_str(rows, i, 0);
        if (!has_member(group, key))
            TRY(store_exec(
                tx, "DELETE FROM directory_link WHERE source = $1 AND group_entry = $2 AND member_key = $3",
                S_ARGS(S_TEXT(source), S_TEXT(group->id), S_TEXT(key)), NULL, why));
    }
    for (size_t i = 0; i < group->member_count; i++)
        TRY(store_exec(
            tx,
            "INSERT INTO directory_link (source, group_entry, member_key, run) VALUES ($1, $2, $3, "
            "$4) ON CONFLICT (source, group_entry, member_key) DO NOTHING",
            S_ARGS(S_TEXT(source), S_TEXT(group->id), S_TEXT(group->members[i]), S_INT(run)), NULL, why));
    return OK;
}

/* --- problems --- */

enum err kept_problem_save(struct store_tx *tx, const char *source, const struct kept_problem *problem,
                           bool *ret_new, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(
        tx,
        "SELECT (SELECT COUNT(*) FROM directory_problem WHERE source = $1), "
        "(SELECT COUNT(*) FROM directory_problem WHERE source = $1 AND entry_id = $2 AND reason = $3)",
        S_ARGS(S_TEXT(source), S_TEXT(problem->entry_id), S_TEXT(problem->reason)), &rows, why));
    *ret_new = store_int(rows, 0, 1) == 0;
    if (*ret_new && store_int(rows, 0, 0) >= LIMIT_LDAP_PROBLEMS)
        return OK;
    return store_exec(tx,
                      "INSERT INTO directory_problem (source, entry_id, entry, reason, run, at) "
                      "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (source, entry_id) DO UPDATE SET "
                      "entry = $3, reason = $4, run = $5, at = $6",
                      S_ARGS(S_TEXT(source), S_TEXT(problem->entry_id), S_TEXT(problem->entry),
                             S_TEXT(problem->reason), S_INT(problem->run), S_INT(problem->at)),
                      NULL, why);
}

enum err kept_problem_clear(struct store_tx *tx, const char *source, const char *entry_id, struct why *why)
{
    return store_exec(tx, "DELETE FROM directory_problem WHERE source = $1 AND entry_id = $2",
                      S_ARGS(S_TEXT(source), S_TEXT(entry_id)), NULL, why);
}

enum err kept_problems_before(struct store_tx *tx, const char *source, int64_t run, struct why *why)
{
    return store_exec(tx, "DELETE FROM directory_problem WHERE source = $1 AND run < $2",
                      S_ARGS(S_TEXT(source), S_INT(run)), NULL, why);
}

/* --- runs --- */

void kept_run_free(struct kept_run *run)
{
    free(run->mark);
    free(run->kind);
    free(run->outcome);
    free(run->detail);
    free(run->counts);
    *run = (struct kept_run){ 0 };
}

enum err kept_run_load(struct store_tx *tx, const char *source, struct kept_run *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(
        tx,
        "SELECT mark, kind, outcome, detail, counts, run, begun_at, ended_at, succeeded_at, full_at "
        "FROM directory_source WHERE name = $1",
        S_ARGS(S_TEXT(source)), &rows, why));
    bool found = store_rows_count(rows) == 1;
    char **texts[] = { &ret->mark, &ret->kind, &ret->outcome, &ret->detail, &ret->counts };
    int64_t *numbers[] = { &ret->run, &ret->begun_at, &ret->ended_at, &ret->succeeded_at, &ret->full_at };
    kept_run_free(ret);
    for (size_t i = 0; i < 5; i++) {
        *texts[i] = xstrdup(found ? store_str(rows, 0, i) : "");
        *numbers[i] = found ? store_int(rows, 0, 5 + i) : 0;
    }
    return OK;
}

static struct store_value time_or_null(int64_t at)
{
    return at ? S_INT(at) : S_NULL;
}

enum err kept_run_save(struct store_tx *tx, const char *source, const struct kept_run *run, struct why *why)
{
    return store_exec(
        tx,
        "INSERT INTO directory_source (name, mark, kind, outcome, detail, counts, run, begun_at, ended_at, "
        "succeeded_at, full_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (name) DO "
        "UPDATE SET mark = $2, kind = $3, outcome = $4, detail = $5, counts = $6, run = $7, begun_at = $8, "
        "ended_at = $9, succeeded_at = $10, full_at = $11",
        S_ARGS(S_TEXT(source), S_TEXT(run->mark), S_TEXT(run->kind), S_TEXT(run->outcome),
               S_TEXT(run->detail), S_TEXT(run->counts), S_INT(run->run), time_or_null(run->begun_at),
               time_or_null(run->ended_at), time_or_null(run->succeeded_at), time_or_null(run->full_at)),
        NULL, why);
}
