/* SPDX-License-Identifier: Apache-2.0 */
/* managed: whoever has a challenge that an authority has sealed for this very request (spec challenge.md, the CRP). Three phases, as
   the guides count them; what comes after, the template and the authority's limits, is judged with the challenge's expectations in
   the request's place. It is taken in T1, together with the serial. */
#include "base/fault.h"
#include "ca/authorisation_end.h"
#include "ca/authority_signer.h"
#include "ca/crp.h"
#include "ca/crp_log.h"
#include "ca/managed.h"
#include "ca/validator.h"

static enum err managed_open(struct ca *ca, struct endpoint *endpoint, struct why *why)
{
    if (!ca->crp)
        return fail(why, ERR_CONFIG, "endpoint %s has the validator managed and there is no CRP key",
                    endpoint->name);
    return OK;
}

static enum err text_of(const struct csr *csr, struct buf *ret, struct why *why)
{
    if (!csr->has_challenge || !csr->challenge.len)
        return fail(why, ERR_CHALLENGE_MISSING, "the request carries %s challengePassword",
                    csr->has_challenge ? "an empty" : "no");
    if (!csr_challenge_utf8(csr, ret))
        return fail(why, ERR_CHALLENGE_ENCODING,
                    "the challengePassword (string type %02X) is not well-formed text", csr->challenge_tag);
    return OK;
}

/* Phase 1: from here on it is known whose request this is. */
static enum err open_challenge(struct ca *ca, const struct request *request, struct managed **ret,
                               struct why *why)
{
    int64_t now = clock_now(ca->clock);
    struct challenge_own own[GENERATIONS_MAX];
    AUTO_WIPE text = { 0 };
    TRY(text_of(&request->csr, &text, why));
    AUTO(kept_generations) keys = kept_key_hold(ca->crp);
    AUTO_VAL(pinned) pinned = pinned_at(ca, request->issuer, now);
    for (size_t i = 0; i < keys->count; i++)
        own[i] = (struct challenge_own){ &keys->of[i].cert, keys->of[i].key };
    const struct challenge_keys with = { pinned.peers, pinned.count, own, keys->count };
    struct challenge_opened opened;
    TRY(challenge_open(buf_bytes(&text), &with, now, &opened, why));
    *ret = managed_new(pinned.authority[opened.signer]);
    (*ret)->opened = opened;
    return OK;
}

static enum err phases(struct ca *ca, const struct request *request, struct grant *grant,
                       struct crp_lines *lines, struct why *why)
{
    enum err err = open_challenge(ca, request, &grant->managed, why);
    crp_lines_phase(lines, 1, err, why);
    TRY(err);
    grant->authorised = true; /* its authority is told of whatever goes wrong now */
    err = authorisation_look(ca, request->issuer, grant->managed, why);
    crp_lines_phase(lines, 2, err, why);
    TRY(err);
    err = FAULT(managed_compare)
              ? OK
              : challenge_compare(&grant->managed->opened.challenge, &request->csr, request->key, why);
    crp_lines_phase(lines, 3, err, why);
    return err;
}

static enum err managed_check(struct ca *ca, const struct request *request, struct grant *grant,
                              struct why *why)
{
    struct why own;
    struct crp_lines lines = { .log = ca->crp_log, .clock = ca->clock };
    why = why ? why : &own;
    crp_lines_begin(&lines, request);
    enum err err = phases(ca, request, grant, &lines, why);
    crp_lines_end(&lines, err);
    return err;
}

const struct validator validator_managed = { .name = "managed",
                                             .open = managed_open,
                                             .check = managed_check };
