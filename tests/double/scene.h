/* SPDX-License-Identifier: Apache-2.0 */
/* What a try finds around it: made by the double before the sandbox is entered, as somebody who captures the role would know it. */
#pragma once
#include "base/bytes.h"
#include "ipc/role.h"

#define SCENE_OTHERS 4
struct scene {
    const struct role *role;
    const char *others[SCENE_OTHERS];                        /* the other roles' names */
    pid_t pids[SCENE_OTHERS];                                /* and processes */
    pid_t bystander;                                         /* a process of ours, user mode: dumpable, no role */
    uint16_t bystander_port;                                 /* TCP and UDP, on 127.0.0.1 */
    const char *bystander_name;                              /* abstract Unix socket, without the NUL in front */
    const char *etc, *state, *logs, *run, *config, *out;     /* folders; out: anybody's, for what is made outside */
    int unix_socket, tcp_socket, udp_socket, tcp_listener, pty;   /* made before, connected to nothing; -1: not to be had */
    unsigned nth;                                            /* which of try.times this one is */
};

enum expected { FORBIDDEN, ALLOWED };
struct try_row {
    const char *name;
    bool (*run)(const struct scene *scene);                  /* true: it was done; otherwise errno says why not */
    enum expected expected;
    const char *roles;                                       /* NULL: all */
    bool plain;                                              /* user mode: done when there is no sandbox, so that the try can fail;
                                                                not so where the kernel or the supervisor's filter refuses it anyway */
    bool sanitizer;                                          /* a build with AddressSanitizer keeps it: judged in the plain build */
    unsigned times;                                          /* 0 is once */
};
struct try_table { const struct try_row *rows; size_t count; };
extern const struct try_table tries_files, tries_folders, tries_processes, tries_sockets, tries_kernel, tries_own;

/* Path in another role's folder; the nth other. From a ring of buffers: valid for a few calls. */
const char *scene_path(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool scene_opens(const char *path, int flags);               /* and closes; creates with 0600 */
