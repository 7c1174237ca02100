/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/api/credential.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/secret.h"
#include "mdm/apitoken.h"
#include "mdm/oidc.h"
#include "mdm/session.h"
#include "mdm/sign_in.h"
#include <stdio.h>
#include <strings.h>

#define SCHEME "Bearer "

/* --- what came --- */

static enum err authorization_read(struct bytes value, struct bytes *ret, struct why *why)
{
    size_t len = strlen(SCHEME);
    if (value.len < len || strncasecmp((const char *)value.data, SCHEME, len) != 0)
        return fail(why, ERR_SIGN_IN, "Authorization is not of the scheme Bearer");
    *ret = bytes_of(value.data + len, value.len - len);
    return OK;
}

/* One of a name, with its "=", among those that a browser sends; twice is one too many. */
static size_t cookie_read(struct bytes list, struct bytes name, struct bytes *ret)
{
    size_t count = 0;
    while (list.len) {
        const uint8_t *mark = memchr(list.data, ';', list.len);
        size_t len = mark ? (size_t)(mark - list.data) : list.len;
        struct bytes each = bytes_of(list.data, len);
        while (each.len && each.data[0] == ' ')
            each = bytes_of(each.data + 1, each.len - 1);
        if (each.len >= name.len && memcmp(each.data, name.data, name.len) == 0 && count++ == 0)
            *ret = bytes_of(each.data + name.len, each.len - name.len);
        size_t used = mark ? len + 1 : len;
        list = bytes_of(list.data + used, list.len - used);
    }
    return count;
}

/* One credential, or none. Of two, something between the client and here may have meant the other one. */
static enum err shown_read(const struct credential_headers *headers, struct bytes *ret, bool *ret_cookie,
                           bool *ret_came, struct why *why)
{
    struct bytes cookie = BYTES_NONE;
    size_t cookies =
        headers->cookies ? cookie_read(headers->cookie, BYTES_LIT(SESSION_COOKIE "="), &cookie) : 0;
    *ret_came = headers->authorizations || cookies;
    *ret_cookie = !headers->authorizations;
    if ((headers->authorizations > 1 || headers->cookies > 1 || cookies > 1) && !FAULT(credential_once))
        return fail(why, ERR_USAGE, "more than one Authorization or Cookie header, or cookie of a session");
    if (headers->authorizations && cookies && !FAULT(credential_both))
        return fail(why, ERR_USAGE, "a session's cookie and Authorization: one of them is meant");
    if (headers->authorizations)
        return authorization_read(headers->authorization, ret, why);
    *ret = cookie;
    return OK;
}

/* --- whose it is --- */

struct finding {
    struct mdm *mdm;
    enum bearer_kind kind;
    uint8_t digest[BEARER_DIGEST];
    int64_t now;
    struct session session;
    struct apitoken token;
};

static enum err find_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct finding *finding = arg;
    if (finding->kind == BEARER_SESSION)
        return session_find(tx, finding->digest, sign_in_times(finding->mdm->sign_in), finding->now,
                            &finding->session, why);
    return apitoken_find(tx, finding->digest, finding->now, &finding->token, why);
}

static enum err touch_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct finding *finding = arg;
    return session_touch(tx, finding->session.id, finding->now, why);
}

/* A store that cannot write now keeps nobody from reading; the session is only idle earlier. */
static void session_seen(struct finding *finding)
{
    struct why why = { 0 };
    if (session_is_stale(&finding->session, sign_in_times(finding->mdm->sign_in), finding->now) &&
        store_write(finding->mdm->store, touch_work, finding, &why) != OK)
        log_error(NULL, "session %s not written: %s", finding->session.id, why.text);
}

static void session_take(const struct finding *finding, struct credential *ret)
{
    const struct session *session = &finding->session;
    memcpy(ret->id, session->id, sizeof(ret->id));
    memcpy(ret->administrator, session->administrator, sizeof(ret->administrator));
    snprintf(ret->name, sizeof(ret->name), "admin/%s", session->name);
    ret->caller.roles = session->roles;
    ret->ends_at = session_ends(session, sign_in_times(finding->mdm->sign_in));
}

static void apitoken_take(const struct finding *finding, struct credential *ret)
{
    const struct apitoken *token = &finding->token;
    memcpy(ret->id, token->id, sizeof(ret->id));
    memcpy(ret->administrator, token->administrator, sizeof(ret->administrator));
    snprintf(ret->name, sizeof(ret->name), "admin/%s/%s", token->of, token->name);
    ret->caller.roles = token->roles;
    ret->ends_at = token->expires_at;
}

static enum err holder_find(struct mdm *mdm, struct bytes shown, struct credential *ret, struct why *why)
{
    struct finding finding = { .mdm = mdm, .now = clock_now(mdm->clock) };
    TRY(bearer_read(shown, &finding.kind, finding.digest, why));
    TRY(store_read(mdm->store, find_work, &finding, why));
    ret->kind = finding.kind;
    if (finding.kind == BEARER_SESSION) {
        session_seen(&finding);
        session_take(&finding, ret);
    } else {
        apitoken_take(&finding, ret);
    }
    ret->caller.name = ret->name;
    return ret->kind == BEARER_SESSION ? bearer_csrf(shown, ret->csrf, why) : OK;
}

/* A page of somebody else's can make a browser send the cookie with a request of its own, but not this header, whose value it cannot read. */
static enum err csrf_check(enum http_method method, const struct credential_headers *headers,
                           const struct credential *credential, struct why *why)
{
    bool changes = method != HTTP_GET && method != HTTP_HEAD;
    if (!credential->is_cookie || !changes || FAULT(credential_csrf))
        return OK;
    if (headers->csrfs == 1 && secret_equal(headers->csrf, bytes_str(credential->csrf)))
        return OK;
    return fail(why, ERR_NOT_AUTHORISED,
                "a change by a session's cookie takes the header " CSRF_HEADER
                " with what csrf of /api/v1/session says");
}

/* Strangers learn neither what is wrong with what they show, nor what the store says of itself. */
static enum err refuse(const struct why *reason, struct why *why)
{
    if (reason->err != ERR_SIGN_IN) {
        log_error(NULL, "a credential could not be looked up: %s", reason->text);
        return fail(why, reason->err, "try again");
    }
    log_debug(NULL, "a credential that does not count reason=\"%s\"", reason->text);
    return fail(why, ERR_SIGN_IN, "%s",
                FAULT(credential_constant) ? reason->text
                                           : "the session or token lets nobody in: sign in anew");
}

enum err credential_read(struct mdm *mdm, enum http_method method, const struct credential_headers *headers,
                         struct credential *ret, bool *ret_came, struct why *why)
{
    struct bytes shown = BYTES_NONE;
    struct why inner = { 0 };
    *ret = (struct credential){ 0 };
    TRY(shown_read(headers, &shown, &ret->is_cookie, ret_came, why));
    if (!*ret_came)
        return OK;
    enum err err = holder_find(mdm, shown, ret, &inner);
    if (err == OK && ret->is_cookie && ret->kind != BEARER_SESSION)
        err = fail(&inner, ERR_SIGN_IN, "an API token came as a cookie");
    return err == OK ? csrf_check(method, headers, ret, why) : refuse(&inner, why);
}

void credential_serve(struct mdm *mdm, const struct credential_headers *headers,
                      const struct api_request *request, struct api_answer *ret)
{
    struct api_request known = *request;
    if (headers->cookies != 1 ||
        cookie_read(headers->cookie, BYTES_LIT(OIDC_COOKIE "="), &known.oidc_cookie) != 1)
        known.oidc_cookie = BYTES_NONE;
    struct credential credential;
    struct why refused = { 0 };
    bool came = false;
    if (credential_read(mdm, request->method, headers, &credential, &came, &refused) != OK) {
        known.refused = &refused;
    } else if (came) {
        known.caller = &credential.caller;
        known.credential = &credential;
    }
    api_serve(mdm, &known, ret);
}
