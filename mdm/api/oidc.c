/* SPDX-License-Identifier: Apache-2.0 */
/* To the OpenID provider and back. */
#include "mdm/oidc.h"

#include "base/log.h"
#include "base/secret.h"
#include "mdm/api/credential.h"
#include "mdm/api/handlers.h"
#include "mdm/oidc_enter.h"
#include "mdm/sign_in.h"

/* Lax: the way back is a navigation from the provider's pages, with which browsers send no Strict cookie. */
#define STATE_ATTRIBUTES "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age="

static const char *peer_of(const struct api_call *call)
{
    return call->request->peer ? call->request->peer : "";
}

static enum err provider_check(const struct api_call *call, struct why *why)
{
    return call->mdm->oidc ? OK : fail(why, ERR_NOT_FOUND, "no OpenID provider is configured (oidc_issuer)");
}

enum err route_oidc_begin(struct api_call *call, struct why *why)
{
    char state[OIDC_STATE_TEXT];
    AUTO_STR url = NULL;
    TRY(provider_check(call, why));
    TRY(sign_in_budget(call->mdm, peer_of(call), why));
    TRY(oidc_begin(call->mdm->oidc, call->now, state, &url, why));
    call->headers = xasprintf("Location: %s\r\nSet-Cookie: " OIDC_COOKIE "=%s" STATE_ATTRIBUTES "%d\r\n", url,
                              state, OIDC_SECONDS);
    call->status = 302;
    return OK;
}

static enum err come_back(struct api_call *call, char ret_token[static BEARER_TEXT], struct why *why)
{
    AUTO_BUF code = { 0 }, state = { 0 }, issuer = { 0 };
    AUTO_JSON claims = NULL;
    struct oidc_person person;
    TRY(route_query(call, "code", &code, why));
    TRY(route_query(call, "state", &state, why));
    TRY(route_query(call, "iss", &issuer, why));
    const struct oidc_return came = { buf_bytes(&code), buf_bytes(&state), call->request->oidc_cookie,
                                      buf_bytes(&issuer), call->now };
    TRY(oidc_finish(call->mdm->oidc, &came, &claims, why));
    TRY(oidc_person_of(call->mdm->oidc, claims, &person, why));
    const struct oidc_entering entering = { call->mdm, &person, peer_of(call), call->now };
    return oidc_enter(&entering, ret_token, why);
}

enum err route_oidc_return(struct api_call *call, struct why *why)
{
    char token[BEARER_TEXT];
    struct why inner = { 0 };
    TRY(provider_check(call, why));
    TRY(sign_in_budget(call->mdm, peer_of(call), why));
    enum err err = come_back(call, token, &inner);
    if (err == ERR_SIGN_IN) {
        sign_in_refused(call->mdm, peer_of(call), call->now, inner.text);
        return fail(why, ERR_SIGN_IN,
                    "the OpenID provider's word lets nobody in; the service's log says why");
    }
    if (err != OK)
        return fail(why, err, "%s", inner.text);
    call->headers = xasprintf("Location: /\r\nSet-Cookie: " SESSION_COOKIE "=%s" SESSION_ATTRIBUTES
                              "\r\nSet-Cookie: " OIDC_COOKIE "=" STATE_ATTRIBUTES "0\r\n",
                              token);
    secret_wipe(token, sizeof(token));
    call->status = 302;
    return OK;
}
