/* SPDX-License-Identifier: Apache-2.0 */
/* The table: the administration API, whom each part of it is for, and what its documentation says. */
#include "mdm/api/handlers.h"

#include "mdm/administrator.h"
#include "mdm/apitoken.h"
#include "mdm/device_store.h"
#include "mdm/enrolment_token.h"
#include "mdm/group_store.h"
#include "mdm/profile_store.h"
#include "mdm/user_store.h"

/* Who changes what there is in the directory. */
#define DIRECTORY (ADMIN_CA_MANAGER | ADMIN_PROFILE_MANAGER)
#define HELP      (DIRECTORY | ADMIN_HELP_DESK)
#define PAGE      "limit after starts deleted filter"
#define BELOW     "limit after starts deleted"

#define SESSION          "/api/v1/session"
#define ADMINS           "/api/v1/administrators"
#define AN_ADMIN         ADMINS "/{administrator}"
#define APITOKENS        "/api/v1/apitokens"
#define IN_PERSON(roles) ((roles) | ADMIN_IN_PERSON)
/* Who sees the other administrators. */
#define SEES_ADMINS (ADMIN_CA_MANAGER | ADMIN_AUDITOR)
#define PROFILES    "/api/v1/profiles"
#define A_PROFILE   PROFILES "/{profile}"

/* clang-format off */
/* What each class has. */
#define OBJECT_ROUTES(plural, name, class_) \
    { HTTP_GET, "/api/v1/" plural, ADMIN_ALL, route_object_list, class_, SHAPE_NONE, SHAPE_PAGE, PAGE, \
      "List " plural ", in the order of their names" }, \
    { HTTP_POST, "/api/v1/" plural, DIRECTORY, route_object_add, class_, SHAPE_OBJECT, SHAPE_OBJECT, "", "Add a " name }, \
    { HTTP_GET, "/api/v1/" plural "/{" name "}", ADMIN_ALL, route_object_show, class_, SHAPE_NONE, SHAPE_OBJECT, "", "Show a " name }, \
    { HTTP_PATCH, "/api/v1/" plural "/{" name "}", DIRECTORY, route_object_set, class_, SHAPE_PATCH, SHAPE_OBJECT, "", \
      "Change what the body has of a " name " (RFC 7396)" }, \
    { HTTP_DELETE, "/api/v1/" plural "/{" name "}", DIRECTORY, route_object_delete, class_, SHAPE_NONE, SHAPE_NONE, "", \
      "Delete a " name "; it is kept with a mark, for its certificates' sake" }, \
    { HTTP_GET, "/api/v1/" plural "/{" name "}/groups", ADMIN_ALL, route_groups_of, class_, SHAPE_NONE, SHAPE_PAGE, BELOW, \
      "List the groups that a " name " is in, directly or by other groups" }
#define IMPORT_ROUTE(plural, class_) \
    { HTTP_POST, "/api/v1/" plural "/import", DIRECTORY, route_import, class_, SHAPE_FILE, SHAPE_IMPORTED, "dry_run", \
      "Add all " plural " of a file, or none of them" }

const struct route routes[] = {
    { HTTP_GET, "/api/v1/openapi.json", 0, route_openapi, NULL, SHAPE_NONE, SHAPE_OPENAPI, "", "This document" },
    OBJECT_ROUTES("users", "user", &user_class),
    IMPORT_ROUTE("users", &user_class),
    OBJECT_ROUTES("groups", "group", &group_class),
    { HTTP_GET, "/api/v1/groups/{group}/members", ADMIN_ALL, route_member_list, &group_class, SHAPE_NONE, SHAPE_PAGE, BELOW " groups",
      "List the users or devices of a group, or with groups=true the groups in it" },
    { HTTP_POST, "/api/v1/groups/{group}/members", DIRECTORY, route_member_add, &group_class, SHAPE_MEMBER, SHAPE_NONE, "",
      "Put a user, device or group into a group" },
    { HTTP_DELETE, "/api/v1/groups/{group}/members/{member}", DIRECTORY, route_member_remove, &group_class, SHAPE_NONE, SHAPE_NONE, "groups",
      "Take a user or device, or with groups=true a group, out of a group" },
    OBJECT_ROUTES("devices", "device", &device_class),
    IMPORT_ROUTE("devices", &device_class),
    { HTTP_POST, "/api/v1/devices/{device}/retire", HELP, route_device_retire, &device_class, SHAPE_NONE, SHAPE_OBJECT, "",
      "Retire a device: it is not managed any more" },
    { HTTP_GET, PROFILES, ADMIN_ALL, route_object_list, &profile_class, SHAPE_NONE, SHAPE_PAGE, PAGE,
      "List profiles, in the order of their names" },
    { HTTP_POST, PROFILES, DIRECTORY, route_profile_add, &profile_class, SHAPE_SETTINGS, SHAPE_SAVED, "", "Add a profile" },
    { HTTP_GET, A_PROFILE, ADMIN_ALL, route_profile_show, &profile_class, SHAPE_NONE, SHAPE_SAVED, "", "Show a profile" },
    { HTTP_PUT, A_PROFILE, DIRECTORY, route_profile_set, &profile_class, SHAPE_SETTINGS, SHAPE_SAVED, "",
      "Save the next version of a profile; what changes nothing makes none" },
    { HTTP_DELETE, A_PROFILE, DIRECTORY, route_profile_delete, &profile_class, SHAPE_NONE, SHAPE_NONE, "",
      "Delete a profile that is in use nowhere; it is kept with a mark, for its certificates' sake" },
    { HTTP_GET, A_PROFILE "/versions", ADMIN_ALL, route_profile_versions, &profile_class, SHAPE_NONE, SHAPE_VERSION_PAGE, "limit after",
      "List the versions of a profile, the newest first" },
    { HTTP_GET, A_PROFILE "/versions/{version}", ADMIN_ALL, route_profile_version, &profile_class, SHAPE_NONE, SHAPE_VERSION, "",
      "Show a profile as one version of it was saved" },
    { HTTP_GET, A_PROFILE "/preview", ADMIN_ALL, route_profile_preview, &profile_class, SHAPE_NONE, SHAPE_PREVIEW, "device",
      "Show what a profile would come to on a device and its user: the request, or why there would be none" },
    { HTTP_GET, A_PROFILE "/assignments", ADMIN_ALL, route_assignment_list, &profile_class, SHAPE_NONE, SHAPE_GROUP_MODES, BELOW,
      "List the groups that a profile is for, or is not for" },
    { HTTP_POST, A_PROFILE "/assignments", DIRECTORY, route_assignment_add, &profile_class, SHAPE_ASSIGNMENT, SHAPE_ASSIGNED, "",
      "Give a profile to a group, or keep it from one" },
    { HTTP_DELETE, A_PROFILE "/assignments/{group}", DIRECTORY, route_assignment_remove, &profile_class, SHAPE_NONE, SHAPE_ASSIGNED, "",
      "Take a group from those that a profile has" },
    { HTTP_GET, "/api/v1/groups/{group}/assignments", ADMIN_ALL, route_assignment_list, &group_class, SHAPE_NONE, SHAPE_PROFILE_MODES,
      BELOW, "List the profiles that a group is given, or kept from" },
    { HTTP_GET, "/api/v1/devices/{device}/profiles", ADMIN_ALL, route_device_profiles, &device_class, SHAPE_NONE, SHAPE_TARGETS, "",
      "List the profiles that are assigned to a device's or its user's groups: what reaches it, and why what does not" },
    { HTTP_GET, "/api/v1/deployments", ADMIN_ALL, route_deployment_list, NULL, SHAPE_NONE, SHAPE_DEPLOYMENTS, "device profile state limit after",
      "List how profiles stand on devices, each with its newest certificate" },
    { HTTP_GET, "/api/v1/deployments/summary", ADMIN_ALL, route_deployment_summary, NULL, SHAPE_NONE, SHAPE_DEPLOYMENT_COUNTS, "profile",
      "Count the deployments of each profile in each state" },
    { HTTP_GET, "/api/v1/devices/{device}/deployments/{profile}/history", ADMIN_ALL, route_deployment_history, &device_class, SHAPE_NONE,
      SHAPE_DEPLOYMENT_MOVES, "", "List what happened to a profile on a device, the newest 1000 events, the last one first" },
    { HTTP_GET, "/api/v1/enrolment-tokens", HELP | ADMIN_AUDITOR, route_object_list, &token_class, SHAPE_NONE, SHAPE_PAGE, PAGE,
      "List enrolment tokens, without what they are" },
    { HTTP_POST, "/api/v1/enrolment-tokens", HELP, route_token_add, &token_class, SHAPE_TOKEN, SHAPE_TOKEN_MADE, "",
      "Make an enrolment token; the answer is the only place where it is shown" },
    { HTTP_DELETE, "/api/v1/enrolment-tokens/{token}", HELP, route_object_delete, &token_class, SHAPE_NONE, SHAPE_NONE, "",
      "Revoke an enrolment token: it enrols nobody any more" },
    { HTTP_GET, "/api/v1/directories", ADMIN_ALL, route_directory_list, NULL, SHAPE_NONE, SHAPE_DIRECTORIES, "",
      "List the directories that users and groups come from" },
    { HTTP_GET, "/api/v1/directories/{directory}", ADMIN_ALL, route_directory_show, NULL, SHAPE_NONE, SHAPE_DIRECTORY, "",
      "Show how the last run of a directory went, and what of it is refused" },
    { HTTP_POST, "/api/v1/directories/{directory}/sync", DIRECTORY, route_directory_sync, NULL, SHAPE_SYNC, SHAPE_SYNC_ASKED, "",
      "Have a directory read at once" },
    { HTTP_POST, SESSION, 0, route_session_add, NULL, SHAPE_SIGN_IN, SHAPE_SESSION, "",
      "Sign in; the answer has the session's token, or sets it as a cookie" },
    { HTTP_GET, SESSION, ADMIN_ALL, route_session_show, NULL, SHAPE_NONE, SHAPE_SESSION, "", "Say who asks, and with which roles" },
    { HTTP_DELETE, SESSION, ADMIN_ALL, route_session_delete, NULL, SHAPE_NONE, SHAPE_NONE, "", "Sign out: the session ends" },
    { HTTP_GET, "/api/v1/oidc", 0, route_oidc_begin, NULL, SHAPE_NONE, SHAPE_REDIRECT, "",
      "Go to the OpenID provider, where there is one, to sign in there" },
    { HTTP_GET, "/api/v1/oidc/callback", 0, route_oidc_return, NULL, SHAPE_NONE, SHAPE_REDIRECT,
      "code state session_state iss scope error error_description error_uri", "Come back from there: a session begins, as a cookie" },
    { HTTP_PUT, SESSION "/password", IN_PERSON(ADMIN_ALL), route_password_change, NULL, SHAPE_PASSWORD_CHANGE, SHAPE_NONE, "",
      "Change one's own password; all one's sessions end" },
    { HTTP_GET, ADMINS, SEES_ADMINS, route_object_list, &administrator_class, SHAPE_NONE, SHAPE_PAGE, PAGE,
      "List administrators, in the order of their names" },
    { HTTP_POST, ADMINS, IN_PERSON(ADMIN_CA_MANAGER), route_object_add, &administrator_class, SHAPE_OBJECT, SHAPE_OBJECT, "",
      "Add an administrator, who has no password yet" },
    { HTTP_GET, AN_ADMIN, SEES_ADMINS, route_object_show, &administrator_class, SHAPE_NONE, SHAPE_OBJECT, "", "Show an administrator" },
    { HTTP_PATCH, AN_ADMIN, IN_PERSON(ADMIN_CA_MANAGER), route_object_set, &administrator_class, SHAPE_PATCH, SHAPE_OBJECT, "",
      "Change what the body has of an administrator (RFC 7396); other roles, or none, end their sessions" },
    { HTTP_DELETE, AN_ADMIN, IN_PERSON(ADMIN_CA_MANAGER), route_object_delete, &administrator_class, SHAPE_NONE, SHAPE_NONE, "",
      "Delete an administrator; their sessions end, and their tokens count no more" },
    { HTTP_PUT, AN_ADMIN "/password", IN_PERSON(ADMIN_CA_MANAGER), route_password_set, &administrator_class, SHAPE_PASSWORD, SHAPE_NONE, "",
      "Give an administrator a password; their sessions end" },
    { HTTP_GET, APITOKENS, ADMIN_ALL, route_apitoken_list, &apitoken_class, SHAPE_NONE, SHAPE_PAGE, PAGE,
      "List API tokens, without what they are: one's own, or for CA managers and auditors all" },
    { HTTP_POST, APITOKENS, IN_PERSON(ADMIN_ALL), route_apitoken_add, &apitoken_class, SHAPE_APITOKEN, SHAPE_APITOKEN_MADE, "",
      "Make an API token of one's own; the answer is the only place where it is shown" },
    { HTTP_DELETE, APITOKENS "/{apitoken}", ADMIN_ALL, route_apitoken_delete, &apitoken_class, SHAPE_NONE, SHAPE_NONE, "",
      "Revoke an API token: one's own, or for CA managers anybody's" },
    { HTTP_GET, "/api/v1/audit", ADMIN_CA_MANAGER | ADMIN_AUDITOR, route_audit, NULL, SHAPE_NONE, SHAPE_AUDIT_PAGE, "limit before object",
      "List what administrators did, the newest first" },
};
/* clang-format on */
const size_t route_count = sizeof(routes) / sizeof(*routes);
