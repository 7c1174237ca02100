/* SPDX-License-Identifier: Apache-2.0 */
/* one-time: whoever has an unused password; it is taken in T1, together with the serial. */
#include "ca/challenge.h"
#include "ca/validator.h"

static enum err once_open(struct ca *ca, struct endpoint *endpoint, struct why *why)
{
    if (ca->challenge_key.len != CHALLENGE_KEY_BYTES)
        return fail(why, ERR_CONFIG, "endpoint %s has the validator one-time and there is no challenge key",
                    endpoint->name);
    if (endpoint->challenge_lifetime_s <= 0 || endpoint->challenges_outstanding <= 0)
        return fail(why, ERR_CONFIG,
                    "endpoint %s: challenge_lifetime is %lld, challenges_outstanding %lld; both must be "
                    "positive",
                    endpoint->name, (long long)endpoint->challenge_lifetime_s,
                    (long long)endpoint->challenges_outstanding);
    return OK;
}

static enum err once_check(struct ca *ca, const struct request *request, struct grant *grant, struct why *why)
{
    TRY(challenge_of(ca, &request->csr, grant->challenge_mac, why));
    TRY(challenge_look(ca, request->endpoint, grant->challenge_mac, why));
    grant->claims = true;
    return OK;
}

const struct validator validator_once = { .name = "one-time", .open = once_open, .check = once_check };
