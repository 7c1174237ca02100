/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, who may ask them, and what every body has in common. */
#include "mdm/agent/call.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/tally.h"
#include "config/options.h"
#include "mdm/device_store.h"

static const struct path {
    const char *path;
    bool identified; /* by a certificate of the device CA */
    enum err (*handle)(struct agent_call *call, struct why *why);
} paths[] = {
    { "/device/v1/enrol", false, agent_enrol },
    { "/device/v1/checkin", true, agent_checkin },
    { "/device/v1/challenge", true, agent_challenge },
    { "/device/v1/renew", true, agent_renew },
};

/* --- bodies --- */

enum err agent_text(const json_t *json, const char *name, size_t most, struct bytes *ret, struct why *why)
{
    const json_t *member = json_object_get(json, name);
    if (!json_is_string(member))
        return fail(why, ERR_VALUE, "%s is needed, and is a JSON string", name);
    if (json_string_length(member) > most)
        return fail(why, ERR_VALUE, "%s of %zu octets, limit %zu", name, json_string_length(member), most);
    *ret = bytes_of(json_string_value(member), json_string_length(member));
    return OK;
}

enum err agent_csr(const json_t *json, struct buf *ret, struct why *why)
{
    struct bytes text;
    TRY(agent_text(json, "csr", LIMIT_DEVICE_CSR_TEXT, &text, why));
    if (!base64_decode(text, false, ret))
        return fail(why, ERR_VALUE, "csr is no PKCS#10 in base64 without line ends");
    return OK;
}

json_t *agent_certificate_json(const char *device, const struct device_certificate *certificate)
{
    return json_pack("{s:s, s:o, s:[o]}", "device", device, "certificate",
                     json_base64(buf_bytes(&certificate->der)), "chain",
                     json_base64(buf_bytes(&certificate->issuer)));
}

/* Whose it is, and which device of the directory, is not the device's to say: certificates have names by that. */
enum err agent_device_take(const json_t *json, struct object *ret, struct why *why)
{
    static const char *const others[] = { "owner", "ownership", "directory_id" };
    for (size_t i = 0; i < sizeof(others) / sizeof(*others) && !FAULT(agent_own); i++) {
        if (json_object_get(json, others[i]))
            return fail(why, ERR_VALUE, "%s is what administrators say of a device", others[i]);
    }
    return object_json_take(json, ret, why);
}

/* --- requests --- */

static enum err path_find(const struct agent_request *request, const struct path **ret, struct why *why)
{
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        if (!bytes_equal(request->target, bytes_str(paths[i].path)))
            continue;
        if (request->method != HTTP_POST)
            return fail(why, ERR_HTTP_METHOD, "this path takes POST alone");
        *ret = &paths[i];
        return OK;
    }
    return fail(why, ERR_HTTP_PATH, "there is nothing at this path for devices");
}

static enum err identify(struct agent_call *call, struct why *why)
{
    const struct agent_request *request = call->request;
    if (!request->client_cert.len) {
        log_info(NULL, "a device without a certificate that counts peer=%s reason=\"%s\"", request->peer,
                 request->client_refusal ? request->client_refusal : "none came");
        return fail(why, ERR_NOT_AUTHORISED, "this takes a certificate that the device got when it enrolled");
    }
    struct why inner = { 0 };
    if (device_identity_read(call->mdm->device_ca, request->client_cert, call->now, &call->identity,
                             &inner) == OK)
        return OK;
    return fail(why, ERR_NOT_AUTHORISED, "%s: enrol anew", inner.text);
}

static enum err call_run(struct agent_call *call, struct why *why)
{
    const struct agent_request *request = call->request;
    const struct path *path;
    TRY(path_find(request, &path, why));
    if (path->identified)
        TRY(identify(call, why));
    if (!api_content_is(request->content_type, "application/json"))
        return fail(why, ERR_USAGE, "Content-Type is not application/json");
    TRY(json_text_read(request->body, LIMIT_API_BODY_BYTES, &call->json, why));
    return path->handle(call, why);
}

void agent_serve(struct mdm *mdm, const struct agent_request *request, struct api_answer *ret)
{
    struct agent_call call = { .mdm = mdm, .request = request, .now = clock_now(mdm->clock) };
    struct why why = { 0 };
    enum err err = call_run(&call, &why);
    if (err == OK)
        api_answer_json(call.result, call.status, ret);
    else
        api_refuse(err, why.text, ret);
    json_decref(call.json);
    json_decref(call.result);
}
