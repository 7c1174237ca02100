/* SPDX-License-Identifier: Apache-2.0 */
/* A failed or denied request judged anew, as if it came in now; the administrator stands for its challenge and for the approval
   that its template may want. It keeps its row and takes its request key back: the device that asks the same again gets
   this certificate and no second one. */
#include "base/fault.h"
#include "ca/authorisation_end.h"
#include "ca/decision.h"
#include "ca/enroll.h"
#include "ca/judge.h"
#include "ca/right_store.h"

struct resubmission {
    struct ca *ca;
    struct issuer *issuer;
    const char *actor;
    struct request_row *row;
};

static enum err may_be_resubmitted(const struct request_row *row, struct why *why)
{
    long long id = (long long)row->request_id;
    switch (row->disposition) {
    case DISPOSITION_FAILED:
    case DISPOSITION_DENIED:
    case DISPOSITION_SEALING: /* what an earlier resubmission reserved is sealed */
        return OK;
    case DISPOSITION_ISSUED:
        return fail(why, ERR_WRONG_STATE,
                    "request %lld is issued, as serial %s: there is no second certificate", id,
                    row->serial ? row->serial : "");
    case DISPOSITION_PENDING:
        break;
    }
    return fail(why, ERR_WRONG_STATE, "request %lld is pending: approve it or deny it", id);
}

/* The same request has its key in another row if it was made again since this one failed. */
static enum err not_made_again(const struct resubmission *it, struct why *why)
{
    struct request_lookup lookup = {
        .ca = it->ca, .issuer = it->issuer, .by = LOOKUP_KEY, .request_key = it->row->failed_key.data
    };
    AUTO_VAL(request_row) other = { 0 };
    bool found = false;
    if (!it->row->failed_key.len)
        return OK; /* a denied one still has it */
    TRY(request_find(&lookup, &found, &other, why));
    if (!found)
        return OK;
    return fail(why, ERR_WRONG_STATE, "request %lld was made again: as request %lld, which is %s",
                (long long)it->row->request_id, (long long)other.request_id,
                disposition_name(other.disposition));
}

/* What the verb asked for was the right on the template that it met, if any. */
static enum err may_issue(const struct resubmission *it, const struct template *template, struct why *why)
{
    const struct right_question question = { it->actor, it->issuer->name, template->name, RIGHT_ISSUE };
    return FAULT(resubmit_right) ? OK : right_check(it->ca, &question, why);
}

static enum err reserve(const struct resubmission *it, struct reservation *ret, struct why *why)
{
    struct request_row *row = it->row;
    AUTO_VAL(request) request = { 0 };
    AUTO_VAL(grant) grant = { 0 };
    TRY(request_open_kept(it->ca, it->issuer, row, &request, why));
    TRY(not_made_again(it, why));
    TRY(csr_hash_check(&request.csr, request.endpoint && request.endpoint->allow_sha1, why));
    TRY(managed_of_row(row, &grant.managed, why));
    if (grant.managed && !FAULT(managed_approval))
        TRY(authorisation_look(it->ca, it->issuer, grant.managed, why));
    TRY(judge_asked(it->ca, &request, &grant, why));
    TRY(may_issue(it, grant.template, why));
    AUTO_STR was = xasprintf("%s: %s", disposition_name(row->disposition), err_row(row->error)->name);
    struct reserve_params params = { .issuer = it->issuer,
                                     .endpoint = row->endpoint,
                                     .requester = row->requester,
                                     .validator = row->validator,
                                     .authority = row->authority,
                                     .claim_at = row->challenge_mac.len == 32 ? request.endpoint : NULL,
                                     .challenge_mac = buf_bytes(&row->challenge_mac),
                                     .request_key = buf_bytes(&row->failed_key),
                                     .spki = request.csr.spki,
                                     .spki_digest = BYTES_ARR(request.spki_digest),
                                     .approved_id = row->request_id,
                                     .approved_by = it->actor,
                                     .resubmitted = was };
    enum err err = issue_reserve(it->ca, &params, &grant, ret, why);
    return err == ERR_CONFLICT
               ? fail(why, ERR_WRONG_STATE, "request %lld was just made again by who asked for it",
                      (long long)row->request_id)
               : err;
}

enum err ca_resubmit(struct ca *ca, struct issuer *issuer, int64_t request_id, const char *actor,
                     struct why *why)
{
    AUTO_VAL(request_row) row = { 0 };
    AUTO_VAL(reservation) slot = { 0 };
    TRY(decision_find(ca, issuer, request_id, &row, why));
    TRY(may_be_resubmitted(&row, why));
    TRY(decision_not_own(&row, actor, "resubmit", why));
    const struct resubmission resubmission = { ca, issuer, actor, &row };
    if (!decision_reserved(&row, issuer, &slot))
        TRY(reserve(&resubmission, &slot, why));
    return decision_seal(ca, &slot, "resubmitted", why);
}
