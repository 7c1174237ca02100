/* SPDX-License-Identifier: Apache-2.0 */
/* POST /device/v1/renew: the next certificate of a device that has one. The one that it came with stays good until the next is used. */
#include "mdm/agent/call.h"

#include "base/log.h"
#include "mdm/audit.h"
#include "mdm/device_store.h"
#include "mdm/identity.h"

struct renewing {
    const struct agent_call *call;
    const struct device_certificate *certificate; /* NULL: only to see whether it may */
};

static enum err may_renew(struct store_tx *tx, const struct agent_call *call, struct why *why)
{
    AUTO_VAL(device) device = { 0 };
    bool replaces;
    TRY(identity_check(tx, &call->identity, &replaces, why));
    TRY(device_load(tx, call->identity.device, &device, why));
    if (device.state != DEVICE_ENROLLED)
        return fail(why, ERR_CONFLICT, "the device is %s", word_name(&device_state_words, (int)device.state));
    return OK;
}

static enum err renew_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct renewing *renewing = arg;
    const struct agent_call *call = renewing->call;
    const char *device = call->identity.device;
    AUTO_STR actor = xasprintf("device/%s", device);
    TRY(may_renew(tx, call, why));
    if (!renewing->certificate)
        return OK;
    TRY(identity_end(tx, device, call->identity.serial, call->now, why));
    TRY(identity_add(tx, device, renewing->certificate, call->now, why));
    const struct audit_entry entry = { actor, "device_renew", device, renewing->certificate->serial,
                                       call->now };
    return audit_write(tx, &entry, why);
}

enum err agent_renew(struct agent_call *call, struct why *why)
{
    AUTO_VAL(device_certificate) certificate = { 0 };
    AUTO_BUF csr = { 0 };
    struct renewing renewing = { .call = call };
    const char *device = call->identity.device;
    TRY(json_members_check(call->json, "csr", why));
    TRY(agent_csr(call->json, &csr, why));
    TRY(store_read(call->mdm->store, renew_work, &renewing, why));
    TRY(device_ca_issue(call->mdm->device_ca, buf_bytes(&csr), device, call->now, &certificate, why));
    renewing.certificate = &certificate;
    TRY(store_write(call->mdm->store, renew_work, &renewing, why));
    log_info(NULL, "device renewed device=%s certificate=%s", device, certificate.serial);
    call->result = agent_certificate_json(device, &certificate);
    call->status = 201;
    return OK;
}
