/* SPDX-License-Identifier: Apache-2.0 */
/* A device's request on its way through a handler, and what handlers have in common. */
#pragma once
#include "mdm/agent/agent.h"
#include "mdm/device_ca.h"
#include "mdm/object_json.h"
#include "mdm/platform.h"

struct agent_call {
    struct mdm *mdm;
    const struct agent_request *request;
    int64_t now;
    struct device_identity identity;                         /* of the certificate, where the path takes one */
    json_t *json;                                            /* the body */
    json_t *result; int status;                              /* the answer; owned by the call */
};
enum err agent_enrol(struct agent_call *call, struct why *why);
enum err agent_checkin(struct agent_call *call, struct why *why);
enum err agent_challenge(struct agent_call *call, struct why *why);
enum err agent_renew(struct agent_call *call, struct why *why);
NODISCARD enum err agent_text(const json_t *json, const char *name, size_t most, struct bytes *ret, struct why *why);
/* A PKCS#10 in base64. */
NODISCARD enum err agent_csr(const json_t *json, struct buf *ret, struct why *why);
/* {device, certificate, chain} */
json_t *agent_certificate_json(const char *device, const struct device_certificate *certificate);
/* order.c: the items of "do"; {challenge, expires, version}; the URLs of a profile in an order of their own each time. */
struct deployments;
struct handout;
struct profile;
json_t *agent_orders_json(const struct agent_call *call, const struct deployments *orders, enum platform platform);
json_t *agent_challenge_json(struct handout *handout);
json_t *agent_urls_json(const struct profile *profile);
/* What a device may say of itself, taken from the member "device". */
NODISCARD enum err agent_device_take(const json_t *json, struct object *ret, struct why *why);
