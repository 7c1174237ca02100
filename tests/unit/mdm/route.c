/* SPDX-License-Identifier: Apache-2.0 */
/* Who reaches a route, and how a request has to be. */
#include "tests/unit/mdm/directory.h"

/* With roles, or as nobody when negative. */
static int asked(enum http_method method, const char *target, int roles)
{
    const struct api_caller caller = { "admin/x", (unsigned)roles };
    const struct api_request request = {
        .method = method,
        .target = bytes_str(target),
        .content_type = method == HTTP_GET ? BYTES_NONE : BYTES_LIT("application/json"),
        .body = method == HTTP_GET || method == HTTP_HEAD || method == HTTP_DELETE
                    ? BYTES_NONE
                    : BYTES_LIT("{\"nonsense\":1}"),
        .caller = roles < 0 ? NULL : &caller
    };
    return ask_with(&request);
}

static char *target_of(const struct route *route)
{
    AUTO_BUF target = { 0 };
    for (const char *at = route->path; *at; at++) {
        if (*at != '{') {
            buf_append_byte(&target, (uint8_t)*at);
            continue;
        }
        buf_append_str(&target, "nobody");
        at = strchr(at, '}');
    }
    return xstrdup(buf_text(&target));
}

TEST(each_route_is_reached_by_the_roles_that_it_is_for_and_by_nobody_else)
{
    size_t reached = 0;
    for (size_t i = 0; i < route_count; i++) {
        AUTO_STR target = target_of(&routes[i]);
        if (routes[i].roles)
            ASSERT_STATUS(401, asked(routes[i].method, target, -1));
        else if (asked(routes[i].method, target, -1) == 401)
            fail_msg("%s answers 401 to nobody, and is for everybody", target);
        int without = asked(routes[i].method, target, 0);
        assert_int_equal(routes[i].roles != 0, without == 403);
        for (size_t bit = 0; bit < ADMIN_ROLES; bit++) {
            int status = asked(routes[i].method, target, 1 << bit);
            bool meant = routes[i].roles & 1u << bit || !routes[i].roles;
            if (meant == (status == 403 || status == 401))
                fail_msg("%s %s answers %d to %s", api_method_name(routes[i].method), target, status,
                         admin_role_names[bit]);
            reached += meant;
        }
    }
    assert_true(reached > route_count);
}

TEST(nobody_learns_without_signing_in_what_there_is)
{
    static const char *const targets[] = {
        "/", "/api/v1/users", "/api/v1/nothing", "/api/v1/openapi.json/", "", "*"
    };
    for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
        ASSERT_STATUS(401, asked(HTTP_GET, targets[i], -1));
        assert_non_null(strstr(directory.headers, "WWW-Authenticate: Bearer"));
        ASSERT_STATUS(401, asked(HTTP_POST, targets[i], -1));
    }
    ASSERT_STATUS(401, asked(HTTP_DELETE, "/api/v1/openapi.json", -1));
    ASSERT_STATUS(200, asked(HTTP_HEAD, "/api/v1/openapi.json", -1));
}

TEST(paths_and_methods_that_are_none_are_said_to_be_so)
{
    ASSERT_STATUS(404, ask(HTTP_GET, "/api/v1/nothing", NULL));
    ASSERT_STATUS(404, ask(HTTP_GET, "/api/v1/users/", NULL));
    ASSERT_STATUS(404, ask(HTTP_GET, "/api/v1//users", NULL));
    ASSERT_STATUS(404, ask(HTTP_GET, "/API/v1/users", NULL));
    ASSERT_STATUS(404, ask(HTTP_GET, "api/v1/users", NULL));
    ASSERT_STATUS(405, ask(HTTP_PUT, "/api/v1/users", "{}"));
    ASSERT_STATUS(404, ask(HTTP_GET, "/api/v1/users/%zz", NULL));
    ASSERT_STATUS(404, ask(HTTP_GET, "/api/v1/users/%00", NULL));
    ASSERT_STATUS(404, ask(HTTP_GET, "/api/v1/users/%ff", NULL));
    assert_string_equal(answered("code"), "ERR_HTTP_PATH");
}

TEST(a_query_has_known_parameters_each_once)
{
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/users?limit=1&enabled=true&starts=a", NULL));
    static const char *const wrong[] = {
        "limit=0",         "limit=1001", "limit=x",  "limit=-1",
        "limit=1&limit=1", "nonsense=1", "filter=1", "upn=a@b",
        "enabled=yes",     "deleted=1",  "after=x",  "starts=%ff",
        "starts=%0",       "limit=1%00", "=1",       "after=1c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2f"
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        AUTO_STR target = xasprintf("/api/v1/users?%s", wrong[i]);
        int status = ask(HTTP_GET, target, NULL);
        if (status != 422 && status != 400 && status != 404)
            fail_msg("%s gave %d", target, status);
    }
}

static int sent(const char *type, struct bytes body)
{
    const struct api_request request = { .method = HTTP_POST,
                                         .target = BYTES_LIT("/api/v1/users"),
                                         .content_type = bytes_str(type),
                                         .body = body,
                                         .caller = &directory.caller };
    return ask_with(&request);
}

TEST(a_body_is_json_and_strictly_so)
{
    ASSERT_STATUS(422, sent("text/plain", BYTES_LIT("{\"upn\":\"a@b\"}")));
    ASSERT_STATUS(422, sent("", BYTES_LIT("{\"upn\":\"a@b\"}")));
    ASSERT_STATUS(400, sent("application/json", BYTES_NONE));
    ASSERT_STATUS(400, sent("application/json", BYTES_LIT("{\"upn\":\"a@b\"}x")));
    ASSERT_STATUS(400, sent("application/json", BYTES_LIT("{\"upn\":\"a@b\",\"upn\":\"c@d\"}")));
    ASSERT_STATUS(400, sent("application/json", BYTES_LIT("{\"upn\":\"a@b\\u0000\"}")));
    ASSERT_STATUS(422, sent("application/json", BYTES_LIT("[]")));
    ASSERT_STATUS(422, sent("application/json", BYTES_LIT("null")));
    AUTO_BUF huge = { 0 };
    buf_append_str(&huge, "{\"upn\":\"");
    for (int i = 0; i < 70000; i++)
        buf_append_byte(&huge, 'x');
    buf_append_str(&huge, "\"}");
    ASSERT_STATUS(413, sent("application/json", buf_bytes(&huge)));
    assert_int_equal(0, counted("SELECT COUNT(*) FROM directory_user"));
    ASSERT_STATUS(201, sent("application/json; charset=utf-8", BYTES_LIT("{\"upn\":\"a@b\"}")));
    ASSERT_STATUS(400, ask(HTTP_DELETE, "/api/v1/users/a@b", "{}"));
}

DIRECTORY_MAIN(D(each_route_is_reached_by_the_roles_that_it_is_for_and_by_nobody_else),
               D(nobody_learns_without_signing_in_what_there_is),
               D(paths_and_methods_that_are_none_are_said_to_be_so),
               D(a_query_has_known_parameters_each_once), D(a_body_is_json_and_strictly_so))
