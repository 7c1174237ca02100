/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/session.h"

#include "base/fault.h"
#include "base/limits.h"
#include "mdm/administrator.h"
#include <stdio.h>

#define STALE_MOST_S 60

enum err session_add(struct store_tx *tx, const struct session *session,
                     const uint8_t digest[static BEARER_DIGEST], struct why *why)
{
    TRY(store_exec(
        tx,
        "DELETE FROM admin_session WHERE administrator_id = $1 AND id NOT IN (SELECT id FROM "
        "admin_session WHERE administrator_id = $1 ORDER BY seen_at DESC, id LIMIT $2)",
        S_ARGS(S_TEXT(session->administrator), S_INT(FAULT(session_limit) ? 1000000 : LIMIT_SESSIONS - 1)),
        NULL, why));
    return store_exec(tx,
                      "INSERT INTO admin_session (digest, id, administrator_id, created_at, seen_at) VALUES "
                      "($1, $2, $3, $4, $4)",
                      S_ARGS(S_BYTES(bytes_of(digest, BEARER_DIGEST)), S_TEXT(session->id),
                             S_TEXT(session->administrator), S_INT(session->created_at)),
                      NULL, why);
}

static enum err judge(const struct session *session, const struct session_times *times, int64_t now,
                      struct why *why)
{
    if (now - session->seen_at >= times->idle_s && !FAULT(session_idle))
        return fail(why, ERR_SIGN_IN, "session %s was idle for %llds, limit %lld", session->id,
                    (long long)(now - session->seen_at), (long long)times->idle_s);
    if (now >= session_ends(session, times) && !FAULT(session_lifetime))
        return fail(why, ERR_SIGN_IN, "session %s is older than %llds", session->id,
                    (long long)times->lifetime_s);
    return OK;
}

enum err session_find(struct store_tx *tx, const uint8_t digest[static BEARER_DIGEST],
                      const struct session_times *times, int64_t now, struct session *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    struct session session = { 0 };
    TRY(store_query(tx,
                    "SELECT s.id, a.id, a.name, a.roles, s.created_at, s.seen_at FROM admin_session s JOIN "
                    "administrator a ON a.id = s.administrator_id WHERE s.digest = $1 AND a.enabled = 1 AND "
                    "a.deleted_at IS NULL",
                    S_ARGS(S_BYTES(bytes_of(digest, BEARER_DIGEST))), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_SIGN_IN, "there is no such session");
    snprintf(session.id, sizeof(session.id), "%s", store_str(rows, 0, 0));
    snprintf(session.administrator, sizeof(session.administrator), "%s", store_str(rows, 0, 1));
    snprintf(session.name, sizeof(session.name), "%s", store_str(rows, 0, 2));
    session.roles = roles_of(store_str(rows, 0, 3));
    session.created_at = store_int(rows, 0, 4);
    session.seen_at = store_int(rows, 0, 5);
    TRY(judge(&session, times, now, why));
    *ret = session;
    return OK;
}

bool session_is_stale(const struct session *session, const struct session_times *times, int64_t now)
{
    int64_t tenth = times->idle_s / 10;
    return now - session->seen_at >= (tenth < STALE_MOST_S ? tenth : STALE_MOST_S);
}

enum err session_touch(struct store_tx *tx, const char *id, int64_t now, struct why *why)
{
    return store_exec(tx, "UPDATE admin_session SET seen_at = $2 WHERE id = $1 AND seen_at < $2",
                      S_ARGS(S_TEXT(id), S_INT(now)), NULL, why);
}

int64_t session_ends(const struct session *session, const struct session_times *times)
{
    return session->created_at + times->lifetime_s;
}

enum err session_end(struct store_tx *tx, const char *id, struct why *why)
{
    return store_exec(tx, "DELETE FROM admin_session WHERE id = $1", S_ARGS(S_TEXT(id)), NULL, why);
}

enum err sessions_end(struct store_tx *tx, const char *administrator, struct why *why)
{
    return store_exec(tx, "DELETE FROM admin_session WHERE administrator_id = $1",
                      S_ARGS(S_TEXT(administrator)), NULL, why);
}

enum err sessions_sweep(struct store_tx *tx, const struct session_times *times, int64_t now, struct why *why)
{
    return store_exec(tx, "DELETE FROM admin_session WHERE seen_at <= $1 OR created_at <= $2",
                      S_ARGS(S_INT(now - times->idle_s), S_INT(now - times->lifetime_s)), NULL, why);
}
