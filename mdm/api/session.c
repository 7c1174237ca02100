/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in, who one is, and out. */
#include "mdm/api/credential.h"
#include "mdm/api/edit.h"
#include "mdm/api/handlers.h"

#include "base/clock.h"
#include "base/secret.h"
#include "mdm/sign_in.h"

static json_t *roles_json(unsigned roles)
{
    json_t *list = json_array();
    for (size_t i = 0; i < ADMIN_ROLES; i++) {
        if (roles & 1u << i)
            json_array_append_new(list, json_string(admin_role_names[i]));
    }
    return list;
}

static void time_put(json_t *json, const char *name, int64_t at)
{
    char text[21];
    clock_rfc3339(at, text);
    json_object_set_new(json, name, json_string(text));
}

enum err route_session_show(struct api_call *call, struct why *why)
{
    (void)why;
    const struct credential *credential = call->request->credential;
    const char *by = !credential ? "local" : credential->kind == BEARER_SESSION ? "session" : "apitoken";
    call->result = json_pack("{s:s, s:o, s:s}", "name", call->request->caller->name, "roles",
                             roles_json(call->request->caller->roles), "by", by);
    if (!credential)
        return OK;
    json_object_set_new(call->result, "administrator", json_string(credential->administrator));
    time_put(call->result, "expires_at", credential->ends_at);
    if (*credential->csrf)
        json_object_set_new(call->result, "csrf", json_string(credential->csrf));
    return OK;
}

/* --- in --- */

static enum err sign_in_take(const json_t *json, struct signing_in *asked, bool *ret_cookie, struct why *why)
{
    const json_t *cookie = json_object_get(json, "cookie");
    TRY(json_members_check(json, "name password cookie", why));
    TRY(body_secret(json, "name", &asked->name, why));
    TRY(body_secret(json, "password", &asked->password, why));
    if (cookie && !json_is_boolean(cookie))
        return fail(why, ERR_VALUE, "cookie is a JSON boolean");
    *ret_cookie = json_is_true(cookie);
    return OK;
}

static enum err entered_answer(struct api_call *call, const struct session *session, const char *token,
                               bool cookie, struct why *why)
{
    const struct session_times *times = sign_in_times(call->mdm->sign_in);
    char csrf[CSRF_TEXT];
    AUTO_STR name = xasprintf("admin/%s", session->name);
    TRY(bearer_csrf(bytes_str(token), csrf, why));
    call->result = json_pack("{s:s, s:s, s:o, s:s, s:s, s:I}", "name", name, "administrator",
                             session->administrator, "roles", roles_json(session->roles), "by", "session",
                             "csrf", csrf, "idle_seconds", (json_int_t)times->idle_s);
    time_put(call->result, "expires_at", session_ends(session, times));
    if (cookie) /* where no script can read it */
        call->headers = xasprintf("Set-Cookie: " SESSION_COOKIE "=%s" SESSION_ATTRIBUTES "\r\n", token);
    else
        json_object_set_new(call->result, "token", json_string(token));
    call->status = 201;
    return OK;
}

static enum err session_make(struct api_call *call, struct why *why)
{
    struct signing_in asked = { .mdm = call->mdm,
                                .peer = call->request->peer ? call->request->peer : "",
                                .now = call->now };
    AUTO(signed_in) who = NULL;
    struct session session;
    char token[BEARER_TEXT];
    bool cookie;
    TRY(sign_in_take(call->json, &asked, &cookie, why));
    TRY(sign_in_try(&asked, &who, why));
    TRY(sign_in_enter(who, &session, token, why));
    enum err err = entered_answer(call, &session, token, cookie, why);
    secret_wipe(token, sizeof(token));
    return err;
}

enum err route_session_add(struct api_call *call, struct why *why)
{
    enum err err = session_make(call, why);
    body_wipe(call->json);
    return err;
}

/* --- out --- */

static enum err out_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct api_call *call = arg;
    TRY(session_end(tx, call->request->credential->id, why));
    return call_audit(tx, call, "sign_out", call->request->credential->administrator, NULL, why);
}

enum err route_session_delete(struct api_call *call, struct why *why)
{
    const struct credential *credential = call->request->credential;
    if (!credential || credential->kind != BEARER_SESSION)
        return fail(why, ERR_WRONG_STATE, "this request is of no session that could end");
    TRY(store_write(call->mdm->store, out_work, call, why));
    if (credential->is_cookie)
        call->headers = xstrdup("Set-Cookie: " SESSION_COOKIE "=" SESSION_ATTRIBUTES "; Max-Age=0\r\n");
    return OK;
}
