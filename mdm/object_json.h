/* SPDX-License-Identifier: Apache-2.0 */
/* Objects as JSON, both ways. */
#pragma once
#include "http/json_text.h"
#include "mdm/object.h"

/* Every attribute; null where there is no value; times as RFC 3339. The caller owns it. */
json_t *object_json(const struct object *object);
/* What is given of attributes that are not the service's own; null is no value. ERR_VALUE names a member that the class does not have, one of
   another type, or a value that its attribute does not take. ret: of the class, and empty. */
NODISCARD enum err object_json_take(const json_t *json, struct object *ret, struct why *why);
