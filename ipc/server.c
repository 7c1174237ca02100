/* SPDX-License-Identifier: Apache-2.0 */
/* The answering side: who may connect, and its end in good order. */
#include "ipc/server_internal.h"

#include "base/fault.h"
#include "base/log.h"
#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256 /* of one server: roles have one each, the rest is for command line tools */
#define ACCEPT_PAUSE_MS 100 /* after running out of descriptors */

size_t ipc_max_frame(const struct ipc_server *server)
{
    return server->config.max_frame ? server->config.max_frame : LIMIT_FRAME_BYTES;
}

static enum err peer_check(const struct ipc_listener *listener, int fd, struct why *why)
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
    struct ipc_listener *listener = arg;
    event_add(listener->event, NULL);
}

static void on_accept(evutil_socket_t listening, short what, void *arg)
{
    (void)what;
    struct ipc_listener *listener = arg;
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
    if (peer_check(listener, fd, &why) == OK) {
        (void)conn_new(listener->server, fd, listener->principal);
        return;
    }
    close(fd);
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
    struct ipc_listener *listener = xcalloc(1, sizeof(*listener));
    *listener = (struct ipc_listener){
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
    struct ipc_conn *conn = conn_new(server, fd, principal);
    conn_trust(conn); /* the peer may start long after us */
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
        struct ipc_listener *listener = server->listeners;
        server->listeners = listener->next;
        loop_forget(server->config.loop, listener);
        event_free(listener->event);
        close(listener->fd);
        free(listener);
    }
}

static bool is_drained(const struct ipc_server *server)
{
    for (const struct ipc_conn *conn = server->conns; conn; conn = conn->next) {
        if (!conn_is_idle(conn))
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

void server_drain_check(struct ipc_server *server)
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
    for (struct ipc_conn *conn = server->conns; conn; conn = conn->next)
        conn_stop_reading(conn);
    loop_after(server->config.loop, ms, drain_over, server);
    server_drain_check(server);
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
    calls_drop(server);
    while (server->conns) {
        server->conns->on_lost = NULL; /* we leave, not the peer */
        conn_abandon(server->conns);
    }
    pthread_cond_destroy(&server->idle);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
