/* SPDX-License-Identifier: Apache-2.0 */
/* POST /device/v1/enrol. */
#include "mdm/agent/call.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/tally.h"
#include "mdm/device_store.h"
#include "mdm/enrol.h"

static enum err budget_check(const struct agent_call *call, struct why *why)
{
    const struct tally_count refused =
        tally_now(call->mdm->refused_tokens, call->request->peer, clock_mono_ms());
    if (refused.address < AGENT_REFUSALS || FAULT(enrol_rate))
        return OK;
    return fail(why, ERR_RATE, "%u wrong enrolment tokens from this address within an hour, limit %d",
                refused.address, AGENT_REFUSALS);
}

/* Whoever tries tokens learns nothing of them: one answer for all, and the reason in the log. */
static enum err token_refuse(const struct agent_call *call, const struct why *reason, struct why *why)
{
    log_info(NULL, "enrolment refused peer=%s reason=\"%s\"", call->request->peer, reason->text);
    (void)tally_add(call->mdm->refused_tokens, call->request->peer, clock_mono_ms());
    if (FAULT(enrol_constant))
        return fail(why, ERR_NOT_AUTHORISED, "%s", reason->text);
    return fail(why, ERR_NOT_AUTHORISED, "the enrolment token lets nobody in");
}

static enum err request_take(const struct agent_call *call, struct enrolling *ret, struct object *given,
                             struct buf *csr, struct why *why)
{
    const json_t *device = json_object_get(call->json, "device");
    TRY(json_members_check(call->json, "token csr device", why));
    TRY(agent_text(call->json, "token", 256, &ret->token, why));
    TRY(agent_csr(call->json, csr, why));
    TRY(agent_device_take(device, given, why));
    if (!object_text(given, "platform"))
        return fail(why, ERR_VALUE, "platform is needed in device");
    ret->csr = buf_bytes(csr);
    ret->given = given;
    return OK;
}

enum err agent_enrol(struct agent_call *call, struct why *why)
{
    struct enrolling asked = { .mdm = call->mdm, .now = call->now };
    AUTO_VAL(object) given = { .class = &device_class };
    AUTO_VAL(enrolled) enrolled = { 0 };
    AUTO_BUF csr = { 0 };
    struct why inner = { 0 };
    TRY(budget_check(call, why));
    TRY(request_take(call, &asked, &given, &csr, why));
    enum err err = enrol(&asked, &enrolled, &inner);
    if (err == ERR_NOT_AUTHORISED)
        return token_refuse(call, &inner, why);
    if (err != OK)
        return fail(why, err, "%s", inner.text);
    call->result = agent_certificate_json(enrolled.device, &enrolled.certificate);
    call->status = 201;
    return OK;
}
