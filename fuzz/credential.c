/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown with a request over HTTPS: method, Authorization, Cookie, X-CSRF-Token, a line each. TOKEN and CSRF stand for those of a session that there
   is, and without them nobody is let in. */
#include "fuzz/mdm_world.h"

#include "mdm/api/credential.h"
#include "mdm/api/route.h"

static char token[BEARER_TEXT], csrf[CSRF_TEXT];

static void asked(struct mdm *mdm, enum http_method method, const char *target, const char *body,
                  struct api_answer *ret)
{
    static const struct api_caller local = { "cli", ADMIN_ALL };
    const struct api_request request = { .method = method,
                                         .target = bytes_str(target),
                                         .content_type = BYTES_LIT("application/json"),
                                         .body = bytes_str(body),
                                         .caller = &local };
    api_serve(mdm, &request, ret);
    PROMISE(ret->status < 300);
}

static void session_make(struct mdm *mdm, const char *folder)
{
    (void)folder;
    AUTO_VAL(api_answer) added = { 0 };
    AUTO_VAL(api_answer) set = { 0 };
    AUTO_VAL(api_answer) entered = { 0 };
    asked(mdm, HTTP_POST, "/api/v1/administrators", "{\"name\":\"anna\",\"roles\":\"auditor\"}", &added);
    asked(mdm, HTTP_PUT, "/api/v1/administrators/anna/password", "{\"password\":\"correct horse battery\"}",
          &set);
    asked(mdm, HTTP_POST, "/api/v1/session", "{\"name\":\"anna\",\"password\":\"correct horse battery\"}",
          &entered);
    json_t *json = json_loadb((const char *)entered.body.data, entered.body.len, 0, NULL);
    snprintf(token, sizeof(token), "%s", json_string_value(json_object_get(json, "token")));
    snprintf(csrf, sizeof(csrf), "%s", json_string_value(json_object_get(json, "csrf")));
    json_decref(json);
}

/* The line with the session's own in place of the word, once. */
static struct buf filled(struct bytes line, const char *word, const char *value, bool *ret_there)
{
    struct buf out = { 0 };
    const uint8_t *at = line.len ? memmem(line.data, line.len, word, strlen(word)) : NULL;
    *ret_there = *ret_there || at;
    if (!at)
        return buf_dup(line);
    size_t before = (size_t)(at - line.data), after = before + strlen(word);
    buf_append(&out, bytes_of(line.data, before));
    buf_append_str(&out, value);
    buf_append(&out, bytes_of(line.data + after, line.len - after));
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mdm *mdm = mdm_world(session_make);
    struct bytes rest = bytes_of(data, len), name = mdm_world_take(&rest, '\n');
    bool there = false, word = false, came;
    AUTO_BUF authorization = filled(mdm_world_take(&rest, '\n'), "TOKEN", token, &there);
    AUTO_BUF cookie = filled(mdm_world_take(&rest, '\n'), "TOKEN", token, &there);
    AUTO_BUF page = filled(rest, "CSRF", csrf, &word);
    const struct credential_headers headers = {
        .authorization = buf_bytes(&authorization),
        .authorizations = authorization.len > 0,
        .cookie = buf_bytes(&cookie),
        .cookies = cookie.len > 0,
        .csrf = buf_bytes(&page),
        .csrfs = page.len > 0,
    };
    struct credential credential;
    struct why why = { 0 };
    enum http_method method;
    if (!api_method_by_name(name, &method))
        return 0;
    enum err err = credential_read(mdm, method, &headers, &credential, &came, &why);
    PROMISE(err == OK || err == ERR_SIGN_IN || err == ERR_USAGE || err == ERR_NOT_AUTHORISED);
    bool in = err == OK && came;
    PROMISE(!in || (there && strcmp(credential.caller.name, "admin/anna") == 0));
    PROMISE(!in || !credential.is_cookie || word || method == HTTP_GET || method == HTTP_HEAD);
    return 0;
}
