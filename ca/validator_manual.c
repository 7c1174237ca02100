/* SPDX-License-Identifier: Apache-2.0 */
/* manual: every request waits for an administrator; a challenge in it says nothing and is not kept. */
#include "ca/validator.h"

static enum err manual_open(struct ca *ca, struct endpoint *endpoint, struct why *why)
{
    (void)ca;
    if (endpoint->pending_max <= 0)
        return fail(why, ERR_CONFIG,
                    "endpoint %s has the validator manual and pending_max %lld; it must be positive",
                    endpoint->name, (long long)endpoint->pending_max);
    return OK;
}

static enum err manual_check(struct ca *ca, const struct request *request, struct grant *grant,
                             struct why *why)
{
    (void)ca;
    (void)request;
    (void)why;
    grant->waits = true;
    return OK;
}

const struct validator validator_manual = { .name = "manual", .open = manual_open, .check = manual_check };
