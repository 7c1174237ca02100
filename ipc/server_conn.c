/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of the answering side: frames in, answers out, several of each in one system call. */
#include "ipc/server_internal.h"

#include "base/fault.h"
#include "base/log.h"
#include "net/loop.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO_WAIT_S 10 /* a connection that does not say who it is */

static void on_io(evutil_socket_t fd, short what, void *arg);

/* --- its end --- */

static void conn_unlink(struct ipc_conn *conn)
{
    *conn->link = conn->next;
    if (conn->next)
        conn->next->link = conn->link;
    conn->server->conn_count--;
    buf_wipe(&conn->in);
    buf_wipe(&conn->out);
    free(conn);
}

static void interest_set(struct ipc_conn *conn, short interest)
{
    if (conn->interest == interest)
        return;
    if (conn->interest)
        event_del(&conn->io);
    conn->interest = interest;
    if (!interest)
        return;
    event_assign(&conn->io, loop_base(conn->server->config.loop), conn->fd, (short)(interest | EV_PERSIST),
                 on_io, conn);
    event_add(&conn->io, NULL);
}

/* The last use of conn by the caller, unless calls are out. */
static void conn_close(struct ipc_conn *conn)
{
    struct ipc_server *server = conn->server;
    if (conn->fd < 0)
        return;
    interest_set(conn, 0);
    evtimer_del(&conn->hello);
    close(conn->fd);
    conn->fd = -1;
    if (conn->on_lost)
        conn->on_lost(conn->on_lost_arg);
    if (conn->in_flight == 0)
        conn_unlink(conn);
    server_drain_check(server);
}

void conn_abandon(struct ipc_conn *conn)
{
    if (conn->fd < 0)
        conn_unlink(conn);
    else
        conn_close(conn);
}

/* --- out --- */

void conn_answer(struct ipc_conn *conn, struct bytes frame)
{
    buf_append(&conn->out, frame);
}

static void answer_error(struct ipc_conn *conn, int64_t id, const struct why *why)
{
    AUTO_BUF body = { 0 };
    AUTO_BUF frame = { 0 };
    frame_error_put(&body, why->err, why->text);
    const struct frame answer = { conn->version ? conn->version : FRAME_VERSION_LEAST, id, BYTES_LIT("error"),
                                  buf_bytes(&body) };
    frame_put(&frame, &answer);
    conn_answer(conn, buf_bytes(&frame));
}

void conn_refuse(struct ipc_conn *conn, int64_t id, const struct why *why)
{
    log_warn(conn->ctx, "refused: %s", why->text);
    answer_error(conn, id, why);
}

/* A peer that always leaves something unread must not make it grow by all that it ever read. */
static void sent_drop(struct ipc_conn *conn)
{
    size_t left = conn->out.len - conn->sent;
    if (conn->sent < left)
        return;
    memmove(conn->out.data, conn->out.data + conn->sent, left);
    conn->out.len = left;
    conn->sent = 0;
}

/* False: the peer is gone. */
static bool send_some(struct ipc_conn *conn)
{
    while (conn->sent < conn->out.len) {
        ssize_t sent = send(conn->fd, conn->out.data + conn->sent, conn->out.len - conn->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) {
            sent_drop(conn);
            return errno == EAGAIN || errno == EWOULDBLOCK;
        }
        conn->sent += (size_t)sent;
    }
    buf_wipe(&conn->out);
    conn->sent = 0;
    return true;
}

/* --- in --- */

/* A peer that does not take its answers gets no more work done. */
static bool is_full(const struct ipc_conn *conn)
{
    return (!FAULT(frames_in_flight) && conn->in_flight >= LIMIT_FRAMES_IN_FLIGHT) || conn->last_words ||
           conn->server->draining || conn->out.len - conn->sent > ipc_max_frame(conn->server);
}

/* OK: goes on. Otherwise the connection ends. */
static enum err hello_handle(struct ipc_conn *conn, const struct frame *frame, struct why *why)
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
        conn_refuse(conn, frame->id, why);
        conn->last_words = true;
        return OK;
    }
    conn->version = version;
    evtimer_del(&conn->hello);
    const struct hello picked = { version, version, bytes_str(conn->principal) };
    AUTO_BUF body = { 0 };
    AUTO_BUF answer = { 0 };
    hello_put(&body, &picked);
    frame_put(&answer, &(struct frame){ version, frame->id, BYTES_LIT("hello"), buf_bytes(&body) });
    conn_answer(conn, buf_bytes(&answer));
    return OK;
}

static enum err frame_handle(struct ipc_conn *conn, struct bytes der, struct why *why)
{
    struct frame frame;
    TRY(frame_get(der, &frame, why));
    if (!conn->version)
        return hello_handle(conn, &frame, why);
    if (frame.version != conn->version)
        return fail(why, ERR_MALFORMED, "frame has version %d, hello agreed on %d", frame.version,
                    conn->version);
    call_start(conn, &frame, der);
    return OK;
}

/* Whole frames of data, while more are wanted; *ret_used: how many octets they were. A length is judged before any of its
   frame is kept. */
static enum err frames_handle(struct ipc_conn *conn, struct bytes data, size_t *ret_used, struct why *why)
{
    size_t at = 0, most = ipc_max_frame(conn->server) - FRAME_PREFIX_BYTES;
    while (data.len - at >= FRAME_PREFIX_BYTES && !is_full(conn)) {
        size_t len = frame_length(data.data + at);
        if (!FAULT(frame_limit) && (len == 0 || len > most))
            return fail(why, ERR_LIMIT, "frame of %zu bytes, limit %zu", len, most);
        if (data.len - at - FRAME_PREFIX_BYTES < len)
            break;
        TRY(frame_handle(conn, bytes_of(data.data + at + FRAME_PREFIX_BYTES, len), why));
        at += FRAME_PREFIX_BYTES + len;
    }
    *ret_used = at;
    return OK;
}

static enum err input_handle(struct ipc_conn *conn, struct why *why)
{
    size_t used = 0;
    TRY(frames_handle(conn, buf_bytes(&conn->in), &used, why));
    if (used == conn->in.len) {
        buf_wipe(&conn->in);
    } else if (used) {
        memmove(conn->in.data, conn->in.data + used, conn->in.len - used);
        conn->in.len -= used;
    }
    return OK;
}

/* Nearly always whole frames come, and nothing has to be kept of them. */
static enum err data_handle(struct ipc_conn *conn, struct bytes data, struct why *why)
{
    size_t used = 0;
    if (conn->in.len) {
        buf_append(&conn->in, data);
        return input_handle(conn, why);
    }
    TRY(frames_handle(conn, data, &used, why));
    struct bytes rest = bytes_of(data.data + used, data.len - used);
    if (rest.len >= FRAME_PREFIX_BYTES && !is_full(conn)) /* its length was judged */
        buf_reserve(&conn->in, FRAME_PREFIX_BYTES + frame_length(rest.data));
    buf_append(&conn->in, rest);
    return OK;
}

/* Once for each event, so that a peer that always has more does not hold up the others. False: the connection is closed. */
static bool read_some(struct ipc_conn *conn)
{
    struct ipc_server *server = conn->server;
    struct why why;
    ssize_t got = recv(conn->fd, server->scratch, sizeof(server->scratch), 0);
    if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
        return true;
    if (got <= 0) {
        conn_close(conn);
        return false;
    }
    if (data_handle(conn, bytes_of(server->scratch, (size_t)got), &why) != OK) {
        log_warn(conn->ctx, "connection closed: %s", why.text);
        conn_close(conn);
        return false;
    }
    return true;
}

/* --- both --- */

/* Sends what is there, and waits for what is next. False: the connection is closed. */
static bool settle(struct ipc_conn *conn)
{
    if (!send_some(conn) || (conn->last_words && conn->out.len == 0)) {
        conn_close(conn);
        return false;
    }
    interest_set(conn, (short)((conn->out.len ? EV_WRITE : 0) | (is_full(conn) ? 0 : EV_READ)));
    return true;
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    struct ipc_conn *conn = arg;
    struct ipc_server *server = conn->server;
    if (what & EV_WRITE) {
        conn_go_on(conn);
        server_drain_check(server);
        return;
    }
    if (read_some(conn))
        (void)settle(conn);
}

void conn_go_on(struct ipc_conn *conn)
{
    struct why why;
    if (conn->fd < 0) {
        if (conn->in_flight == 0)
            conn_unlink(conn);
        return;
    }
    if (!settle(conn) || is_full(conn) || conn->in.len == 0)
        return;
    if (input_handle(conn, &why) != OK) { /* had waited for a place */
        log_warn(conn->ctx, "connection closed: %s", why.text);
        conn_close(conn);
        return;
    }
    (void)settle(conn);
}

static void on_no_hello(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct ipc_conn *conn = arg;
    log_warn(conn->ctx, "connection closed: no hello within %d s", HELLO_WAIT_S);
    conn_close(conn);
}

struct ipc_conn *conn_new(struct ipc_server *server, int fd, const char *principal)
{
    struct ipc_conn *conn = xcalloc(1, sizeof(*conn));
    *conn = (struct ipc_conn){ .server = server, .fd = fd, .next = server->conns, .link = &server->conns };
    snprintf(conn->principal, sizeof(conn->principal), "%s", principal);
    snprintf(conn->ctx, sizeof(conn->ctx), "peer=%s", conn->principal);
    conn->caller.principal = conn->principal;
    if (server->conns)
        server->conns->link = &conn->next;
    server->conns = conn;
    server->conn_count++;
    const struct timeval wait = { .tv_sec = HELLO_WAIT_S };
    evtimer_assign(&conn->hello, loop_base(server->config.loop), on_no_hello, conn);
    evtimer_add(&conn->hello, &wait);
    interest_set(conn, EV_READ);
    return conn;
}

void conn_trust(struct ipc_conn *conn)
{
    evtimer_del(&conn->hello);
}

bool conn_is_idle(const struct ipc_conn *conn)
{
    return conn->in_flight == 0 && (conn->fd < 0 || conn->out.len == 0);
}

void conn_stop_reading(struct ipc_conn *conn)
{
    if (conn->fd >= 0)
        interest_set(conn, conn->interest & EV_WRITE);
}
