/* SPDX-License-Identifier: Apache-2.0 */
/* A request laid against what is in force now, whoever vouches for the one who asks. */
#include "ca/judge.h"

#include "base/fault.h"
#include "ca/may_enrol.h"
#include "ca/right.h"
#include "ca/template_cache.h"
#include "ca/validity.h"
#include "x509/name.h"

static enum err template_choose(struct ca *ca, const struct request *request, struct template **ret,
                                struct why *why)
{
    struct bytes name = request->template_name;
    if (request->endpoint)
        return template_for_slot(ca, request->endpoint, slot_of(&request->csr), ret, why);
    AUTO(template) template = NULL;
    enum err err = template_cache_find(ca->templates, name, &template, why);
    if (err == ERR_NOT_FOUND)
        return fail(why, ERR_TEMPLATE, "there is no template %.*s", (int)name.len, name.data);
    TRY(err);
    /* The roles' own are never published: nobody else may give them away. */
    bool of_role = principal_is_role(request->requester);
    if (!FAULT(submit_purpose) && !of_role)
        TRY(template_not_ours(template, request->requester, why));
    if (!FAULT(authority_published) && !of_role && !template->published)
        return fail(why, ERR_TEMPLATE, "template %s is not published", template->name);
    *ret = TAKE(template);
    return OK;
}

enum err judge_asked(struct ca *ca, const struct request *request, struct grant *grant, struct why *why)
{
    TRY(template_choose(ca, request, &grant->template, why));
    TRY(may_enrol(ca, request->issuer, request->requester, bytes_str(grant->template->name), why));
    TRY(template_admit(grant->template, &request->csr, why));
    TRY(template_apply(&request->csr, request->key, grant, why));
    grant->validity_s = validity_of(request->issuer, grant->template, &request->csr);
    if (!FAULT(ca_name) && name_equal(buf_bytes(&grant->subject), request->issuer->cert.subject))
        return fail(why, ERR_TEMPLATE_SUBJECT, "the subject is the name of the CA %s itself",
                    request->issuer->name);
    return OK;
}
