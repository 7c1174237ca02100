/* SPDX-License-Identifier: Apache-2.0 */
/* From a path (http/path.h) to what answers there. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

struct endpoint_set;
struct endpoint;

/* The paths of the endpoint named default (spec scep.md), normalised. */
#define ROUTE_STANDARD_COUNT 6
extern const char *const route_standard[ROUTE_STANDARD_COUNT];

enum route_kind { ROUTE_NONE, ROUTE_ENDPOINT, ROUTE_ADMIN };
struct route { enum route_kind kind; const struct endpoint *endpoint; };
struct route route_find(const struct endpoint_set *set, struct bytes path);
