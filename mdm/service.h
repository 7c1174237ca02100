/* SPDX-License-Identifier: Apache-2.0 */
/* The running role: its store, its two listeners, and the command line's socket. */
#pragma once
#include "mdm/mdm.h"

struct role;
struct service;
struct tls_keeper;
NODISCARD enum err service_new(struct role *role, struct service **ret, struct why *why);
void service_free(struct service *service);
AUTO_DECLARE(service)
void service_reload(void *service);                          /* SIGHUP, on the loop thread */
void service_stop(void *service);                            /* SIGTERM, on the loop thread */
struct mdm *service_mdm(struct service *service);
struct role *service_role(struct service *service);
struct tls_keeper *service_tls(struct service *service);    /* NULL: no HTTPS listener */
int64_t service_tls_not_after(struct service *service);      /* 0: no HTTPS listener */
