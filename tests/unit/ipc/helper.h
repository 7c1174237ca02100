/* SPDX-License-Identifier: Apache-2.0 */
/* A server in its own thread, for the tests of ipc/. */
#pragma once
#include "tests/unit/test.h"

#include "base/auto.h"
#include "base/limits.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "ipc/server.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/pool.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    char folder[64], path[128];
    struct loop *loop;
    struct pool *pool;
    struct ipc_server *server;
    pthread_t thread;
    atomic_int calls, released, lost;
    char principal[32];
    atomic_bool forbids; /* nobody may run any verb */
};

/* --- verbs --- */

static enum err verb_echo(void *role, const struct ipc_caller *caller, struct bytes body,
                          struct buf *ret_body, struct why *why)
{
    (void)caller, (void)why;
    struct fixture *fixture = role;
    fixture->calls++;
    buf_append(ret_body, body);
    return OK;
}
static enum err verb_who(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret_body,
                         struct why *why)
{
    (void)role, (void)body, (void)why;
    der_put_utf8(ret_body, bytes_str(caller->principal));
    return OK;
}
static enum err verb_refuse(void *role, const struct ipc_caller *caller, struct bytes body,
                            struct buf *ret_body, struct why *why)
{
    (void)role, (void)caller, (void)body;
    buf_append_str(ret_body, "not to be sent");
    return fail(why, ERR_CHALLENGE_USED, "challenge of d\xC3\xA9vice 7 was used before");
}
static enum err verb_nothing(void *role, const struct ipc_caller *caller, struct bytes body,
                             struct buf *ret_body, struct why *why)
{
    (void)role, (void)caller, (void)body, (void)ret_body, (void)why;
    return OK;
}
/* Waits until the test lets it go. */
static enum err verb_wait(void *role, const struct ipc_caller *caller, struct bytes body,
                          struct buf *ret_body, struct why *why)
{
    (void)caller, (void)why;
    struct fixture *fixture = role;
    fixture->calls++;
    while (!fixture->released)
        (void)poll(NULL, 0, 2);
    buf_append(ret_body, body);
    return OK;
}
/* As many bytes as the body says, as one OCTET STRING. */
static enum err verb_grow(void *role, const struct ipc_caller *caller, struct bytes body,
                          struct buf *ret_body, struct why *why)
{
    (void)role, (void)caller;
    struct der_reader in = der_reader_over(body);
    int64_t len;
    if (!der_get_int64(&in, &len))
        return fail(why, ERR_MALFORMED, "no number");
    AUTO_BUF content = { 0 };
    buf_reserve(&content, (size_t)len);
    memset(content.data, 'x', (size_t)len);
    content.len = (size_t)len;
    der_put_octets(ret_body, buf_bytes(&content));
    return OK;
}

static const struct ipc_verb verbs[] = {
    { "echo", "scep cli", verb_echo, NULL }, { "who", "scep cli signer", verb_who, NULL },
    { "refuse", "scep", verb_refuse, NULL }, { "nothing", "scep", verb_nothing, NULL },
    { "wait", "scep", verb_wait, NULL },     { "grow", "scep", verb_grow, NULL },
};

/* --- the thread --- */

static enum err fixture_allow(void *role, const struct ipc_verb *verb, const struct ipc_caller *caller,
                              struct bytes body, struct why *why)
{
    const struct fixture *fixture = role;
    (void)body;
    if (fixture->forbids)
        return fail(why, ERR_NOT_AUTHORISED, "%s may not run %s", caller->principal, verb->name);
    return OK;
}

static void *fixture_run(void *arg)
{
    loop_run(((struct fixture *)arg)->loop);
    return NULL;
}

static inline void fixture_open_with(struct fixture *fixture, const struct pool_config *pool,
                                     const struct ipc_verb *table, size_t count, size_t max_frame)
{
    struct why why;
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/chancery-ipc-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof(fixture->path), "%s/socket", fixture->folder);
    ASSERT_OK(loop_new(&fixture->loop, &why), &why);
    ASSERT_OK(pool_new(pool, &fixture->pool, &why), &why);
    const struct ipc_server_config config = { .loop = fixture->loop,
                                              .pool = fixture->pool,
                                              .verbs = table,
                                              .verb_count = count,
                                              .allow = fixture_allow,
                                              .role = fixture,
                                              .max_frame = max_frame,
                                              .allowed_uid = -1 };
    ASSERT_OK(ipc_server_new(&config, &fixture->server, &why), &why);
}

static inline void fixture_open(struct fixture *fixture, size_t max_frame, unsigned threads, size_t queue)
{
    const struct pool_config pool = { .threads = threads, .queue = queue };
    fixture_open_with(fixture, &pool, verbs, sizeof(verbs) / sizeof(*verbs), max_frame);
}

static inline void fixture_listen(struct fixture *fixture, const char *principal, int64_t uid)
{
    struct why why;
    int fd;
    ASSERT_OK(listen_unix(fixture->path, &fd, &why), &why);
    ASSERT_OK(ipc_server_listen(fixture->server, fd, principal, uid, &why), &why);
}

static inline void fixture_start(struct fixture *fixture)
{
    assert_int_equal(pthread_create(&fixture->thread, NULL, fixture_run, fixture), 0);
}

static inline void fixture_close(struct fixture *fixture)
{
    fixture->released = 1;
    loop_stop(fixture->loop);
    pthread_join(fixture->thread, NULL);
    ipc_server_free(fixture->server);
    pool_free(fixture->pool);
    loop_free(fixture->loop);
    unlink(fixture->path);
    rmdir(fixture->folder);
    *fixture = (struct fixture){ 0 };
}

/* The usual one: scep on a socket. */
static inline void fixture_serve(struct fixture *fixture)
{
    fixture_open(fixture, 0, 8, 512);
    fixture_listen(fixture, "scep", -1);
    fixture_start(fixture);
}

static inline struct channel *channel_to(const struct fixture *fixture, const char *principal)
{
    struct why why;
    struct channel *channel;
    const struct channel_config config = { .path = fixture->path, .principal = principal };
    ASSERT_OK(channel_new(&config, &channel, &why), &why);
    return channel;
}

static inline void wait_for(const atomic_int *counter, int least)
{
    for (int i = 0; i < 10000 && *counter < least; i++)
        (void)poll(NULL, 0, 2);
    assert_true(*counter >= least);
}

/* --- a client that may say anything --- */

static inline int raw_connect(const struct fixture *fixture)
{
    struct why why;
    int fd;
    ASSERT_OK(connect_unix(fixture->path, &fd, &why), &why);
    const struct timeval patience = { .tv_sec = test_patience_s() };
    assert_int_equal(0, setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)));
    return fd;
}

static inline void raw_frame(struct buf *out, int64_t id, const char *verb, struct bytes body)
{
    const struct frame frame = { FRAME_VERSION, id, bytes_str(verb), body };
    frame_put(out, &frame);
}

static inline void raw_hello(struct buf *out, const char *principal)
{
    AUTO_BUF body = { 0 };
    const struct hello hello = { 1, FRAME_VERSION, bytes_str(principal) };
    hello_put(&body, &hello);
    raw_frame(out, 0, "hello", buf_bytes(&body));
}

static inline void raw_send(int fd, struct bytes data)
{
    while (data.len) {
        ssize_t sent = send(fd, data.data, data.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* closed on us: the test looks at what comes back */
        data.data += sent;
        data.len -= (size_t)sent;
    }
}

/* The next frame, in *der; false when the connection has ended. */
static inline bool raw_receive(int fd, struct buf *der, struct frame *ret)
{
    uint8_t prefix[FRAME_PREFIX_BYTES];
    struct why why;
    if (recv(fd, prefix, sizeof(prefix), MSG_WAITALL) != (ssize_t)sizeof(prefix))
        return false;
    size_t len = frame_length(prefix);
    buf_clear(der);
    buf_reserve(der, len);
    if (recv(fd, der->data, len, MSG_WAITALL) != (ssize_t)len)
        return false;
    der->len = len;
    ASSERT_OK(frame_get(buf_bytes(der), ret, &why), &why);
    return true;
}

static inline void assert_error(const struct frame *frame, int64_t id, enum err err)
{
    struct why why = { 0 };
    ASSERT_BYTES(frame->verb, BYTES_LIT("error"));
    assert_int_equal(frame->id, id);
    assert_int_equal(frame_error_get(frame->body, &why), OK);
    assert_string_equal(err_row(why.err)->name, err_row(err)->name);
}

/* Connected, and hello is behind us. */
static inline int raw_open(const struct fixture *fixture, const char *principal)
{
    int fd = raw_connect(fixture);
    AUTO_BUF out = { 0 };
    AUTO_BUF der = { 0 };
    struct frame frame;
    raw_hello(&out, principal);
    raw_send(fd, buf_bytes(&out));
    assert_true(raw_receive(fd, &der, &frame));
    ASSERT_BYTES(frame.verb, BYTES_LIT("hello"));
    return fd;
}

/* Reset, when what we sent was not read any more. */
static inline bool is_closed(int fd)
{
    uint8_t byte;
    ssize_t got = recv(fd, &byte, sizeof(byte), 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
}
