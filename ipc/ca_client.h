/* SPDX-License-Identifier: Apache-2.0 */
/* How scep and va reach ca: a channel between the roles, or a test's twin. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"
#include "ipc/channel.h"

struct ca_client;
/* done is called exactly once, as channel_done: by the channel's thread, or before ca_submit returns. */
struct ca_request { const char *verb; struct bytes body; channel_done done; void *arg; };
struct ca_client_ops {
    const char *name;
    /* As channel_call: the peer's error comes back as its err with its text. From any thread. */
    enum err (*call)(struct ca_client *client, const char *verb, struct bytes body, struct buf *ret_body,
                     struct why *why);
    void (*free)(struct ca_client *client);
    /* As channel_submit. NULL: call has nothing to wait for. */
    void (*submit)(struct ca_client *client, const struct ca_request *request);
};
struct ca_client { const struct ca_client_ops *ops; };       /* implementations embed it first */

NODISCARD enum err ca_call(struct ca_client *client, const char *verb, struct bytes body, struct buf *ret_body,
                           struct why *why);
void ca_submit(struct ca_client *client, const struct ca_request *request);
void ca_client_free(struct ca_client *client);
AUTO_DECLARE(ca_client)

/* Over ca's Unix socket for our role; connected on demand, by the role's broker unless that is NULL. timeout_ms: of each call. */
struct role;
NODISCARD enum err ca_client_open(const struct role *role, int timeout_ms, struct ca_client **ret, struct why *why);
