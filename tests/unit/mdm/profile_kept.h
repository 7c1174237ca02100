/* SPDX-License-Identifier: Apache-2.0 */
/* The good profiles of profile_fixture.h, in the directory of a test. */
#pragma once
#include "tests/unit/mdm/directory.h"
#include "tests/unit/mdm/profile_fixture.h"

/* Sends it, and frees it; gives the status. */
int profile_send(enum http_method method, const char *target, json_t *document);
/* Adds it with one member as in fixture_json_with, and demands that. Its id, as made() gives it. */
const char *profile_made(const char *which, const char *member, const char *json);
