/* SPDX-License-Identifier: Apache-2.0 */
/* The document, against the routes in both directions. */
#include "tests/unit/mdm/directory.h"

#include <ctype.h>

static json_t *document(void)
{
    struct mdm mdm = { .clock = &clock_system };
    struct api_answer answer = { 0 };
    const struct api_request request = { .method = HTTP_GET, .target = BYTES_LIT("/api/v1/openapi.json") };
    json_error_t error;
    api_serve(&mdm, &request, &answer);
    assert_int_equal(200, answer.status);
    json_t *json =
        json_loadb((const char *)answer.body.data, answer.body.len, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(json);
    api_answer_free(&answer);
    return json;
}

static const struct route *route_at(const char *path, const char *method)
{
    AUTO_STR upper = xstrdup(method);
    for (char *at = upper; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    for (size_t i = 0; i < route_count; i++) {
        if (strcmp(routes[i].path, path) == 0 && strcmp(api_method_name(routes[i].method), upper) == 0)
            return &routes[i];
    }
    return NULL;
}

TEST(every_route_is_documented_and_everything_documented_is_a_route)
{
    AUTO_JSON json = document();
    const char *path, *method;
    json_t *methods, *operation;
    size_t documented = 0;
    json_object_foreach(json_object_get(json, "paths"), path, methods)
    {
        json_object_foreach(methods, method, operation)
        {
            const struct route *route = route_at(path, method);
            if (!route)
                fail_msg("%s %s is documented, and there is no such route", method, path);
            assert_string_equal(json_string_value(json_object_get(operation, "summary")), route->summary);
            documented++;
        }
    }
    assert_int_equal(documented, route_count);
}

static void references_check(const json_t *json, const json_t *schemas)
{
    const char *name;
    json_t *member;
    size_t index;
    const char *reference = json_string_value(json_object_get(json, "$ref"));
    if (reference && !json_object_get(schemas, strrchr(reference, '/') + 1))
        fail_msg("%s is nowhere", reference);
    json_object_foreach((json_t *)json, name, member) references_check(member, schemas);
    json_array_foreach(json, index, member) references_check(member, schemas);
}

TEST(what_it_refers_to_is_there)
{
    AUTO_JSON json = document();
    references_check(json, json_object_get(json_object_get(json, "components"), "schemas"));
}

TEST(each_operation_says_whom_it_is_for)
{
    AUTO_JSON json = document();
    for (size_t i = 0; i < route_count; i++) {
        AUTO_STR method = xstrdup(api_method_name(routes[i].method));
        for (char *at = method; *at; at++)
            *at = (char)tolower((unsigned char)*at);
        const json_t *operation =
            json_object_get(json_object_get(json_object_get(json, "paths"), routes[i].path), method);
        const json_t *roles = json_object_get(operation, "x-roles");
        unsigned said = 0;
        for (size_t r = 0; r < json_array_size(roles); r++) {
            for (size_t bit = 0; bit < ADMIN_ROLES; bit++)
                said |= strcmp(json_string_value(json_array_get(roles, r)), admin_role_names[bit]) == 0
                            ? 1u << bit
                            : 0;
        }
        assert_int_equal(said, routes[i].roles & ADMIN_ALL);
        assert_int_equal(json_is_true(json_object_get(operation, "x-in-person")),
                         (routes[i].roles & ADMIN_IN_PERSON) != 0);
    }
}

RUN(T(every_route_is_documented_and_everything_documented_is_a_route), T(what_it_refers_to_is_there),
    T(each_operation_says_whom_it_is_for))
