/* SPDX-License-Identifier: Apache-2.0 */
/* The administration API: a request, by whichever way it came, to an answer. What administrators do is a route (mdm/api/route.h);
   the command line's socket and the HTTPS listener lead to the same ones. */
#pragma once
#include "base/auto.h"
#include "http/server.h"
#include "mdm/mdm.h"

/* What administrators are; a route says whom it is for. */
enum admin_role {
    ADMIN_CA_MANAGER = 1 << 0, ADMIN_CERTIFICATE_OFFICER = 1 << 1, ADMIN_PROFILE_MANAGER = 1 << 2, ADMIN_HELP_DESK = 1 << 3,
    ADMIN_AUDITOR = 1 << 4,
};
#define ADMIN_ALL      (ADMIN_CA_MANAGER | ADMIN_CERTIFICATE_OFFICER | ADMIN_PROFILE_MANAGER | ADMIN_HELP_DESK | ADMIN_AUDITOR)
#define ADMIN_ROLES    5
#define ADMIN_IN_PERSON (1u << 8)                            /* of a route, no role: it takes no API token */
extern const char *const admin_role_names[ADMIN_ROLES];      /* by bit */

struct api_caller { const char *name;                        /* as the audit trail has it: "cli", "admin/anna" */
                    unsigned roles; };
struct credential;
struct api_request {
    enum http_method method;
    struct bytes target;                                     /* path and query, as in a request line */
    struct bytes content_type, if_match;                     /* empty: none */
    struct bytes body;
    const struct api_caller *caller;                         /* NULL: nobody is signed in */
    const struct credential *credential;                     /* by what they are (mdm/api/credential.h); NULL: the local administrator's socket */
    const struct why *refused;                               /* why what came instead of one does not count; NULL: nothing came */
    struct bytes oidc_cookie;                                /* of a sign-in by an OpenID provider that has begun; empty: none */
    const char *peer;                                        /* the client's address; NULL: the socket */
};
static inline bool api_is_local(const struct api_request *request)
{
    return request->caller && !request->credential;
}
struct api_answer {                                          /* starts as { 0 } */
    int status;
    const char *content_type;                                /* NULL: no body */
    struct buf body;
    char *headers;                                           /* "ETag: …\r\n" or NULL */
};
void api_answer_free(struct api_answer *answer);
/* Always answers; what goes wrong is a problem (RFC 9457). On a worker, which it may keep waiting. */
void api_serve(struct mdm *mdm, const struct api_request *request, struct api_answer *ret);
struct json_t;
/* The answer that goes well: json NULL is no body; status 0: 200 or 204 after that. */
void api_answer_json(const struct json_t *json, int status, struct api_answer *ret);
bool api_content_is(struct bytes type, const char *wanted);   /* whatever parameters it has */
/* A problem's answer for an error. */
void api_refuse(enum err err, const char *detail, struct api_answer *ret);
bool api_method_by_name(struct bytes name, enum http_method *ret);
const char *api_method_name(enum http_method method);
