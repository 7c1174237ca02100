/* SPDX-License-Identifier: Apache-2.0 */
/* The table: the administration API, whom each part of it is for, and what its documentation says. */
#include "mdm/api/handlers.h"

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

#define PROFILES  "/api/v1/profiles"
#define A_PROFILE PROFILES "/{profile}"

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
    { HTTP_GET, "/api/v1/audit", ADMIN_CA_MANAGER | ADMIN_AUDITOR, route_audit, NULL, SHAPE_NONE, SHAPE_AUDIT_PAGE, "limit before object",
      "List what administrators did, the newest first" },
};
/* clang-format on */
const size_t route_count = sizeof(routes) / sizeof(*routes);
