/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection to PostgreSQL takes besides SQL: the ports and files that its conninfo names, for the sandbox of the role. */
#pragma once
#include "base/bytes.h"
#include "base/sandbox.h"

#define STORE_REACH_MAX 4
struct store_reach {
    uint16_t ports[STORE_REACH_MAX]; size_t port_count;      /* of TCP; one for each host that is listed */
    char *files[2 * STORE_REACH_MAX]; size_t file_count;     /* certificates, key, passwords: named in conninfo, or where libpq looks */
};
NODISCARD enum err store_reach_of(const char *conninfo, struct store_reach *ret, struct why *why);
/* Of the conninfo, and what the resolver and the libraries read on the way there. reach: outlives the policy. */
void store_reach_allow(const struct store_reach *reach, struct sandbox_policy *policy);
void store_reach_free(struct store_reach *reach);
