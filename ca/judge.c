/* SPDX-License-Identifier: Apache-2.0 */
/* A request laid against what is in force now, whoever vouches for the one who asks. */
#include "ca/judge.h"

#include "base/fault.h"
#include "ca/managed.h"
#include "ca/may_enrol.h"
#include "ca/own_tls.h"
#include "ca/right.h"
#include "ca/template_cache.h"
#include "ca/validity.h"
#include "x509/name.h"

static enum err template_choose(struct ca *ca, const struct request *request, const struct csr *asked,
                                struct template **ret, struct why *why)
{
    struct bytes name = request->template_name;
    if (request->endpoint)
        return template_for_slot(ca, request->endpoint, slot_of(asked), ret, why);
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

/* The endpoint, and the authority whose challenge it was. */
static enum err rights_judge(struct ca *ca, const struct request *request, const struct grant *grant,
                             struct why *why)
{
    struct bytes name = bytes_str(grant->template->name);
    if (request->follows)
        return OK; /* own_tls_judge_grant instead */
    TRY(may_enrol(ca, request->issuer, request->requester, name, why));
    if (!grant->managed || FAULT(managed_right))
        return OK;
    AUTO_STR authority = xasprintf("authority/%s", grant->managed->authority);
    return may_enrol(ca, request->issuer, authority, name, why);
}

static struct csr asked_of(const struct grant *grant, const struct csr *csr)
{
    return grant->managed ? managed_csr(grant->managed, csr) : *csr;
}

enum err judge_contents(const struct issuer *issuer, const struct csr *csr, const struct public_key *key,
                        struct grant *grant, struct why *why)
{
    const struct csr asked = asked_of(grant, csr);
    TRY(template_apply(&asked, key, grant, why));
    if (grant->managed)
        return managed_narrow(issuer, grant, why);
    grant->validity_s = validity_of(issuer, grant->template, csr);
    return OK;
}

enum err judge_asked(struct ca *ca, const struct request *request, struct grant *grant, struct why *why)
{
    const struct csr asked = asked_of(grant, &request->csr);
    TRY(template_choose(ca, request, &asked, &grant->template, why));
    TRY(rights_judge(ca, request, grant, why));
    TRY(template_admit(grant, &request->csr, why));
    TRY(judge_contents(request->issuer, &request->csr, request->key, grant, why));
    if (request->follows)
        TRY(own_tls_judge_grant(request->follows, grant, why));
    if (!FAULT(ca_name) && name_equal(buf_bytes(&grant->subject), request->issuer->cert.subject))
        return fail(why, ERR_TEMPLATE_SUBJECT, "the subject is the name of the CA %s itself",
                    request->issuer->name);
    return OK;
}
