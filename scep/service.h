/* SPDX-License-Identifier: Apache-2.0 */
/* The running role: its listeners, its logs, and what the command line may ask of it. */
#pragma once
#include "base/auto.h"
#include "base/err.h"
#include "ipc/server.h"

struct role;
struct service;
/* Everything that can be wrong with configuration, keys and certificates is found here, before the role says ready. */
NODISCARD enum err service_new(struct role *role, struct service **ret, struct why *why);
void service_free(struct service *service);
AUTO_DECLARE(service)
void service_reload(void *service);                          /* SIGHUP */
void service_stop(void *service);                            /* SIGTERM */
extern const struct ipc_verb scep_verbs[];                   /* whom it answers, and what */
extern const size_t scep_verb_count;
