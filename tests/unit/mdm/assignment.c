/* SPDX-License-Identifier: Apache-2.0 */
/* Whom profiles are for. */
#include "tests/unit/mdm/profile_kept.h"

static void group_make(const char *name, const char *kind)
{
    AUTO_STR body = xasprintf("{\"name\":\"%s\",\"kind\":\"%s\"}", name, kind);
    made("/api/v1/groups", body);
}

static int assign(const char *profile, const char *group, const char *mode)
{
    AUTO_STR target = xasprintf("/api/v1/profiles/%s/assignments", profile);
    AUTO_STR body = xasprintf("{\"group\":\"%s\",\"mode\":\"%s\"}", group, mode);
    return ask(HTTP_POST, target, body);
}

static size_t listed(const char *target)
{
    ASSERT_STATUS(200, ask(HTTP_GET, target, NULL));
    return json_array_size(json_object_get(directory.answer, "items"));
}

static size_t warned(void)
{
    return json_array_size(json_object_get(directory.answer, "warnings"));
}

static bool warns(const char *field, const char *says)
{
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(directory.answer, "warnings"), index, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "field")), field) == 0 &&
            strstr(json_string_value(json_object_get(item, "rule")), says))
            return true;
    }
    return false;
}

/* Groups with somebody in each. */
static void full_groups_make(void)
{
    static const char *const names[] = { "staff", "guests" };
    made("/api/v1/users", "{\"upn\":\"a@b\"}");
    for (size_t i = 0; i < 2; i++) {
        AUTO_STR target = xasprintf("/api/v1/groups/%s/members", names[i]);
        group_make(names[i], "user");
        ASSERT_STATUS(204, ask(HTTP_POST, target, "{\"member\":\"a@b\"}"));
    }
}

TEST(a_profile_is_for_some_groups_and_not_for_others)
{
    full_groups_make();
    profile_made("trusted", NULL, NULL);
    ASSERT_STATUS(201, assign("root", "staff", "include"));
    assert_int_equal(0, warned());
    ASSERT_STATUS(201, assign("root", "guests", "exclude"));
    ASSERT_STATUS(200, assign("root", "STAFF", "include")); /* it is */
    assert_int_equal(2, listed("/api/v1/profiles/root/assignments"));
    json_t *first = json_array_get(json_object_get(directory.answer, "items"), 0);
    assert_string_equal("guests", json_string_value(json_object_get(first, "name")));
    assert_string_equal("exclude", json_string_value(json_object_get(first, "mode")));
    assert_int_equal(1, listed("/api/v1/groups/staff/assignments"));
    first = json_array_get(json_object_get(directory.answer, "items"), 0);
    assert_string_equal("Root", json_string_value(json_object_get(first, "name")));
    assert_string_equal("include", json_string_value(json_object_get(first, "mode")));
    ASSERT_STATUS(200, ask(HTTP_DELETE, "/api/v1/profiles/root/assignments/staff", NULL));
    ASSERT_STATUS(404, ask(HTTP_DELETE, "/api/v1/profiles/root/assignments/staff", NULL));
    ASSERT_SAYS("Root is not assigned to group staff");
    assert_int_equal(1, listed("/api/v1/profiles/root/assignments"));
    assert_int_equal(3, counted("SELECT COUNT(*) FROM audit WHERE action LIKE 'assignment%'"));
}

TEST(no_group_is_both_in_and_out)
{
    full_groups_make();
    profile_made("trusted", NULL, NULL);
    ASSERT_STATUS(201, assign("root", "staff", "include"));
    ASSERT_STATUS(409, assign("root", "staff", "exclude"));
    ASSERT_SAYS("Root has group staff as include, so it cannot have it as exclude");
    assert_int_equal(1, counted("SELECT COUNT(*) FROM assignment WHERE mode = 'include'"));
}

TEST(what_is_no_assignment_is_refused)
{
    static const char *const wrong[] = { "{}", "[]", "{\"group\":1}",
                                         "{\"group\":\"staff\",\"mode\":\"both\"}",
                                         "{\"group\":\"staff\",\"x\":1}" };
    full_groups_make();
    profile_made("trusted", NULL, NULL);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        ASSERT_STATUS(422, ask(HTTP_POST, "/api/v1/profiles/root/assignments", wrong[i]));
    ASSERT_STATUS(404, assign("root", "nobody", "include"));
    ASSERT_STATUS(404, assign("nobody", "staff", "include"));
    ASSERT_STATUS(201, ask(HTTP_POST, "/api/v1/profiles/root/assignments", "{\"group\":\"staff\"}"));
    assert_string_equal(answered("mode"), "include");
}

TEST(a_group_without_members_is_warned_of)
{
    full_groups_make();
    group_make("empty", "user");
    group_make("outer", "user");
    profile_made("trusted", NULL, NULL);
    ASSERT_STATUS(201, assign("root", "empty", "include"));
    assert_true(warns("group", "has no members"));
    ASSERT_STATUS(
        204, ask(HTTP_POST, "/api/v1/groups/outer/members", "{\"member\":\"empty\",\"kind\":\"group\"}"));
    ASSERT_STATUS(201, assign("root", "outer", "include"));
    assert_true(warns("group", "has no members"));
    ASSERT_STATUS(
        204, ask(HTTP_POST, "/api/v1/groups/outer/members", "{\"member\":\"staff\",\"kind\":\"group\"}"));
    ASSERT_STATUS(200, assign("root", "outer", "include"));
    assert_int_equal(0, warned());
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/users/a@b", NULL)); /* who has gone is nobody */
    ASSERT_STATUS(200, assign("root", "outer", "include"));
    assert_int_equal(1, warned());
}

TEST(a_root_goes_to_the_same_groups_or_a_warning_lists_them)
{
    full_groups_make();
    profile_made("trusted", NULL, NULL);
    profile_made("user", NULL, NULL);
    ASSERT_STATUS(201, assign("users", "staff", "include"));
    assert_true(warns("root_certificate", "is not assigned to these groups of Users: staff"));
    ASSERT_STATUS(201, assign("users", "guests", "include"));
    assert_true(warns("root_certificate", "is not assigned to these groups of Users: guests, staff"));
    ASSERT_STATUS(201, assign("root", "staff", "include"));
    assert_true(warns("root_certificate", "is not assigned to these groups of Users: guests"));
    ASSERT_STATUS(201, assign("root", "guests", "include"));
    assert_int_equal(0, warned());
    ASSERT_STATUS(200, ask(HTTP_DELETE, "/api/v1/profiles/root/assignments/staff", NULL));
    assert_true(warns("root_certificate", "is not assigned to these groups of Users: staff"));
    ASSERT_STATUS(200, ask(HTTP_DELETE, "/api/v1/profiles/users/assignments/staff", NULL));
    assert_int_equal(0, warned());
    ASSERT_STATUS(201, assign("root", "staff", "exclude"));
    assert_true(warns("root_certificate", "excludes groups that are not among those of Users: staff"));
    ASSERT_STATUS(201, assign("users", "staff", "exclude"));
    assert_int_equal(0, warned());
}

static int64_t change_of(const char *target)
{
    ASSERT_STATUS(200, ask(HTTP_GET, target, NULL));
    return json_integer_value(json_object_get(directory.answer, "change"));
}

TEST(an_assignment_and_a_version_are_changes_of_the_groups_that_have_the_profile)
{
    full_groups_make();
    profile_made("imported", NULL, NULL);
    int64_t staff = change_of("/api/v1/groups/staff"), guests = change_of("/api/v1/groups/guests");
    ASSERT_STATUS(201, assign("old%20keys", "staff", "include"));
    int64_t assigned = change_of("/api/v1/groups/staff");
    assert_true(assigned > staff);
    ASSERT_STATUS(200, assign("old%20keys", "staff", "include"));
    assert_int_equal(assigned, change_of("/api/v1/groups/staff")); /* nothing has changed */
    ASSERT_STATUS(200, profile_send(HTTP_PUT, "/api/v1/profiles/old%20keys",
                                    fixture_json_with("imported", "description", "'new'")));
    int64_t saved = change_of("/api/v1/groups/staff");
    assert_true(saved > assigned);
    ASSERT_STATUS(200, ask(HTTP_DELETE, "/api/v1/profiles/old%20keys/assignments/staff", NULL));
    assert_true(change_of("/api/v1/groups/staff") > saved);
    assert_int_equal(guests, change_of("/api/v1/groups/guests"));
}

TEST(a_profile_that_is_assigned_is_not_deleted)
{
    full_groups_make();
    profile_made("trusted", NULL, NULL);
    ASSERT_STATUS(201, assign("root", "staff", "include"));
    ASSERT_STATUS(409, ask(HTTP_DELETE, "/api/v1/profiles/root", NULL));
    ASSERT_SAYS("profile Root is assigned to group staff");
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/groups/staff", NULL));
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/profiles/root", NULL));
}

DIRECTORY_MAIN(D(a_profile_is_for_some_groups_and_not_for_others), D(no_group_is_both_in_and_out),
               D(what_is_no_assignment_is_refused), D(a_group_without_members_is_warned_of),
               D(a_root_goes_to_the_same_groups_or_a_warning_lists_them),
               D(an_assignment_and_a_version_are_changes_of_the_groups_that_have_the_profile),
               D(a_profile_that_is_assigned_is_not_deleted))
