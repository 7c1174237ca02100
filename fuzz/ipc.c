/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a connection between roles, on real sockets: what a captured client sends to a server, and what a captured
   server answers to a caller. The first octet says which end is ours; the rest is the peer's. */
#include "fuzz/target.h"

#include "base/limits.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "ipc/server.h"
#include "net/loop.h"
#include "net/pool.h"
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_MAX 4096 /* small, so that its limit is met */

static void send_and_end(int fd, struct bytes data)
{
    while (data.len) {
        ssize_t sent = send(fd, data.data, data.len, MSG_NOSIGNAL);
        if (sent <= 0)
            break; /* our end has closed: it had enough */
        data = bytes_of(data.data + sent, data.len - (size_t)sent);
    }
    (void)shutdown(fd, SHUT_WR);
}

/* --- a server of ours --- */

static enum err verb_echo(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                          struct why *why)
{
    (void)role, (void)why;
    PROMISE(strcmp(caller->principal, "scep") == 0);
    buf_append(ret, body);
    return OK;
}

static enum err verb_fail(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                          struct why *why)
{
    (void)role, (void)caller, (void)ret;
    return fail(why, ERR_DENIED, "no: %.*s", (int)(body.len < 40 ? body.len : 40), (const char *)body.data);
}

static enum err verb_forbidden(void *role, const struct ipc_caller *caller, struct bytes body,
                               struct buf *ret, struct why *why)
{
    (void)role, (void)caller, (void)body, (void)ret, (void)why;
    PROMISE(!"a verb ran that is not for this principal");
    return OK;
}

static const struct ipc_verb verbs[] = { { "echo", "scep", verb_echo, NULL },
                                         { "fail", "cli scep", verb_fail, NULL },
                                         { "forbidden", "cli", verb_forbidden, NULL } };
static struct {
    struct loop *loop;
    struct pool *pool;
    struct ipc_server *server;
} ours;

static void ours_make(void)
{
    struct why why;
    if (ours.server)
        return;
    log_level_set(LOG_LEVEL_ERROR + 1);
    const struct pool_config pool = { .threads = 1, .queue = 4, .stack_bytes = 1 << 20 };
    PROMISE(loop_new(&ours.loop, &why) == OK && pool_new(&pool, &ours.pool, &why) == OK);
    const struct ipc_server_config config = { .loop = ours.loop,
                                              .pool = ours.pool,
                                              .verbs = verbs,
                                              .verb_count = sizeof(verbs) / sizeof(*verbs),
                                              .max_frame = FRAME_MAX,
                                              .allowed_uid = -1 };
    PROMISE(ipc_server_new(&config, &ours.server, &why) == OK);
}

static void on_lost(void *arg)
{
    loop_stop(arg);
}

/* Everything that came back is frames, and says hello first. What is there is all: our end is done, though libevent may close
   it a turn of its loop later. */
static void read_answers(int fd)
{
    uint8_t prefix[FRAME_PREFIX_BYTES], der[FRAME_MAX];
    struct frame frame;
    struct why why;
    bool first = true;
    while (recv(fd, prefix, sizeof(prefix), MSG_DONTWAIT) == (ssize_t)sizeof(prefix)) {
        size_t len = frame_length(prefix);
        PROMISE(len <= sizeof(der) - FRAME_PREFIX_BYTES);
        if (recv(fd, der, len, MSG_DONTWAIT) != (ssize_t)len)
            return; /* closed in the middle */
        PROMISE(frame_get(bytes_of(der, len), &frame, &why) == OK);
        PROMISE(!first || bytes_equal(frame.verb, BYTES_LIT("hello")) ||
                bytes_equal(frame.verb, BYTES_LIT("error")));
        first = false;
    }
}

static void serve(struct bytes data)
{
    struct why why;
    int pair[2];
    ours_make();
    PROMISE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    send_and_end(pair[1], data);
    PROMISE(ipc_server_attach(ours.server, pair[0], "scep", on_lost, ours.loop, &why) == OK);
    loop_run(ours.loop);
    read_answers(pair[1]);
    close(pair[1]);
}

/* --- a caller of ours --- */

struct peer {
    int fd;
    struct bytes data;
};

static bool skip_frame(int fd)
{
    uint8_t prefix[FRAME_PREFIX_BYTES], der[FRAME_MAX];
    return recv(fd, prefix, sizeof(prefix), MSG_WAITALL) == (ssize_t)sizeof(prefix) &&
           frame_length(prefix) <= sizeof(der) &&
           recv(fd, der, frame_length(prefix), MSG_WAITALL) == (ssize_t)frame_length(prefix);
}

/* The first frame answers hello, the rest answers the call. */
static void *peer_main(void *arg)
{
    const struct peer *peer = arg;
    struct bytes data = peer->data;
    size_t first = data.len >= FRAME_PREFIX_BYTES ? FRAME_PREFIX_BYTES + frame_length(data.data) : data.len;
    if (skip_frame(peer->fd) && first < data.len) {
        (void)!send(peer->fd, data.data, first, MSG_NOSIGNAL);
        data = bytes_of(data.data + first, data.len - first);
        if (!skip_frame(peer->fd))
            data = BYTES_NONE;
    }
    send_and_end(peer->fd, data);
    return NULL;
}

static void ask(struct bytes data)
{
    struct why why = { 0 };
    int pair[2];
    PROMISE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    struct peer peer = { pair[1], data };
    pthread_t thread;
    PROMISE(pthread_create(&thread, NULL, peer_main, &peer) == 0);
    const struct channel_config config = { .fd = pair[0], .principal = "ca", .max_frame = FRAME_MAX };
    AUTO(channel) channel = NULL;
    AUTO_BUF body = { 0 };
    PROMISE(channel_new(&config, &channel, &why) == OK);
    enum err err = channel_call(channel, "seal", BYTES_LIT("\x05\x00"), 60000, &body, &why);
    PROMISE(err == OK ? der_is_valid(buf_bytes(&body)) || body.len > 0 : why.text[0] != 0);
    PROMISE(err != ERR_TIMEOUT); /* the peer has ended: nobody may wait on */
    channel_free(TAKE(channel));
    pthread_join(thread, NULL);
    close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    if (data[0] % 2)
        ask(bytes_of(data + 1, len - 1));
    else
        serve(bytes_of(data + 1, len - 1));
    return 0;
}
