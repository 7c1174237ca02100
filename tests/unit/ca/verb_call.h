/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs without a server: struct ipc_call as the tests make it, for those that answer later. */
#pragma once
#include "ipc/server.h"

/* The first of those that may call it; ret holds the name. */
struct ipc_caller verb_caller(const struct ipc_verb *verb, char ret[static 16]);
const struct ipc_verb *verb_named(const char *name);         /* of ca_verbs; there must be one */
/* Asks for the right first, as the server does. */
NODISCARD enum err verb_call(const struct ipc_verb *verb, void *role, const struct ipc_caller *caller, struct bytes body,
                             struct buf *ret_body, struct why *why);
