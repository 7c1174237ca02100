/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/assignment.h"

#include "base/fault.h"

static const char *const mode_names[] = { [ASSIGN_INCLUDE] = "include", [ASSIGN_EXCLUDE] = "exclude" };
const struct words assignment_mode_words = WORDS(mode_names);

static const char *name_of(const struct object *object)
{
    return object_text(object, "name");
}

enum err assignment_mode_of(struct store_tx *tx, const char *profile, const char *group, char **ret,
                            struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT mode FROM assignment WHERE profile_id = $1 AND group_id = $2",
                    S_ARGS(S_TEXT(profile), S_TEXT(group)), &rows, why));
    *ret = store_rows_count(rows) ? xstrdup(store_str(rows, 0, 0)) : NULL;
    return OK;
}

static enum err group_stamp(struct store_tx *tx, const struct assignment *assignment, struct why *why)
{
    if (FAULT(assignment_change))
        return OK;
    return store_exec(tx, "UPDATE directory_group SET change = $1 WHERE id = $2",
                      S_ARGS(S_INT(assignment->change), S_TEXT(object_id(assignment->group))), NULL, why);
}

enum err assignment_stamp(struct store_tx *tx, const char *profile, int64_t change, struct why *why)
{
    if (FAULT(profile_change))
        return OK;
    return store_exec(tx,
                      "UPDATE directory_group SET change = $1 WHERE id IN "
                      "(SELECT group_id FROM assignment WHERE profile_id = $2)",
                      S_ARGS(S_INT(change), S_TEXT(profile)), NULL, why);
}

enum err assignment_add(struct store_tx *tx, const struct assignment *assignment, bool *ret_changed,
                        struct why *why)
{
    const char *profile = object_id(assignment->profile), *group = object_id(assignment->group);
    const char *wanted = word_name(&assignment_mode_words, (int)assignment->mode);
    AUTO_STR mode = NULL;
    TRY(assignment_mode_of(tx, profile, group, &mode, why));
    *ret_changed = !mode;
    if (mode && strcmp(mode, wanted) != 0 && !FAULT(assignment_both))
        return fail(why, ERR_CONFLICT,
                    "%.200s has group %.200s as %s, so it cannot have it as %s: remove it first",
                    name_of(assignment->profile), name_of(assignment->group), mode, wanted);
    if (mode)
        return OK;
    TRY(store_exec(
        tx, "INSERT INTO assignment (profile_id, group_id, mode, added_at) VALUES ($1, $2, $3, $4)",
        S_ARGS(S_TEXT(profile), S_TEXT(group), S_TEXT(wanted), S_INT(assignment->now)), NULL, why));
    return group_stamp(tx, assignment, why);
}

enum err assignment_remove(struct store_tx *tx, const struct assignment *assignment, struct why *why)
{
    int64_t removed = 0;
    TRY(store_exec(tx, "DELETE FROM assignment WHERE profile_id = $1 AND group_id = $2",
                   S_ARGS(S_TEXT(object_id(assignment->profile)), S_TEXT(object_id(assignment->group))),
                   &removed, why));
    if (removed == 0)
        return fail(why, ERR_NOT_FOUND, "%.200s is not assigned to group %.200s",
                    name_of(assignment->profile), name_of(assignment->group));
    return group_stamp(tx, assignment, why);
}

/* --- warnings --- */

/* A group has members when somebody is in it, by whatever way. */
static enum err members_warn(struct store_tx *tx, const struct object *group, struct problems *problems,
                             struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(
        tx,
        "WITH RECURSIVE down (id) AS (SELECT CAST($1 AS TEXT) UNION SELECT m.member_id FROM member m "
        "JOIN down ON m.group_id = down.id JOIN directory_group g ON g.id = m.member_id "
        "WHERE m.kind = 'group' AND g.deleted_at IS NULL) "
        "SELECT m.member_id FROM down JOIN member m ON m.group_id = down.id "
        "LEFT JOIN directory_user u ON u.id = m.member_id AND u.deleted_at IS NULL "
        "LEFT JOIN device d ON d.id = m.member_id AND d.deleted_at IS NULL "
        "WHERE u.id IS NOT NULL OR d.id IS NOT NULL LIMIT 1",
        S_ARGS(S_TEXT(object_id(group))), &rows, why));
    if (store_rows_count(rows) == 0)
        problem_warn(problems, "group", bytes_str(name_of(group)),
                     "has no members, so this concerns nobody yet");
    return OK;
}

/* Rows of profile, root and group by their names, one warning for each profile. */
static enum err pairs_warn(struct store_tx *tx, const char *sql, const struct object *profile,
                           const char *rule, struct problems *problems, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, sql, S_ARGS(S_TEXT(object_id(profile))), &rows, why));
    size_t count = store_rows_count(rows);
    for (size_t row = 0; row < count;) {
        AUTO_BUF groups = { 0 };
        const char *name = store_str(rows, row, 0), *root = store_str(rows, row, 1);
        for (; row < count && strcmp(store_str(rows, row, 0), name) == 0; row++)
            buf_printf(&groups, "%s%s", groups.len ? ", " : "", store_str(rows, row, 2));
        problem_warn(problems, "root_certificate", bytes_str(root), "%s of %.200s: %s", rule, name,
                     buf_text(&groups));
    }
    return OK;
}

#define PAIRS                                                                                                \
    "SELECT p.name, r.name, g.name FROM profile p JOIN profile r ON r.id = p.root JOIN assignment a ON "
#define OF_PROFILE                                                                                           \
    " JOIN directory_group g ON g.id = a.group_id WHERE (p.id = $1 OR p.root = $1) AND p.deleted_at IS "     \
    "NULL "                                                                                                  \
    "AND g.deleted_at IS NULL AND "

enum err assignment_warn(struct store_tx *tx, const struct object *profile, const struct object *group,
                         struct problems *problems, struct why *why)
{
    static const char missing[] =
        PAIRS "a.profile_id = p.id" OF_PROFILE
              "a.mode = 'include' AND NOT EXISTS (SELECT 1 FROM assignment b WHERE b.profile_id = r.id "
              "AND b.group_id = a.group_id AND b.mode = 'include') ORDER BY p.folded, g.folded";
    static const char excluded[] =
        PAIRS "a.profile_id = r.id" OF_PROFILE
              "a.mode = 'exclude' AND NOT EXISTS (SELECT 1 FROM assignment b WHERE b.profile_id = p.id "
              "AND b.group_id = a.group_id) ORDER BY p.folded, g.folded";
    if (group)
        TRY(members_warn(tx, group, problems, why));
    TRY(pairs_warn(tx, missing, profile, "is not assigned to these groups", problems, why));
    return pairs_warn(tx, excluded, profile, "excludes groups that are not among those", problems, why);
}
