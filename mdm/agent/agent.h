/* SPDX-License-Identifier: Apache-2.0 */
/* What devices ask, on https_listen (docs/device-protocol.md): a request to an answer. A device is known by its certificate of the device CA,
   but for enrolment, which gives it one. */
#pragma once
#include "mdm/api/api.h"

#define AGENT_REFUSALS_WINDOW_MS 3600000
#define AGENT_REFUSALS           60                          /* wrong tokens of one address in it: then 429 until it is over. A fleet behind one
                                                                NAT with a token of yesterday makes some */
struct agent_request {
    enum http_method method;
    struct bytes target;                                     /* path and query, as in a request line */
    struct bytes content_type, body;
    struct bytes client_cert;                                /* DER, verified by the listener; empty: none that counts */
    const char *client_refusal;                              /* why one that came does not count; NULL: none came */
    const char *peer;                                        /* the client's address: limits and log */
};
/* Always answers; what goes wrong is a problem (RFC 9457). On a worker, which it may keep waiting. */
void agent_serve(struct mdm *mdm, const struct agent_request *request, struct api_answer *ret);
