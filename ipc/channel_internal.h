/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of a channel share: calls and what becomes of them (channel.c), and the connection with its thread
   (channel_link.c). */
#pragma once
#include "ipc/channel.h"

#include <pthread.h>

/* DOWN: no connection; inherited sockets stay so. CONNECTING, then HELLO until the peer has answered ours, then UP. */
enum channel_state { CHANNEL_DOWN, CHANNEL_CONNECTING, CHANNEL_HELLO, CHANNEL_UP };

struct call {
    struct call *next;
    int64_t id, deadline_ms;
    int64_t hello_by_ms;                                     /* the deadline while there is no connection */
    const char *verb;
    struct buf body;                                         /* until it is written into `out` */
    bool queued;                                             /* it is in `out`, or has left */
    uint64_t ends_at;                                        /* in the stream of this connection; when queued */
    bool tried;                                              /* a connection broke before all of it had left */
    channel_done done;
    void *arg;
};

struct channel {
    char *path, *principal;
    struct broker *broker;
    size_t max_frame;
    int hello_ms;
    void (*on_lost)(void *arg);
    void *on_lost_arg;
    pthread_t thread;
    int wake_fd;                                             /* eventfd: something changed for the thread */

    pthread_mutex_t lock;                                    /* everything below */
    enum channel_state state;
    int fd;                                                  /* -1: none; closed by the thread, once nobody writes */
    bool closing;
    struct why lost;                                         /* why the last connection ended */
    int version;
    int64_t next_id;
    struct call *calls, **calls_end;                         /* not answered, oldest first */
    int64_t wakes_ms;                                        /* when the thread looks at deadlines, if nothing happens before */

    struct buf out;                                          /* frames that wait to be sent */
    struct buf sending; size_t sent;                         /* being sent; belongs to who is writing */
    bool writing;
    bool blocked;                                            /* the peer is slow to read: the thread goes on when it can */
    pthread_cond_t written;                                  /* writing ended */
    uint64_t stream_queued, stream_sent;                     /* octets of this connection */
};

/* --- channel.c --- */
struct call *channel_take(struct channel *channel, int64_t id);    /* under the lock; NULL: timed out before */
void call_finish(struct call *call, enum err err, struct bytes body, const struct why *why);   /* without it; frees the call */
void channel_queue_all(struct channel *channel);             /* under the lock, UP: calls that wait for the connection leave */
void channel_flush(struct channel *channel);                 /* under the lock, which it gives up meanwhile */
int channel_wait_ms(struct channel *channel);                /* until the next deadline; -1: there is none */
int channel_sleep_ms(struct channel *channel);               /* of the thread: no longer than that, and -1 as well */
/* Calls whose time is over end. True: one of them had not left, so the connection is of no use any more. */
bool channel_expire(struct channel *channel);
/* There is no connection yet, as why says: calls whose time is over end. False: nobody waits for one any more. */
bool channel_waits(struct channel *channel, const struct why *why);
/* The connection has ended, or could not be made: calls that had left, or were tried before, end with err. With `again` the
   others wait for the next connection. */
void channel_fail(struct channel *channel, enum err err, const struct why *why, bool again);

/* --- channel_link.c --- */
void *channel_main(void *arg);                               /* the channel's thread */
