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
    size_t max_frame;                                        /* an answer larger than this ends the connection */
    void (*on_lost)(void *arg); void *on_lost_arg;           /* inherited sockets: the peer is gone; from the reader thread */
};
NODISCARD enum err channel_new(const struct channel_config *config, struct channel **ret, struct why *why);
/* Blocks up to timeout_ms. OK: *ret_body owns the answer's body. A peer's "error" comes back as its err with its text.
   ERR_UNAVAILABLE: not reachable, or lost while waiting (whether it was done is then unknown). */
NODISCARD enum err channel_call(struct channel *channel, const char *verb, struct bytes body, int timeout_ms,
                                struct buf *ret_body, struct why *why);
void channel_free(struct channel *channel);
AUTO_DECLARE(channel)
