/* SPDX-License-Identifier: Apache-2.0 */
/* The heart of the product, in order. The stages never call each other. */
#include "ca/enroll.h"

#include "base/fault.h"
#include "ca/issue.h"
#include "ca/request.h"
#include "ca/validator.h"
#include "x509/name.h"
#include <stdio.h>

#define ENROLL_ATTEMPTS 5 /* the same request in other threads: each round one is done */

void enrolled_free(struct enrolled *enrolled)
{
    buf_free(&enrolled->certificate);
    *enrolled = (struct enrolled){ 0 };
}

/* Seal and T2 of a reservation, new or found again. */
static enum err finish(struct ca *ca, const struct reservation *slot, struct enrolled *ret, struct why *why)
{
    AUTO_BUF der = { 0 };
    struct why inner = { 0 };
    enum err err = issue_seal(ca, slot, &der, &inner);
    if (err != OK && err_row(err)->retryable)
        return fail(why, err, "%s",
                    inner.text); /* stays reserved: the same request seals it, or time voids it */
    if (err != OK) {
        TRY(issue_fail(ca, slot, &inner, why));
        return fail(why, err, "%s", inner.text);
    }
    if (!FAULT(t2_before_answer))
        TRY(issue_record(ca, slot, buf_bytes(&der), why));
    *ret = (struct enrolled){ .disposition = ENROLL_ISSUED,
                              .request_id = slot->request_id,
                              .certificate = TAKE_BUF(der) };
    return OK;
}

static enum err answer_issued(struct ca *ca, struct request_row *row, struct enrolled *ret, struct why *why)
{
    char ended[21];
    clock_rfc3339(row->not_after, ended);
    if (!FAULT(revoked_again) && row->certificate_status && strcmp(row->certificate_status, "revoked") == 0)
        return fail(why, ERR_REVOKED, "request %lld was issued as %s, which is revoked",
                    (long long)row->request_id, row->serial);
    if (!FAULT(expired_again) && row->not_after < clock_now(ca->clock))
        return fail(why, ERR_EXPIRED, "request %lld was issued as %s, which ended %s",
                    (long long)row->request_id, row->serial, ended);
    if (!row->der.len)
        return fail(why, ERR_INTERNAL, "request %lld is issued and has no certificate",
                    (long long)row->request_id);
    *ret = (struct enrolled){ .disposition = ENROLL_ISSUED,
                              .request_id = row->request_id,
                              .certificate = TAKE_BUF(row->der),
                              .again = true };
    return OK;
}

static enum err answer_reserved(struct ca *ca, const struct issuer *issuer, struct request_row *row,
                                struct enrolled *ret, struct why *why)
{
    AUTO_VAL(reservation) slot = { .issuer = issuer, .request_id = row->request_id };
    if (!row->serial || !row->tbs.len)
        return fail(why, ERR_CONFLICT, "request %lld was just decided", (long long)row->request_id);
    snprintf(slot.serial, sizeof(slot.serial), "%s", row->serial);
    slot.tbs = TAKE_BUF(row->tbs);
    return finish(ca, &slot, ret, why);
}

/* A request that has a row gets what its row says. */
static enum err answer_row(struct ca *ca, const struct issuer *issuer, struct request_row *row,
                           struct enrolled *ret, struct why *why)
{
    long long id = (long long)row->request_id;
    switch (row->disposition) {
    case DISPOSITION_ISSUED:
        return answer_issued(ca, row, ret, why);
    case DISPOSITION_SEALING:
        return answer_reserved(ca, issuer, row, ret, why);
    case DISPOSITION_PENDING:
        *ret =
            (struct enrolled){ .disposition = ENROLL_PENDING, .request_id = row->request_id, .again = true };
        return OK;
    case DISPOSITION_DENIED:
        return fail(why, ERR_DENIED, "request %lld was denied: %s", id, row->reason ? row->reason : "");
    case DISPOSITION_FAILED:
        break;
    }
    return fail(why, row->error != OK ? row->error : ERR_BAD_REQUEST, "request %lld failed: %s", id,
                row->reason ? row->reason : "");
}

static enum err answer_known(struct ca *ca, const struct request *request, bool *ret_known,
                             struct enrolled *ret, struct why *why)
{
    struct request_lookup lookup = {
        .ca = ca, .issuer = request->issuer, .by = LOOKUP_KEY, .request_key = request->request_key
    };
    AUTO_VAL(request_row) row = { 0 };
    bool found = false;
    if (!FAULT(request_key))
        TRY(request_find(&lookup, &found, &row, why));
    if (found)
        TRY(answer_row(ca, request->issuer, &row, ret, why));
    *ret_known = found;
    return OK;
}

/* From here on the requester was accepted: what goes wrong is kept. */
static enum err enroll_accepted(struct ca *ca, const struct request *request, struct grant *grant,
                                struct enrolled *ret, struct why *why)
{
    struct reserve_params params = reserve_params_of(request, grant);
    TRY(template_for_slot(ca, request->endpoint, slot_of(&request->csr), &grant->template, why));
    TRY(template_apply(&request->csr, request->key, grant, why));
    if (!FAULT(ca_name) && name_equal(buf_bytes(&grant->subject), request->issuer->cert.subject))
        return fail(why, ERR_TEMPLATE_SUBJECT, "the subject is the name of the CA %s itself",
                    request->issuer->name);
    if (grant->waits) {
        int64_t id;
        TRY(issue_wait(ca, &params, grant, request->endpoint->pending_max, &id, why));
        *ret = (struct enrolled){ .disposition = ENROLL_PENDING, .request_id = id };
        return OK;
    }
    AUTO_VAL(reservation) slot = { 0 };
    TRY(issue_reserve(ca, &params, grant, &slot, why)); /* T1 */
    grant->reserved = true;
    return finish(ca, &slot, ret, why); /* signer, T2 */
}

/* What was refused after T1 has its row. Strangers on a manual endpoint, and whoever lost the race for a one-time password,
   were accepted by nobody: their refusals stay out of the store. */
static bool is_to_be_kept(enum err err, const struct grant *grant)
{
    return !grant->reserved && !grant->waits && !err_row(err)->retryable && err != ERR_CONFLICT &&
           err != ERR_CHALLENGE_USED && err != ERR_CHALLENGE_EXPIRED;
}

static enum err authorise_and_issue(struct ca *ca, struct request *request, struct grant *grant,
                                    struct enrolled *ret, struct why *why)
{
    TRY(authorise(ca, request, grant, why)); /* key, signer, challenge */
    grant->authorised = true;
    return enroll_accepted(ca, request, grant, ret, why);
}

/* Nearly every request is new, and the store refuses a second row for the same one: so whether it is known, from an hour or
   a moment ago, is only asked when something stood in its way. */
static enum err enroll_once(struct ca *ca, struct request *request, struct enrolled *ret, struct why *why)
{
    AUTO_VAL(grant) grant = { 0 };
    struct why reason = { 0 };
    bool known = false;
    enum err err = authorise_and_issue(ca, request, &grant, ret, &reason);
    if (err == OK)
        return OK;
    if (!grant.reserved || err == ERR_CONFLICT)
        TRY(answer_known(ca, request, &known, ret, why));
    if (known)
        return OK;
    if (grant.authorised && is_to_be_kept(err, &grant)) {
        struct reserve_params params = reserve_params_of(request, &grant);
        TRY(issue_refuse(ca, &params, &reason, why));
    }
    return fail(why, err, "%s", reason.text);
}

enum err ca_enroll(struct ca *ca, const struct enroll_request *ask, struct enrolled *ret, struct why *why)
{
    AUTO_VAL(request) request = { 0 };
    TRY(request_open(ca, ask, &request, why));
    for (int attempt = 0; attempt < ENROLL_ATTEMPTS; attempt++) {
        enum err err = enroll_once(ca, &request, ret, why);
        if (err != ERR_CONFLICT)
            return err;
        public_key_free(TAKE(request.key));
    }
    return fail(why, ERR_BUSY, "the same request came in %d times at once", ENROLL_ATTEMPTS);
}

static enum err poll_find(struct ca *ca, const struct enroll_poll *ask, const struct endpoint *endpoint,
                          struct request_row *ret, struct why *why)
{
    struct cert signer;
    uint8_t digest[32];
    bool found = false;
    TRY(cert_parse(ask->signer_cert, &signer, why));
    TRY(sha256_parts(&signer.spki, 1, digest, why));
    struct request_lookup lookup = { .ca = ca,
                                     .issuer = endpoint->issuer,
                                     .by = LOOKUP_TRANSACTION,
                                     .endpoint = endpoint->name,
                                     .transaction_id = ask->transaction_id,
                                     .signer_digest = digest };
    TRY(request_find(&lookup, &found, ret, why));
    if (!found)
        return fail(why, ERR_BAD_CERT_ID, "endpoint %s knows no request with this transactionID and key",
                    endpoint->name);
    return OK;
}

enum err ca_poll(struct ca *ca, const struct enroll_poll *ask, struct enrolled *ret, struct why *why)
{
    const struct endpoint *endpoint = ca_find_endpoint(ca, ask->endpoint);
    if (!endpoint)
        return fail(why, ERR_BAD_REQUEST, "there is no endpoint %.*s", (int)ask->endpoint.len,
                    ask->endpoint.data);
    for (int attempt = 0; attempt < ENROLL_ATTEMPTS; attempt++) {
        AUTO_VAL(request_row) row = { 0 };
        TRY(poll_find(ca, ask, endpoint, &row, why));
        enum err err = answer_row(ca, endpoint->issuer, &row, ret, why);
        if (err != ERR_CONFLICT)
            return err;
    }
    return fail(why, ERR_BUSY, "the request was polled %d times at once", ENROLL_ATTEMPTS);
}
