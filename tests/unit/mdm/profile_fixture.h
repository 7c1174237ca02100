/* SPDX-License-Identifier: Apache-2.0 */
/* Good profiles, to be spoilt in one place each. */
#pragma once
#include "mdm/profile_check.h"
#include "tests/unit/mdm/fixture.h"
#include <jansson.h>

/* PEM of an authority made for this test; the same one in each call of a program. */
const char *fixture_root_pem(void);
struct bytes fixture_root_der(void);

/* "trusted", "user" (scep, windows-10), "device" (scep, ios), "pkcs" (macos), "digicert" (pkcs, windows-10), "imported". The root of
   all is called "Root". */
json_t *fixture_json(const char *which);
/* With one member set to a JSON text, or taken away for NULL; "a.b" is not understood. */
json_t *fixture_json_with(const char *which, const char *member, const char *json);
/* Takes it; every problem is left for the test to judge. */
void fixture_take(json_t *document, struct profile *out, struct problems *problems);
/* A profile that is good. */
struct profile fixture_profile(const char *which);
struct profile fixture_profile_with(const char *which, const char *member, const char *json);

/* The profile with this member is refused for this field alone, and what is said has these words; says NULL: it is good. */
void fixture_assert(const char *which, const char *member, const char *json, const char *field, const char *says);
/* The same, with warnings looked at instead of errors. */
void fixture_assert_warned(const char *which, const char *member, const char *json, const char *field, const char *says);
