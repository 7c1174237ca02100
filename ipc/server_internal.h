/* SPDX-License-Identifier: Apache-2.0 */
/* What the three parts of the answering side share: who may connect (server.c), frames in and out (server_conn.c), calls from
   the verb to the answer (server_call.c). Everything but the verbs themselves runs on the loop thread. */
#pragma once
#include "base/limits.h"
#include "ipc/server.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>

#define IPC_SCRATCH_BYTES 65536                              /* read at once */

struct ipc_listener {
    struct ipc_listener *next;
    struct ipc_server *server;
    struct event *event;
    int fd;
    int64_t uid;
    char principal[LIMIT_NAME_BYTES + 1];
};

struct ipc_conn {
    struct ipc_conn *next, **link;
    struct ipc_server *server;
    int fd;                                                  /* -1: closed, and kept until its last call is back */
    struct event io, hello;                                  /* hello: the time for it is over */
    short interest;                                          /* of io */
    struct buf in;                                           /* a frame that is not whole, or not wanted yet */
    struct buf out; size_t sent;                             /* answers, and how much of them has left */
    char principal[LIMIT_NAME_BYTES + 1], ctx[LIMIT_NAME_BYTES + 8];
    struct ipc_caller caller;
    int version;                                             /* 0: no hello yet */
    size_t in_flight;
    bool last_words;                                         /* to be closed once what is written has left */
    void (*on_lost)(void *arg);
    void *on_lost_arg;
};

struct ipc_server {
    struct ipc_server_config config;
    struct ipc_listener *listeners;
    struct ipc_conn *conns;
    size_t conn_count;
    bool draining;
    void (*drained)(void *arg);
    void *drained_arg;
    pthread_mutex_t lock;                                    /* the three below */
    pthread_cond_t idle;
    struct ipc_call *finished;
    size_t running;
    uint8_t scratch[IPC_SCRATCH_BYTES];
};
size_t ipc_max_frame(const struct ipc_server *server);

/* --- server.c --- */
void server_drain_check(struct ipc_server *server);

/* --- server_conn.c --- */
struct ipc_conn *conn_new(struct ipc_server *server, int fd, const char *principal);   /* takes fd, non-blocking */
void conn_trust(struct ipc_conn *conn);                      /* waits for its hello for ever */
void conn_answer(struct ipc_conn *conn, struct bytes frame); /* leaves with conn_go_on */
/* Sends what it can, and reads again if it had enough before. The last use of conn by the caller, unless calls are out. */
void conn_go_on(struct ipc_conn *conn);
bool conn_is_idle(const struct ipc_conn *conn);              /* no call is out, and no answer on its way */
void conn_stop_reading(struct ipc_conn *conn);
void conn_abandon(struct ipc_conn *conn);                    /* closes and frees it: no call is out */
void conn_refuse(struct ipc_conn *conn, int64_t id, const struct why *why);   /* logged and answered */

/* --- server_call.c --- */
void call_start(struct ipc_conn *conn, const struct frame *frame, struct bytes der);   /* frame's views are of der */
void calls_drop(struct ipc_server *server);                  /* answered, and nobody to send them to */
