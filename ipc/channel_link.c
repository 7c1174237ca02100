/* SPDX-License-Identifier: Apache-2.0 */
/* The connection of a channel, from connect to its end, on the channel's own thread: it says hello, reads answers, and keeps
   deadlines. An inherited socket has one connection; a path gets another whenever somebody calls. */
#include "ipc/channel_internal.h"

#include "net/broker.h"
#include "net/listener.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_CHUNK_BYTES 65536     /* memory follows what has arrived, not what a length promises */
#define KEPT_BYTES       (1 << 20) /* of memory between answers: a CRL's is given back */
#define BACKLOG_WAIT_MS  5         /* a full backlog cannot be waited for */

/* --- connecting --- */

/* No longer than the call that has the least time left; ERR_BUSY also when that was not enough. */
static enum err connect_by_broker(struct channel *channel, int *ret_fd, struct why *why)
{
    int wait_ms = channel_wait_ms(channel);
    enum err err = broker_ask(channel->broker, BROKER_SERVER, wait_ms > 0 ? wait_ms : 0, ret_fd, why);
    return err == OK ? OK : err == ERR_BUSY || err == ERR_TIMEOUT ? ERR_BUSY : ERR_UNAVAILABLE;
}

/* ERR_BUSY: all who waited for it have given up, each in its own time. */
static enum err connect_anew(struct channel *channel, int *ret_fd, struct why *why)
{
    for (;;) {
        enum err err = channel->broker ? connect_by_broker(channel, ret_fd, why)
                                       : connect_unix_now(channel->path, ret_fd, why);
        if (err != ERR_BUSY || !channel_waits(channel, why))
            return err;
        (void)poll(NULL, 0, BACKLOG_WAIT_MS);
    }
}

/* --- hello --- */

static void hello_send(struct channel *channel)
{
    const struct hello hello = { FRAME_VERSION_LEAST, FRAME_VERSION, bytes_str(channel->principal) };
    AUTO_BUF body = { 0 };
    hello_put(&body, &hello);
    frame_put(&channel->out, &(struct frame){ FRAME_VERSION_LEAST, channel->next_id++, BYTES_LIT("hello"),
                                              buf_bytes(&body) });
    channel->stream_queued += channel->out.len;
    channel_flush(channel);
}

static enum err hello_check(const struct channel *channel, const struct frame *frame, int *ret_version,
                            struct why *why)
{
    struct hello hello;
    if (bytes_equal(frame->verb, BYTES_LIT("error"))) {
        struct why peer = { 0 };
        if (frame_error_get(frame->body, &peer) == OK)
            return fail(why, peer.err, "peer refused hello: %s", peer.text);
    }
    if (!bytes_equal(frame->verb, BYTES_LIT("hello")))
        return fail(why, ERR_PROTOCOL, "peer answered hello with \"%.*s\"", (int)frame->verb.len,
                    (const char *)frame->verb.data);
    TRY(hello_get(frame->body, &hello, why));
    if (hello.min != hello.max || hello.max > FRAME_VERSION || hello.max < FRAME_VERSION_LEAST)
        return fail(why, ERR_PROTOCOL, "peer picked version %d to %d, this program speaks %d to %d",
                    hello.min, hello.max, FRAME_VERSION_LEAST, FRAME_VERSION);
    if (!bytes_equal(hello.principal, bytes_str(channel->principal)))
        return fail(why, ERR_PROTOCOL, "peer takes us for \"%.*s\", we are \"%s\"", (int)hello.principal.len,
                    (const char *)hello.principal.data, channel->principal);
    *ret_version = hello.max;
    return OK;
}

static enum err hello_answered(struct channel *channel, const struct frame *frame, struct why *why)
{
    int version = 0;
    TRY(hello_check(channel, frame, &version, why));
    pthread_mutex_lock(&channel->lock);
    channel->version = version;
    channel->state = CHANNEL_UP;
    channel_queue_all(channel);
    channel_flush(channel);
    pthread_mutex_unlock(&channel->lock);
    return OK;
}

/* --- answers --- */

static enum err call_answered(struct channel *channel, const struct frame *frame, struct why *why)
{
    bool ok = bytes_equal(frame->verb, BYTES_LIT("ok"));
    struct why peer = { 0 };
    if (frame->version != channel->version)
        return fail(why, ERR_PROTOCOL, "answer \"%.*s\" of version %d, agreed is %d", (int)frame->verb.len,
                    (const char *)frame->verb.data, frame->version, channel->version);
    if (!ok && !bytes_equal(frame->verb, BYTES_LIT("error")))
        return fail(why, ERR_PROTOCOL, "answer \"%.*s\"", (int)frame->verb.len,
                    (const char *)frame->verb.data);
    if (!ok && frame_error_get(frame->body, &peer) != OK)
        return fail(why, ERR_PROTOCOL, "malformed error of %zu bytes", frame->body.len);
    pthread_mutex_lock(&channel->lock);
    struct call *call = channel_take(channel, frame->id);
    pthread_mutex_unlock(&channel->lock);
    if (call) /* otherwise it had timed out before: the late answer is dropped */
        call_finish(call, ok ? OK : peer.err, frame->body, &peer);
    return OK;
}

static enum err frame_handle(struct channel *channel, struct bytes der, struct why *why)
{
    struct frame frame;
    TRY(frame_get(der, &frame, why));
    return channel->state == CHANNEL_UP ? call_answered(channel, &frame, why)
                                        : hello_answered(channel, &frame, why);
}

/* What is left of a frame that is not whole moves to the front. */
static enum err frames_handle(struct channel *channel, struct buf *in, struct why *why)
{
    size_t at = 0, most = channel->max_frame - FRAME_PREFIX_BYTES;
    while (in->len - at >= FRAME_PREFIX_BYTES) {
        size_t len = frame_length(in->data + at);
        if (len == 0 || len > most)
            return fail(why, ERR_PROTOCOL, "answer of %zu bytes, limit %zu", len, most);
        if (in->len - at - FRAME_PREFIX_BYTES < len) {
            buf_reserve(in,
                        len + FRAME_PREFIX_BYTES + at - in->len); /* at once, instead of growing with a CRL */
            break;
        }
        TRY(frame_handle(channel, bytes_of(in->data + at + FRAME_PREFIX_BYTES, len), why));
        at += FRAME_PREFIX_BYTES + len;
    }
    if (at == in->len && in->cap > KEPT_BYTES) {
        buf_wipe(in);
    } else if (at) {
        memmove(in->data, in->data + at, in->len - at);
        in->len -= at;
    }
    return OK;
}

/* As much as has come: several answers take one system call. */
static enum err receive(struct channel *channel, struct buf *in, struct why *why)
{
    for (;;) {
        buf_reserve(in, READ_CHUNK_BYTES);
        size_t room = in->cap - in->len;
        ssize_t got = recv(channel->fd, in->data + in->len, room, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return OK;
        if (got <= 0)
            return fail(why, ERR_UNAVAILABLE, "connection lost: %s",
                        got ? strerror(errno) : "closed by the peer");
        in->len += (size_t)got;
        TRY(frames_handle(channel, in, why));
        if ((size_t)got < room)
            return OK;
    }
}

/* --- one connection --- */

static bool is_closing(struct channel *channel)
{
    pthread_mutex_lock(&channel->lock);
    bool closing = channel->closing;
    pthread_mutex_unlock(&channel->lock);
    return closing;
}

static void wake_read(const struct channel *channel)
{
    uint64_t ignored;
    (void)!read(channel->wake_fd, &ignored, sizeof(ignored));
}

static void flush_again(struct channel *channel)
{
    pthread_mutex_lock(&channel->lock);
    channel->blocked = false;
    channel_flush(channel);
    pthread_mutex_unlock(&channel->lock);
}

static bool is_blocked(struct channel *channel)
{
    pthread_mutex_lock(&channel->lock);
    bool blocked = channel->blocked;
    pthread_mutex_unlock(&channel->lock);
    return blocked;
}

static enum err serve_once(struct channel *channel, struct buf *in, struct why *why)
{
    struct pollfd fds[] = { { .fd = channel->fd, .events = POLLIN },
                            { .fd = channel->wake_fd, .events = POLLIN } };
    if (is_blocked(channel))
        fds[0].events |= POLLOUT;
    int ready = poll(fds, 2, channel_sleep_ms(channel));
    if (ready > 0 && fds[1].revents)
        wake_read(channel);
    if (is_closing(channel))
        return fail(why, ERR_UNAVAILABLE, "this side ends");
    if (ready > 0 && fds[0].revents & POLLOUT)
        flush_again(channel);
    if (ready > 0 && fds[0].revents & ~POLLOUT)
        TRY(receive(channel, in, why));
    return channel_expire(channel) ? fail(why, ERR_UNAVAILABLE, "peer does not read") : OK;
}

static void connection_begin(struct channel *channel, int fd)
{
    pthread_mutex_lock(&channel->lock);
    channel->fd = fd;
    channel->state = CHANNEL_HELLO;
    channel->stream_queued = channel->stream_sent = 0;
    hello_send(channel);
    pthread_mutex_unlock(&channel->lock);
}

/* Nobody writes to it any more when this returns. True: it had been up. */
static bool connection_end(struct channel *channel, const struct why *why)
{
    pthread_mutex_lock(&channel->lock);
    bool was_up = channel->state == CHANNEL_UP;
    channel->state = channel->path ? CHANNEL_CONNECTING : CHANNEL_DOWN;
    if (!channel->closing)
        channel->lost = *why;
    (void)shutdown(channel->fd, SHUT_RDWR);
    while (channel->writing)
        pthread_cond_wait(&channel->written, &channel->lock);
    close(channel->fd);
    channel->fd = -1;
    channel->blocked = false;
    buf_wipe(&channel->out);
    buf_wipe(&channel->sending);
    channel->sent = 0;
    pthread_mutex_unlock(&channel->lock);
    return was_up;
}

static void connection_run(struct channel *channel, int fd)
{
    AUTO_WIPE in = { 0 };
    struct why why = { 0 };
    connection_begin(channel, fd);
    while (serve_once(channel, &in, &why) == OK) {}
    bool was_up = connection_end(channel, &why);
    channel_fail(channel, why.err == ERR_NOT_AUTHORISED ? ERR_NOT_AUTHORISED : ERR_UNAVAILABLE, &why,
                 was_up && channel->path && !is_closing(channel));
}

/* --- the thread --- */

/* Until somebody calls. False: this side ends. */
static bool wait_for_calls(struct channel *channel)
{
    for (;;) {
        pthread_mutex_lock(&channel->lock);
        bool closing = channel->closing, calls = channel->calls;
        channel->state = calls ? CHANNEL_CONNECTING : CHANNEL_DOWN;
        pthread_mutex_unlock(&channel->lock);
        if (closing || calls)
            return !closing;
        struct pollfd wake = { .fd = channel->wake_fd, .events = POLLIN };
        if (poll(&wake, 1, -1) > 0)
            wake_read(channel);
    }
}

static void serve_path(struct channel *channel)
{
    while (wait_for_calls(channel)) {
        struct why why = { 0 };
        int fd = -1;
        enum err err = connect_anew(channel, &fd, &why);
        if (err == OK)
            connection_run(channel, fd);
        else if (err != ERR_BUSY)
            channel_fail(channel, err, &why, false);
    }
}

void *channel_main(void *arg)
{
    struct channel *channel = arg;
    if (channel->path) {
        serve_path(channel);
    } else {
        connection_run(channel, channel->fd);
        if (channel->on_lost && !is_closing(channel))
            channel->on_lost(channel->on_lost_arg);
    }
    pthread_mutex_lock(&channel->lock);
    struct why why = channel->lost;
    pthread_mutex_unlock(&channel->lock);
    channel_fail(channel, ERR_UNAVAILABLE, &why, false);
    return NULL;
}
