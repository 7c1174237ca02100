/* SPDX-License-Identifier: Apache-2.0 */
/* A route: what may be asked, of what, by whom, and what comes back. The table of them is the API, its rights and its documentation. */
#pragma once
#include "mdm/api/api.h"
#include "mdm/object_json.h"

#define ROUTE_NAMES_MAX 2                                    /* {…} in a path */

struct api_call;
typedef enum err (*route_handler)(struct api_call *call, struct why *why);
/* What a body or an answer is: of the route's class, or of its own. */
enum route_shape { SHAPE_NONE, SHAPE_OBJECT, SHAPE_PATCH, SHAPE_PAGE, SHAPE_FILE, SHAPE_IMPORTED, SHAPE_MEMBER, SHAPE_AUDIT_PAGE, SHAPE_SETTINGS,
                   SHAPE_SAVED, SHAPE_VERSION, SHAPE_VERSION_PAGE, SHAPE_PREVIEW, SHAPE_ASSIGNMENT, SHAPE_ASSIGNED, SHAPE_GROUP_MODES,
                   SHAPE_PROFILE_MODES, SHAPE_TARGETS, SHAPE_DEPLOYMENTS, SHAPE_DEPLOYMENT_COUNTS, SHAPE_DEPLOYMENT_MOVES, SHAPE_TOKEN, SHAPE_TOKEN_MADE,
                   SHAPE_DIRECTORIES, SHAPE_DIRECTORY, SHAPE_SYNC, SHAPE_SYNC_ASKED, SHAPE_OPENAPI,
                   SHAPE_SIGN_IN, SHAPE_SESSION, SHAPE_PASSWORD, SHAPE_PASSWORD_CHANGE, SHAPE_APITOKEN, SHAPE_APITOKEN_MADE, SHAPE_REDIRECT };
struct route {
    enum http_method method;
    const char *path;                                        /* "/api/v1/users/{user}": a name stands for one segment, not empty */
    unsigned roles;                                          /* one of them is needed, ADMIN_IN_PERSON besides; 0: nobody has to sign in */
    route_handler handle;
    const struct object_class *class;                        /* what it is about; NULL: nothing of the directory */
    enum route_shape body, answer;
    const char *query;                                       /* parameters, separated by spaces; "filter" stands for the class's */
    const char *summary;
};
extern const struct route routes[];
extern const size_t route_count;

/* A request on its way through a handler. */
struct api_call {
    struct mdm *mdm;
    const struct api_request *request;
    const struct route *route;
    struct bytes query;
    struct buf names[ROUTE_NAMES_MAX];                       /* of the path, percent-decoded, in their order */
    int64_t now;
    json_t *json;                                            /* the body, where the route's is JSON */
    json_t *result;                                          /* the answer's body; NULL: none. Owned by the call */
    json_t *problems;                                        /* of the answer that refuses it; NULL: none. Owned by the call */
    int status;
    int64_t etag;                                            /* the change of what is answered; 0: none */
    char *headers;                                           /* of the answer that goes well, in place of the ETag; NULL: none. Owned by the call */
};

/* ERR_HTTP_PATH; ERR_HTTP_METHOD: the path is another method's. Fills route, names and query of the call. */
NODISCARD enum err route_find(enum http_method method, struct bytes target, struct api_call *call, struct why *why);
/* Every parameter is one of the route's, and there once. ERR_USAGE. */
NODISCARD enum err route_query_check(const struct api_call *call, struct why *why);
/* A parameter; *ret is empty when it is not there. The caller frees it. */
NODISCARD enum err route_query(const struct api_call *call, const char *name, struct buf *ret, struct why *why);
NODISCARD enum err route_query_flag(const struct api_call *call, const char *name, bool *ret, struct why *why);
/* A whole number from 1 to most. */
NODISCARD enum err route_query_count(const struct api_call *call, const char *name, size_t most, size_t *ret, struct why *why);
struct bytes route_name(const struct api_call *call, size_t index);
