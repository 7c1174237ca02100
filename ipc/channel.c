/* SPDX-License-Identifier: Apache-2.0 */
/* The calling side. A connection goes DOWN → CONNECTING (one caller) → HELLO (its reader thread waits for the
   answer) → UP; the reader ends it, and the next caller begins anew. */
#include "ipc/channel.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/wake.h"
#include "net/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_CHUNK_BYTES 65536 /* memory follows what has arrived, not what a length promises */

enum state { STATE_DOWN, STATE_CONNECTING, STATE_HELLO, STATE_UP };

struct call {
    struct call *next;
    int64_t id;
    struct wake answered;
    enum err err;
    struct buf body;
    struct why why;
};
struct channel {
    char *path, *principal;
    struct broker *broker;
    size_t max_frame;
    void (*on_lost)(void *arg);
    void *on_lost_arg;

    pthread_mutex_t lock;   /* everything below */
    pthread_cond_t changed; /* state or writing */
    enum state state;
    int fd; /* -1, or open until the reader has been joined */
    pthread_t reader;
    bool has_reader, writing, closing;
    int version;
    int64_t next_id;
    struct call *calls; /* written, or about to be, and not answered */
    struct why lost;    /* why the last connection ended */
};

/* --- waiting --- */

static int ms_left(int64_t deadline)
{
    int64_t left = deadline - clock_mono_ms();
    return left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

static void cond_open(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

/* false: the deadline is over. */
static bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline)
{
    const struct timespec until = { .tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000 };
    return pthread_cond_timedwait(cond, lock, &until) != ETIMEDOUT;
}

/* --- the reader thread --- */

static enum err recv_exactly(struct channel *channel, size_t len, struct buf *out, struct why *why)
{
    while (len) {
        size_t want = len < READ_CHUNK_BYTES ? len : READ_CHUNK_BYTES;
        buf_reserve(out, want);
        ssize_t got = recv(channel->fd, out->data + out->len, want, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            struct pollfd wait = { .fd = channel->fd, .events = POLLIN };
            (void)poll(&wait, 1, -1);
            continue;
        }
        if (got <= 0)
            return fail(why, ERR_UNAVAILABLE, "connection lost: %s",
                        got ? strerror(errno) : "closed by the peer");
        out->len += (size_t)got;
        len -= (size_t)got;
    }
    return OK;
}

static enum err frame_receive(struct channel *channel, struct buf *der, struct frame *ret, struct why *why)
{
    buf_clear(der);
    TRY(recv_exactly(channel, FRAME_PREFIX_BYTES, der, why));
    size_t len = frame_length(der->data);
    if (len == 0 || len > channel->max_frame - FRAME_PREFIX_BYTES)
        return fail(why, ERR_PROTOCOL, "answer of %zu bytes, limit %zu", len,
                    channel->max_frame - FRAME_PREFIX_BYTES);
    buf_clear(der);
    TRY(recv_exactly(channel, len, der, why));
    return frame_get(buf_bytes(der), ret, why);
}

static struct call *call_take(struct channel *channel, int64_t id)
{
    for (struct call **at = &channel->calls; *at; at = &(*at)->next) {
        struct call *call = *at;
        if (call->id != id)
            continue;
        *at = call->next;
        return call;
    }
    return NULL; /* timed out before: the late answer is dropped */
}

static void call_finish(struct call *call, enum err err, const struct why *why)
{
    call->err = err;
    if (err != OK)
        call->why = *why;
    wake_send(&call->answered);
}

/* Under the lock. Other than OK: the connection ends. */
static enum err hello_answered(struct channel *channel, const struct frame *frame, struct why *why)
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
    channel->version = hello.max;
    channel->state = STATE_UP;
    pthread_cond_broadcast(&channel->changed);
    return OK;
}

/* Without the lock, so that the caller who is woken does not wait for it. */
static enum err call_answered(struct channel *channel, const struct frame *frame, struct why *why)
{
    bool ok = bytes_equal(frame->verb, BYTES_LIT("ok"));
    if (!ok && !bytes_equal(frame->verb, BYTES_LIT("error")))
        return fail(why, ERR_PROTOCOL, "answer \"%.*s\"", (int)frame->verb.len,
                    (const char *)frame->verb.data);
    struct why peer = { 0 };
    if (!ok && frame_error_get(frame->body, &peer) != OK)
        return fail(why, ERR_PROTOCOL, "malformed error of %zu bytes", frame->body.len);
    pthread_mutex_lock(&channel->lock);
    struct call *call = call_take(channel, frame->id);
    pthread_mutex_unlock(&channel->lock);
    if (!call)
        return OK;
    if (ok)
        buf_append(&call->body, frame->body);
    call_finish(call, ok ? OK : peer.err, &peer);
    return OK;
}

static enum err frame_take(struct channel *channel, const struct frame *frame, struct why *why)
{
    pthread_mutex_lock(&channel->lock);
    bool hello = channel->state == STATE_HELLO;
    int version = channel->version;
    enum err err = hello ? hello_answered(channel, frame, why) : OK;
    pthread_mutex_unlock(&channel->lock);
    if (hello)
        return err;
    if (frame->version != version)
        return fail(why, ERR_PROTOCOL, "answer \"%.*s\" of version %d, agreed is %d", (int)frame->verb.len,
                    (const char *)frame->verb.data, frame->version, version);
    return call_answered(channel, frame, why);
}

static void connection_ended(struct channel *channel, const struct why *why)
{
    pthread_mutex_lock(&channel->lock);
    channel->lost = *why;
    channel->state = STATE_DOWN;
    (void)shutdown(channel->fd, SHUT_RDWR); /* whoever is writing notices */
    while (channel->calls)
        call_finish(call_take(channel, channel->calls->id), ERR_UNAVAILABLE, why);
    bool tell = channel->on_lost && !channel->path && !channel->closing;
    pthread_cond_broadcast(&channel->changed);
    pthread_mutex_unlock(&channel->lock);
    if (tell)
        channel->on_lost(channel->on_lost_arg);
}

static void *reader_main(void *arg)
{
    struct channel *channel = arg;
    AUTO_WIPE der = { 0 };
    struct frame frame;
    struct why why = { 0 };
    enum err err = OK;
    while (err == OK) {
        err = frame_receive(channel, &der, &frame, &why);
        if (err == OK)
            err = frame_take(channel, &frame, &why);
    }
    connection_ended(channel, &why);
    return NULL;
}

/* --- writing --- */

/* *ret_started: some of it is on its way, so the stream is of no use after a failure. */
static enum err send_all(int fd, struct bytes data, int64_t deadline, bool *ret_started, struct why *why)
{
    *ret_started = false;
    while (data.len) {
        ssize_t sent = send(fd, data.data, data.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
            return fail(why, ERR_UNAVAILABLE, "connection lost: %s", strerror(errno));
        if (sent < 0) {
            struct pollfd wait = { .fd = fd, .events = POLLOUT };
            if (poll(&wait, 1, ms_left(deadline)) == 0)
                return fail(why, ERR_TIMEOUT, "peer does not read");
            continue;
        }
        *ret_started = true;
        data.data += sent;
        data.len -= (size_t)sent;
    }
    return OK;
}

/* Under the lock, which it gives up while it writes. One writer at a time: frames must not mix. */
static enum err frame_send(struct channel *channel, struct bytes frame, int64_t deadline, struct why *why)
{
    while (channel->writing) {
        if (!cond_wait_until(&channel->changed, &channel->lock, deadline))
            return fail(why, ERR_TIMEOUT, "peer does not read");
    }
    if (channel->state != STATE_UP && channel->state != STATE_HELLO)
        return fail(why, ERR_UNAVAILABLE, "%s", channel->lost.text);
    channel->writing = true;
    int fd = channel->fd;
    bool started;
    pthread_mutex_unlock(&channel->lock);
    enum err err = send_all(fd, frame, deadline, &started, why);
    pthread_mutex_lock(&channel->lock);
    channel->writing = false;
    if (err != OK && (started || err != ERR_TIMEOUT))
        (void)shutdown(fd, SHUT_RDWR); /* half a frame: the reader ends this connection */
    pthread_cond_broadcast(&channel->changed);
    return err;
}

/* --- connecting --- */

static enum err connect_path(const char *path, int64_t deadline, int *ret_fd, struct why *why)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path))
        return fail(why, ERR_CONFIG, "socket path of %zu bytes, limit %zu: %s", strlen(path),
                    sizeof(address.sun_path) - 1, path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(why, ERR_UNAVAILABLE, "cannot make a socket: %s", strerror(errno));
    for (;;) {
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
            *ret_fd = fd;
            return OK;
        }
        /* EAGAIN: the server's backlog is full. A socket file cannot be waited for. */
        if ((errno != EAGAIN && errno != EINTR) || ms_left(deadline) == 0)
            break;
        (void)poll(NULL, 0, 5);
    }
    int error = errno;
    close(fd);
    return fail(why, ERR_UNAVAILABLE, "cannot connect to %s: %s", path, strerror(error));
}

static enum err connect_by_broker(struct channel *channel, int64_t deadline, int *ret_fd, struct why *why)
{
    enum err err;
    while ((err = broker_ask(channel->broker, BROKER_SERVER, ms_left(deadline), ret_fd, why)) == ERR_BUSY &&
           ms_left(deadline) > 0)
        (void)poll(NULL, 0, 5); /* the server's backlog is full */
    return err == OK ? OK : ERR_UNAVAILABLE;
}

/* Signals belong to the loop's thread. */
static int reader_start(struct channel *channel)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&channel->reader, NULL, reader_main, channel);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    channel->has_reader = error == 0;
    return error;
}

/* Under the lock: a connected socket begins its life with our hello. */
static enum err connection_begin(struct channel *channel, int fd, int64_t deadline, struct why *why)
{
    channel->fd = fd;
    channel->state = STATE_HELLO;
    channel->lost = (struct why){ 0 };
    int error = reader_start(channel);
    if (error) {
        channel->state = STATE_DOWN;
        return fail(why, ERR_UNAVAILABLE, "cannot start a thread: %s", strerror(error));
    }
    const struct hello hello = { FRAME_VERSION_LEAST, FRAME_VERSION, bytes_str(channel->principal) };
    AUTO_BUF body = { 0 };
    AUTO_BUF frame = { 0 };
    hello_put(&body, &hello);
    frame_put(&frame, &(struct frame){ FRAME_VERSION_LEAST, channel->next_id++, BYTES_LIT("hello"),
                                       buf_bytes(&body) });
    enum err err = frame_send(channel, buf_bytes(&frame), deadline, why);
    if (err != OK)
        (void)shutdown(fd, SHUT_RDWR); /* without hello it would never be answered: the reader ends it */
    return err;
}

/* Under the lock, which it gives up while it waits: nothing of the former connection is left. */
static void connection_clear(struct channel *channel)
{
    while (channel->writing)
        pthread_cond_wait(&channel->changed, &channel->lock);
    if (channel->has_reader) {
        pthread_mutex_unlock(&channel->lock);
        pthread_join(channel->reader, NULL);
        pthread_mutex_lock(&channel->lock);
        channel->has_reader = false;
    }
    if (channel->fd >= 0)
        close(channel->fd);
    channel->fd = -1;
}

/* Under the lock, and alone: the state is CONNECTING. */
static enum err connect_anew(struct channel *channel, int64_t deadline, struct why *why)
{
    connection_clear(channel);
    int fd = -1;
    pthread_mutex_unlock(&channel->lock);
    enum err err = channel->broker ? connect_by_broker(channel, deadline, &fd, why)
                                   : connect_path(channel->path, deadline, &fd, why);
    pthread_mutex_lock(&channel->lock);
    if (err == OK)
        err = connection_begin(channel, fd, deadline, why);
    else
        channel->state = STATE_DOWN;
    if (err != OK)
        channel->lost = *why;
    pthread_cond_broadcast(&channel->changed);
    return err;
}

/* Under the lock: returns with the state UP, or says why not. */
static enum err connection_want(struct channel *channel, int64_t deadline, struct why *why)
{
    bool tried = false;
    while (channel->state != STATE_UP) {
        if (channel->state == STATE_DOWN && (!channel->path || tried))
            return fail(why, channel->lost.err == ERR_NOT_AUTHORISED ? ERR_NOT_AUTHORISED : ERR_UNAVAILABLE,
                        "%s", channel->lost.text);
        if (channel->state == STATE_DOWN) {
            tried = true;
            channel->state = STATE_CONNECTING;
            TRY(connect_anew(channel, deadline, why));
            continue;
        }
        if (!cond_wait_until(&channel->changed, &channel->lock, deadline))
            return fail(why, ERR_TIMEOUT, "peer does not answer hello");
    }
    return OK;
}

/* --- calls --- */

/* Under the lock: the frame is on its way, and the call is listed for its answer. */
static enum err call_send(struct channel *channel, struct call *call, const struct frame *intent,
                          int64_t deadline)
{
    TRY(connection_want(channel, deadline, &call->why));
    call->id = channel->next_id++;
    AUTO_WIPE frame = { 0 };
    frame_put(&frame, &(struct frame){ channel->version, call->id, intent->verb, intent->body });
    call->next = channel->calls;
    channel->calls = call;
    struct why why;
    enum err err = frame_send(channel, buf_bytes(&frame), deadline, &why);
    if (err == OK)
        return OK;
    if (!call_take(channel, call->id))
        wake_wait(&call->answered); /* the reader has ended the connection, and this call with it */
    return fail(&call->why, err, "%s", why.text);
}

static enum err call_wait(struct channel *channel, struct call *call, int64_t deadline)
{
    if (wake_wait_until(&call->answered, deadline))
        return call->err;
    pthread_mutex_lock(&channel->lock);
    bool unanswered = call_take(channel, call->id);
    pthread_mutex_unlock(&channel->lock);
    if (unanswered)
        return fail(&call->why, ERR_TIMEOUT, "no answer in time");
    wake_wait(&call->answered); /* the reader has it in hand */
    return call->err;
}

/* *ret_written: all of the frame had left, so the peer may have done it. */
static enum err call_once(struct channel *channel, struct call *call, const struct frame *intent,
                          int64_t deadline, bool *ret_written)
{
    pthread_mutex_lock(&channel->lock);
    enum err err = call_send(channel, call, intent, deadline);
    pthread_mutex_unlock(&channel->lock);
    *ret_written = err == OK;
    return err == OK ? call_wait(channel, call, deadline) : err;
}

/* The reader of a connection that broke under a writer is about to notice. */
static void connection_wait_down(struct channel *channel, int64_t deadline)
{
    pthread_mutex_lock(&channel->lock);
    if (channel->state == STATE_UP)
        (void)shutdown(channel->fd, SHUT_RDWR);
    while (channel->state == STATE_UP && cond_wait_until(&channel->changed, &channel->lock, deadline)) {}
    pthread_mutex_unlock(&channel->lock);
}

static bool is_up(struct channel *channel)
{
    pthread_mutex_lock(&channel->lock);
    bool up = channel->state == STATE_UP;
    pthread_mutex_unlock(&channel->lock);
    return up;
}

enum err channel_call(struct channel *channel, const char *verb, struct bytes body, int timeout_ms,
                      struct buf *ret_body, struct why *why)
{
    int64_t deadline = clock_mono_ms() + (timeout_ms > 0 ? timeout_ms : 0);
    struct call call = { 0 };
    const struct frame intent = { .verb = bytes_str(verb), .body = body };
    bool written, was_up = is_up(channel);
    wake_open(&call.answered);
    enum err err = call_once(channel, &call, &intent, deadline, &written);
    /* A connection that had died unnoticed: the peer never had the whole frame, so asking again is safe. */
    if (err == ERR_UNAVAILABLE && !written && was_up && channel->path) {
        connection_wait_down(channel, deadline);
        err = call_once(channel, &call, &intent, deadline, &written);
    }
    wake_close(&call.answered);
    if (err != OK) {
        buf_wipe(&call.body);
        return fail(why, err, "%s: %s", verb, call.why.text);
    }
    *ret_body = call.body;
    return OK;
}

static enum err fd_adopt(struct channel *channel, int fd, struct why *why)
{
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return fail(why, ERR_IO, "descriptor %d cannot be used: %s", fd, strerror(errno));
    pthread_mutex_lock(&channel->lock);
    /* A fresh socketpair has room for hello: this does not wait for the peer. */
    enum err err = connection_begin(channel, fd, clock_mono_ms(), why);
    pthread_mutex_unlock(&channel->lock);
    return err;
}

enum err channel_new(const struct channel_config *config, struct channel **ret, struct why *why)
{
    size_t principal = config->principal ? strlen(config->principal) : 0;
    if (principal == 0 || principal > LIMIT_NAME_BYTES)
        return fail(why, ERR_USAGE, "principal of %zu bytes; allowed are 1 to %d", principal,
                    LIMIT_NAME_BYTES);
    if (config->max_frame && config->max_frame <= FRAME_OVERHEAD_BYTES)
        return fail(why, ERR_USAGE, "max_frame of %zu bytes, at least %d", config->max_frame,
                    FRAME_OVERHEAD_BYTES + 1);
    struct channel *channel = xcalloc(1, sizeof(*channel));
    channel->path = config->path ? xstrdup(config->path) : NULL;
    channel->principal = xstrdup(config->principal);
    channel->broker = config->broker;
    channel->max_frame = config->max_frame ? config->max_frame : LIMIT_FRAME_BYTES;
    channel->on_lost = config->on_lost;
    channel->on_lost_arg = config->on_lost_arg;
    channel->fd = -1;
    channel->next_id = 1;
    pthread_mutex_init(&channel->lock, NULL);
    cond_open(&channel->changed);
    enum err err = channel->path ? OK : fd_adopt(channel, config->fd, why);
    if (err != OK) {
        if (channel->fd < 0)
            close(config->fd);
        channel_free(channel);
        return err;
    }
    *ret = channel;
    return OK;
}

void channel_free(struct channel *channel)
{
    if (!channel)
        return;
    pthread_mutex_lock(&channel->lock);
    channel->closing = true;
    if (channel->fd >= 0)
        (void)shutdown(channel->fd, SHUT_RDWR);
    connection_clear(channel);
    pthread_mutex_unlock(&channel->lock);
    pthread_cond_destroy(&channel->changed);
    pthread_mutex_destroy(&channel->lock);
    free(channel->path);
    free(channel->principal);
    free(channel);
}
