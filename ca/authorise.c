/* SPDX-License-Identifier: Apache-2.0 */
/* May this request be issued, and as what? The first stage of an enrolment. */
#include "ca/validator.h"

#include "base/fault.h"
#include "ca/may_enrol.h"

const struct validator *validator_find(const char *name)
{
    static const struct validator *const all[] = { &validator_static, &validator_once, &validator_managed,
                                                   &validator_manual };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    }
    return NULL;
}

/* A self-signed signer is the requester's own key and nothing else; scep has checked the message's signature with it. */
static enum err signer_check(const struct request *request, struct why *why)
{
    if (!FAULT(renewal_refused) && !request->self_signed)
        return fail(
            why, ERR_BAD_REQUEST,
            "the message is signed with an issued certificate: renewal is not supported by this release");
    if (!FAULT(signer_key) && !bytes_equal(request->signer.spki, request->csr.spki))
        return fail(
            why, ERR_BAD_MESSAGE_CHECK,
            "the self-signed signer's key is not the request's key (RFC 8894 3.3.1, security rule A14)");
    return OK;
}

enum err authorise(struct ca *ca, struct request *request, struct grant *grant, struct why *why)
{
    const struct endpoint *endpoint = request->endpoint;
    TRY(public_key_parse(request->csr.spki, &request->key, why));
    /* First of all: scep takes every other refusal as proof that nobody altered the request on its way. */
    if (!FAULT(csr_signature))
        TRY(csr_verify(&request->csr, request->key, endpoint && endpoint->allow_sha1, why));
    if (request->follows)
        return OK; /* T1 asks the store whether it may: own_tls_judge */
    if (!endpoint)
        return may_enrol(ca, request->issuer, request->requester, request->template_name, why);
    TRY(signer_check(request, why));
    TRY(endpoint->validator->check(ca, request, grant, why));
    return OK;
}
