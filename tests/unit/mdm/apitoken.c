/* SPDX-License-Identifier: Apache-2.0 */
/* API tokens: what they may be, whose they are, and when they count. */
#include "tests/unit/mdm/signing.h"

#define TOKENS "/api/v1/apitokens"

TEST(an_api_token_is_shown_once_and_has_some_of_its_owner_s_roles)
{
    administrator_made("anna", "ca-manager,profile-manager", PASSWORD);
    AUTO_STR session = session_made("anna");
    AUTO_STR token = apitoken_made(session, "backup", "profile-manager");
    assert_int_equal(0, strncmp(token, "cha_", 4));
    assert_string_equal("2026-12-20T14:13:20Z", answered("expires_at"));
    ASSERT_STATUS(200, ask_as(token, HTTP_GET, "/api/v1/users", NULL));
    ASSERT_STATUS(403, ask_as(token, HTTP_GET, ADMINS, NULL)); /* ca-manager's */
    ASSERT_STATUS(201, ask_as(token, HTTP_POST, "/api/v1/users", "{\"upn\":\"a@b\"}"));
    assert_int_equal(
        1, counted("SELECT COUNT(*) FROM audit WHERE actor = 'admin/anna/backup' AND action = 'user_add'"));
    ASSERT_STATUS(200, ask_as(token, HTTP_GET, SESSION, NULL));
    assert_string_equal("apitoken", answered("by"));
    ASSERT_STATUS(409, ask_as(token, HTTP_DELETE, SESSION, NULL));
    ASSERT_STATUS(200, ask_as(session, HTTP_GET, TOKENS, NULL));
    AUTO_BUF list = { 0 };
    json_text_append(&list, directory.answer);
    assert_null(strstr(buf_text(&list), token));
    AUTO_STR in_audit = xasprintf("SELECT COUNT(*) FROM audit WHERE detail LIKE '%%%s%%'", token);
    assert_int_equal(0, counted(in_audit));
}

TEST(what_an_api_token_may_be_is_bounded)
{
    static const struct {
        int status;
        const char *body, *says;
    } wrong[] = {
        { 422, "{\"name\":\"x\"}", "roles" },
        { 422, "{\"roles\":\"auditor\"}", "name" },
        { 422, "{\"name\":\"x\",\"roles\":\"ca-manager\"}", "has not the roles ca-manager" },
        { 422, "{\"name\":\"x\",\"roles\":\"auditor,help-desk\"}", "has not the roles help-desk" },
        { 422, "{\"name\":\"x\",\"roles\":\"auditor\",\"days\":0}", "days" },
        { 422, "{\"name\":\"x\",\"roles\":\"auditor\",\"days\":367}", "from 1 to 366" },
        { 422, "{\"name\":\"x\",\"roles\":\"auditor\",\"expires_at\":null}", "set by the service" },
        { 403, "{\"name\":\"x\",\"roles\":\"auditor\",\"administrator\":\"bert\"}", "for who makes it" },
        { 404, "{\"name\":\"x\",\"roles\":\"auditor\",\"administrator\":\"nobody\"}", "no administrator" },
        { 422, "{\"name\":\"a/b\",\"roles\":\"auditor\"}", "name" },
    };
    administrator_made("anna", "auditor", PASSWORD);
    administrator_made("bert", "auditor", PASSWORD);
    AUTO_STR session = session_made("anna");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        ASSERT_STATUS(wrong[i].status, ask_as(session, HTTP_POST, TOKENS, wrong[i].body));
        ASSERT_SAYS(wrong[i].says);
    }
    assert_int_equal(0, counted("SELECT COUNT(*) FROM apitoken"));
    ASSERT_STATUS(201,
                  ask_as(session, HTTP_POST, TOKENS,
                         "{\"name\":\"x\",\"roles\":\"auditor\",\"administrator\":\"Anna\",\"days\":366}"));
    ASSERT_STATUS(409, ask_as(session, HTTP_POST, TOKENS, "{\"name\":\"X\",\"roles\":\"auditor\"}"));
    /* The command line makes them for anybody, and says for whom. */
    ASSERT_STATUS(422, ask(HTTP_POST, TOKENS, "{\"name\":\"y\",\"roles\":\"auditor\"}"));
    ASSERT_STATUS(
        201, ask(HTTP_POST, TOKENS, "{\"name\":\"y\",\"roles\":\"auditor\",\"administrator\":\"bert\"}"));
}

TEST(an_api_token_counts_until_it_ends_in_one_of_these_ways)
{
    administrator_made("anna", "auditor,help-desk", PASSWORD);
    AUTO_STR session = session_made("anna");
    AUTO_STR token = apitoken_made(session, "one", "auditor,help-desk");
    AUTO_STR revoked = apitoken_made(session, "two", "auditor");
    ASSERT_STATUS(204, ask_as(session, HTTP_DELETE, TOKENS "/two", NULL));
    ASSERT_STATUS(401, ask_as(revoked, HTTP_GET, "/api/v1/users", NULL));
    /* It never has a role that its owner has not any more. */
    ASSERT_STATUS(200, ask_as(token, HTTP_GET, "/api/v1/audit", NULL));
    ASSERT_STATUS(200, ask(HTTP_PATCH, ADMINS "/anna", "{\"roles\":\"help-desk\"}"));
    ASSERT_STATUS(403, ask_as(token, HTTP_GET, "/api/v1/audit", NULL));
    ASSERT_STATUS(200, ask_as(token, HTTP_GET, "/api/v1/users", NULL));
    ASSERT_STATUS(200, ask(HTTP_PATCH, ADMINS "/anna", "{\"enabled\":false}"));
    ASSERT_STATUS(401, ask_as(token, HTTP_GET, "/api/v1/users", NULL));
    ASSERT_STATUS(200, ask(HTTP_PATCH, ADMINS "/anna", "{\"enabled\":true}"));
    directory.clock.held = NOW + 90 * 86400 - 1;
    ASSERT_STATUS(200, ask_as(token, HTTP_GET, "/api/v1/users", NULL));
    directory.clock.held = NOW + 90 * 86400;
    ASSERT_STATUS(401, ask_as(token, HTTP_GET, "/api/v1/users", NULL));
    directory.clock.held = NOW;
    ASSERT_STATUS(204, ask(HTTP_DELETE, ADMINS "/anna", NULL));
    ASSERT_STATUS(401, ask_as(token, HTTP_GET, "/api/v1/users", NULL));
}

TEST(what_is_for_people_takes_no_api_token)
{
    administrator_made("anna", "ca-manager,auditor", PASSWORD);
    AUTO_STR session = session_made("anna");
    AUTO_STR token = apitoken_made(session, "one", "ca-manager,auditor");
    ASSERT_STATUS(403, ask_as(token, HTTP_POST, TOKENS, "{\"name\":\"x\",\"roles\":\"auditor\"}"));
    ASSERT_SAYS("no API token");
    ASSERT_STATUS(403, ask_as(token, HTTP_POST, ADMINS, "{\"name\":\"x\",\"roles\":\"auditor\"}"));
    ASSERT_STATUS(403, ask_as(token, HTTP_PATCH, ADMINS "/anna", "{\"display_name\":\"x\"}"));
    ASSERT_STATUS(403, ask_as(token, HTTP_DELETE, ADMINS "/anna", NULL));
    ASSERT_STATUS(403, ask_as(token, HTTP_PUT, ADMINS "/anna/password", "{\"password\":\"" PASSWORD "\"}"));
    ASSERT_STATUS(403, ask_as(token, HTTP_PUT, SESSION "/password",
                              "{\"current\":\"x\",\"password\":\"" PASSWORD "\"}"));
    ASSERT_STATUS(200, ask_as(token, HTTP_GET, ADMINS, NULL));
    ASSERT_STATUS(204, ask_as(token, HTTP_DELETE, TOKENS "/one", NULL)); /* itself */
    /* And a cookie has a session's token, never another. */
    AUTO_STR again = apitoken_made(session, "two", "auditor");
    AUTO_STR cookie = xasprintf(SESSION_COOKIE "=%s", again);
    const struct credential_headers headers = { .cookie = bytes_str(cookie), .cookies = 1 };
    ASSERT_STATUS(401, ask_shown(&headers, HTTP_GET, "/api/v1/users", NULL));
}

static size_t listed(const char *session)
{
    ASSERT_STATUS(200, ask_as(session, HTTP_GET, TOKENS, NULL));
    return json_array_size(json_object_get(directory.answer, "items"));
}

TEST(others_api_tokens_are_for_those_who_manage)
{
    administrator_made("anna", "help-desk", PASSWORD);
    administrator_made("bert", "help-desk", PASSWORD);
    administrator_made("carl", "auditor", PASSWORD);
    administrator_made("dora", "ca-manager", PASSWORD);
    AUTO_STR anna = session_made("anna");
    AUTO_STR bert = session_made("bert");
    AUTO_STR carl = session_made("carl");
    AUTO_STR dora = session_made("dora");
    AUTO_STR first = apitoken_made(anna, "one", "help-desk");
    AUTO_STR second = apitoken_made(bert, "two", "help-desk");
    assert_int_equal(1, listed(anna));
    assert_int_equal(1, listed(bert));
    assert_int_equal(2, listed(carl));
    assert_int_equal(2, listed(dora));
    ASSERT_STATUS(404, ask_as(bert, HTTP_DELETE, TOKENS "/one", NULL));
    ASSERT_STATUS(404, ask_as(carl, HTTP_DELETE, TOKENS "/one", NULL));
    ASSERT_STATUS(200, ask_as(first, HTTP_GET, "/api/v1/users", NULL));
    ASSERT_STATUS(204, ask_as(dora, HTTP_DELETE, TOKENS "/one", NULL));
    ASSERT_STATUS(401, ask_as(first, HTTP_GET, "/api/v1/users", NULL));
    ASSERT_STATUS(200, ask_as(second, HTTP_GET, "/api/v1/users", NULL));
}

DIRECTORY_MAIN(S(an_api_token_is_shown_once_and_has_some_of_its_owner_s_roles),
               S(what_an_api_token_may_be_is_bounded),
               S(an_api_token_counts_until_it_ends_in_one_of_these_ways),
               S(what_is_for_people_takes_no_api_token), S(others_api_tokens_are_for_those_who_manage))
