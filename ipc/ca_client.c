/* SPDX-License-Identifier: Apache-2.0 */
/* The channel to ca. */
#include "ipc/ca_client.h"

#include "base/limits.h"
#include "ipc/role.h"

struct ca_channel {
    struct ca_client client;
    struct channel *channel;
    int timeout_ms;
};

enum err ca_call(struct ca_client *client, const char *verb, struct bytes body, struct buf *ret_body,
                 struct why *why)
{
    return client->ops->call(client, verb, body, ret_body, why);
}

void ca_submit(struct ca_client *client, const struct ca_request *request)
{
    if (client->ops->submit) {
        client->ops->submit(client, request);
        return;
    }
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    enum err err = ca_call(client, request->verb, request->body, &answer, &why);
    request->done(request->arg, err, buf_bytes(&answer), &why);
}

void ca_client_free(struct ca_client *client)
{
    if (client)
        client->ops->free(client);
}

static enum err channel_client_call(struct ca_client *client, const char *verb, struct bytes body,
                                    struct buf *ret_body, struct why *why)
{
    struct ca_channel *self = (struct ca_channel *)client;
    return channel_call(self->channel, verb, body, self->timeout_ms, ret_body, why);
}

static void channel_client_submit(struct ca_client *client, const struct ca_request *request)
{
    struct ca_channel *self = (struct ca_channel *)client;
    channel_submit(self->channel, &(struct channel_request){ request->verb, request->body, self->timeout_ms,
                                                             request->done, request->arg });
}

static void channel_client_free(struct ca_client *client)
{
    struct ca_channel *self = (struct ca_channel *)client;
    channel_free(self->channel);
    free(self);
}

static const struct ca_client_ops channel_ops = { .name = "channel",
                                                  .call = channel_client_call,
                                                  .free = channel_client_free,
                                                  .submit = channel_client_submit };

enum err ca_client_open(const struct role *role, int timeout_ms, struct ca_client **ret, struct why *why)
{
    AUTO_STR path = config_socket_path(role->config, "ca", role->name);
    /* A CRL is the largest thing that ca answers. */
    struct channel_config config = { .path = path,
                                     .broker = role->broker,
                                     .fd = -1,
                                     .principal = role->name,
                                     .max_frame = LIMIT_CRL_FRAME_BYTES };
    struct channel *channel = NULL;
    TRY(channel_new(&config, &channel, why));
    struct ca_channel *self = xcalloc(1, sizeof(*self));
    *self = (struct ca_channel){ { &channel_ops }, channel, timeout_ms };
    *ret = &self->client;
    return OK;
}
