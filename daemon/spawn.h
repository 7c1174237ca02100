/* SPDX-License-Identifier: Apache-2.0 */
/* Starting one role: a new process with its own user, only its descriptors, and a death that follows ours. */
#pragma once
#include "daemon/sockets.h"

struct spawn {
    const struct role_row *role;
    const char *config_path;
    struct role_ids ids;
    bool drop;                                  /* system mode: take the role's user */
    const struct sockets *sockets;              /* those of this role are passed */
    int peer_fd;                                /* its end of the socketpair; -1: none */
    int ready_fd;                               /* write end */
    int broker_fd;                              /* its end */
};
NODISCARD enum err role_spawn(const struct spawn *spawn, pid_t *ret_pid, struct why *why);
