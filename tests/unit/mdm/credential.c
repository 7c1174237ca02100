/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown with a request: by header or by cookie, once, and with a page's own word where a browser sends it by itself. */
#include "tests/unit/mdm/signing.h"

static int with_cookie(enum http_method method, const char *target, const char *cookie, const char *csrf)
{
    const struct credential_headers headers = {
        .cookie = bytes_str(cookie), .cookies = 1, .csrf = bytes_str(csrf), .csrfs = csrf != NULL
    };
    return ask_shown(&headers, method, target, NULL);
}

/* As a browser has it; the caller frees it. */
static char *cookie_made(const char *name, char **ret_csrf)
{
    AUTO_STR body = xasprintf("{\"name\":\"%s\",\"password\":\"" PASSWORD "\",\"cookie\":true}", name);
    ASSERT_STATUS(201, ask_as(NULL, HTTP_POST, SESSION, body));
    assert_string_equal("", answered("token"));
    *ret_csrf = xstrdup(answered("csrf"));
    const char *set = strstr(directory.headers, "Set-Cookie: ");
    assert_non_null(set);
    assert_non_null(strstr(set, "; Path=/; Secure; HttpOnly; SameSite=Strict\r\n"));
    set += strlen("Set-Cookie: ");
    return xstrndup(set, strcspn(set, ";"));
}

TEST(a_browser_s_cookie_signs_in_and_changes_take_the_page_s_word)
{
    administrator_made("anna", "ca-manager", PASSWORD);
    AUTO_STR csrf = NULL;
    AUTO_STR other = NULL;
    AUTO_STR cookie = cookie_made("anna", &csrf);
    AUTO_STR another = cookie_made("anna", &other);
    AUTO_STR among = xasprintf("theme=dark; %s; x=y", cookie);
    assert_int_equal(0, strncmp(cookie, "__Host-chancery=chs_", 20));
    ASSERT_STATUS(200, with_cookie(HTTP_GET, SESSION, cookie, NULL));
    assert_string_equal(csrf, answered("csrf"));
    ASSERT_STATUS(200, with_cookie(HTTP_HEAD, SESSION, among, NULL));
    made("/api/v1/users", "{\"upn\":\"a@b\"}");
    ASSERT_STATUS(403, with_cookie(HTTP_DELETE, "/api/v1/users/a@b", cookie, NULL));
    ASSERT_SAYS("x-csrf-token");
    ASSERT_STATUS(403, with_cookie(HTTP_DELETE, "/api/v1/users/a@b", cookie, ""));
    ASSERT_STATUS(403, with_cookie(HTTP_DELETE, "/api/v1/users/a@b", cookie, other));
    ASSERT_STATUS(403, with_cookie(HTTP_DELETE, SESSION, cookie, NULL));
    ASSERT_STATUS(204, with_cookie(HTTP_DELETE, "/api/v1/users/a@b", cookie, csrf));
    ASSERT_STATUS(204, with_cookie(HTTP_DELETE, SESSION, cookie, csrf));
    assert_non_null(strstr(directory.headers, "Max-Age=0"));
    ASSERT_STATUS(401, with_cookie(HTTP_GET, SESSION, cookie, NULL));
    ASSERT_STATUS(200, with_cookie(HTTP_GET, SESSION, another, NULL));
}

TEST(two_credentials_are_none)
{
    administrator_made("anna", "ca-manager", PASSWORD);
    AUTO_STR csrf = NULL;
    AUTO_STR cookie = cookie_made("anna", &csrf);
    AUTO_STR token = session_made("anna");
    AUTO_STR bearer = xasprintf("Bearer %s", token);
    AUTO_STR twice = xasprintf("%s; %s", cookie, cookie);
    const struct credential_headers wrong[] = {
        { .authorization = bytes_str(bearer), .authorizations = 2 },
        { .authorization = bytes_str(bearer),
          .authorizations = 1,
          .cookie = bytes_str(cookie),
          .cookies = 1 },
        { .authorization = BYTES_LIT("Bearer x"),
          .authorizations = 1,
          .cookie = bytes_str(cookie),
          .cookies = 1 },
        { .cookie = bytes_str(cookie), .cookies = 2 },
        { .cookie = bytes_str(twice), .cookies = 1 },
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        ASSERT_STATUS(400, ask_shown(&wrong[i], HTTP_GET, "/api/v1/users", NULL));
    const struct credential_headers fine = { .authorization = bytes_str(bearer),
                                             .authorizations = 1,
                                             .cookie =
                                                 BYTES_LIT("theme=dark; chancery=x; x__Host-chancery=y"),
                                             .cookies = 1 };
    ASSERT_STATUS(200, ask_shown(&fine, HTTP_GET, "/api/v1/users", NULL));
    const struct credential_headers csrfs = {
        .cookie = bytes_str(cookie), .cookies = 1, .csrf = bytes_str(csrf), .csrfs = 2
    };
    ASSERT_STATUS(403, ask_shown(&csrfs, HTTP_DELETE, SESSION, NULL));
}

/* The answer to all of them is one. */
TEST(what_does_not_count_is_told_from_nothing)
{
    administrator_made("anna", "ca-manager", PASSWORD);
    AUTO_STR token = session_made("anna");
    AUTO_STR ended = session_made("anna");
    ASSERT_STATUS(204, ask_as(ended, HTTP_DELETE, SESSION, NULL));
    AUTO_STR longer = xasprintf("%s0", token);
    AUTO_STR shorter = xstrndup(token, strlen(token) - 1);
    AUTO_STR kind = xasprintf("cha_%s", token + 4);
    AUTO_STR digits = xstrdup(token);
    digits[20] = digits[20] == '0' ? '1' : '0';
    AUTO_STR huge = xasprintf("%s%05000d", token, 0);
    const char *const wrong[] = { ended, longer, shorter, kind, digits, huge, "", "x", "chs_", "' OR 1=1" };
    AUTO_STR answer = NULL;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        ASSERT_STATUS(401, ask_as(wrong[i], HTTP_GET, "/api/v1/users", NULL));
        if (answer)
            assert_string_equal(answer, detail());
        else
            answer = xstrdup(detail());
        ASSERT_STATUS(401, ask_as(wrong[i], HTTP_GET, "/api/v1/nothing", NULL));
        ASSERT_STATUS(200, ask_as(wrong[i], HTTP_GET, "/api/v1/openapi.json", NULL));
    }
    static const char *const schemes[] = { "Basic YTpi", "bearer", "Bearer", "Digest x", "" };
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        const struct credential_headers headers = { .authorization = bytes_str(schemes[i]),
                                                    .authorizations = 1 };
        ASSERT_STATUS(401, ask_shown(&headers, HTTP_GET, "/api/v1/users", NULL));
    }
    AUTO_STR lower = xasprintf("bEARER %s", token); /* RFC 9110 11.1: the scheme has no letter case */
    const struct credential_headers headers = { .authorization = bytes_str(lower), .authorizations = 1 };
    ASSERT_STATUS(200, ask_shown(&headers, HTTP_GET, "/api/v1/users", NULL));
}

/* Whatever was there before: a session begins with a token that nobody knew. */
TEST(a_session_is_not_fixed_by_what_a_browser_brings)
{
    administrator_made("anna", "auditor", PASSWORD);
    AUTO_STR csrf = NULL;
    AUTO_STR before = cookie_made("anna", &csrf);
    static const char body[] = "{\"name\":\"anna\",\"password\":\"" PASSWORD "\",\"cookie\":true}";
    AUTO_STR planted = xasprintf(SESSION_COOKIE "=chs_%064d", 7);
    const char *const brought[] = { before, planted };
    for (size_t i = 0; i < sizeof(brought) / sizeof(*brought); i++) {
        const struct credential_headers headers = { .cookie = bytes_str(brought[i]), .cookies = 1 };
        ASSERT_STATUS(201, ask_shown(&headers, HTTP_POST, SESSION, body));
        assert_non_null(strstr(directory.headers, "Set-Cookie: "));
        assert_null(strstr(directory.headers, brought[i]));
    }
    ASSERT_STATUS(401, with_cookie(HTTP_GET, SESSION, planted, NULL));
}

DIRECTORY_MAIN(S(a_browser_s_cookie_signs_in_and_changes_take_the_page_s_word), S(two_credentials_are_none),
               S(what_does_not_count_is_told_from_nothing),
               S(a_session_is_not_fixed_by_what_a_browser_brings))
