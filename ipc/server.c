/* SPDX-License-Identifier: Apache-2.0 */
/* The answering side: everything but the verbs themselves runs on the loop thread; workers hand their answers
   back through one list. */
#include "ipc/server.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "config/options.h"
#include "net/loop.h"
#include "net/pool.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256 /* of one server: roles have one each, the rest is for command line tools */
#define HELLO_WAIT_S    10  /* a connection that does not say who it is */
#define ACCEPT_PAUSE_MS 100 /* after running out of descriptors */

struct listener {
    struct listener *next;
    struct ipc_server *server;
    struct event *event;
    int fd;
    int64_t uid;
    char principal[LIMIT_NAME_BYTES + 1];
};
struct conn {
    struct conn *next, **link;
    struct ipc_server *server;
    struct bufferevent *bev; /* NULL: closed, and kept until its last job is back */
    char principal[LIMIT_NAME_BYTES + 1], ctx[LIMIT_NAME_BYTES + 8];
    struct ipc_caller caller;
    int version; /* 0: no hello yet */
    size_t in_flight;
    bool last_words; /* to be closed once what is written has left */
    void (*on_lost)(void *arg);
    void *on_lost_arg;
};
struct job {
    struct job *next;
    struct conn *conn;
    const struct ipc_verb *verb;
    int64_t id;
    int version;
    struct buf der; /* the whole frame, which body points into */
    struct bytes body;
    struct buf frame; /* the answer */
};
struct ipc_server {
    struct ipc_server_config config;
    struct listener *listeners;
    struct conn *conns;
    size_t conn_count;
    bool draining;
    void (*drained)(void *arg);
    void *drained_arg;
    pthread_mutex_t lock; /* the three below */
    pthread_cond_t idle;
    struct job *finished;
    size_t running;
};

static void conn_read(struct conn *conn);
static void drain_check(struct ipc_server *server);

static void job_free(struct job *job)
{
    buf_wipe(&job->der);
    buf_wipe(&job->frame);
    free(job);
}

static void conn_free(struct conn *conn)
{
    *conn->link = conn->next;
    if (conn->next)
        conn->next->link = conn->link;
    conn->server->conn_count--;
    free(conn);
}

/* The last use of conn by the caller, unless jobs are out. */
static void conn_close(struct conn *conn)
{
    struct ipc_server *server = conn->server;
    if (!conn->bev)
        return;
    bufferevent_free(conn->bev);
    conn->bev = NULL;
    if (conn->on_lost)
        conn->on_lost(conn->on_lost_arg);
    if (conn->in_flight == 0)
        conn_free(conn);
    drain_check(server);
}

static void conn_write(struct conn *conn, struct bytes frame)
{
    if (bufferevent_write(conn->bev, frame.data, frame.len) != 0)
        die("out of memory: an answer of %zu bytes", frame.len);
}

static void answer_error(struct conn *conn, int64_t id, const struct why *why)
{
    AUTO_BUF body = { 0 };
    AUTO_BUF frame = { 0 };
    frame_error_put(&body, why->err, why->text);
    const struct frame answer = { conn->version ? conn->version : FRAME_VERSION_LEAST, id, BYTES_LIT("error"),
                                  buf_bytes(&body) };
    frame_put(&frame, &answer);
    conn_write(conn, buf_bytes(&frame));
}

static size_t max_frame(const struct ipc_server *server)
{
    return server->config.max_frame ? server->config.max_frame : LIMIT_FRAME_BYTES;
}

/* --- on worker threads --- */

static void job_answer(struct job *job, enum err err, struct bytes body, const struct why *why)
{
    AUTO_WIPE error = { 0 };
    if (err != OK)
        frame_error_put(&error, err, why->text);
    const struct frame answer = { job->version, job->id, err == OK ? BYTES_LIT("ok") : BYTES_LIT("error"),
                                  err == OK ? body : buf_bytes(&error) };
    frame_put(&job->frame, &answer);
}

static void jobs_collect(void *arg);

static void job_run(void *arg, struct pool_place *place)
{
    (void)place;
    struct job *job = arg;
    struct ipc_server *server = job->conn->server;
    struct why why = { 0 };
    AUTO_WIPE body = { 0 };
    enum err err = job->verb->run(server->config.role, &job->conn->caller, job->body, &body, &why);
    if (err == OK && body.len + FRAME_OVERHEAD_BYTES > max_frame(server))
        err = fail(&why, ERR_LIMIT, "answer of %zu bytes, limit %zu", body.len,
                   max_frame(server) - FRAME_OVERHEAD_BYTES);
    job_answer(job, err, buf_bytes(&body), &why);
    pthread_mutex_lock(&server->lock);
    job->next = server->finished;
    server->finished = job;
    /* Inside the lock: ipc_server_free must find the post or a worker that is still counted. */
    if (!job->next)
        loop_post(server->config.loop, jobs_collect, server);
    if (--server->running == 0)
        pthread_cond_signal(&server->idle);
    pthread_mutex_unlock(&server->lock);
}

/* --- on the loop thread --- */

static struct job *jobs_take(struct ipc_server *server)
{
    pthread_mutex_lock(&server->lock);
    struct job *newest = server->finished;
    server->finished = NULL;
    pthread_mutex_unlock(&server->lock);
    return newest;
}

static void jobs_collect(void *arg)
{
    struct ipc_server *server = arg;
    struct job *next;
    for (struct job *job = jobs_take(server); job; job = next) {
        next = job->next;
        struct conn *conn = job->conn;
        conn->in_flight--;
        if (conn->bev)
            conn_write(conn, buf_bytes(&job->frame));
        job_free(job);
        if (conn->bev)
            conn_read(conn); /* may have waited for this place */
        else if (conn->in_flight == 0)
            conn_free(conn);
    }
    drain_check(server);
}

static const struct ipc_verb *verb_find(const struct conn *conn, struct bytes name)
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

static void refuse(struct conn *conn, int64_t id, const struct why *why)
{
    log_warn(conn->ctx, "refused: %s", why->text);
    answer_error(conn, id, why);
}

/* OK: goes on. Otherwise the connection ends. */
static enum err hello_handle(struct conn *conn, const struct frame *frame, struct why *why)
{
    struct hello hello;
    if (!bytes_equal(frame->verb, BYTES_LIT("hello")))
        return fail(why, ERR_MALFORMED, "first frame is \"%.*s\"; allowed is hello", (int)frame->verb.len,
                    (const char *)frame->verb.data);
    TRY(hello_get(frame->body, &hello, why));
    int version = hello.max < FRAME_VERSION ? hello.max : FRAME_VERSION;
    enum err err = OK;
    if (!FAULT(hello_principal) && !bytes_equal(hello.principal, bytes_str(conn->principal)))
        err = fail(why, ERR_NOT_AUTHORISED, "hello from \"%.*s\" on the socket of \"%s\"",
                   (int)hello.principal.len, (const char *)hello.principal.data, conn->principal);
    else if (version < hello.min || version < FRAME_VERSION_LEAST)
        err = fail(why, ERR_PROTOCOL, "peer speaks versions %d to %d, this program %d to %d", hello.min,
                   hello.max, FRAME_VERSION_LEAST, FRAME_VERSION);
    if (err != OK) {
        refuse(conn, frame->id, why);
        conn->last_words = true;
        return OK;
    }
    conn->version = version;
    bufferevent_set_timeouts(conn->bev, NULL, NULL);
    const struct hello picked = { version, version, bytes_str(conn->principal) };
    AUTO_BUF body = { 0 };
    AUTO_BUF answer = { 0 };
    hello_put(&body, &picked);
    frame_put(&answer, &(struct frame){ version, frame->id, BYTES_LIT("hello"), buf_bytes(&body) });
    conn_write(conn, buf_bytes(&answer));
    return OK;
}

static void call_start(struct conn *conn, const struct frame *frame, struct buf *der)
{
    struct ipc_server *server = conn->server;
    struct why why;
    const struct ipc_verb *verb = verb_find(conn, frame->verb);
    if (!verb) {
        (void)fail(&why, ERR_NOT_AUTHORISED, "verb \"%.*s\" is not for \"%s\"", (int)frame->verb.len,
                   (const char *)frame->verb.data, conn->principal);
        refuse(conn, frame->id, &why);
        return;
    }
    struct job *job = xcalloc(1, sizeof(*job));
    *job = (struct job){ .conn = conn,
                         .verb = verb,
                         .id = frame->id,
                         .version = conn->version,
                         .der = TAKE_BUF(*der),
                         .body = frame->body };
    pthread_mutex_lock(&server->lock);
    server->running++;
    pthread_mutex_unlock(&server->lock);
    conn->in_flight++;
    if (pool_submit(server->config.pool, job_run, job))
        return;
    conn->in_flight--;
    pthread_mutex_lock(&server->lock);
    server->running--;
    pthread_mutex_unlock(&server->lock);
    job_free(job);
    (void)fail(&why, ERR_BUSY, "every worker is busy and the queue is full: verb \"%s\"", verb->name);
    refuse(conn, frame->id, &why);
}

/* Takes what is in der when it starts a call. */
static enum err frame_handle(struct conn *conn, struct buf *der, struct why *why)
{
    struct frame frame;
    TRY(frame_get(buf_bytes(der), &frame, why));
    if (!conn->version)
        return hello_handle(conn, &frame, why);
    if (frame.version != conn->version)
        return fail(why, ERR_MALFORMED, "frame has version %d, hello agreed on %d", frame.version,
                    conn->version);
    call_start(conn, &frame, der);
    return OK;
}

/* One whole frame off the input; *ret_len 0: not there yet. Its length is judged before any of it is kept. */
static enum err frame_take(struct conn *conn, struct buf *out, size_t *ret_len, struct why *why)
{
    struct evbuffer *input = bufferevent_get_input(conn->bev);
    uint8_t prefix[FRAME_PREFIX_BYTES];
    *ret_len = 0;
    if (evbuffer_copyout(input, prefix, sizeof(prefix)) < (ev_ssize_t)sizeof(prefix))
        return OK;
    size_t len = frame_length(prefix);
    if (!FAULT(frame_limit) && (len == 0 || len > max_frame(conn->server) - FRAME_PREFIX_BYTES))
        return fail(why, ERR_LIMIT, "frame of %zu bytes, limit %zu", len,
                    max_frame(conn->server) - FRAME_PREFIX_BYTES);
    if (evbuffer_get_length(input) < sizeof(prefix) + len)
        return OK;
    buf_clear(out);
    buf_reserve(out, len);
    evbuffer_drain(input, sizeof(prefix));
    if (evbuffer_remove(input, out->data, len) != (int)len)
        return fail(why, ERR_INTERNAL, "a frame of %zu bytes cannot be read", len);
    out->len = len;
    *ret_len = len;
    return OK;
}

/* A peer that does not take its answers gets no more work done. */
static bool conn_is_full(const struct conn *conn)
{
    return (!FAULT(frames_in_flight) && conn->in_flight >= LIMIT_FRAMES_IN_FLIGHT) || conn->last_words ||
           conn->server->draining ||
           evbuffer_get_length(bufferevent_get_output(conn->bev)) > max_frame(conn->server);
}

static void conn_read(struct conn *conn)
{
    AUTO_WIPE der = { 0 };
    struct why why;
    enum err err = OK;
    size_t len = 1;
    while (len && err == OK && !conn_is_full(conn)) {
        err = frame_take(conn, &der, &len, &why);
        if (err == OK && len)
            err = frame_handle(conn, &der, &why);
    }
    if (err != OK) {
        log_warn(conn->ctx, "connection closed: %s", why.text);
        conn_close(conn);
        return;
    }
    if (conn_is_full(conn))
        bufferevent_disable(conn->bev, EV_READ);
    else
        bufferevent_enable(conn->bev, EV_READ);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    (void)bev;
    conn_read(arg);
}

static void on_written(struct bufferevent *bev, void *arg)
{
    (void)bev;
    struct conn *conn = arg;
    if (conn->last_words) {
        conn_close(conn);
        return;
    }
    drain_check(conn->server);
    if (!conn->server->draining)
        conn_read(conn);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    struct conn *conn = arg;
    if (what & BEV_EVENT_TIMEOUT)
        log_warn(conn->ctx, "connection closed: no hello within %d s", HELLO_WAIT_S);
    conn_close(conn);
}

static enum err conn_new(struct ipc_server *server, int fd, const char *principal, struct conn **ret,
                         struct why *why)
{
    struct bufferevent *bev =
        bufferevent_socket_new(loop_base(server->config.loop), fd, BEV_OPT_CLOSE_ON_FREE);
    if (!bev) {
        close(fd);
        return fail(why, ERR_NO_MEMORY, "libevent cannot take the connection of %s", principal);
    }
    struct conn *conn = xcalloc(1, sizeof(*conn));
    *conn = (struct conn){ .server = server, .bev = bev, .next = server->conns, .link = &server->conns };
    snprintf(conn->principal, sizeof(conn->principal), "%s", principal);
    snprintf(conn->ctx, sizeof(conn->ctx), "peer=%s", conn->principal);
    conn->caller.principal = conn->principal;
    if (server->conns)
        server->conns->link = &conn->next;
    server->conns = conn;
    server->conn_count++;
    const struct timeval wait = { .tv_sec = HELLO_WAIT_S };
    bufferevent_setcb(bev, on_read, on_written, on_event, conn);
    bufferevent_setwatermark(bev, EV_READ, 0, max_frame(server) + FRAME_PREFIX_BYTES);
    bufferevent_set_timeouts(bev, &wait, NULL);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
    *ret = conn;
    return OK;
}

static enum err peer_check(const struct listener *listener, int fd, struct why *why)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    const struct ipc_server *server = listener->server;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return fail(why, ERR_IO, "cannot see who connects: %s", strerror(errno));
    /* Root could become anybody: refusing it at the command line would only send it the long way round. */
    bool administrator = peer.uid == 0 && strcmp(listener->principal, "cli") == 0;
    if (!FAULT(peer_uid) && (int64_t)peer.uid != listener->uid && !administrator)
        return fail(why, ERR_NOT_AUTHORISED, "connection of uid %u (pid %d), allowed is uid %lld", peer.uid,
                    (int)peer.pid, (long long)listener->uid);
    if (server->config.allowed_uid >= 0 && (int64_t)peer.uid != server->config.allowed_uid)
        return fail(why, ERR_NOT_AUTHORISED, "connection of uid %u (pid %d), allowed is uid %lld", peer.uid,
                    (int)peer.pid, (long long)server->config.allowed_uid);
    if (server->conn_count >= CONNECTIONS_MAX)
        return fail(why, ERR_LIMIT, "%zu connections, limit %d", server->conn_count + 1, CONNECTIONS_MAX);
    return OK;
}

static void accept_resume(void *arg)
{
    struct listener *listener = arg;
    event_add(listener->event, NULL);
}

static void on_accept(evutil_socket_t listening, short what, void *arg)
{
    (void)what;
    struct listener *listener = arg;
    int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct why why;
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            log_error(listener->principal, "cannot accept: %s", strerror(errno));
            event_del(listener->event);
            loop_after(listener->server->config.loop, ACCEPT_PAUSE_MS, accept_resume, listener);
        }
        return; /* otherwise gone before we came */
    }
    struct conn *conn;
    enum err err = peer_check(listener, fd, &why);
    if (err != OK)
        close(fd);
    else
        err = conn_new(listener->server, fd, listener->principal, &conn, &why);
    if (err != OK)
        log_warn(NULL, "peer=%s connection refused: %s", listener->principal, why.text);
}

static enum err fd_prepare(int fd, struct why *why)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return fail(why, ERR_IO, "descriptor %d cannot be used: %s", fd, strerror(errno));
    return OK;
}

static enum err principal_check(const char *principal, struct why *why)
{
    size_t len = strlen(principal);
    if (len == 0 || len > LIMIT_NAME_BYTES || strchr(principal, ' '))
        return fail(why, ERR_USAGE, "principal \"%.80s\" is no name", principal);
    return OK;
}

enum err ipc_server_listen(struct ipc_server *server, int fd, const char *principal, int64_t uid,
                           struct why *why)
{
    enum err err = principal_check(principal, why);
    if (err == OK)
        err = fd_prepare(fd, why);
    if (err != OK) {
        close(fd);
        return err;
    }
    struct listener *listener = xcalloc(1, sizeof(*listener));
    *listener = (struct listener){
        .next = server->listeners, .server = server, .fd = fd, .uid = uid >= 0 ? uid : (int64_t)geteuid()
    };
    snprintf(listener->principal, sizeof(listener->principal), "%s", principal);
    listener->event =
        event_new(loop_base(server->config.loop), fd, EV_READ | EV_PERSIST, on_accept, listener);
    if (!listener->event || event_add(listener->event, NULL) != 0)
        die("libevent cannot watch the socket of %s", principal);
    server->listeners = listener;
    return OK;
}

enum err ipc_server_attach(struct ipc_server *server, int fd, const char *principal,
                           void (*on_lost)(void *arg), void *arg, struct why *why)
{
    enum err err = principal_check(principal, why);
    if (err == OK)
        err = fd_prepare(fd, why);
    if (err != OK) {
        close(fd);
        return err;
    }
    struct conn *conn;
    TRY(conn_new(server, fd, principal, &conn, why));
    bufferevent_set_timeouts(conn->bev, NULL, NULL); /* the peer may start long after us */
    conn->on_lost = on_lost;
    conn->on_lost_arg = arg;
    return OK;
}

enum err ipc_server_new(const struct ipc_server_config *config, struct ipc_server **ret, struct why *why)
{
    if (config->max_frame && config->max_frame <= FRAME_OVERHEAD_BYTES)
        return fail(why, ERR_USAGE, "max_frame of %zu bytes, at least %d", config->max_frame,
                    FRAME_OVERHEAD_BYTES + 1);
    struct ipc_server *server = xcalloc(1, sizeof(*server));
    server->config = *config;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->idle, NULL);
    *ret = server;
    return OK;
}

static void listeners_free(struct ipc_server *server)
{
    while (server->listeners) {
        struct listener *listener = server->listeners;
        server->listeners = listener->next;
        loop_forget(server->config.loop, listener);
        event_free(listener->event);
        close(listener->fd);
        free(listener);
    }
}

static bool is_drained(const struct ipc_server *server)
{
    for (const struct conn *conn = server->conns; conn; conn = conn->next) {
        if (conn->in_flight || (conn->bev && evbuffer_get_length(bufferevent_get_output(conn->bev))))
            return false;
    }
    return true;
}

static void drain_over(void *arg)
{
    struct ipc_server *server = arg;
    void (*drained)(void *arg) = server->drained;
    server->drained = NULL;
    if (drained)
        drained(server->drained_arg);
}

static void drain_check(struct ipc_server *server)
{
    if (server->drained && is_drained(server))
        /* Posted: the caller may be in the middle of a connection, and done may free the server. */
        loop_post(server->config.loop, drain_over, server);
}

void ipc_server_drain(struct ipc_server *server, int ms, void (*done)(void *arg), void *arg)
{
    server->draining = true;
    server->drained = done;
    server->drained_arg = arg;
    listeners_free(server);
    for (struct conn *conn = server->conns; conn; conn = conn->next) {
        if (conn->bev)
            bufferevent_disable(conn->bev, EV_READ);
    }
    loop_after(server->config.loop, ms, drain_over, server);
    drain_check(server);
}

void ipc_server_free(struct ipc_server *server)
{
    if (!server)
        return;
    pthread_mutex_lock(&server->lock);
    while (server->running)
        pthread_cond_wait(&server->idle, &server->lock);
    pthread_mutex_unlock(&server->lock);
    loop_forget(server->config.loop, server);
    listeners_free(server);
    server->drained = NULL;
    struct job *next;
    for (struct job *job = jobs_take(server); job; job = next) {
        next = job->next;
        job->conn->in_flight--;
        job_free(job);
    }
    while (server->conns) {
        struct conn *conn = server->conns;
        conn->on_lost = NULL; /* we leave, not the peer */
        if (conn->bev)
            bufferevent_free(conn->bev);
        conn_free(conn);
    }
    pthread_cond_destroy(&server->idle);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
