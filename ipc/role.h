/* SPDX-License-Identifier: Apache-2.0 */
/* What every role's main does first and last: keep only its slice of the configuration, take the descriptors that the
   supervisor made, drop what it does not need, serve, and stop in good order. */
#pragma once
#include "base/clock.h"
#include "base/sandbox.h"
#include "base/secret.h"
#include "config/config.h"
#include "ipc/server.h"
#include "net/broker.h"
#include "net/loop.h"
#include "net/pool.h"
#include "x509/key.h"

#define ROLE_DESCRIPTORS_MAX 32
/* Command line of a role, written by the supervisor:
       chancery-ROLE --config FILE [--ready FD] [--listen PRINCIPAL=FD[,UID]]… [--peer PRINCIPAL=FD]… [--http FD]… [--https FD]… [--admin FD]… [--crp FD]… [--broker FD]
   broker: what the role may not open itself is asked for there (net/broker.h).
   ready: one byte is written to it once the role serves; then it is closed. */
struct role_hooks;
struct role_descriptor { enum { ROLE_LISTEN, ROLE_PEER, ROLE_HTTP, ROLE_HTTPS, ROLE_ADMIN, ROLE_CRP } kind; char principal[64]; int fd;
                         int64_t uid; };
struct role {
    const char *name;
    struct config *config;
    const struct clock *clock;
    struct loop *loop;
    struct pool *pool;
    unsigned cores;                                          /* that this process may run on */
    struct key_gate *gate;
    struct broker *broker;                                   /* NULL: started without a supervisor */
    struct sandbox_state sandbox;
    struct secret unlock;                                    /* of etc_dir/secrets/ROLE/unlock */
    struct role_descriptor descriptors[ROLE_DESCRIPTORS_MAX]; size_t descriptor_count;
    int ready_fd;
    bool stopping;
    int exit_status;                                         /* what role_serve returns; 0 unless a role sets it */
    const struct role_hooks *hooks;
};
/* Log, locked heap, hardening (base/sandbox.h), arguments, configuration slice, unlock secret, gate. Exit status 2 after a message
   on wrong usage. What takes wider rights than the policy is opened between this and role_confine. */
NODISCARD enum err role_begin(int argc, char **argv, const char *name, struct role *ret, struct why *why);
/* Enters the sandbox for good, then makes what has threads: loop and pool. A kernel that cannot enforce it is warned of. */
NODISCARD enum err role_confine(struct role *role, const struct sandbox_policy *policy, struct why *why);
/* First descriptor of that kind (and principal, unless NULL); -1 when none. */
int role_descriptor(const struct role *role, int kind, const char *principal);
/* Answers what the principals of its listening sockets ask: verbs, each handed arg. */
struct role_verbs { const struct ipc_verb *list; size_t count; void *arg;
                    size_t max_frame; };                     /* 0: LIMIT_FRAME_BYTES */
NODISCARD enum err role_listen(const struct role *role, const struct role_verbs *verbs, struct ipc_server **ret, struct why *why);
/* The configuration as it is now, only this role's slice; the caller frees it. From any thread. */
NODISCARD enum err role_config_again(struct role *role, struct config **ret, struct why *why);
struct role_hooks {
    void (*reload)(void *arg);                               /* SIGHUP, on the loop thread; NULL: nothing */
    void (*stop)(void *arg);                                 /* SIGTERM or SIGINT, on the loop thread, once: drain, then loop_stop */
    void *arg;
};
/* Says ready, runs the loop until it is stopped; returns the process's exit status. */
int role_serve(struct role *role, const struct role_hooks *hooks);
/* What SIGTERM does, from code on the loop thread: the stop hook once, and the loop ends after stop_timeout at the latest. */
void role_stop(struct role *role);
void role_end(struct role *role);
