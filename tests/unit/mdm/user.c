/* SPDX-License-Identifier: Apache-2.0 */
/* Users, and with them what every class does. */
#include "tests/unit/mdm/directory.h"

#include "mdm/user_store.h"
#include <pthread.h>

#define MANY 100

TEST(a_user_is_added_shown_changed_and_deleted)
{
    const char *id =
        made("/api/v1/users", "{\"upn\":\"Anna@Example.org\",\"name\":\"Anna\",\"email\":\"\",\"sid\":null}");
    assert_non_null(strstr(directory.headers, "ETag: \"1\""));
    AUTO_STR by_id = xasprintf("/api/v1/users/%s", id);
    ASSERT_STATUS(200, ask(HTTP_GET, by_id, NULL));
    assert_string_equal(answered("upn"), "Anna@Example.org");
    assert_string_equal(answered("source"), "local");
    assert_string_equal(answered("created_at"), "2026-09-21T14:13:20Z");
    assert_true(json_is_true(json_object_get(directory.answer, "enabled")));
    assert_true(json_is_null(json_object_get(directory.answer, "email")));
    directory.clock.held += 10;
    ASSERT_STATUS(200,
                  ask(HTTP_PATCH, "/api/v1/users/anna%40EXAMPLE.org", "{\"enabled\":false,\"name\":null}"));
    assert_true(json_is_false(json_object_get(directory.answer, "enabled")));
    assert_true(json_is_null(json_object_get(directory.answer, "name")));
    assert_string_equal(answered("changed_at"), "2026-09-21T14:13:30Z");
    ASSERT_STATUS(204, ask(HTTP_DELETE, by_id, NULL));
    ASSERT_STATUS(404, ask(HTTP_GET, by_id, NULL));
    ASSERT_STATUS(404, ask(HTTP_GET, "/api/v1/users/anna@example.org", NULL));
    ASSERT_STATUS(404, ask(HTTP_DELETE, by_id, NULL));
    assert_int_equal(1, counted("SELECT COUNT(*) FROM directory_user WHERE deleted_at IS NOT NULL"));
}

TEST(a_upn_is_that_of_one_user_whatever_its_letter_case)
{
    made("/api/v1/users", "{\"upn\":\"J\\u00e4ger@example.org\"}");
    ASSERT_STATUS(409, ask(HTTP_POST, "/api/v1/users", "{\"upn\":\"J\\u00c4GER@Example.ORG\"}"));
    ASSERT_SAYS("upn \"J\u00c4GER@Example.ORG\" is that of another user");
    made("/api/v1/users", "{\"upn\":\"jager@example.org\"}");
    ASSERT_STATUS(
        409, ask(HTTP_PATCH, "/api/v1/users/jager@example.org", "{\"upn\":\"j\\u00e4ger@example.org\"}"));
    /* Her own is no other user's. */
    ASSERT_STATUS(200, ask(HTTP_PATCH, "/api/v1/users/JAGER@example.org", "{\"upn\":\"Jager@Example.org\"}"));
    /* Whoever has gone has no name any more. */
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/users/jager@example.org", NULL));
    made("/api/v1/users", "{\"upn\":\"JAGER@example.org\"}");
}

TEST(what_is_wrong_is_refused_by_name_and_nothing_is_kept)
{
    static const struct {
        const char *body, *says;
    } rows[] = {
        { "{}", "upn is not there" },
        { "{\"upn\":null}", "upn has no value" },
        { "{\"upn\":5}", "upn is \"5\"; allowed is a JSON string" },
        { "{\"upn\":\"anna\"}", "upn is \"anna\"; allowed is a user principal name" },
        { "{\"upn\":\"a@b\",\"nonsense\":1}", "a user has no member nonsense; allowed are upn, name" },
        { "{\"upn\":\"a@b\",\"id\":\"1\"}", "id is set by the service" },
        { "{\"upn\":\"a@b\",\"change\":1}", "change is set by the service" },
        { "{\"upn\":\"a@b\",\"enabled\":\"true\"}", "enabled is \"\"true\"\"; allowed is a JSON boolean" },
        { "{\"upn\":\"a@b\",\"enabled\":null}", "enabled is \"null\"" },
        { "{\"upn\":\"a@b\",\"name\":\"x\\ny\"}", "name is " },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ASSERT_STATUS(422, ask(HTTP_POST, "/api/v1/users", rows[i].body));
        if (!strstr(detail(), rows[i].says))
            fail_msg("%s: \"%s\", wanted \"%s\"", rows[i].body, detail(), rows[i].says);
    }
    assert_int_equal(0, counted("SELECT COUNT(*) FROM directory_user"));
    assert_int_equal(0, counted("SELECT COUNT(*) FROM audit"));
}

TEST(sql_and_other_characters_are_values_and_nothing_else)
{
    static const char *const names[] = { "x'; DROP TABLE directory_user; --", "\\\" OR 1=1", "%_", "$1",
                                         "\\u4e2d\\u6587 \\ud83d\\ude00",     "a;b,c" };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        AUTO_STR body = xasprintf("{\"upn\":\"u%zu@example.org\",\"name\":\"%s\",\"sam_name\":\"%s\"}", i,
                                  names[i], names[i]);
        AUTO_STR target = xasprintf("/api/v1/users/u%zu@example.org", i);
        json_error_t error;
        AUTO_JSON given = json_loads(body, 0, &error);
        made("/api/v1/users", body);
        ASSERT_STATUS(200, ask(HTTP_GET, target, NULL));
        assert_string_equal(answered("name"), json_string_value(json_object_get(given, "name")));
    }
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/users?sam_name=%25_", NULL));
    assert_int_equal(1, json_array_size(json_object_get(directory.answer, "items")));
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/users?starts=%25", NULL));
    assert_int_equal(0, json_array_size(json_object_get(directory.answer, "items")));
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/users?sam_name='%20OR%20'1'='1", NULL));
    assert_int_equal(0, json_array_size(json_object_get(directory.answer, "items")));
    assert_int_equal(6, counted("SELECT COUNT(*) FROM directory_user"));
}

static size_t page(const char *query, char *ret_next)
{
    AUTO_STR target = xasprintf("/api/v1/users?limit=10&%s%s", query, ret_next);
    ASSERT_STATUS(200, ask(HTTP_GET, target, NULL));
    snprintf(ret_next, 64, "%s", answered("next"));
    return json_array_size(json_object_get(directory.answer, "items"));
}

static void users_make(int from, int to, const char *form)
{
    for (int i = from; i < to; i++) {
        char body[100];
        snprintf(body, sizeof(body), "{\"upn\":\"%s%03d@example.org\"}", form, i);
        made("/api/v1/users", body);
    }
}

TEST(pages_neither_repeat_nor_leave_out_what_was_there_while_others_are_added)
{
    char next[64] = "";
    bool seen[30] = { 0 };
    size_t got = 0;
    users_make(0, 30, "u");
    for (int round = 0; round < 10; round++) {
        page(*next ? "after=" : "starts=", next);
        json_t *item;
        size_t index;
        json_array_foreach(json_object_get(directory.answer, "items"), index, item)
        {
            const char *upn = json_string_value(json_object_get(item, "upn"));
            if (upn[0] != 'u')
                continue;
            int number = atoi(upn + 1);
            assert_false(seen[number]);
            seen[number] = true;
            got++;
        }
        if (!*next)
            break;
        char kept[64];
        memcpy(kept, next, sizeof(kept));
        users_make(round, round + 1, "t"); /* before and behind where the reader is */
        users_make(round, round + 1, "v");
        memcpy(next, kept, sizeof(next));
    }
    assert_int_equal(30, got);
    assert_string_equal(next, "");
}

TEST(lists_are_narrowed_by_filters_and_say_when_there_is_more)
{
    users_make(0, 11, "u");
    ASSERT_STATUS(200, ask(HTTP_PATCH, "/api/v1/users/u003@example.org", "{\"enabled\":false}"));
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/users/u004@example.org", NULL));
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/users?enabled=false", NULL));
    assert_int_equal(1, json_array_size(json_object_get(directory.answer, "items")));
    assert_string_equal(answered("next"), "");
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/users?deleted=true&limit=10", NULL));
    assert_int_equal(10, json_array_size(json_object_get(directory.answer, "items")));
    assert_string_not_equal(answered("next"), "");
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/users?limit=10", NULL));
    assert_int_equal(10, json_array_size(json_object_get(directory.answer, "items")));
    assert_string_equal(answered("next"), "");
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/users?starts=U00", NULL));
    assert_int_equal(9, json_array_size(json_object_get(directory.answer, "items")));
}

TEST(whoever_read_an_older_one_changes_nothing)
{
    made("/api/v1/users", "{\"upn\":\"a@b\"}");
    struct api_request request = { .method = HTTP_PATCH,
                                   .target = BYTES_LIT("/api/v1/users/a@b"),
                                   .content_type = BYTES_LIT("application/json"),
                                   .body = BYTES_LIT("{\"name\":\"x\"}"),
                                   .if_match = BYTES_LIT("\"1\""),
                                   .caller = &directory.caller };
    ASSERT_STATUS(200, ask_with(&request));
    ASSERT_STATUS(412, ask_with(&request));
    ASSERT_SAYS("If-Match is \"1\", and it has \"2\"");
}

TEST(each_change_is_in_the_audit_trail_with_who_made_it)
{
    const char *id = made("/api/v1/users", "{\"upn\":\"a@b\"}");
    directory.caller.name = "cli";
    ASSERT_STATUS(200, ask(HTTP_PATCH, "/api/v1/users/a@b", "{\"name\":\"x\"}"));
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/users/a@b", NULL));
    AUTO_STR target = xasprintf("/api/v1/audit?object=%s", id);
    ASSERT_STATUS(200, ask(HTTP_GET, target, NULL));
    const json_t *items = json_object_get(directory.answer, "items");
    static const char *const actions[] = { "user_delete", "user_set", "user_add" };
    assert_int_equal(3, json_array_size(items));
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(items, i), "action")),
                            actions[i]);
    assert_string_equal(json_string_value(json_object_get(json_array_get(items, 1), "detail")),
                        "{\"name\":\"x\"}");
    assert_string_equal(json_string_value(json_object_get(json_array_get(items, 1), "actor")), "cli");
    assert_string_equal(json_string_value(json_object_get(json_array_get(items, 2), "actor")), "admin/anna");
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/audit?limit=2", NULL));
    assert_int_equal(2, json_integer_value(json_object_get(directory.answer, "next")));
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/audit?limit=2&before=2", NULL));
    assert_int_equal(1, json_array_size(json_object_get(directory.answer, "items")));
}

static enum err load_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct user *user = arg;
    AUTO_VAL(object) found = { 0 };
    user_free(user);
    TRY(object_find(tx, &user_class, BYTES_LIT("A@B"), &found, why));
    return user_load(tx, object_id(&found), user, why);
}

TEST(profiles_get_the_same_user)
{
    AUTO_VAL(user) user = { 0 };
    struct why why = { 0 };
    made("/api/v1/users", "{\"upn\":\"a@b\",\"name\":\"N\",\"email\":\"e@b\",\"distinguished_name\":\"CN=a\","
                          "\"sam_name\":\"D\\\\a\",\"sid\":\"S-1-5-18\"}");
    ASSERT_OK(store_read(directory.mdm.store, load_work, &user, &why), &why);
    assert_string_equal(user.upn, "a@b");
    assert_string_equal(user.name, "N");
    assert_string_equal(user.email, "e@b");
    assert_string_equal(user.distinguished_name, "CN=a");
    assert_string_equal(user.sam_name, "D\\a");
    assert_string_equal(user.sid, "S-1-5-18");
    assert_true(user.enabled && !user.deleted);
}

/* --- many at once --- */

static void *add_one(void *arg)
{
    struct api_answer answer = { 0 };
    AUTO_STR body = xasprintf("{\"upn\":\"%s%d@example.org\"}", *(int *)arg % 2 ? "SAME" : "u",
                              *(int *)arg % 2 ? 0 : *(int *)arg);
    const struct api_request request = { .method = HTTP_POST,
                                         .target = BYTES_LIT("/api/v1/users"),
                                         .content_type = BYTES_LIT("application/json"),
                                         .body = bytes_str(body),
                                         .caller = &directory.caller };
    api_serve(&directory.mdm, &request, &answer);
    *(int *)arg = answer.status;
    api_answer_free(&answer);
    return NULL;
}

TEST(of_a_hundred_at_once_each_has_its_own_number_and_one_upn_is_given_once)
{
    pthread_t threads[MANY];
    int states[MANY], added = 0, refused = 0;
    for (int i = 0; i < MANY; i++) {
        states[i] = i;
        assert_int_equal(0, pthread_create(&threads[i], NULL, add_one, &states[i]));
    }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(0, pthread_join(threads[i], NULL));
        added += states[i] == 201;
        refused += states[i] == 409;
    }
    assert_int_equal(MANY / 2 + 1, added);
    assert_int_equal(MANY / 2 - 1, refused);
    assert_int_equal(added, counted("SELECT COUNT(DISTINCT change) FROM directory_user"));
    assert_int_equal(added, counted("SELECT value FROM counter WHERE name = 'change'"));
    assert_int_equal(added, counted("SELECT COUNT(*) FROM audit"));
}

DIRECTORY_MAIN(D(a_user_is_added_shown_changed_and_deleted),
               D(a_upn_is_that_of_one_user_whatever_its_letter_case),
               D(what_is_wrong_is_refused_by_name_and_nothing_is_kept),
               D(sql_and_other_characters_are_values_and_nothing_else),
               D(pages_neither_repeat_nor_leave_out_what_was_there_while_others_are_added),
               D(lists_are_narrowed_by_filters_and_say_when_there_is_more),
               D(whoever_read_an_older_one_changes_nothing),
               D(each_change_is_in_the_audit_trail_with_who_made_it), D(profiles_get_the_same_user),
               D(of_a_hundred_at_once_each_has_its_own_number_and_one_upn_is_given_once))
