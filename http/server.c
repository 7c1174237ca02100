/* SPDX-License-Identifier: Apache-2.0 */
/* The server: listening sockets, who may come in, and the graceful end. */
#include "http/internal.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "net/tls.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections taken in one go before the others get their turn. */
#define ACCEPTS_IN_A_ROW 64
/* After running out of descriptors: long enough not to spin, short enough not to be noticed. */
#define ACCEPT_PAUSE_MS 100
/* So many connections at once are worth giving their memory back, some seconds after they are gone. */
#define SETTLE_FROM 256
#define SETTLE_MS   5000

struct listening {
    struct listening *next;
    struct http_server *server;
    struct tls_server *tls;
    int fd;
    struct event accept, resume;
};

bool server_may_log(struct http_server *server)
{
    int64_t second = clock_mono_ms() / 1000;
    if (second != server->log_second) {
        if (server->log_dropped)
            log_warn(NULL, "refusals not logged here count=%u; the access log has them", server->log_dropped);
        server->log_second = second;
        server->log_lines = server->log_dropped = 0;
    }
    if (server->log_lines < HTTP_LOG_LINES_MAX) {
        server->log_lines++;
        return true;
    }
    server->log_dropped++;
    return false;
}

static void settle_later(struct http_server *server)
{
    const struct timeval wait = { .tv_sec = SETTLE_MS / 1000, .tv_usec = SETTLE_MS % 1000 * 1000 };
    evtimer_add(&server->settle, &wait);
}

static enum err limits_check(const struct http_limits *limits, struct why *why)
{
    if (!limits->url_bytes || !limits->query_bytes || !limits->field_bytes || !limits->fields ||
        !limits->head_bytes || !limits->body_bytes || !limits->connections ||
        !limits->connections_per_address)
        return fail(why, ERR_CONFIG, "an HTTP limit is 0");
    if (limits->request_ms <= 0 || limits->idle_ms <= 0 || limits->write_ms <= 0 || limits->handshake_ms <= 0)
        return fail(why, ERR_CONFIG, "an HTTP deadline is not above 0 ms");
    if (limits->min_rate && limits->min_rate_after_ms <= 0)
        return fail(why, ERR_CONFIG, "a minimum rate that counts from the start would refuse everybody");
    return OK;
}

/* A flood leaves free pages behind: once it is clearly over they go back to the system. */
static void on_settle(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct http_server *server = arg;
    if (server->serving < server->most / 2) {
        memory_release();
        server->most = server->serving;
    }
    if (server->most >= SETTLE_FROM)
        settle_later(server);
}

static void on_drained(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct http_server *server = arg;
    void (*done)(void *arg) = TAKE(server->drain_done);
    if (done)
        done(server->drain_arg); /* may free the server */
}

enum err http_server_new(const struct http_server_config *config, struct http_server **ret, struct why *why)
{
    TRY(limits_check(&config->limits, why));
    struct peers *peers;
    TRY(peers_new(&peers, why));
    struct http_server *server = xcalloc(1, sizeof(*server));
    server->peers = peers;
    server->loop = config->loop;
    server->limits = config->limits;
    server->proxies = config->proxies;
    TAILQ_INIT(&server->silent);
    server->handler = config->handler;
    server->handler_arg = config->handler_arg;
    server->log = config->log;
    evtimer_assign(&server->drain, loop_base(server->loop), on_drained, server);
    evtimer_assign(&server->settle, loop_base(server->loop), on_settle, server);
    *ret = server;
    return OK;
}

/* Places for those who only get their 503: few, so that a flood is cut without ceremony. */
static size_t refusing_max(const struct http_server *server)
{
    size_t eighth = server->limits.connections / 8;
    return eighth < 8 ? 8 : eighth > LIMIT_REFUSING_CONNECTIONS ? LIMIT_REFUSING_CONNECTIONS : eighth;
}

/* All places are taken: the connection that has been silent longest gives way, so that a flood of idle and slow ones
   cannot lock anybody out. False: every single one is being worked on. */
static bool place_make(struct http_server *server)
{
    if (FAULT(connection_cap) || server->serving < server->limits.connections)
        return true;
    struct connection *longest = TAILQ_FIRST(&server->silent);
    if (!longest)
        return false;
    if (server_may_log(server))
        log_info(NULL, "connection cut peer=%s why=all %zu places are taken and it was silent longest",
                 longest->peer, server->limits.connections);
    connection_free(longest);
    return true;
}

static void place_take(struct http_server *server)
{
    if (++server->serving > server->most)
        server->most = server->serving;
    if (server->most == SETTLE_FROM && !evtimer_pending(&server->settle, NULL))
        settle_later(server);
}

static void connection_take(struct listening *listening, int fd, const struct sockaddr *peer)
{
    struct http_server *server = listening->server;
    const struct address address = address_of(peer);
    struct connection_start start = { .fd = fd,
                                      .peer = peer,
                                      .is_proxy = proxies_trust(server->proxies, &address) };
    /* A proxy's clients are counted one by one, with each request. */
    if (!start.is_proxy)
        start.count = peers_enter(server->peers, &address, server->limits.connections_per_address);
    bool has_place = (start.count || start.is_proxy) && place_make(server);
    start.is_refused = !has_place;
    if (!has_place)
        peers_leave(server->peers, TAKE(start.count));
    if (start.is_refused && server->refusing >= refusing_max(server)) {
        close(fd);
        return;
    }
    if (has_place)
        place_take(server);
    else
        server->refusing++;
    start.ssl = listening->tls ? tls_server_session(listening->tls) : NULL;
    connection_start(server, &start);
}

static void accept_pause(struct listening *listening, int error)
{
    if (server_may_log(listening->server))
        log_error(NULL, "cannot accept connections, trying again in %d ms: %s", ACCEPT_PAUSE_MS,
                  strerror(error));
    const struct timeval wait = { .tv_usec = ACCEPT_PAUSE_MS * 1000 };
    event_del(&listening->accept);
    evtimer_add(&listening->resume, &wait);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct listening *listening = arg;
    event_add(&listening->accept, NULL);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct listening *listening = arg;
    for (int left = ACCEPTS_IN_A_ROW; left; left--) {
        struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
        socklen_t len = sizeof(peer);
        int taken = accept4((int)fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (taken >= 0) {
            connection_take(listening, taken, (const struct sockaddr *)&peer);
            continue;
        }
        /* accept(2): errors of the connection that waited, not of the listener. */
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            accept_pause(listening, errno);
            return;
        }
    }
}

enum err http_server_listen(struct http_server *server, int fd, struct tls_server *tls, struct why *why)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        int error = errno;
        close(fd);
        return fail(why, ERR_IO, "cannot use listening descriptor %d: %s", fd, strerror(error));
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* Linux: accepted sockets inherit it */
    struct listening *listening = xcalloc(1, sizeof(*listening));
    struct event_base *base = loop_base(server->loop);
    listening->server = server;
    listening->tls = tls;
    listening->fd = fd;
    event_assign(&listening->accept, base, fd, EV_READ | EV_PERSIST, on_accept, listening);
    evtimer_assign(&listening->resume, base, on_resume, listening);
    event_add(&listening->accept, NULL);
    listening->next = server->listenings;
    server->listenings = listening;
    return OK;
}

static void listenings_close(struct http_server *server)
{
    while (server->listenings) {
        struct listening *listening = server->listenings;
        server->listenings = listening->next;
        event_del(&listening->accept);
        evtimer_del(&listening->resume);
        close(listening->fd);
        free(listening);
    }
}

static void drain_in(struct http_server *server, int ms)
{
    const struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };
    evtimer_add(&server->drain, &wait);
}

void server_connection_gone(struct http_server *server, bool was_refused)
{
    if (was_refused)
        server->refusing--;
    else
        server->serving--;
    /* By the timer: `done` may free the server, and its connections' code still runs. */
    if (server->draining && !server->connections)
        drain_in(server, 0);
}

void http_server_drain(struct http_server *server, int ms, void (*done)(void *arg), void *arg)
{
    server->draining = true;
    server->drain_done = done;
    server->drain_arg = arg;
    listenings_close(server);
    struct connection *next;
    for (struct connection *connection = server->connections; connection; connection = next) {
        next = connection->next;
        if (connection_is_quiet(connection))
            connection_free(connection);
    }
    drain_in(server, server->connections ? ms : 0);
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    server->draining = false;
    listenings_close(server);
    while (server->connections)
        connection_free(server->connections);
    while (server->exchanges)
        exchange_abandon(server->exchanges);
    evtimer_del(&server->drain);
    evtimer_del(&server->settle);
    peers_free(server->peers);
    free(server);
}
