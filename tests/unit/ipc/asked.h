/* SPDX-License-Identifier: Apache-2.0 */
/* Calls by channel_submit and what came of them, and a peer that the test plays itself. */
#pragma once
#include "tests/unit/count.h"
#include "tests/unit/ipc/helper.h"

#include "base/clock.h"

#define LONG_MS (1000 * 600) /* longer than a test waits: such a call does not end by its time */

struct asked {
    struct count done; /* how often: never more than once */
    enum err err;
    struct why why;
    struct buf body;
    pthread_t thread;
    struct channel *channel;
    struct asked *again; /* asked for, when this one is told; or NULL */
    bool again_at_once; /* and told before that returned */
};

static inline void ask_with(struct channel *channel, struct asked *asked, struct bytes body, int timeout_ms);

static inline void on_asked(void *arg, enum err err, struct bytes body, const struct why *why)
{
    struct asked *asked = arg;
    asked->err = err;
    asked->why = err == OK ? (struct why){ 0 } : *why;
    buf_append(&asked->body, body);
    asked->thread = pthread_self();
    if (asked->again) {
        ask_with(asked->channel, asked->again, BYTES_NONE, LONG_MS);
        asked->again_at_once = count_now(&asked->again->done) > 0;
    }
    count_add(&asked->done, 1);
}

static inline void ask_with(struct channel *channel, struct asked *asked, struct bytes body, int timeout_ms)
{
    asked->channel = channel;
    channel_submit(channel, &(struct channel_request){ "echo", body, timeout_ms, on_asked, asked });
}

/* On the heap: an answer that should not come any more must not meet another test's stack. */
static inline struct asked *asked_new(void)
{
    struct asked *asked = xcalloc(1, sizeof(*asked));
    asked->done = (struct count)COUNT_ZERO;
    return asked;
}

static inline struct asked *ask(struct channel *channel, struct bytes body, int timeout_ms)
{
    struct asked *asked = asked_new();
    ask_with(channel, asked, body, timeout_ms);
    return asked;
}

static inline bool is_answered(struct asked *asked)
{
    return count_now(&asked->done) > 0;
}

/* Waits for it, and demands this outcome; text: how the reason goes on after the verb, or NULL. */
static inline void assert_asked(struct asked *asked, enum err err, const char *text)
{
    assert_true(count_reaches(&asked->done, 1));
    assert_string_equal(err_row(asked->err)->name, err_row(err)->name);
    if (err != OK) {
        assert_int_equal(asked->why.err, err);
        assert_int_equal(asked->body.len, 0);
        assert_memory_equal(asked->why.text, "echo: ", 6);
    }
    if (text && !strstr(asked->why.text, text))
        fail_msg("\"%s\" lacks \"%s\"", asked->why.text, text);
}

static inline void assert_answer(struct asked *asked, struct bytes body)
{
    assert_asked(asked, OK, NULL);
    ASSERT_BYTES(buf_bytes(&asked->body), body);
}

/* Its channel has ended, or the peer knows nothing of it any more: nobody calls it again. */
static inline void asked_free(struct asked *asked)
{
    assert_int_equal(count_now(&asked->done), 1);
    buf_free(&asked->body);
    free(asked);
}

/* --- the peer --- */

struct peer {
    char folder[32], path[64];
    int listening, fd;
    struct buf der; /* frame's views are of this */
    struct frame frame;
};

static inline struct channel *channel_of(const struct channel_config *config)
{
    struct channel *channel;
    struct why why;
    ASSERT_OK(channel_new(config, &channel, &why), &why);
    return channel;
}

static inline void be_patient(int fd)
{
    const struct timeval patience = { .tv_sec = test_patience_s() };
    assert_int_equal(0, setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)));
    assert_int_equal(0, setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)));
}

/* Connected by an inherited socket. */
static inline struct channel *peer_pair(struct peer *peer, size_t max_frame)
{
    int pair[2];
    *peer = (struct peer){ .listening = -1 };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    be_patient(pair[0]);
    peer->fd = pair[0];
    return channel_of(&(struct channel_config){ .fd = pair[1], .principal = "scep", .max_frame = max_frame });
}

/* Listens, for a channel that connects by itself. */
static inline struct channel *peer_listen(struct peer *peer)
{
    struct why why;
    *peer = (struct peer){ .folder = "/tmp/chancery-ipc-XXXXXX", .fd = -1 };
    assert_non_null(mkdtemp(peer->folder));
    snprintf(peer->path, sizeof(peer->path), "%s/socket", peer->folder);
    ASSERT_OK(listen_unix(peer->path, &peer->listening, &why), &why);
    return channel_of(&(struct channel_config){ .path = peer->path, .principal = "scep" });
}

static inline void peer_accept(struct peer *peer)
{
    struct pollfd wait = { .fd = peer->listening, .events = POLLIN };
    assert_int_equal(poll(&wait, 1, 1000 * test_patience_s()), 1);
    peer->fd = accept4(peer->listening, NULL, NULL, SOCK_CLOEXEC);
    assert_true(peer->fd >= 0);
    be_patient(peer->fd);
}

static inline void peer_take(struct peer *peer)
{
    assert_true(raw_receive(peer->fd, &peer->der, &peer->frame));
}

static inline void peer_say(struct peer *peer, int64_t id, const char *verb, struct bytes body)
{
    AUTO_BUF out = { 0 };
    raw_frame(&out, id, verb, body);
    raw_send(peer->fd, buf_bytes(&out));
}

static inline void peer_hello(struct peer *peer)
{
    AUTO_BUF body = { 0 };
    const struct hello hello = { 1, 1, BYTES_LIT("scep") };
    peer_take(peer);
    ASSERT_BYTES(peer->frame.verb, BYTES_LIT("hello"));
    hello_put(&body, &hello);
    peer_say(peer, peer->frame.id, "hello", buf_bytes(&body));
}

/* The next call; its id. */
static inline int64_t peer_take_call(struct peer *peer)
{
    peer_take(peer);
    ASSERT_BYTES(peer->frame.verb, BYTES_LIT("echo"));
    return peer->frame.id;
}

static inline void peer_hang_up(struct peer *peer)
{
    close(peer->fd);
    peer->fd = -1;
}

/* A channel that has had an answer already, so nothing but the peer keeps it waiting. */
static inline void peer_warm_up(struct peer *peer, struct channel *channel)
{
    struct asked *first = ask(channel, BYTES_LIT("\x02\x01\x01"), LONG_MS);
    if (peer->listening >= 0)
        peer_accept(peer);
    peer_hello(peer);
    peer_say(peer, peer_take_call(peer), "ok", BYTES_LIT("\x02\x01\x02"));
    assert_answer(first, BYTES_LIT("\x02\x01\x02"));
    asked_free(first);
}

static inline void peer_end(struct peer *peer)
{
    if (peer->fd >= 0)
        close(peer->fd);
    if (peer->listening >= 0) {
        close(peer->listening);
        unlink(peer->path);
        rmdir(peer->folder);
    }
    buf_free(&peer->der);
}
