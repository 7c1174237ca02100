/* SPDX-License-Identifier: Apache-2.0 */
/* The calling side: many threads, one connection, several frames in flight. */
#pragma once
#include "base/auto.h"
#include "ipc/frame.h"

struct broker;
struct channel;
struct channel_config {
    const char *path;                                        /* Unix socket, connected on demand and again after a loss; or NULL */
    struct broker *broker;                                   /* connects to it for us, who are confined; or NULL. Borrowed */
    int fd;                                                  /* when path is NULL: an inherited socket, taken */
    const char *principal;                                   /* who we are: sent in hello */
    int hello_ms;                                            /* a call whose peer has not said hello by then ends; 0: in its own time */
    size_t max_frame;                                        /* an answer larger than this ends the connection */
    void (*on_lost)(void *arg); void *on_lost_arg;           /* inherited sockets: the peer is gone; from the channel's thread */
};
NODISCARD enum err channel_new(const struct channel_config *config, struct channel **ret, struct why *why);
/* Blocks up to timeout_ms. OK: *ret_body owns the answer's body. A peer's "error" comes back as its err with its text.
   ERR_UNAVAILABLE: not reachable, or lost while waiting (whether it was done is then unknown). */
NODISCARD enum err channel_call(struct channel *channel, const char *verb, struct bytes body, int timeout_ms,
                                struct buf *ret_body, struct why *why);

/* What came of a call: body only with OK, and gone when this returns; why only with an error, and its text begins with the
   verb. It runs on the channel's thread and holds up every other answer: it is brief, and calls this channel by
   channel_submit alone. */
typedef void (*channel_done)(void *arg, enum err err, struct bytes body, const struct why *why);
struct channel_request {
    const char *verb;                                        /* lives as long as the program */
    struct bytes body;                                       /* copied */
    int timeout_ms;
    channel_done done; void *arg;
};
/* As channel_call, without waiting. done is called exactly once: later, or before this returns when nobody is there. */
void channel_submit(struct channel *channel, const struct channel_request *request);
/* The same with a large body, taken instead of request->body and not copied. */
void channel_submit_taken(struct channel *channel, const struct channel_request *request, struct buf *body);
void channel_free(struct channel *channel);                  /* calls that wait end as ERR_UNAVAILABLE */
AUTO_DECLARE(channel)
