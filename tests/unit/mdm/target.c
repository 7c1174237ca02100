/* SPDX-License-Identifier: Apache-2.0 */
/* What reaches a device, and why what does not. */
#include "mdm/target.h"

#include "mdm/schema.h"
#include "tests/unit/mdm/profile_kept.h"
#include <libpq-fe.h>
#include <sqlite3.h>

#define MANY 100000

static void group_make(const char *name, const char *kind)
{
    AUTO_STR body = xasprintf("{\"name\":\"%s\",\"kind\":\"%s\"}", name, kind);
    made("/api/v1/groups", body);
}

static void put_in(const char *group, const char *member, bool is_group)
{
    AUTO_STR target = xasprintf("/api/v1/groups/%s/members", group);
    AUTO_STR body = xasprintf("{\"member\":\"%s\"%s}", member, is_group ? ",\"kind\":\"group\"" : "");
    ASSERT_STATUS(204, ask(HTTP_POST, target, body));
}

static void assign(const char *profile, const char *group, const char *mode)
{
    AUTO_STR target = xasprintf("/api/v1/profiles/%s/assignments", profile);
    AUTO_STR body = xasprintf("{\"group\":\"%s\",\"mode\":\"%s\"}", group, mode);
    ASSERT_STATUS(201, ask(HTTP_POST, target, body));
}

static void unassign(const char *profile, const char *group)
{
    AUTO_STR target = xasprintf("/api/v1/profiles/%s/assignments/%s", profile, group);
    ASSERT_STATUS(200, ask(HTTP_DELETE, target, NULL));
}

/* The target of that name on the device. NULL: none; borrowed until the next question. */
static const json_t *target_of(const char *device, const char *profile)
{
    AUTO_STR target = xasprintf("/api/v1/devices/%s/profiles", device);
    size_t index;
    json_t *item;
    ASSERT_STATUS(200, ask(HTTP_GET, target, NULL));
    json_array_foreach(json_object_get(directory.answer, "items"), index, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "name")), profile) == 0)
            return item;
    }
    return NULL;
}

#define ASSERT_TARGET(device_, profile_, state_, says_)                                                      \
    do {                                                                                                     \
        const json_t *target_ = target_of(device_, profile_);                                                \
        if (!target_)                                                                                        \
            fail_msg("%s has no target %s", device_, profile_);                                              \
        const char *why_ = json_string_value(json_object_get(target_, "why"));                               \
        assert_string_equal(state_, json_string_value(json_object_get(target_, "state")));                   \
        if (!strstr(why_, says_))                                                                            \
            fail_msg("%s on %s: \"%s\", wanted \"%s\"", profile_, device_, why_, says_);                     \
    } while (0)

/* anna's PC7, in pcs; pcs in all-pcs, that in everything. anna in staff; staff in people. */
static void site_make(void)
{
    static const char *const devices[] = { "pcs", "all-pcs", "everything" };
    made("/api/v1/users", "{\"upn\":\"anna@b\"}");
    made("/api/v1/devices", "{\"platform\":\"windows-10\",\"name\":\"PC7\",\"owner\":\"anna@b\"}");
    made("/api/v1/devices", "{\"platform\":\"windows-10\",\"name\":\"kiosk\"}");
    for (size_t i = 0; i < 3; i++)
        group_make(devices[i], "device");
    put_in("pcs", "PC7", false);
    put_in("all-pcs", "pcs", true);
    put_in("everything", "all-pcs", true);
    group_make("staff", "user");
    group_make("people", "user");
    put_in("staff", "anna@b", false);
    put_in("people", "staff", true);
    profile_made("trusted", NULL, NULL);
}

TEST(a_profile_reaches_the_device_through_groups_in_groups)
{
    site_make();
    assert_null(target_of("pc7", "Root"));
    assign("root", "everything", "include");
    ASSERT_TARGET("pc7", "Root", "reaches", "by device group everything");
    assert_null(target_of("kiosk", "Root"));
    ASSERT_STATUS(200, profile_send(HTTP_PUT, "/api/v1/profiles/root",
                                    fixture_json_with("trusted", "description", "'2'")));
    assert_int_equal(2, json_integer_value(json_object_get(target_of("pc7", "Root"), "version")));
    put_in("everything", "kiosk", false);
    ASSERT_TARGET("kiosk", "Root", "reaches", "by device group everything");
}

TEST(a_profile_reaches_the_device_through_its_users_groups)
{
    site_make();
    assign("root", "people", "include");
    ASSERT_TARGET("pc7", "Root", "reaches", "by user group people");
    ASSERT_STATUS(200, ask(HTTP_PATCH, "/api/v1/devices/pc7", "{\"owner\":null}"));
    assert_null(target_of("pc7", "Root"));
}

TEST(an_exclusion_wins_however_deep_and_of_whichever_kind)
{
    site_make();
    assign("root", "pcs", "include");
    assign("root", "everything", "exclude");
    ASSERT_TARGET("pc7", "Root", "excluded", "excluded by device group everything");
    unassign("root", "everything");
    assign("root", "people", "exclude");
    ASSERT_TARGET("pc7", "Root", "excluded", "excluded by user group people");
    unassign("root", "people");
    ASSERT_TARGET("pc7", "Root", "reaches", "by device group pcs");
    unassign("root", "pcs");
    assign("root", "staff", "include");
    assign("root", "pcs", "exclude");
    ASSERT_TARGET("pc7", "Root", "excluded", "excluded by device group pcs");
    unassign("root", "staff");
    assert_null(target_of("pc7", "Root")); /* it was never given */
}

TEST(a_user_who_is_disabled_or_deleted_gets_nothing_by_user_groups)
{
    site_make();
    profile_made("user", NULL, NULL);
    assign("root", "staff", "include");
    ASSERT_STATUS(200, ask(HTTP_PATCH, "/api/v1/users/anna@b", "{\"enabled\":false}"));
    ASSERT_TARGET("pc7", "Root", "user", "by user group staff, but user anna@b is disabled");
    assign("root", "pcs", "include");
    assign("users", "pcs", "include");
    ASSERT_TARGET("pc7", "Root", "reaches", "by device group pcs");
    ASSERT_TARGET("pc7", "Users", "user", "who is disabled");
    ASSERT_STATUS(200, ask(HTTP_PATCH, "/api/v1/users/anna@b", "{\"enabled\":true}"));
    ASSERT_TARGET("pc7", "Users", "reaches", "by device group pcs");
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/users/anna@b", NULL));
    ASSERT_TARGET("pc7", "Users", "user", "who is deleted");
    unassign("root", "pcs");
    ASSERT_TARGET("pc7", "Root", "user", "is deleted");
    put_in("pcs", "kiosk", false);
    assign("root", "pcs", "include");
    ASSERT_TARGET("kiosk", "Users", "user", "has no user");
}

TEST(platform_state_and_mode_are_reasons_too)
{
    site_make();
    profile_made("trusted", "name", "'Apples'");
    made("/api/v1/devices", "{\"platform\":\"ios\",\"name\":\"phone\"}");
    made("/api/v1/devices",
         "{\"platform\":\"android-enterprise\",\"name\":\"tablet\",\"mode\":\"dedicated\"}");
    profile_made("imported", "platform", "'android-enterprise'");
    put_in("pcs", "phone", false);
    put_in("pcs", "tablet", false);
    assign("root", "pcs", "include");
    assign("old%20keys", "pcs", "include");
    ASSERT_TARGET("phone", "Root", "platform", "is of platform ios, the profile is for windows-10");
    ASSERT_TARGET("tablet", "Old keys", "mode", "is dedicated; pkcs-imported profiles do not go there");
    ASSERT_STATUS(200, ask(HTTP_POST, "/api/v1/devices/pc7/retire", NULL));
    ASSERT_TARGET("pc7", "Root", "state", "is retired");
}

TEST(a_profile_is_not_applied_without_its_root)
{
    site_make();
    profile_made("user", NULL, NULL);
    assign("users", "pcs", "include");
    ASSERT_TARGET("pc7", "Users", "root", "does not reach the device");
    assign("root", "staff", "include"); /* by another way is as good */
    ASSERT_TARGET("pc7", "Users", "reaches", "by device group pcs");
    assign("root", "everything", "exclude");
    ASSERT_TARGET("pc7", "Root", "excluded", "everything");
    ASSERT_TARGET("pc7", "Users", "root", "does not reach the device");
}

TEST(what_a_deleted_group_gave_is_told_from_what_was_taken)
{
    site_make();
    assign("root", "everything", "include");
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/groups/all-pcs", NULL));
    ASSERT_TARGET("pc7", "Root", "group-deleted", "but that or one between was deleted");
    assign("root", "staff", "include");
    ASSERT_TARGET("pc7", "Root", "reaches", "by user group staff");
    /* An exclusion is gone with its group. */
    assign("root", "people", "exclude");
    ASSERT_TARGET("pc7", "Root", "excluded", "people");
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/groups/people", NULL));
    ASSERT_TARGET("pc7", "Root", "reaches", "by user group staff");
}

/* --- has anything changed? --- */

static json_int_t change_of(const char *device)
{
    AUTO_STR target = xasprintf("/api/v1/devices/%s/profiles", device);
    ASSERT_STATUS(200, ask(HTTP_GET, target, NULL));
    return json_integer_value(json_object_get(directory.answer, "change"));
}

TEST(whatever_concerns_a_device_gives_it_a_newer_number_and_nobody_else)
{
    static const struct {
        enum http_method method;
        const char *target, *body;
    } acts[] = {
        { HTTP_PATCH, "/api/v1/devices/pc7", "{\"serial\":\"S7\"}" },
        { HTTP_PATCH, "/api/v1/users/anna@b", "{\"email\":\"anna@b\"}" },
        { HTTP_POST, "/api/v1/profiles/root/assignments", "{\"group\":\"everything\"}" },
        { HTTP_POST, "/api/v1/profiles/root/assignments", "{\"group\":\"people\",\"mode\":\"exclude\"}" },
        { HTTP_PUT, "/api/v1/profiles/root", NULL },
        { HTTP_DELETE, "/api/v1/profiles/root/assignments/people", NULL },
        { HTTP_DELETE, "/api/v1/groups/people/members/staff?groups=true", NULL },
        { HTTP_DELETE, "/api/v1/groups/staff/members/anna@b", NULL },
        { HTTP_DELETE, "/api/v1/groups/everything/members/all-pcs?groups=true", NULL },
        { HTTP_DELETE, "/api/v1/groups/all-pcs", NULL },
        { HTTP_PATCH, "/api/v1/devices/pc7", "{\"owner\":null}" },
    };
    site_make();
    json_int_t before = change_of("pc7"), other = change_of("kiosk");
    for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
        int status =
            acts[i].method == HTTP_PUT
                ? profile_send(HTTP_PUT, acts[i].target, fixture_json_with("trusted", "description", "'2'"))
                : ask(acts[i].method, acts[i].target, acts[i].body);
        if (status >= 300)
            fail_msg("%s: %d %s", acts[i].target, status, detail());
        json_int_t after = change_of("pc7");
        if (after <= before)
            fail_msg("after %s %s the number is %lld as before", api_method_name(acts[i].method),
                     acts[i].target, (long long)after);
        assert_int_equal(other, change_of("kiosk"));
        before = after;
    }
    unassign("root", "everything");
    assert_int_equal(before, change_of("pc7")); /* it is not in there any more */
}

/* --- a group of very many --- */

static enum err exec_work(struct store_tx *tx, void *arg, struct why *why)
{
    return store_exec(tx, arg, S_NO_ARGS, NULL, why);
}

static void exec(const char *sql)
{
    struct why why = { 0 };
    ASSERT_OK(store_write(directory.mdm.store, exec_work, (void *)(uintptr_t)sql, &why), &why);
}

static void many_make(void)
{
    static const char rows[] =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)";
    AUTO_STR numbers = xasprintf(rows, MANY);
    AUTO_STR devices = xasprintf(
        "INSERT INTO device (id, folded, platform, domain_joined, ownership, state, source, created_at, "
        "changed_at, "
        "change) %s SELECT 'd' || i, '', 'windows-10', 0, 'unknown', 'enrolled', 'import', 0, 0, 0 FROM n",
        numbers);
    AUTO_STR members =
        xasprintf("INSERT INTO member (group_id, kind, member_id, added_at) %s SELECT g.id, 'device', "
                  "'d' || n.i, 0 FROM n JOIN directory_group g ON g.name = 'pcs'",
                  numbers);
    exec(devices);
    exec(members);
}

/* The steps that SQLite takes for it; a look at each member would be MANY of them. */
static int steps_of(const char *sql, const char *device, const char *user)
{
    struct store_config config = place_config_again(&directory_place, mdm_migrations, mdm_migration_count);
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(SQLITE_OK, sqlite3_open_v2(config.path, &db, SQLITE_OPEN_READONLY, NULL));
    assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(db, sql, -1, &statement, NULL));
    sqlite3_bind_text(statement, 1, device, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, user, -1, SQLITE_STATIC);
    while (sqlite3_step(statement) == SQLITE_ROW) {}
    int steps = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return steps;
}

/* PostgreSQL's plan for it, with statistics that know of all members, has no look at each one of a table. */
static void plan_check(const char *sql, const char *device, const char *user)
{
    struct store_config config = place_config_again(&directory_place, mdm_migrations, mdm_migration_count);
    AUTO_STR prepare =
        xasprintf("SET search_path = %s; ANALYZE; PREPARE asked (text, text) AS %s", config.schema, sql);
    AUTO_STR explain = xasprintf("EXPLAIN EXECUTE asked ('%s', '%s')", device, user);
    PGconn *connection = PQconnectdb(config.path);
    PGresult *prepared = PQexec(connection, prepare);
    PGresult *plan = PQexec(connection, explain);
    if (PQresultStatus(prepared) != PGRES_COMMAND_OK || PQresultStatus(plan) != PGRES_TUPLES_OK)
        fail_msg("no plan: %s", PQerrorMessage(connection));
    for (int row = 0; row < PQntuples(plan); row++) {
        const char *line = PQgetvalue(plan, row, 0);
        if (strstr(line, "Seq Scan on member") || strstr(line, "Seq Scan on device"))
            fail_msg("the plan has a %s", line);
    }
    PQclear(prepared);
    PQclear(plan);
    PQfinish(connection);
}

TEST(a_group_of_a_hundred_thousand_costs_a_device_no_more_than_a_small_one)
{
    site_make();
    many_make();
    int64_t before = counted("SELECT value FROM counter WHERE name = 'change'");
    assign("root", "pcs", "include");
    AUTO_STR newer =
        xasprintf("SELECT (SELECT COUNT(*) FROM device WHERE change > %lld) + (SELECT COUNT(*) FROM "
                  "directory_group WHERE change > %lld)",
                  (long long)before, (long long)before);
    assert_int_equal(1, counted(newer)); /* the group's row, and no device's */
    ASSERT_TARGET("pc7", "Root", "reaches", "by device group pcs");
    assert_true(change_of("pc7") > before);
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/devices/pc7", NULL));
    AUTO_STR id = xstrdup(answered("id"));
    AUTO_STR owner = xstrdup(answered("owner"));
    if (directory_place.kind == STORE_POSTGRES) {
        plan_check(target_change_sql, id, owner);
        plan_check(target_assignments_sql, id, owner);
        return;
    }
    int change = steps_of(target_change_sql, id, owner),
        assignments = steps_of(target_assignments_sql, id, owner);
    if (change > 1000 || assignments > 2000)
        fail_msg("%d steps to see that nothing has changed, and %d for the targets", change, assignments);
}

DIRECTORY_MAIN(D(a_profile_reaches_the_device_through_groups_in_groups),
               D(a_profile_reaches_the_device_through_its_users_groups),
               D(an_exclusion_wins_however_deep_and_of_whichever_kind),
               D(a_user_who_is_disabled_or_deleted_gets_nothing_by_user_groups),
               D(platform_state_and_mode_are_reasons_too), D(a_profile_is_not_applied_without_its_root),
               D(what_a_deleted_group_gave_is_told_from_what_was_taken),
               D(whatever_concerns_a_device_gives_it_a_newer_number_and_nobody_else),
               D(a_group_of_a_hundred_thousand_costs_a_device_no_more_than_a_small_one))
