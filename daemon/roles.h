/* SPDX-License-Identifier: Apache-2.0 */
/* The role table: who runs, who may talk to whom, and who must start and end together. */
#pragma once
#include "base/bytes.h"

#define ROLE_CLIENTS_MAX 4

struct role_row {
    const char *name;
    const char *user;                           /* in system mode */
    const char *clients[ROLE_CLIENTS_MAX];      /* principals that get a listening socket of their own */
    const char *asks;                           /* the role that it asks: the supervisor connects for it (daemon/grant.h) */
    const char *peer;                           /* joined by one socketpair; both start and end together */
    int stop_order;                             /* lower stops first: who asks stops before who answers */
};
const struct role_row *role_row_find(const char *name);      /* NULL: no such role */
const struct role_row *role_row_at(size_t index);            /* NULL: past the end */
/* The executable of a role: installed (../libexec/chancery) or in the build tree. Caller frees. */
NODISCARD enum err role_executable(const char *name, char **ret_path, struct why *why);
