/* SPDX-License-Identifier: Apache-2.0 */
/* managed: whoever has a challenge that an authority has sealed for this very request (spec challenge.md, the CRP). What comes after the
   CRP's phases, the template and the authority's limits, is judged with the challenge's expectations in the request's place. The
   challenge is taken in T1, together with the serial. */
#include "ca/crp_check.h"
#include "ca/validator.h"

static enum err managed_open(struct ca *ca, struct endpoint *endpoint, struct why *why)
{
    if (!ca->crp)
        return fail(why, ERR_CONFIG, "endpoint %s has the validator managed and there is no CRP key",
                    endpoint->name);
    return OK;
}

static enum err managed_check(struct ca *ca, const struct request *request, struct grant *grant,
                              struct why *why)
{
    struct why own;
    struct crp_lines lines = { .log = ca->crp_log, .clock = ca->clock };
    const struct crp_question question = { ca, request, &lines };
    why = why ? why : &own;
    crp_lines_begin(&lines, request);
    enum err err = crp_check(&question, &grant->managed, why);
    crp_lines_end(&lines, err);
    grant->authorised =
        grant->managed != NULL; /* its authority is told of whatever went wrong after phase 1 */
    return err;
}

const struct validator validator_managed = { .name = "managed",
                                             .open = managed_open,
                                             .check = managed_check };
