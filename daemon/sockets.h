/* SPDX-License-Identifier: Apache-2.0 */
/* The listening sockets that the supervisor makes and keeps, so that a client waits in the queue, and is not refused,
   while a role restarts; and so that identity is the socket. */
#pragma once
#include "config/config.h"
#include "daemon/roles.h"
#include <sys/types.h>

#define SOCKETS_MAX 24
enum socket_kind { SOCKET_UNIX, SOCKET_HTTP, SOCKET_HTTPS, SOCKET_ADMIN, SOCKET_CRP };
struct role_socket { enum socket_kind kind; const char *role, *client; int fd; int64_t client_uid; };
struct sockets { struct role_socket list[SOCKETS_MAX]; size_t count; };

struct role_ids { uid_t uid; gid_t gid; };
/* System mode: the role's own user; user mode: who we are. */
NODISCARD enum err role_ids_of(const struct config *config, const struct role_row *role, struct role_ids *ret,
                               struct why *why);
/* All Unix sockets of `role`, and the TCP listeners if it speaks HTTP. Logs each address. */
NODISCARD enum err sockets_open(struct sockets *sockets, const struct config *config, const struct role_row *role,
                                struct why *why);
void sockets_close(struct sockets *sockets);
