/* SPDX-License-Identifier: Apache-2.0 */
/* The running role: its listeners, its rounds, and what the command line may ask of it. */
#pragma once
#include "base/auto.h"
#include "base/err.h"
#include "ipc/server.h"

struct role;
struct service;
/* Asks ca for all it needs before the role says ready; when ca is not there, the role serves all the same, and goes on asking. */
NODISCARD enum err service_new(struct role *role, struct service **ret, struct why *why);
void service_free(struct service *service);
AUTO_DECLARE(service)
void service_reload(void *service);                          /* SIGHUP */
void service_stop(void *service);                            /* SIGTERM */
void service_rounds_begin(struct service *service);          /* before role_serve */
extern const struct ipc_verb va_verbs[];                   /* whom it answers, and what */
extern const size_t va_verb_count;
