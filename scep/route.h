/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: IIS compares them without regard to case and takes a final slash, and so do the URLs that people typed into
   their profiles. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

struct endpoint_set;
struct endpoint;

/* The paths of the endpoint named default (spec scep.md), normalised. */
#define ROUTE_STANDARD_COUNT 6
extern const char *const route_standard[ROUTE_STANDARD_COUNT];

/* Percent-decoded, in lower case, without a final slash; NULL for what is no path (bad escape, NUL, control characters).
   Caller frees. */
char *route_normalise(struct bytes path);

enum route_kind { ROUTE_NONE, ROUTE_ENDPOINT, ROUTE_ADMIN };
struct route { enum route_kind kind; const struct endpoint *endpoint; };
struct route route_find(const struct endpoint_set *set, struct bytes path);
