/* SPDX-License-Identifier: Apache-2.0 */
/* A call, from its frame to its answer: the verb runs on a worker, and whoever has the answer hands it back to the loop
   thread through one list. */
#include "ipc/server_internal.h"

#include "base/fault.h"
#include "config/options.h"
#include "net/loop.h"
#include "net/pool.h"

#define BRIEF_FRAME_BYTES 65536 /* what is larger (a CRL) takes its time */

struct ipc_call {
    struct ipc_call *next;
    struct ipc_conn *conn;
    const struct ipc_verb *verb;
    int64_t id;
    int version;
    struct buf der; /* the whole frame, which body points into */
    struct bytes body;
    struct buf frame;         /* the answer */
    struct pool_place *place; /* kept from start to answer; NULL for run */
    void (*work)(void *arg);  /* of ipc_call_go_on */
    void *work_arg;
};

static void call_free(struct ipc_call *call)
{
    buf_wipe(&call->der);
    buf_wipe(&call->frame);
    free(call);
}

struct bytes ipc_call_body(const struct ipc_call *call)
{
    return call->body;
}

const struct ipc_caller *ipc_call_caller(const struct ipc_call *call)
{
    return &call->conn->caller;
}

/* --- the answer, on any thread --- */

static void frame_make(struct ipc_call *call, enum err err, struct bytes body, const struct why *why)
{
    struct why too_long = { 0 };
    size_t most = ipc_max_frame(call->conn->server);
    AUTO_WIPE error = { 0 };
    if (err == OK && body.len + FRAME_OVERHEAD_BYTES > most) {
        err = fail(&too_long, ERR_LIMIT, "answer of %zu bytes, limit %zu", body.len,
                   most - FRAME_OVERHEAD_BYTES);
        why = &too_long;
    }
    if (err != OK)
        frame_error_put(&error, err, why->text);
    const struct frame answer = { call->version, call->id, err == OK ? BYTES_LIT("ok") : BYTES_LIT("error"),
                                  err == OK ? body : buf_bytes(&error) };
    frame_put(&call->frame, &answer);
}

static void calls_collect(void *arg);

void ipc_call_answer(struct ipc_call *call, enum err err, struct bytes body, const struct why *why)
{
    struct ipc_server *server = call->conn->server;
    struct pool_place *place = call->place;
    frame_make(call, err, body, why);
    pthread_mutex_lock(&server->lock);
    call->next = server->finished;
    server->finished = call;
    /* Inside the lock: ipc_server_free must find the post or a call that is still counted. */
    if (!call->next)
        loop_post(server->config.loop, calls_collect, server);
    if (--server->running == 0)
        pthread_cond_signal(&server->idle);
    pthread_mutex_unlock(&server->lock);
    if (place)
        pool_leave(place);
}

/* --- on worker threads --- */

static enum err allow(const struct ipc_call *call, struct why *why)
{
    const struct ipc_server_config *config = &call->conn->server->config;
    return config->allow && !FAULT(verb_allow)
               ? config->allow(config->role, call->verb, &call->conn->caller, call->body, why)
               : OK;
}

static void run(void *arg, struct pool_place *place)
{
    struct ipc_call *call = arg;
    struct why why = { 0 };
    AUTO_WIPE body = { 0 };
    (void)place;
    enum err err = allow(call, &why);
    if (err == OK)
        err = call->verb->run(call->conn->server->config.role, &call->conn->caller, call->body, &body, &why);
    ipc_call_answer(call, err, buf_bytes(&body), &why);
}

static void start(void *arg, struct pool_place *place)
{
    struct ipc_call *call = arg;
    struct why why = { 0 };
    pool_keep(place);
    call->place = place;
    enum err err = allow(call, &why);
    if (err != OK)
        ipc_call_answer(call, err, BYTES_NONE, &why);
    else
        call->verb->start(call->conn->server->config.role, call);
}

static void go_on(void *arg, struct pool_place *place)
{
    struct ipc_call *call = arg;
    (void)place;
    call->work(call->work_arg);
}

void ipc_call_go_on(struct ipc_call *call, void (*work)(void *arg), void *arg)
{
    call->work = work;
    call->work_arg = arg;
    pool_go_on(call->place, go_on, call, false);
}

/* --- on the loop thread --- */

static struct ipc_call *finished_take(struct ipc_server *server)
{
    pthread_mutex_lock(&server->lock);
    struct ipc_call *newest = server->finished;
    server->finished = NULL;
    pthread_mutex_unlock(&server->lock);
    return newest;
}

/* All answers first, so that those of one connection leave together. */
static void calls_collect(void *arg)
{
    struct ipc_server *server = arg;
    struct ipc_call *next;
    for (struct ipc_call *call = finished_take(server); call; call = next) {
        next = call->next;
        call->conn->in_flight--;
        if (call->conn->fd >= 0)
            conn_answer(call->conn, buf_bytes(&call->frame));
        call_free(call);
    }
    struct ipc_conn *after;
    for (struct ipc_conn *conn = server->conns; conn; conn = after) {
        after = conn->next;
        conn_go_on(conn);
    }
    server_drain_check(server);
}

void calls_drop(struct ipc_server *server)
{
    struct ipc_call *next;
    for (struct ipc_call *call = finished_take(server); call; call = next) {
        next = call->next;
        call->conn->in_flight--;
        call_free(call);
    }
}

static const struct ipc_verb *verb_find(const struct ipc_conn *conn, struct bytes name)
{
    const struct ipc_server_config *config = &conn->server->config;
    for (size_t i = 0; i < config->verb_count; i++) {
        if (bytes_equal(name, bytes_str(config->verbs[i].name)))
            return FAULT(verb_rights) || words_contain(config->verbs[i].principals, conn->principal)
                       ? &config->verbs[i]
                       : NULL;
    }
    return NULL;
}

/* A copy: the connection reads on meanwhile. */
static struct ipc_call *call_new(struct ipc_conn *conn, const struct ipc_verb *verb,
                                 const struct frame *frame, struct bytes der)
{
    struct ipc_call *call = xcalloc(1, sizeof(*call));
    *call = (struct ipc_call){
        .conn = conn, .verb = verb, .id = frame->id, .version = conn->version, .der = buf_dup(der)
    };
    call->body = bytes_of(call->der.data + (frame->body.data - der.data), frame->body.len);
    return call;
}

static void count_running(struct ipc_server *server, bool more)
{
    pthread_mutex_lock(&server->lock);
    server->running = more ? server->running + 1 : server->running - 1;
    pthread_mutex_unlock(&server->lock);
}

void call_start(struct ipc_conn *conn, const struct frame *frame, struct bytes der)
{
    struct ipc_server *server = conn->server;
    struct why why;
    const struct ipc_verb *verb = verb_find(conn, frame->verb);
    if (!verb) {
        (void)fail(&why, ERR_NOT_AUTHORISED, "verb \"%.*s\" is not for \"%s\"", (int)frame->verb.len,
                   (const char *)frame->verb.data, conn->principal);
        conn_refuse(conn, frame->id, &why);
        return;
    }
    struct ipc_call *call = call_new(conn, verb, frame, der);
    const struct pool_job job = { .work = verb->start ? start : run,
                                  .arg = call,
                                  .brief = verb->start && der.len <= BRIEF_FRAME_BYTES };
    count_running(server, true);
    conn->in_flight++;
    if (pool_submit_from(server->config.pool, &job))
        return;
    conn->in_flight--;
    count_running(server, false);
    call_free(call);
    (void)fail(&why, ERR_BUSY, "every worker is busy and the queue is full: verb \"%s\"", verb->name);
    conn_refuse(conn, frame->id, &why);
}
