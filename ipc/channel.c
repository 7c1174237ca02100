/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: listed, written, answered, timed out. Whoever has a frame to send sends what others have queued meanwhile, too, so
   that a burst of calls takes few system calls and nobody waits for the socket. */
#include "ipc/channel_internal.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static void thread_wake(const struct channel *channel)
{
    uint64_t one = 1;
    ssize_t sent;
    do
        sent = write(channel->wake_fd, &one, sizeof(one));
    while (sent < 0 && errno == EINTR);
}

/* --- what becomes of calls --- */

static struct call *call_unlink(struct channel *channel, struct call **at)
{
    struct call *call = *at;
    if (!(*at = call->next))
        channel->calls_end = at;
    return call;
}

struct call *channel_take(struct channel *channel, int64_t id)
{
    for (struct call **at = &channel->calls; *at; at = &(*at)->next) {
        if ((*at)->id == id)
            return call_unlink(channel, at);
    }
    return NULL;
}

void call_finish(struct call *call, enum err err, struct bytes body, const struct why *why)
{
    struct why full = { 0 };
    if (err != OK)
        (void)fail(&full, err, "%s: %s", call->verb, why->text);
    call->done(call->arg, err, err == OK ? body : BYTES_NONE, &full);
    buf_wipe(&call->body);
    free(call);
}

/* Under the lock: while the peer is not there, its time to say hello is over first. */
static int64_t deadline_of(const struct channel *channel, const struct call *call)
{
    bool up = channel->state == CHANNEL_UP;
    return up || call->hello_by_ms > call->deadline_ms ? call->deadline_ms : call->hello_by_ms;
}

/* Under the lock. INT64_MAX: there is none. */
static int64_t next_deadline_ms(const struct channel *channel)
{
    int64_t first = INT64_MAX;
    for (const struct call *call = channel->calls; call; call = call->next) {
        int64_t deadline = deadline_of(channel, call);
        first = deadline < first ? deadline : first;
    }
    return first;
}

static int ms_until(int64_t time_ms, int64_t now_ms)
{
    int64_t left = time_ms - now_ms;
    return time_ms == INT64_MAX ? -1 : left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

int channel_wait_ms(struct channel *channel)
{
    pthread_mutex_lock(&channel->lock);
    int64_t next = next_deadline_ms(channel);
    pthread_mutex_unlock(&channel->lock);
    return ms_until(next, clock_mono_ms());
}

int channel_sleep_ms(struct channel *channel)
{
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&channel->lock);
    int64_t next = next_deadline_ms(channel);
    /* What was planned stays: calls that follow each other have about the same time, and the next one need not wake us. */
    if (channel->wakes_ms <= now || channel->wakes_ms > next)
        channel->wakes_ms = next;
    next = channel->wakes_ms;
    pthread_mutex_unlock(&channel->lock);
    return ms_until(next, now);
}

static bool has_left(const struct channel *channel, const struct call *call)
{
    return call->queued && call->ends_at <= channel->stream_sent;
}

/* Those for which `over` is true, in a list of their own. */
static struct call *calls_pick(struct channel *channel,
                               bool (*over)(const struct channel *, const struct call *, int64_t),
                               int64_t arg)
{
    struct call *picked = NULL, **end = &picked;
    for (struct call **at = &channel->calls; *at;) {
        if (!over(channel, *at, arg)) {
            at = &(*at)->next;
            continue;
        }
        *end = call_unlink(channel, at);
        (*end)->next = NULL;
        end = &(*end)->next;
    }
    return picked;
}

static void calls_finish(struct call *call, enum err err, const struct why *why)
{
    struct call *next;
    for (; call; call = next) {
        next = call->next;
        call_finish(call, err, BYTES_NONE, why);
    }
}

static bool is_expired(const struct channel *channel, const struct call *call, int64_t now_ms)
{
    return deadline_of(channel, call) <= now_ms;
}

bool channel_expire(struct channel *channel)
{
    bool unread = false;
    pthread_mutex_lock(&channel->lock);
    bool up = channel->state == CHANNEL_UP;
    struct call *next, *call = calls_pick(channel, is_expired, clock_mono_ms());
    /* What is being sent may have left already. A writer does not wait for the peer. */
    while (call && channel->writing)
        pthread_cond_wait(&channel->written, &channel->lock);
    uint64_t sent = channel->stream_sent;
    pthread_mutex_unlock(&channel->lock);
    for (; call; call = next) {
        struct why why = { 0 };
        bool left = call->queued && call->ends_at <= sent;
        next = call->next;
        unread = unread || (up && !left);
        enum err err = fail(&why, ERR_TIMEOUT, "%s",
                            !up    ? "peer does not answer hello"
                            : left ? "no answer in time"
                                   : "peer does not read");
        call_finish(call, err, BYTES_NONE, &why);
    }
    return unread;
}

static bool is_lost(const struct channel *channel, const struct call *call, int64_t again)
{
    return !again || call->tried || has_left(channel, call);
}

void channel_fail(struct channel *channel, enum err err, const struct why *why, bool again)
{
    pthread_mutex_lock(&channel->lock);
    struct call *lost = calls_pick(channel, is_lost, again);
    /* The peer never had all of them, so asking again is safe: they had met a connection that died unnoticed. */
    for (struct call *call = channel->calls; call; call = call->next) {
        call->tried = call->queued;
        call->queued = false;
    }
    pthread_mutex_unlock(&channel->lock);
    calls_finish(lost, err, why);
}

bool channel_waits(struct channel *channel, const struct why *why)
{
    pthread_mutex_lock(&channel->lock);
    struct call *over = calls_pick(channel, is_expired, clock_mono_ms());
    bool waits = channel->calls && !channel->closing;
    pthread_mutex_unlock(&channel->lock);
    calls_finish(over, ERR_UNAVAILABLE, why);
    return waits;
}

/* --- writing --- */

static void call_queue(struct channel *channel, struct call *call)
{
    size_t before = channel->out.len;
    struct frame frame = { channel->version, call->id, bytes_str(call->verb), buf_bytes(&call->body) };
    if (channel->path)
        frame_put(&channel->out, &frame);
    else
        frame_put_taking(&channel->out, &frame, &call->body); /* sent once, and may be a CRL */
    channel->stream_queued += channel->out.len - before;
    call->ends_at = channel->stream_queued;
    call->queued = true;
}

void channel_queue_all(struct channel *channel)
{
    for (struct call *call = channel->calls; call; call = call->next) {
        if (!call->queued)
            call_queue(channel, call);
    }
}

/* True: all of it has left. */
static bool send_some(struct channel *channel, int fd, bool *ret_broken)
{
    while (channel->sent < channel->sending.len) {
        ssize_t sent = send(fd, channel->sending.data + channel->sent, channel->sending.len - channel->sent,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        *ret_broken = sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK;
        if (sent < 0)
            return false;
        channel->sent += (size_t)sent;
    }
    return true;
}

static void sending_next(struct channel *channel)
{
    buf_wipe(&channel->sending);
    channel->sending = TAKE_BUF(channel->out);
    channel->sent = 0;
}

void channel_flush(struct channel *channel)
{
    bool broken = false;
    if (channel->writing || channel->blocked)
        return; /* whoever goes on with it takes ours along */
    channel->writing = true;
    while (channel->fd >= 0 && !broken) {
        if (channel->sent == channel->sending.len)
            sending_next(channel);
        if (channel->sending.len == 0)
            break;
        int fd = channel->fd;
        size_t before = channel->sent;
        pthread_mutex_unlock(&channel->lock);
        bool done = send_some(channel, fd, &broken);
        pthread_mutex_lock(&channel->lock);
        channel->stream_sent += channel->sent - before;
        channel->blocked = !done && !broken;
        if (!done)
            break;
    }
    if (broken)
        (void)shutdown(channel->fd, SHUT_RDWR); /* the thread notices, and ends this connection */
    else if (channel->blocked)
        thread_wake(channel);
    channel->writing = false;
    pthread_cond_broadcast(&channel->written);
}

/* --- asking --- */

/* Under the lock. False: nobody is there, nor will be. */
static bool call_list(struct channel *channel, struct call *call)
{
    if (channel->closing || (channel->state == CHANNEL_DOWN && !channel->path))
        return false;
    call->id = channel->next_id++;
    *channel->calls_end = call;
    channel->calls_end = &call->next;
    return true;
}

void channel_submit(struct channel *channel, const struct channel_request *request)
{
    AUTO_BUF body = buf_dup(request->body);
    channel_submit_taken(channel, request, &body);
}

void channel_submit_taken(struct channel *channel, const struct channel_request *request, struct buf *body)
{
    struct call *call = xcalloc(1, sizeof(*call));
    int64_t now = clock_mono_ms(), hello_ms = FAULT(hello_time) ? 0 : channel->hello_ms;
    *call = (struct call){ .deadline_ms = now + (request->timeout_ms > 0 ? request->timeout_ms : 0),
                           .hello_by_ms = hello_ms ? now + hello_ms : INT64_MAX,
                           .verb = request->verb,
                           .body = TAKE_BUF(*body),
                           .done = request->done,
                           .arg = request->arg };
    pthread_mutex_lock(&channel->lock);
    struct why lost = channel->lost;
    bool listed = call_list(channel, call);
    if (listed && channel->state == CHANNEL_UP) {
        if (call->deadline_ms < channel->wakes_ms) { /* the thread would sleep too long */
            channel->wakes_ms = call->deadline_ms;
            thread_wake(channel);
        }
        call_queue(channel, call);
        channel_flush(channel);
    } else if (listed) {
        thread_wake(channel);
    }
    pthread_mutex_unlock(&channel->lock);
    if (!listed)
        call_finish(call, lost.err == ERR_NOT_AUTHORISED ? ERR_NOT_AUTHORISED : ERR_UNAVAILABLE, BYTES_NONE,
                    &lost);
}

struct waiting {
    struct await outcome;
    struct buf body;
};

static void on_answered(void *arg, enum err err, struct bytes body, const struct why *why)
{
    struct waiting *waiting = arg;
    buf_append(&waiting->body, body);
    await_end(&waiting->outcome, err, why);
}

enum err channel_call(struct channel *channel, const char *verb, struct bytes body, int timeout_ms,
                      struct buf *ret_body, struct why *why)
{
    struct waiting waiting = { 0 };
    await_open(&waiting.outcome);
    channel_submit(channel, &(struct channel_request){ verb, body, timeout_ms, on_answered, &waiting });
    TRY(await_outcome(&waiting.outcome, why));
    *ret_body = waiting.body;
    return OK;
}

/* --- making it --- */

/* Signals belong to the loop's thread. */
static int thread_start(struct channel *channel)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&channel->thread, NULL, channel_main, channel);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static enum err config_check(const struct channel_config *config, struct why *why)
{
    size_t principal = config->principal ? strlen(config->principal) : 0;
    if (principal == 0 || principal > LIMIT_NAME_BYTES)
        return fail(why, ERR_USAGE, "principal of %zu bytes; allowed are 1 to %d", principal,
                    LIMIT_NAME_BYTES);
    if (config->max_frame && config->max_frame <= FRAME_OVERHEAD_BYTES)
        return fail(why, ERR_USAGE, "max_frame of %zu bytes, at least %d", config->max_frame,
                    FRAME_OVERHEAD_BYTES + 1);
    if (!config->path && fcntl(config->fd, F_SETFD, FD_CLOEXEC) != 0)
        return fail(why, ERR_IO, "descriptor %d cannot be used: %s", config->fd, strerror(errno));
    return OK;
}

static void channel_end(struct channel *channel)
{
    if (channel->fd >= 0)
        close(channel->fd);
    if (channel->wake_fd >= 0)
        close(channel->wake_fd);
    pthread_cond_destroy(&channel->written);
    pthread_mutex_destroy(&channel->lock);
    buf_wipe(&channel->out);
    buf_wipe(&channel->sending);
    free(channel->path);
    free(channel->principal);
    free(channel);
}

enum err channel_new(const struct channel_config *config, struct channel **ret, struct why *why)
{
    enum err err = config_check(config, why);
    if (err != OK) {
        if (!config->path)
            close(config->fd);
        return err;
    }
    struct channel *channel = xcalloc(1, sizeof(*channel));
    channel->path = config->path ? xstrdup(config->path) : NULL;
    channel->principal = xstrdup(config->principal);
    channel->broker = config->broker;
    channel->hello_ms = config->hello_ms;
    channel->max_frame = config->max_frame ? config->max_frame : LIMIT_FRAME_BYTES;
    channel->on_lost = config->on_lost;
    channel->on_lost_arg = config->on_lost_arg;
    channel->fd = config->path ? -1 : config->fd;
    channel->state = config->path ? CHANNEL_DOWN : CHANNEL_CONNECTING;
    channel->next_id = 1;
    channel->calls_end = &channel->calls;
    channel->wakes_ms = INT64_MAX;
    pthread_mutex_init(&channel->lock, NULL);
    pthread_cond_init(&channel->written, NULL);
    channel->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int error = channel->wake_fd < 0 ? errno : thread_start(channel);
    if (error) {
        channel_end(channel);
        return fail(why, ERR_UNAVAILABLE, "cannot start a thread: %s", strerror(error));
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
    (void)fail(&channel->lost, ERR_UNAVAILABLE, "this side ends");
    pthread_mutex_unlock(&channel->lock);
    thread_wake(channel);
    pthread_join(channel->thread, NULL);
    channel_end(channel);
}
