/* SPDX-License-Identifier: Apache-2.0 */
/* Problems as the API says them: an array of {field, got, rule}. */
#pragma once
#include "http/json_text.h"
#include "mdm/problem.h"

/* The warnings, or else what is wrong. The caller owns it. */
json_t *problems_json(const struct problems *problems, bool warnings);
