/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks over HTTPS: a session, by its token or by a browser's cookie, or an API token. */
#pragma once
#include "mdm/api/api.h"
#include "mdm/bearer.h"
#include "mdm/uuid.h"

#define SESSION_COOKIE "__Host-chancery"
#define SESSION_ATTRIBUTES "; Path=/; Secure; HttpOnly; SameSite=Strict"
#define CSRF_HEADER    "x-csrf-token"

/* What came: values of header lines, and how many lines there were. */
struct credential_headers { struct bytes authorization, cookie, csrf; size_t authorizations, cookies, csrfs; };
struct credential {
    enum bearer_kind kind;
    bool is_cookie;
    char id[UUID_TEXT];                                      /* of the session or API token */
    char administrator[UUID_TEXT];
    char csrf[CSRF_TEXT];                                    /* of a session */
    int64_t ends_at;
    char name[160];                                          /* as the audit trail has it */
    struct api_caller caller;                                /* with that name */
};
/* *ret_came false: nothing came. ERR_SIGN_IN: it lets nobody in, with one answer for all, and the reason in the log; ERR_USAGE: more came than one;
   ERR_NOT_AUTHORISED: a change by a cookie without the header that its page's script would send. */
NODISCARD enum err credential_read(struct mdm *mdm, enum http_method method, const struct credential_headers *headers,
                                   struct credential *ret, bool *ret_came, struct why *why);
/* The answer to a request that came over HTTPS, whose caller is none yet, with these headers. */
void credential_serve(struct mdm *mdm, const struct credential_headers *headers, const struct api_request *request, struct api_answer *ret);
