/* SPDX-License-Identifier: Apache-2.0 */
/* The answering side: listening sockets, one per client principal, frames read on the loop thread and answered by the
   worker pool from one table of verbs. What is not in the table for that principal is refused. */
#pragma once
#include "base/auto.h"
#include "ipc/frame.h"

struct loop;
struct pool;
struct ipc_caller { const char *principal; };                /* who asks: decided by the socket, never by the frame */
/* body: one whole DER element. OK: *ret_body (one whole DER element; empty becomes NULL element). Otherwise the error
   and *why travel back. Runs on a worker thread, which it may keep waiting. */
typedef enum err (*ipc_verb_fn)(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret_body,
                                struct why *why);
/* For what waits without a thread: begins, returns, and the call is answered later. Runs on a worker as a brief job
   (net/pool.h). */
struct ipc_call;
typedef void (*ipc_start_fn)(void *role, struct ipc_call *call);
/* May this caller run this verb on what the body names? Asked on the worker, before the verb; OK, or what travels back. */
struct ipc_verb;
typedef enum err (*ipc_allow_fn)(void *role, const struct ipc_verb *verb, const struct ipc_caller *caller,
                                 struct bytes body, struct why *why);
struct ipc_verb { const char *name; const char *principals;  /* space-separated: "scep cli" */
                  ipc_verb_fn run; ipc_start_fn start; };    /* one of the two */

struct bytes ipc_call_body(const struct ipc_call *call);     /* until it is answered */
const struct ipc_caller *ipc_call_caller(const struct ipc_call *call);
/* Exactly once, from any thread; the call is gone then. body, why: as ipc_verb_fn gives them. */
void ipc_call_answer(struct ipc_call *call, enum err err, struct bytes body, const struct why *why);
/* Goes on with it where waiting is allowed: on a worker, before whatever has not begun. */
void ipc_call_go_on(struct ipc_call *call, void (*work)(void *arg), void *arg);

struct ipc_server;
struct ipc_server_config {
    struct loop *loop; struct pool *pool;
    const struct ipc_verb *verbs; size_t verb_count;
    ipc_allow_fn allow;                                      /* NULL: the table's principals alone decide */
    void *role;                                              /* handed to each verb */
    size_t max_frame;
    int64_t allowed_uid;                                     /* -1: any (user mode checks own uid itself) */
};
NODISCARD enum err ipc_server_new(const struct ipc_server_config *config, struct ipc_server **ret, struct why *why);
/* A listening Unix socket whose every connection is `principal` with uid (-1: our own uid only). Takes fd. */
NODISCARD enum err ipc_server_listen(struct ipc_server *server, int fd, const char *principal, int64_t uid,
                                     struct why *why);
/* One connected socket (a socketpair) whose peer is `principal`. Takes fd. on_lost runs on the loop thread. */
NODISCARD enum err ipc_server_attach(struct ipc_server *server, int fd, const char *principal, void (*on_lost)(void *arg),
                                     void *arg, struct why *why);
void ipc_server_drain(struct ipc_server *server, int ms, void (*done)(void *arg), void *arg);
void ipc_server_free(struct ipc_server *server);             /* once every call is answered */
AUTO_DECLARE(ipc_server)
