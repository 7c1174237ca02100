/* SPDX-License-Identifier: Apache-2.0 */
/* A challenge from what it says to the text that a device carries, and back. */
#include "challenge/challenge.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/fault.h"
#include "challenge/suite.h"

enum err challenge_seal(const struct challenge *challenge, const struct challenge_seal_params *params,
                        struct buf *ret_text, struct why *why)
{
    AUTO_WIPE plain = { 0 };
    AUTO_BUF der = { 0 }, text = { 0 };
    TRY(challenge_encode(challenge, &plain, why));
    TRY(suite_seal(buf_bytes(&plain), params, &der, why));
    base64_append(&text, buf_bytes(&der));
    if (text.len > LIMIT_CHALLENGE_BYTES)
        return fail(why, ERR_LIMIT, "challenge of %zu characters, limit %d", text.len, LIMIT_CHALLENGE_BYTES);
    *ret_text = TAKE_BUF(text);
    return OK;
}

/* Padding must be there: one text for one challenge. */
static enum err decode_text(struct bytes text, struct buf *ret_der, struct why *why)
{
    if (text.len > LIMIT_CHALLENGE_BYTES)
        return fail(why, ERR_CHALLENGE_ENCODING, "challenge of %zu characters, limit %d", text.len,
                    LIMIT_CHALLENGE_BYTES);
    if (text.len == 0 || (!FAULT(dynamic_text) && text.len % 4) || !base64_decode(text, false, ret_der))
        return fail(why, ERR_CHALLENGE_ENCODING,
                    "challenge of %zu characters is not base64 with padding, in the plain alphabet and "
                    "without line ends",
                    text.len);
    return OK;
}

static enum err check_time(const struct challenge *challenge, int64_t now, struct why *why)
{
    char at[21], limit[21];
    clock_rfc3339(now, at);
    if (!FAULT(dynamic_not_before) && now < challenge->not_before) {
        clock_rfc3339(challenge->not_before, limit);
        return fail(why, ERR_CHALLENGE_EARLY, "challenge is valid from %s on, it is %s", limit, at);
    }
    if (!FAULT(dynamic_expiry) && now >= challenge->expires) {
        clock_rfc3339(challenge->expires, limit);
        return fail(why, ERR_CHALLENGE_EXPIRED, "challenge expired at %s, it is %s", limit, at);
    }
    return OK;
}

static enum err open_text(struct bytes text, const struct challenge_keys *keys,
                          struct challenge_opened *opened, struct why *why)
{
    AUTO_BUF der = { 0 };
    TRY(decode_text(text, &der, why));
    TRY(suite_open(buf_bytes(&der), keys, opened, why));
    return challenge_decode(buf_bytes(&opened->storage), &opened->challenge, why);
}

enum err challenge_open(struct bytes text, const struct challenge_keys *keys, int64_t now,
                        struct challenge_opened *ret, struct why *why)
{
    struct challenge_opened opened = { 0 };
    enum err err = open_text(text, keys, &opened, why);
    if (err == OK)
        err = check_time(&opened.challenge, now, why);
    if (err == OK)
        *ret = opened;
    else
        challenge_opened_free(&opened);
    return err;
}

void challenge_opened_free(struct challenge_opened *opened)
{
    if (!opened)
        return;
    buf_wipe(&opened->storage);
    *opened = (struct challenge_opened){ 0 };
}
