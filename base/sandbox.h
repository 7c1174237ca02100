/* SPDX-License-Identifier: Apache-2.0 */
/* What a process gives up before it serves: files by Landlock, system calls by seccomp. A role says what it keeps, as data; what it
   does not name is gone, for all its threads and for good. Bodies: sandbox-linux.c, landlock-linux.c, seccomp-linux.c. */
#pragma once
#include "base/err.h"

#include <stdint.h>

/* Not dumpable, no core files, no new privileges: holds for every role and the supervisor, in both modes. */
NODISCARD enum err sandbox_harden(struct why *why);

enum sandbox_access {
    SANDBOX_READ,                                            /* files beneath, and what folders list */
    SANDBOX_LOG,                                             /* makes and writes files, reads none */
    SANDBOX_STORE,                                           /* reads, writes, makes, renames in place, removes */
};
/* A folder with all beneath it, or one file. A file that is replaced by renaming another over it needs its folder here. */
struct sandbox_path { const char *path; enum sandbox_access access; bool optional; };   /* optional: need not be there */
#define SANDBOX_PATHS_MAX 32
#define SANDBOX_PORTS_MAX 8
struct sandbox_policy {
    struct sandbox_path paths[SANDBOX_PATHS_MAX]; size_t path_count;   /* none: it opens no file at all */
    bool accepts;                                            /* takes connections from listening sockets that it inherited */
    bool connects;                                           /* makes sockets of its own: Unix, and TCP to these ports */
    uint16_t ports[SANDBOX_PORTS_MAX]; size_t port_count;
    bool loads_code;                                         /* shared objects, late: what a resolver is configured to use */
};
void sandbox_add(struct sandbox_policy *policy, const char *path, enum sandbox_access access);   /* path: borrowed */
void sandbox_add_optional(struct sandbox_policy *policy, const char *path, enum sandbox_access access);

/* What this kernel could enforce. landlock: its ABI, 0 where there is none; from 4 on it knows TCP, from 6 on signals and abstract
   sockets (seccomp refuses those in any case). */
struct sandbox_state { int landlock; bool seccomp; };
/* Before the process has a second thread. A kernel without one of the two is no error: *ret_state says it, and the role warns. */
NODISCARD enum err sandbox_enter(const struct sandbox_policy *policy, struct sandbox_state *ret_state, struct why *why);
void sandbox_state_text(const struct sandbox_state *state, char ret[static 64]);

/* The supervisor, which starts processes and so keeps exec, fork and setuid: in system mode only the capabilities that this takes,
   and no way into kernel interfaces that it never uses. */
NODISCARD enum err sandbox_enter_supervisor(struct why *why);
