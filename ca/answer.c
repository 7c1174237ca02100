/* SPDX-License-Identifier: Apache-2.0 */
/* A request that has a row gets what its row says: the same bytes, the same refusal, or the end of what was begun. */
#include "ca/answer.h"

#include "base/fault.h"
#include "ca/issue.h"
#include <stdio.h>

#define POLL_ATTEMPTS 5 /* the same request in other threads: each round one is done */

void enrolled_free(struct enrolled *enrolled)
{
    buf_free(&enrolled->certificate);
    *enrolled = (struct enrolled){ 0 };
}

void enrolled_fill(const struct reservation *slot, struct buf *der, struct enrolled *ret)
{
    *ret = (struct enrolled){ .disposition = ENROLL_ISSUED,
                              .request_id = slot->request_id,
                              .certificate = TAKE_BUF(*der) };
    memcpy(ret->serial, slot->serial, sizeof(ret->serial));
}

/* Seal and T2 of a reservation that was found again. */
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
    enrolled_fill(slot, &der, ret);
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
    snprintf(ret->serial, sizeof(ret->serial), "%s", row->serial ? row->serial : "");
    return OK;
}

static enum err answer_reserved(struct ca *ca, const struct issuer *issuer, struct request_row *row,
                                struct enrolled *ret, struct why *why)
{
    AUTO_VAL(reservation) slot = { .issuer = issuer, .request_id = row->request_id };
    if (!row->serial || !row->tbs.len)
        return fail(why, ERR_CONFLICT, "request %lld was just decided", (long long)row->request_id);
    snprintf(slot.serial, sizeof(slot.serial), "%s", row->serial);
    reservation_of_authority(&slot, row->authority);
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

enum err answer_known(struct ca *ca, const struct request *request, bool *ret_known, struct enrolled *ret,
                      struct why *why)
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
    for (int attempt = 0; attempt < POLL_ATTEMPTS; attempt++) {
        AUTO_VAL(request_row) row = { 0 };
        TRY(poll_find(ca, ask, endpoint, &row, why));
        enum err err = answer_row(ca, endpoint->issuer, &row, ret, why);
        if (err != ERR_CONFLICT)
            return err;
    }
    return fail(why, ERR_BUSY, "the request was polled %d times at once", POLL_ATTEMPTS);
}
