/* SPDX-License-Identifier: Apache-2.0 */
/* static: whoever knows the endpoint's password. */
#include "base/fault.h"
#include "ca/challenge.h"
#include "ca/validator.h"

static enum err static_open(struct ca *ca, struct endpoint *endpoint, struct why *why)
{
    (void)ca;
    struct secret mac = { 0 };
    struct why inner = { 0 };
    enum err err =
        endpoint->static_path ? challenge_hex_file(endpoint->static_path, &mac, &inner) : ERR_NOT_FOUND;
    if (err != OK)
        return fail(
            why, err == ERR_NOT_FOUND ? ERR_CONFIG : err,
            "endpoint %s has the validator static and no usable password (%s): chancery password set %s",
            endpoint->name, inner.text, endpoint->name);
    pthread_mutex_lock(&endpoint->lock);
    memcpy(endpoint->static_mac, mac.data, sizeof(endpoint->static_mac));
    endpoint->has_static_mac = true;
    pthread_mutex_unlock(&endpoint->lock);
    secret_free(&mac);
    return OK;
}

static enum err static_check(struct ca *ca, const struct request *request, struct grant *grant,
                             struct why *why)
{
    (void)grant;
    struct endpoint *endpoint = request->endpoint;
    uint8_t given[32], wanted[32];
    TRY(challenge_of(ca, &request->csr, given, why));
    pthread_mutex_lock(&endpoint->lock);
    bool ready = endpoint->has_static_mac;
    memcpy(wanted, endpoint->static_mac, sizeof(wanted));
    pthread_mutex_unlock(&endpoint->lock);
    bool equal = secret_equal(BYTES_ARR(given), BYTES_ARR(wanted));
    secret_wipe(wanted, sizeof(wanted));
    secret_wipe(given, sizeof(given));
    if (!FAULT(challenge_comparison) && (!ready || !equal))
        return fail(why, ERR_CHALLENGE_WRONG, "the challengePassword is not endpoint %s's", endpoint->name);
    return OK;
}

const struct validator validator_static = { .name = "static", .open = static_open, .check = static_check };
