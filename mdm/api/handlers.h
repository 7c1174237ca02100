/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers that the table of routes names. */
#pragma once
#include "mdm/api/route.h"

enum err route_openapi(struct api_call *call, struct why *why);
/* object.c: of the route's class */
enum err route_object_list(struct api_call *call, struct why *why);
enum err route_object_add(struct api_call *call, struct why *why);
enum err route_object_show(struct api_call *call, struct why *why);
enum err route_object_set(struct api_call *call, struct why *why);
enum err route_object_delete(struct api_call *call, struct why *why);
enum err route_device_retire(struct api_call *call, struct why *why);
/* member.c */
enum err route_groups_of(struct api_call *call, struct why *why);
enum err route_member_list(struct api_call *call, struct why *why);
enum err route_member_add(struct api_call *call, struct why *why);
enum err route_member_remove(struct api_call *call, struct why *why);
/* profile.c */
enum err route_profile_add(struct api_call *call, struct why *why);
enum err route_profile_show(struct api_call *call, struct why *why);
enum err route_profile_set(struct api_call *call, struct why *why);
enum err route_profile_delete(struct api_call *call, struct why *why);
enum err route_profile_versions(struct api_call *call, struct why *why);
enum err route_profile_version(struct api_call *call, struct why *why);
enum err route_profile_preview(struct api_call *call, struct why *why);
/* assignment.c: of the route's class, a profile or a group */
enum err route_assignment_list(struct api_call *call, struct why *why);
enum err route_assignment_add(struct api_call *call, struct why *why);
enum err route_assignment_remove(struct api_call *call, struct why *why);
enum err route_device_profiles(struct api_call *call, struct why *why);
/* deployment.c */
enum err route_deployment_list(struct api_call *call, struct why *why);
enum err route_deployment_summary(struct api_call *call, struct why *why);
enum err route_deployment_history(struct api_call *call, struct why *why);
enum err route_token_add(struct api_call *call, struct why *why);
/* session.c, password.c, apitoken.c */
enum err route_session_add(struct api_call *call, struct why *why);
enum err route_session_show(struct api_call *call, struct why *why);
enum err route_session_delete(struct api_call *call, struct why *why);
enum err route_oidc_begin(struct api_call *call, struct why *why);
enum err route_oidc_return(struct api_call *call, struct why *why);
enum err route_password_set(struct api_call *call, struct why *why);
enum err route_password_change(struct api_call *call, struct why *why);
enum err route_apitoken_add(struct api_call *call, struct why *why);
enum err route_apitoken_list(struct api_call *call, struct why *why);
enum err route_apitoken_delete(struct api_call *call, struct why *why);
enum err route_import(struct api_call *call, struct why *why);
enum err route_audit(struct api_call *call, struct why *why);
/* directory.c */
enum err route_directory_list(struct api_call *call, struct why *why);
enum err route_directory_show(struct api_call *call, struct why *why);
enum err route_directory_sync(struct api_call *call, struct why *why);
