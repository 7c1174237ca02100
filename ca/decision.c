/* SPDX-License-Identifier: Apache-2.0 */
/* Around an administrator's word on a request: the row before it, the seal after it. */
#include "ca/decision.h"

#include "base/fault.h"
#include <stdio.h>

enum err decision_find(struct ca *ca, const struct issuer *issuer, int64_t request_id,
                       struct request_row *ret, struct why *why)
{
    struct request_lookup lookup = { .ca = ca, .issuer = issuer, .by = LOOKUP_ID, .request_id = request_id };
    bool found = false;
    TRY(request_find(&lookup, &found, ret, why));
    if (!found)
        return fail(why, ERR_NOT_FOUND, "ca %s has no request %lld", issuer->name, (long long)request_id);
    return OK;
}

enum err decision_not_own(const struct request_row *row, const char *actor, const char *what, struct why *why)
{
    if (FAULT(own_approval) || strcmp(row->requester, actor) != 0)
        return OK;
    return fail(why, ERR_NOT_AUTHORISED, "%s asked for request %lld: somebody else has to %s it", actor,
                (long long)row->request_id, what);
}

bool decision_reserved(struct request_row *row, const struct issuer *issuer, struct reservation *ret)
{
    if (row->disposition != DISPOSITION_SEALING || !row->serial || !row->tbs.len)
        return false;
    *ret = (struct reservation){ .issuer = issuer, .request_id = row->request_id, .tbs = TAKE_BUF(row->tbs) };
    snprintf(ret->serial, sizeof(ret->serial), "%s", row->serial);
    reservation_of_authority(ret, row->authority);
    return true;
}

enum err decision_seal(struct ca *ca, const struct reservation *slot, const char *decided, struct why *why)
{
    AUTO_BUF sealed = { 0 };
    struct why inner = { 0 };
    enum err err = issue_seal(ca, slot, &sealed, &inner);
    if (err != OK && !err_row(err)->retryable)
        TRY(issue_fail(ca, slot, &inner, why));
    if (err != OK)
        return fail(why, err, "%s, not sealed yet: %s", decided, inner.text);
    err = issue_record(ca, slot, buf_bytes(&sealed), why);
    return err == ERR_CONFLICT ? OK : err;
}
