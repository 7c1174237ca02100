/* SPDX-License-Identifier: Apache-2.0 */
/* The phases of the CRP. What comes after, the template and the authority's limits, is judged with the challenge's expectations in the
   request's place. */
#include "ca/crp_check.h"

#include "base/fault.h"
#include "ca/authorisation_end.h"
#include "ca/authority_signer.h"
#include "ca/crp.h"

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

enum err crp_check(const struct crp_question *question, struct managed **ret_managed, struct why *why)
{
    const struct request *request = question->request;
    struct managed *managed = NULL;
    enum err err = open_challenge(question->ca, request, &managed, why);
    crp_lines_phase(question->lines, 1, err, why);
    TRY(err);
    *ret_managed = managed;
    err = authorisation_look(question->ca, request->issuer, managed, why);
    crp_lines_phase(question->lines, 2, err, why);
    TRY(err);
    err = FAULT(managed_compare)
              ? OK
              : challenge_compare(&managed->opened.challenge, &request->csr, request->key, why);
    crp_lines_phase(question->lines, 3, err, why);
    return err;
}
