/* SPDX-License-Identifier: Apache-2.0 */
/* Groups, and who is in them. */
#include "tests/unit/mdm/directory.h"

#include <pthread.h>

static int put_in(const char *group, const char *member, bool is_group)
{
    AUTO_STR target = xasprintf("/api/v1/groups/%s/members", group);
    AUTO_STR body = xasprintf("{\"member\":\"%s\"%s}", member, is_group ? ",\"kind\":\"group\"" : "");
    return ask(HTTP_POST, target, body);
}

static void group_make(const char *name, const char *kind)
{
    AUTO_STR body = xasprintf("{\"name\":\"%s\",\"kind\":\"%s\"}", name, kind);
    made("/api/v1/groups", body);
}

static size_t listed(const char *target)
{
    ASSERT_STATUS(200, ask(HTTP_GET, target, NULL));
    return json_array_size(json_object_get(directory.answer, "items"));
}

TEST(a_group_has_members_of_its_kind_and_no_others)
{
    group_make("staff", "user");
    group_make("phones", "device");
    made("/api/v1/users", "{\"upn\":\"a@b\"}");
    AUTO_STR device = xstrdup(made("/api/v1/devices", "{\"platform\":\"ios\",\"name\":\"phone\"}"));
    ASSERT_STATUS(204, put_in("staff", "A@B", false));
    ASSERT_STATUS(204, put_in("staff", "a@b", false)); /* it is */
    ASSERT_STATUS(204, put_in("phones", "phone", false));
    ASSERT_STATUS(404, put_in("staff", device, false));
    ASSERT_STATUS(404, put_in("phones", "a@b", false));
    ASSERT_STATUS(422, put_in("staff", "phones", true));
    ASSERT_SAYS("is a device group, and staff is a group of users");
    assert_int_equal(1, listed("/api/v1/groups/staff/members"));
    assert_int_equal(1, listed("/api/v1/groups/phones/members"));
    assert_int_equal(1, listed("/api/v1/devices/phone/groups"));
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/groups/staff/members/a@b", NULL));
    ASSERT_STATUS(404, ask(HTTP_DELETE, "/api/v1/groups/staff/members/a@b", NULL));
    assert_int_equal(0, listed("/api/v1/groups/staff/members"));
}

TEST(a_group_is_not_in_itself_by_whatever_way)
{
    static const char *const names[] = { "a", "b", "c", "d" };
    for (size_t i = 0; i < 4; i++)
        group_make(names[i], "user");
    ASSERT_STATUS(409, put_in("a", "a", true));
    for (size_t i = 0; i < 3; i++)
        ASSERT_STATUS(204, put_in(names[i], names[i + 1], true));
    ASSERT_STATUS(409, put_in("d", "a", true));
    ASSERT_SAYS("group d is in a, or is the same");
    ASSERT_STATUS(409, put_in("c", "b", true));
    ASSERT_STATUS(204, put_in("a", "d", true)); /* a second way down is none up */
    assert_int_equal(3, listed("/api/v1/groups/d/groups"));
    assert_int_equal(2, listed("/api/v1/groups/a/members?groups=true"));
}

TEST(groups_of_a_member_are_found_upwards)
{
    group_make("all", "user");
    group_make("staff", "user");
    group_make("other", "user");
    made("/api/v1/users", "{\"upn\":\"a@b\"}");
    ASSERT_STATUS(204, put_in("all", "staff", true));
    ASSERT_STATUS(204, put_in("staff", "a@b", false));
    assert_int_equal(2, listed("/api/v1/users/a@b/groups"));
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/groups/staff", NULL));
    assert_int_equal(0, listed("/api/v1/users/a@b/groups")); /* what it was in is not reached any more */
    assert_int_equal(2, counted("SELECT COUNT(*) FROM member"));
}

static int64_t change_of(const char *target)
{
    ASSERT_STATUS(200, ask(HTTP_GET, target, NULL));
    return json_integer_value(json_object_get(directory.answer, "change"));
}

TEST(a_membership_is_a_change_of_the_member_alone)
{
    group_make("staff", "user");
    made("/api/v1/users", "{\"upn\":\"a@b\"}");
    made("/api/v1/users", "{\"upn\":\"c@d\"}");
    int64_t group = change_of("/api/v1/groups/staff"), other = change_of("/api/v1/users/c@d");
    ASSERT_STATUS(204, put_in("staff", "a@b", false));
    int64_t added = change_of("/api/v1/users/a@b");
    assert_true(added > other);
    ASSERT_STATUS(204, put_in("staff", "a@b", false));
    assert_int_equal(added, change_of("/api/v1/users/a@b")); /* nothing has changed */
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/groups/staff/members/a@b", NULL));
    assert_true(change_of("/api/v1/users/a@b") > added);
    assert_int_equal(group, change_of("/api/v1/groups/staff"));
    assert_int_equal(other, change_of("/api/v1/users/c@d"));
}

TEST(names_are_unique_and_no_ids_and_the_kind_is_for_ever)
{
    group_make("Staff", "user");
    ASSERT_STATUS(409, ask(HTTP_POST, "/api/v1/groups", "{\"name\":\"STAFF\",\"kind\":\"device\"}"));
    ASSERT_STATUS(422, ask(HTTP_POST, "/api/v1/groups",
                           "{\"name\":\"1c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2f\",\"kind\":\"user\"}"));
    ASSERT_STATUS(422, ask(HTTP_PATCH, "/api/v1/groups/staff", "{\"kind\":\"device\"}"));
    ASSERT_SAYS("kind is \"user\" for ever");
    ASSERT_STATUS(
        200, ask(HTTP_PATCH, "/api/v1/groups/staff", "{\"kind\":\"user\",\"description\":\"all of us\"}"));
    static const char *const wrong[] = { "{}",
                                         "{\"member\":1}",
                                         "{\"member\":\"\"}",
                                         "{\"member\":\"a@b\",\"kind\":\"user\"}",
                                         "[]",
                                         "{\"member\":\"a@b\",\"x\":1}",
                                         "{\"kind\":\"group\"}" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        ASSERT_STATUS(422, ask(HTTP_POST, "/api/v1/groups/staff/members", wrong[i]));
}

/* --- two that would close a circle together --- */

static void *put_one(void *arg)
{
    const char *names = arg; /* group, member */
    struct api_answer answer = { 0 };
    AUTO_STR target = xasprintf("/api/v1/groups/%c/members", names[0]);
    AUTO_STR body = xasprintf("{\"member\":\"%c\",\"kind\":\"group\"}", names[1]);
    const struct api_request request = { .method = HTTP_POST,
                                         .target = bytes_str(target),
                                         .content_type = BYTES_LIT("application/json"),
                                         .body = bytes_str(body),
                                         .caller = &directory.caller };
    api_serve(&directory.mdm, &request, &answer);
    intptr_t status = answer.status;
    api_answer_free(&answer);
    return (void *)status;
}

TEST(of_two_at_once_that_would_close_a_circle_one_is_refused)
{
    group_make("a", "user");
    group_make("b", "user");
    for (int round = 0; round < 20; round++) {
        pthread_t threads[2];
        void *status[2];
        static const char *const both[] = { "ab", "ba" };
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(0, pthread_create(&threads[i], NULL, put_one, (void *)(uintptr_t)both[i]));
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(0, pthread_join(threads[i], &status[i]));
        assert_int_equal(204 + 409, (intptr_t)status[0] + (intptr_t)status[1]);
        bool first = (intptr_t)status[0] == 204;
        ASSERT_STATUS(204, ask(HTTP_DELETE,
                               first ? "/api/v1/groups/a/members/b?groups=true"
                                     : "/api/v1/groups/b/members/a?groups=true",
                               NULL));
    }
}

DIRECTORY_MAIN(D(a_group_has_members_of_its_kind_and_no_others), D(a_group_is_not_in_itself_by_whatever_way),
               D(groups_of_a_member_are_found_upwards), D(a_membership_is_a_change_of_the_member_alone),
               D(names_are_unique_and_no_ids_and_the_kind_is_for_ever),
               D(of_two_at_once_that_would_close_a_circle_one_is_refused))
