/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/api/api.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/secret.h"
#include "mdm/api/credential.h"
#include "mdm/api/route.h"

const char *const admin_role_names[ADMIN_ROLES] = { "ca-manager", "certificate-officer", "profile-manager",
                                                    "help-desk", "auditor" };

static const char *const method_names[] = {
    [HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
};

const char *api_method_name(enum http_method method)
{
    return method_names[method];
}

bool api_method_by_name(struct bytes name, enum http_method *ret)
{
    for (size_t i = 0; i < sizeof(method_names) / sizeof(*method_names); i++) {
        if (bytes_equal(name, bytes_str(method_names[i]))) {
            *ret = (enum http_method)i;
            return true;
        }
    }
    return false;
}

void api_answer_free(struct api_answer *answer)
{
    buf_free(&answer->body);
    free(answer->headers);
    *answer = (struct api_answer){ 0 };
}

static void json_write(const json_t *json, struct buf *out)
{
    char *text = json_dumps(json, JSON_COMPACT);
    buf_append_str(out, text ? text : "null");
    buf_append_byte(out, '\n');
    free(text);
}

void api_answer_json(const json_t *json, int status, struct api_answer *ret)
{
    ret->status = status ? status : json ? 200 : 204;
    if (!json)
        return;
    json_write(json, &ret->body);
    ret->content_type = "application/json";
}

/* --- problems (RFC 9457) --- */

/* An error of ours shows no more than the id under which the log has the rest. */
static void internal_put(json_t *json, const char *detail)
{
    uint8_t random[8] = { 0 };
    AUTO_BUF id = { 0 };
    struct why why;
    if (random_fill(random, sizeof(random), &why) != OK)
        log_error(NULL, "%s", why.text);
    hex_append(&id, BYTES_ARR(random));
    log_error(NULL, "administration request failed id=%s reason=\"%s\"", buf_text(&id), detail);
    json_object_set_new(json, "id", json_string(buf_text(&id)));
}

/* problems: all that is wrong, where that is several things; NULL: none. */
static void refuse(enum err err, const char *detail, json_t *problems, struct api_answer *ret)
{
    const struct err_row *row = err_row(err);
    AUTO_JSON json = json_object();
    api_answer_free(ret);
    /* Some errors are an answer of SCEP with status 200. */
    ret->status = row->http_status >= 400 ? row->http_status : 422;
    json_object_set_new(json, "title", json_string(row->text));
    json_object_set_new(json, "status", json_integer(ret->status));
    json_object_set_new(json, "code", json_string(row->name));
    if (ret->status == 500)
        internal_put(json, detail);
    else if (*detail)
        json_object_set_new(json, "detail", json_string(detail));
    if (problems)
        json_object_set(json, "problems", problems);
    if (*row->remedy)
        json_object_set_new(json, "remedy", json_string(row->remedy));
    if (*row->diagnosis)
        json_object_set_new(json, "diagnosis", json_string(row->diagnosis));
    json_write(json, &ret->body);
    ret->content_type = "application/problem+json";
    if (err == ERR_SIGN_IN)
        ret->headers = xstrdup("WWW-Authenticate: Bearer realm=\"chancery\"\r\n");
    else if (ret->status == 503)
        ret->headers = xstrdup("Retry-After: 5\r\n");
    else if (ret->status == 429)
        ret->headers = xstrdup("Retry-After: 600\r\n");
}

void api_refuse(enum err err, const char *detail, struct api_answer *ret)
{
    refuse(err, detail, NULL, ret);
}

/* --- requests --- */

/* Whoever finds a token must not be able to make another one of it, nor an administrator. */
static enum err person_check(const struct api_call *call, struct why *why)
{
    const struct credential *credential = call->request->credential;
    if (!credential || credential->kind == BEARER_SESSION || FAULT(api_in_person))
        return OK;
    return fail(why, ERR_NOT_AUTHORISED, "this takes an administrator who is signed in, and no API token");
}

/* Nobody learns what there is before they have signed in. */
static enum err caller_check(const struct api_call *call, enum err found, struct why *why)
{
    const struct api_caller *caller = call->request->caller;
    if (found == OK && call->route->roles == 0)
        return OK;
    if (!caller && call->request->refused)
        return fail(why, call->request->refused->err, "%s", call->request->refused->text);
    if (!caller && !FAULT(api_sign_in))
        return fail(why, ERR_SIGN_IN, "this takes an administrator");
    if (found == OK && call->route->roles & ADMIN_IN_PERSON)
        TRY(person_check(call, why));
    if (found != OK || FAULT(api_role) || !caller || caller->roles & call->route->roles)
        return found;
    return fail(why, ERR_NOT_AUTHORISED, "%s has none of the roles that this needs", caller->name);
}

bool api_content_is(struct bytes type, const char *wanted)
{
    size_t len = strlen(wanted);
    return type.len >= len && memcmp(type.data, wanted, len) == 0 &&
           (type.len == len || type.data[len] == ';' || type.data[len] == ' ');
}

static enum err body_take(struct api_call *call, struct why *why)
{
    const struct api_request *request = call->request;
    enum route_shape shape = call->route->body;
    if (shape == SHAPE_FILE) /* the handler reads it */
        return OK;
    if (shape == SHAPE_NONE)
        return request->body.len
                   ? fail(why, ERR_USAGE, "a body of %zu octets; this takes none", request->body.len)
                   : OK;
    if (!api_content_is(request->content_type, "application/json"))
        return attribute_refuse("Content-Type", request->content_type, why, "is application/json");
    if (shape == SHAPE_SETTINGS) /* the handler says all that is wrong with it */
        return OK;
    return json_text_read(request->body, LIMIT_API_BODY_BYTES, &call->json, why);
}

static enum err call_run(struct api_call *call, struct why *why)
{
    const struct api_request *request = call->request;
    enum http_method method = request->method == HTTP_HEAD ? HTTP_GET : request->method;
    enum err found = route_find(method, request->target, call, why);
    TRY(caller_check(call, found, why));
    TRY(route_query_check(call, why));
    TRY(body_take(call, why));
    return call->route->handle(call, why);
}

static void api_call_free(struct api_call *call)
{
    for (size_t i = 0; i < ROUTE_NAMES_MAX; i++)
        buf_free(&call->names[i]);
    json_decref(call->json);
    json_decref(call->result);
    json_decref(call->problems);
    free(call->headers);
}

void api_serve(struct mdm *mdm, const struct api_request *request, struct api_answer *ret)
{
    AUTO_VAL(api_call) call = { .mdm = mdm, .request = request, .now = clock_now(mdm->clock) };
    struct why why = { 0 };
    enum err err = call_run(&call, &why);
    if (err != OK) {
        refuse(err, why.text, call.problems, ret);
        return;
    }
    api_answer_json(call.result, call.status, ret);
    if (call.headers)
        ret->headers = TAKE(call.headers);
    else if (call.etag)
        ret->headers = xasprintf("ETag: \"%lld\"\r\n", (long long)call.etag);
}
