/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/mdm/signing.h"

int signing_begin(void **state)
{
    static const struct session_times times = { IDLE, LIFETIME };
    struct why why = { 0 };
    directory_begin(state);
    directory.caller.name = "cli";
    ASSERT_OK(sign_in_new(&times, &directory.mdm.sign_in, &why), &why);
    return 0;
}

int signing_end(void **state)
{
    sign_in_free(directory.mdm.sign_in);
    return directory_end(state);
}

void administrator_made(const char *name, const char *roles, const char *password)
{
    AUTO_STR body = xasprintf("{\"name\":\"%s\",\"roles\":\"%s\"}", name, roles);
    AUTO_STR target = xasprintf(ADMINS "/%s/password", name);
    ASSERT_STATUS(201, ask(HTTP_POST, ADMINS, body));
    if (!password)
        return;
    AUTO_STR set = xasprintf("{\"password\":\"%s\"}", password);
    ASSERT_STATUS(204, ask(HTTP_PUT, target, set));
}

static int ask_from(const char *peer, const struct credential_headers *headers, enum http_method method,
                    const char *target, const char *body)
{
    const struct api_request request = { .method = method,
                                         .target = bytes_str(target),
                                         .content_type = body ? BYTES_LIT("application/json") : BYTES_NONE,
                                         .body = bytes_str(body),
                                         .peer = peer };
    struct api_answer answer = { 0 };
    credential_serve(&directory.mdm, headers, &request, &answer);
    return answered_with(&answer);
}

int ask_shown(const struct credential_headers *headers, enum http_method method, const char *target,
              const char *body)
{
    return ask_from(HOME, headers, method, target, body);
}

int ask_as(const char *token, enum http_method method, const char *target, const char *body)
{
    AUTO_STR value = token ? xasprintf("Bearer %s", token) : NULL;
    const struct credential_headers headers = { .authorization = bytes_str(value),
                                                .authorizations = token != NULL };
    return ask_shown(&headers, method, target, body);
}

int signed_in(const char *name, const char *password, const char *peer)
{
    static const struct credential_headers none = { 0 };
    AUTO_STR body = xasprintf("{\"name\":\"%s\",\"password\":\"%s\"}", name, password);
    return ask_from(peer, &none, HTTP_POST, SESSION, body);
}

char *session_made(const char *name)
{
    ASSERT_STATUS(201, signed_in(name, PASSWORD, HOME));
    return xstrdup(answered("token"));
}

char *apitoken_made(const char *session, const char *name, const char *roles)
{
    AUTO_STR body = xasprintf("{\"name\":\"%s\",\"roles\":\"%s\"}", name, roles);
    ASSERT_STATUS(201, ask_as(session, HTTP_POST, "/api/v1/apitokens", body));
    return xstrdup(answered("token"));
}
