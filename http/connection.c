/* SPDX-License-Identifier: Apache-2.0 */
/* One connection as a state machine: handshake, idle, reading, working, writing, lingering. Each state has
   one step and one absolute deadline; a step never waits. */
#include "http/internal.h"

#include "base/fault.h"
#include "base/log.h"
#include "net/tls.h"
#include <sys/socket.h>

/* Steps in a row before other connections get their turn: a pipelining client cannot keep the loop. */
#define STEPS_IN_A_ROW  64
#define EXPIRY_US       100 /* from one deadline that passed to the next */
#define EXPIRY_SLACK_US 1000

enum step { STEP_AGAIN, STEP_WAIT, STEP_GONE };

static void connection_run(struct connection *connection);

static struct timeval timeval_ms(int ms)
{
    return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    connection_run(arg);
}

static void interest_set(struct connection *connection, short interest)
{
    if (connection->interest == interest)
        return;
    if (connection->interest)
        event_del(&connection->io);
    connection->interest = interest;
    if (!interest)
        return;
    event_assign(&connection->io, loop_base(connection->server->loop), connection->stream.fd,
                 interest | EV_PERSIST, on_io, connection);
    event_add(&connection->io, NULL);
}

/* Who keeps us waiting gives way to newcomers when places run out, the longest waiting first. */
static void silence_note(struct connection *connection)
{
    static const bool awaits_peer[CONN_STATES] = {
        [CONN_HANDSHAKE] = true, [CONN_IDLE] = true, [CONN_READING] = true, [CONN_LINGERING] = true
    };
    struct http_server *server = connection->server;
    if (connection->is_silent)
        TAILQ_REMOVE(&server->silent, connection, silent);
    connection->is_silent = awaits_peer[connection->state] && !connection->is_refused;
    if (connection->is_silent)
        TAILQ_INSERT_TAIL(&server->silent, connection, silent);
}

/* ms 0: no deadline; our own work is bounded by those who do it. */
static void state_enter(struct connection *connection, enum connection_state state, int64_t ms)
{
    connection->state = state;
    connection->since_us = clock_mono_us();
    connection->deadline_us = ms ? connection->since_us + ms * 1000 : 0;
    connection->turn_us = 0;
    silence_note(connection);
}

/* How long that many bytes may take: whoever moves more gets more time, up to the absolute deadline. */
static int64_t patience_ms(const struct http_limits *limits, size_t bytes, int most_ms)
{
    if (!limits->min_rate)
        return most_ms;
    int64_t ms = limits->min_rate_after_ms + (int64_t)(bytes * 1000 / limits->min_rate);
    return ms < most_ms ? ms : most_ms;
}

/* Only who has to be waited for gets a timer, and keeps it: when it goes off it looks whether the deadline has moved.
   Most requests are here whole, and are answered without one. */
static void deadline_arm(struct connection *connection)
{
    if (!connection->deadline_us || (connection->armed_us && connection->armed_us <= connection->deadline_us))
        return;
    int64_t left_ms = (connection->deadline_us - clock_mono_us()) / 1000 + 1;
    const struct timeval wait = timeval_ms(left_ms < 1 ? 1 : (int)left_ms);
    evtimer_add(&connection->deadline, &wait);
    connection->armed_us = connection->deadline_us;
}

static enum step wait_for(struct connection *connection, enum stream_result result)
{
    deadline_arm(connection);
    interest_set(connection, result == STREAM_WANT_WRITE ? EV_WRITE : EV_READ);
    return STEP_WAIT;
}

static enum step gone(struct connection *connection)
{
    connection_free(connection);
    return STEP_GONE;
}

/* The exchange has its answer: out with it. */
static void answer_start(struct connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    answer_complete(exchange);
    connection->close_after =
        connection->close_after || !exchange->keep_alive || connection->server->draining;
    buf_clear(&connection->out);
    answer_head(exchange, connection->close_after, &connection->out);
    struct bytes body = exchange->request.method == HTTP_HEAD ? BYTES_NONE : exchange->answer.body;
    bool is_small = body.len <= HTTP_INLINE_BODY;
    if (is_small)
        buf_append(&connection->out, body);
    connection->out_body = is_small ? BYTES_NONE : body;
    connection->sent = 0;
    const struct http_limits *limits = &connection->server->limits;
    state_enter(connection, CONN_WRITING, patience_ms(limits, 0, limits->write_ms));
}

/* Every refusal of ours: its status, Connection: close, and a line that says why. */
static enum step exchange_refuse(struct connection *connection, int status, const struct why *why)
{
    bool changes = connection->server->limits.changes;
    const char *extra = status == 405 && changes ? "Allow: GET, HEAD, POST, PUT, PATCH, DELETE\r\n"
                        : status == 405          ? "Allow: GET, HEAD, POST\r\n"
                        : status == 503          ? "Retry-After: " HTTP_RETRY_S "\r\n"
                                                 : NULL;
    const struct http_answer answer = { .status = status, .extra_headers = extra };
    exchange_set_answer(connection->exchange, &answer);
    connection->close_after = !FAULT(refusal_closes);
    if (server_may_log(connection->server))
        log_info(NULL, "request refused status=%d peer=%s why=%s", status, connection->exchange->peer,
                 why->text);
    answer_start(connection);
    return STEP_AGAIN;
}

static enum step refuse(struct connection *connection, int status, const struct why *why)
{
    if (!connection->started_us)
        connection->started_us = clock_mono_us();
    exchange_new(connection);
    return exchange_refuse(connection, status, why);
}

static void why_over_cap(const struct http_server *server, struct why *ret)
{
    fail(ret, ERR_BUSY, "caps reached: %zu connections, %zu of one address", server->limits.connections,
         server->limits.connections_per_address);
}

static enum step refuse_over_cap(struct connection *connection)
{
    struct why why;
    why_over_cap(connection->server, &why);
    return refuse(connection, 503, &why);
}

static enum step idle_enter(struct connection *connection)
{
    if (connection->server->draining && connection->surplus.len == 0)
        return gone(connection);
    connection->started_us = 0;
    connection->received = 0;
    connection->is_whole = false;
    state_enter(connection, CONN_IDLE, connection->server->limits.idle_ms);
    return STEP_AGAIN;
}

static enum step step_handshake(struct connection *connection)
{
    enum stream_result result = stream_handshake(&connection->stream);
    if (result == STREAM_WANT_READ || result == STREAM_WANT_WRITE)
        return wait_for(connection, result);
    if (result == STREAM_DONE)
        return connection->is_refused ? refuse_over_cap(connection) : idle_enter(connection);
    if (tls_session_is_outdated(connection->stream.ssl) && server_may_log(connection->server))
        log_warn(NULL, "TLS refused peer=%s offers only TLS 1.0/1.1; served are 1.2 and 1.3",
                 connection->peer);
    return gone(connection);
}

static bool continue_send(struct connection *connection)
{
    static const struct bytes text = BYTES_LIT("HTTP/1.1 100 Continue\r\n\r\n");
    size_t sent;
    /* 25 bytes always fit into the buffer of a client that reads its answers. */
    return stream_write(&connection->stream, text, &sent) == STREAM_DONE && sent == text.len;
}

static enum step request_dispatch(struct connection *connection)
{
    struct http_exchange *exchange = exchange_new(connection);
    struct why why;
    connection->is_whole = true;
    if (connection->is_proxy && !exchange_enter(exchange)) {
        why_over_cap(connection->server, &why);
        return exchange_refuse(connection, 503, &why);
    }
    state_enter(connection, CONN_WORKING, 0);
    interest_set(connection, 0);
    exchange->in_handler = true;
    connection->server->handler(exchange, connection->server->handler_arg);
    exchange->in_handler = false;
    if (!exchange->answered_inline || exchange_hold(exchange))
        return STEP_WAIT;
    answer_start(connection);
    return STEP_AGAIN;
}

static enum step reader_react(struct connection *connection, enum http_progress progress)
{
    struct why why;
    switch (progress) {
    case HTTP_MORE:
        return STEP_AGAIN;
    case HTTP_HEAD_DONE:
        /* RFC 9110 10.1.1: not when the body is already coming. */
        if (http_reader_expects_continue(connection->reader) && connection->surplus.len == 0 &&
            !continue_send(connection))
            return gone(connection);
        return STEP_AGAIN;
    case HTTP_DONE:
        return request_dispatch(connection);
    case HTTP_REFUSED:
        break;
    }
    int status = http_reader_status(connection->reader, &why);
    return refuse(connection, status, &why);
}

/* What is left of data stays for later; data may be a view of surplus itself. */
static void surplus_keep(struct connection *connection, struct bytes data, size_t used)
{
    if (connection->surplus.len == 0) {
        buf_append(&connection->surplus, bytes_of(data.data + used, data.len - used));
        return;
    }
    connection->surplus_at += used;
    if (connection->surplus_at == connection->surplus.len) {
        buf_free(&connection->surplus);
        connection->surplus_at = 0;
    }
}

static enum step step_read(struct connection *connection)
{
    struct http_server *server = connection->server;
    struct bytes data;
    if (connection->surplus.len == 0) {
        size_t len;
        enum stream_result result =
            stream_read(&connection->stream, server->scratch, sizeof(server->scratch), &len);
        if (result == STREAM_WANT_READ || result == STREAM_WANT_WRITE)
            return wait_for(connection, result);
        if (result != STREAM_DONE)
            return gone(connection);
        data = bytes_of(server->scratch, len);
    } else {
        size_t at = connection->surplus_at;
        data = bytes_of(connection->surplus.data + at, connection->surplus.len - at);
    }
    size_t used;
    enum http_progress progress = http_reader_feed(connection->reader, data, &used);
    surplus_keep(connection, data, used);
    connection->received += used;
    if (connection->state == CONN_IDLE && http_reader_started(connection->reader)) {
        connection->started_us = clock_mono_us();
        int whole_ms = FAULT(request_deadline) ? 0 : server->limits.request_ms;
        state_enter(connection, CONN_READING, patience_ms(&server->limits, 0, whole_ms));
    }
    return reader_react(connection, progress);
}

static enum step step_work(struct connection *connection)
{
    interest_set(connection, 0);
    return STEP_WAIT;
}

/* A client that asked for the end, and has sent nothing past its request until now, sends nothing more: old ones add a
   line end, but with the body. Or it has its answer, and is gone already. */
static bool is_quiet_now(struct connection *connection)
{
    struct http_server *server = connection->server;
    size_t len;
    if (connection->surplus.len)
        return false;
    enum stream_result result =
        stream_discard(&connection->stream, server->scratch, sizeof(server->scratch), &len);
    return result == STREAM_WANT_READ || result == STREAM_END;
}

static enum step answer_sent(struct connection *connection)
{
    bool asked_to_close = connection->is_whole && !connection->exchange->keep_alive;
    exchange_finish(connection->exchange, connection->sent, 0);
    buf_free(&connection->out);
    if (!connection->close_after)
        return idle_enter(connection);
    if (asked_to_close && is_quiet_now(connection)) {
        stream_notify(&connection->stream);
        return gone(connection);
    }
    stream_finish(&connection->stream);
    state_enter(connection, CONN_LINGERING, HTTP_LINGER_MS);
    return STEP_AGAIN;
}

static enum step step_write(struct connection *connection)
{
    size_t head = connection->out.len, at = connection->sent;
    if (at == head + connection->out_body.len)
        return answer_sent(connection);
    struct bytes rest =
        at < head ? bytes_of(connection->out.data + at, head - at)
                  : bytes_of(connection->out_body.data + (at - head), connection->out_body.len - (at - head));
    size_t sent;
    enum stream_result result = stream_write(&connection->stream, rest, &sent);
    if (result == STREAM_WANT_WRITE || result == STREAM_WANT_READ)
        return wait_for(connection, result);
    if (result != STREAM_DONE)
        return gone(connection);
    connection->sent += sent;
    return STEP_AGAIN;
}

/* RFC 9112 9.6: closing while the client still sends would reset the connection and could take the answer
 * with it. */
static enum step step_linger(struct connection *connection)
{
    struct http_server *server = connection->server;
    size_t len;
    enum stream_result result =
        stream_discard(&connection->stream, server->scratch, sizeof(server->scratch), &len);
    if (result == STREAM_WANT_READ)
        return wait_for(connection, result);
    connection->lingered += len;
    if (result != STREAM_DONE || connection->lingered > HTTP_LINGER_BYTES)
        return gone(connection);
    return STEP_AGAIN;
}

static void connection_run(struct connection *connection)
{
    static enum step (*const steps[CONN_STATES])(struct connection *) = {
        [CONN_HANDSHAKE] = step_handshake, [CONN_IDLE] = step_read,     [CONN_READING] = step_read,
        [CONN_WORKING] = step_work,        [CONN_WRITING] = step_write, [CONN_LINGERING] = step_linger,
    };
    for (int left = STEPS_IN_A_ROW; left; left--) {
        if (steps[connection->state](connection) != STEP_AGAIN)
            return;
    }
    /* Not by the descriptor alone: libssl or surplus may hold what the socket no longer shows. */
    const struct timeval now = { 0 };
    interest_set(connection, 0);
    deadline_arm(connection);
    evtimer_add(&connection->again, &now);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    connection_run(arg);
}

/* The time that its bytes so far have earned is not over yet: waits for the rest of it. */
static bool is_fast_enough(struct connection *connection, int64_t elapsed_ms)
{
    const struct http_limits *limits = &connection->server->limits;
    int64_t ms = connection->state == CONN_READING
                     ? patience_ms(limits, connection->received, limits->request_ms)
                 : connection->state == CONN_WRITING ? patience_ms(limits, connection->sent, limits->write_ms)
                                                     : 0;
    if (elapsed_ms >= ms)
        return false;
    connection->deadline_us = connection->since_us + ms * 1000;
    return true;
}

/* Ten thousand that are silent since the same moment would all end in the same, and whoever asks for something meanwhile would
   wait for that. False: its turn is later, and the timer is set. */
static bool has_turn(struct connection *connection, int64_t now_us)
{
    struct http_server *server = connection->server;
    if (connection->turn_us == 0) {
        connection->turn_us = server->expiry_us > now_us ? server->expiry_us : now_us;
        server->expiry_us = connection->turn_us + EXPIRY_US;
    }
    if (connection->turn_us <= now_us + EXPIRY_SLACK_US)
        return true;
    const struct timeval wait = timeval_ms((int)((connection->turn_us - now_us) / 1000));
    evtimer_add(&connection->deadline, &wait);
    connection->armed_us = connection->turn_us;
    return false;
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct connection *connection = arg;
    int64_t now_us = clock_mono_us(), elapsed_ms = (now_us - connection->since_us) / 1000;
    connection->armed_us = 0;
    if (!connection->deadline_us)
        return; /* our own turn; the next wait arms it again */
    if (now_us < connection->deadline_us || is_fast_enough(connection, elapsed_ms)) {
        deadline_arm(connection);
        return;
    }
    if (!has_turn(connection, now_us))
        return;
    if (connection->state == CONN_READING) {
        struct why why;
        fail(&why, ERR_TIMEOUT, "request not whole after %lld ms, %zu bytes are here", (long long)elapsed_ms,
             connection->received);
        refuse(connection, 408, &why);
        connection_run(connection);
        return;
    }
    if (connection->state == CONN_WRITING)
        exchange_finish(connection->exchange, connection->sent, WIN32_SEM_TIMEOUT);
    connection_free(connection);
}

void connection_answer(struct connection *connection)
{
    answer_start(connection);
    connection_run(connection);
}

bool connection_is_quiet(const struct connection *connection)
{
    return connection->state == CONN_HANDSHAKE || connection->state == CONN_IDLE;
}

static void local_text(struct connection *connection)
{
    struct sockaddr_storage local = { .ss_family = AF_UNSPEC };
    socklen_t len = sizeof(local);
    if (getsockname(connection->stream.fd, (struct sockaddr *)&local, &len) == 0)
        address_text((const struct sockaddr *)&local, connection->local, &connection->local_port);
}

void connection_start(struct http_server *server, const struct connection_start *start)
{
    struct connection *connection = xcalloc(1, sizeof(*connection));
    struct event_base *base = loop_base(server->loop);
    connection->server = server;
    connection->stream = stream_over(start->fd, start->ssl);
    connection->address = address_of(start->peer);
    connection->count = start->count;
    connection->is_refused = start->is_refused;
    connection->is_proxy = start->is_proxy;
    connection->reader = http_reader_new(&server->limits);
    evtimer_assign(&connection->deadline, base, on_deadline, connection);
    evtimer_assign(&connection->again, base, on_again, connection);
    address_text(start->peer, connection->peer, &connection->peer_port);
    local_text(connection);
    connection->next = server->connections;
    connection->link = &server->connections;
    if (connection->next)
        connection->next->link = &connection->next;
    server->connections = connection;
    /* A plain connection passes the handshake in its first step. */
    state_enter(connection, CONN_HANDSHAKE, server->limits.handshake_ms);
    connection_run(connection);
}

void connection_free(struct connection *connection)
{
    struct http_server *server = connection->server;
    bool was_refused = connection->is_refused;
    if (connection->is_silent)
        TAILQ_REMOVE(&server->silent, connection, silent);
    interest_set(connection, 0);
    evtimer_del(&connection->deadline);
    evtimer_del(&connection->again);
    if (connection->exchange && connection->state == CONN_WRITING)
        exchange_finish(connection->exchange, connection->sent, WIN32_NETNAME_DELETED);
    else if (connection->exchange)
        exchange_orphan(connection->exchange);
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    peers_leave(server->peers, connection->count);
    http_reader_free(connection->reader);
    buf_free(&connection->surplus);
    buf_free(&connection->out);
    stream_close(&connection->stream);
    free(connection);
    server_connection_gone(server, was_refused);
}
