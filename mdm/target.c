/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/target.h"

#include "base/fault.h"
#include "mdm/suit.h"

static const char *const state_names[TARGET_STATE_COUNT] = {
    [TARGET_REACHES] = "reaches", [TARGET_EXCLUDED] = "excluded", [TARGET_GROUP_DELETED] = "group-deleted",
    [TARGET_USER] = "user",       [TARGET_PLATFORM] = "platform", [TARGET_STATE] = "state",
    [TARGET_MODE] = "mode",       [TARGET_ROOT] = "root",
};
const struct words target_state_words = WORDS(state_names);

/* Deleted groups are gone through as well: that they were deleted is a change of everybody in them. */
const char target_change_sql[] =
    "WITH RECURSIVE up (id) AS (SELECT group_id FROM member WHERE member_id IN ($1, $2) "
    "UNION SELECT m.group_id FROM up JOIN member m ON m.member_id = up.id) "
    "SELECT CAST(MAX(c.change) AS BIGINT) FROM (SELECT change FROM device WHERE id = $1 "
    "UNION ALL SELECT change FROM directory_user WHERE id = $2 "
    "UNION ALL SELECT g.change FROM up JOIN directory_group g ON g.id = up.id "
    "UNION ALL SELECT value FROM counter WHERE name = 'everything') c";

/* gone: it is reached through a deleted group alone. Exclusions come first, then what is there before what is gone. */
const char target_assignments_sql[] =
    "WITH RECURSIVE up (id, gone) AS (SELECT g.id, CAST(CASE WHEN g.deleted_at IS NULL THEN 0 ELSE 1 END AS "
    "BIGINT) "
    "FROM member m JOIN directory_group g ON g.id = m.group_id WHERE m.member_id IN ($1, $2) "
    "UNION SELECT g.id, CAST(CASE WHEN up.gone = 0 AND g.deleted_at IS NULL THEN 0 ELSE 1 END AS BIGINT) "
    "FROM up JOIN member m ON m.member_id = up.id JOIN directory_group g ON g.id = m.group_id) "
    "SELECT p.id, p.name, p.version, p.type, p.platform, p.certificate_type, p.root, a.mode, r.gone, g.id, "
    "g.name, g.kind "
    "FROM (SELECT id, MIN(gone) AS gone FROM up GROUP BY id) r JOIN assignment a ON a.group_id = r.id "
    "JOIN profile p ON p.id = a.profile_id JOIN directory_group g ON g.id = r.id WHERE p.deleted_at IS NULL "
    "ORDER BY p.folded, p.id, a.mode, r.gone, g.folded, g.id";
enum {
    PROFILE_ID,
    PROFILE_NAME,
    VERSION,
    TYPE,
    PLATFORM,
    KIND,
    ROOT,
    MODE,
    GONE,
    GROUP_ID,
    GROUP_NAME,
    GROUP_KIND
};

void targets_free(struct targets *targets)
{
    for (size_t i = 0; i < targets->count; i++) {
        struct target *target = &targets->list[i];
        free(target->profile);
        free(target->name);
        free(target->root);
        free(target->group);
        free(target->why);
    }
    free(targets->list);
    *targets = (struct targets){ 0 };
}

enum err target_change(struct store_tx *tx, const struct device *device, int64_t *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, target_change_sql, S_ARGS(S_TEXT(device->id), S_TEXT(device->owner)), &rows, why));
    *ret = store_int(rows, 0, 0);
    return OK;
}

/* --- one profile: its rows, from first on and before end --- */

struct judging {
    const struct holder *holder;
    const struct store_rows *rows;
    size_t first, end;
};

static bool cell_is(const struct judging *judging, size_t row, size_t column, const char *text)
{
    return strcmp(store_str(judging->rows, row, column), text) == 0;
}

static bool user_counts(const struct user *user)
{
    return (user && user->enabled && !user->deleted) || FAULT(target_user);
}

/* An exclusion holds whoever the user is; what a user group includes is for users who may have something. */
static enum target_state row_state(const struct judging *judging, size_t row)
{
    bool gone = store_int(judging->rows, row, GONE) && !FAULT(target_deleted);
    if (cell_is(judging, row, MODE, "exclude"))
        return TARGET_EXCLUDED;
    if (gone)
        return TARGET_GROUP_DELETED;
    return cell_is(judging, row, GROUP_KIND, "user") && !user_counts(judging->holder->user) ? TARGET_USER
                                                                                            : TARGET_REACHES;
}

/* The row that decides: an exclusion, or else the include that comes nearest to reaching the device. SIZE_MAX: nothing includes it. */
static size_t deciding_row(const struct judging *judging, enum target_state *ret)
{
    size_t excluded = SIZE_MAX, included = SIZE_MAX;
    enum target_state best = TARGET_STATE_COUNT;
    for (size_t row = judging->first; row < judging->end; row++) {
        enum target_state state = row_state(judging, row);
        bool gone = store_int(judging->rows, row, GONE);
        if (state == TARGET_EXCLUDED && !gone && excluded == SIZE_MAX)
            excluded = row;
        if (state != TARGET_EXCLUDED && state < best) {
            included = row;
            best = state;
        }
    }
    bool out = included != SIZE_MAX && excluded != SIZE_MAX && !FAULT(target_exclude);
    *ret = out ? TARGET_EXCLUDED : best;
    return out ? excluded : included;
}

static char *group_sentence(const struct judging *judging, size_t row, enum target_state state)
{
    const char *kind = store_str(judging->rows, row, GROUP_KIND),
               *name = store_str(judging->rows, row, GROUP_NAME);
    const struct user *user = judging->holder->user;
    if (state == TARGET_EXCLUDED)
        return xasprintf("excluded by %s group %s", kind, name);
    if (state == TARGET_GROUP_DELETED)
        return xasprintf("by %s group %s, but that or one between was deleted", kind, name);
    if (state == TARGET_USER)
        return xasprintf("by user group %s, but user %s is %s", name, user && user->upn ? user->upn : "",
                         user && user->deleted ? "deleted" : "disabled");
    return xasprintf("by %s group %s", kind, name);
}

/* What a device is asked before anything of the certificate is. */
static void suit_put(const struct judging *judging, struct target *target)
{
    static const enum target_state states[] = { [SUIT_YES] = TARGET_REACHES,
                                                [SUIT_NOT_PLATFORM] = TARGET_PLATFORM,
                                                [SUIT_NOT_STATE] = TARGET_STATE,
                                                [SUIT_NOT_MODE] = TARGET_MODE,
                                                [SUIT_NOT_USER] = TARGET_USER };
    const struct store_rows *rows = judging->rows;
    size_t row = judging->first;
    const struct profile asked = {
        .type = target->type,
        .platform = (enum platform)word_find(&platform_words, store_bytes(rows, row, PLATFORM)),
        .kind = store_is_null(rows, row, KIND)
                    ? CERTIFICATE_NONE
                    : (enum certificate_kind)word_find(&certificate_kind_words, store_bytes(rows, row, KIND)),
    };
    struct why why = { 0 };
    enum suit suit = SUIT_YES;
    if (suit_check(&asked, judging->holder, &suit, &why) == OK)
        return;
    target->state = states[suit];
    free(target->why);
    target->why = xstrdup(why.text);
}

static void target_put(const struct judging *judging, struct targets *targets)
{
    const struct store_rows *rows = judging->rows;
    enum target_state state;
    size_t row = deciding_row(judging, &state);
    if (row == SIZE_MAX)
        return; /* excluded from what it was never given */
    struct target *target = &targets->list[targets->count++];
    *target = (struct target){
        .profile = xstrdup(store_str(rows, row, PROFILE_ID)),
        .name = xstrdup(store_str(rows, row, PROFILE_NAME)),
        .version = store_int(rows, row, VERSION),
        .type = (enum profile_type)word_find(&profile_type_words, store_bytes(rows, row, TYPE)),
        .root = store_is_null(rows, row, ROOT) ? NULL : xstrdup(store_str(rows, row, ROOT)),
        .state = state,
        .group = xstrdup(store_str(rows, row, GROUP_ID)),
        .why = group_sentence(judging, row, state),
    };
    if (state == TARGET_REACHES)
        suit_put(judging, target);
}

/* --- all of them --- */

static bool reaches(const struct targets *targets, const char *profile)
{
    for (size_t i = 0; i < targets->count; i++) {
        if (strcmp(targets->list[i].profile, profile) == 0)
            return targets->list[i].state == TARGET_REACHES;
    }
    return false;
}

/* A certificate whose root is not there would be trusted by nobody: neither is applied. Roots have no root. */
static void roots_judge(struct targets *targets)
{
    for (size_t i = 0; i < targets->count; i++) {
        struct target *target = &targets->list[i];
        if (target->state != TARGET_REACHES || !target->root || reaches(targets, target->root) ||
            FAULT(target_root))
            continue;
        target->state = TARGET_ROOT;
        free(target->why);
        target->why = xasprintf("its root certificate, profile %s, does not reach the device", target->root);
    }
}

static void rows_judge(const struct holder *holder, const struct store_rows *rows, struct targets *ret)
{
    size_t count = store_rows_count(rows);
    ret->list = xcalloc(count ? count : 1, sizeof(*ret->list));
    for (size_t row = 0; row < count;) {
        struct judging judging = { holder, rows, row, row };
        while (judging.end < count &&
               cell_is(&judging, judging.end, PROFILE_ID, store_str(rows, row, PROFILE_ID)))
            judging.end++;
        target_put(&judging, ret);
        row = judging.end;
    }
    roots_judge(ret);
}

enum err targets_resolve(struct store_tx *tx, const struct holder *holder, struct targets *ret,
                         struct why *why)
{
    AUTO(store_rows) rows = NULL;
    const struct device *device = holder->device;
    int64_t change;
    TRY(target_change(tx, device, &change, why));
    TRY(store_query(tx, target_assignments_sql, S_ARGS(S_TEXT(device->id), S_TEXT(device->owner)), &rows,
                    why));
    *ret = (struct targets){ .change = change };
    rows_judge(holder, rows, ret);
    return OK;
}
