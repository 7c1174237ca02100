/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/bearer.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/secret.h"
#include "x509/algorithm.h"
#include <stdio.h>

#define PREFIX 4

static const char *const prefixes[] = { [BEARER_SESSION] = "chs_", [BEARER_API] = "cha_" };

enum err bearer_make(enum bearer_kind kind, char ret[static BEARER_TEXT], struct why *why)
{
    uint8_t random[BEARER_BYTES];
    AUTO_BUF hex = { 0 };
    TRY(random_fill(random, sizeof(random), why));
    hex_append(&hex, BYTES_ARR(random));
    snprintf(ret, BEARER_TEXT, "%s%s", prefixes[kind], buf_text(&hex));
    secret_wipe(random, sizeof(random));
    secret_wipe(hex.data, hex.len);
    return OK;
}

static enum err raw_of(struct bytes text, enum bearer_kind *ret_kind, uint8_t ret[static BEARER_BYTES],
                       struct why *why)
{
    bool form = text.len == BEARER_TEXT - 1;
    bool session = form && memcmp(text.data, prefixes[BEARER_SESSION], PREFIX) == 0;
    bool api = form && memcmp(text.data, prefixes[BEARER_API], PREFIX) == 0;
    if (!session && !api)
        return fail(why, ERR_SIGN_IN, "it has not the form of a token");
    *ret_kind = session ? BEARER_SESSION : BEARER_API;
    if (!hex_decode_into(bytes_of(text.data + PREFIX, text.len - PREFIX), ret))
        return fail(why, ERR_SIGN_IN, "it has not the form of a token");
    return OK;
}

static enum err digest_of(const char *label, struct bytes text, enum bearer_kind *ret_kind,
                          uint8_t ret[static BEARER_DIGEST], struct why *why)
{
    uint8_t raw[BEARER_BYTES];
    TRY(raw_of(text, ret_kind, raw, why));
    const struct bytes parts[] = { bytes_str(label), bytes_of(text.data, PREFIX), BYTES_ARR(raw) };
    enum err err = sha256_parts(parts, sizeof(parts) / sizeof(*parts), ret, why);
    secret_wipe(raw, sizeof(raw));
    return err;
}

/* Of 256 random bits a plain digest tells nothing: there is no list of them to try. */
enum err bearer_read(struct bytes text, enum bearer_kind *ret_kind, uint8_t ret_digest[static BEARER_DIGEST],
                     struct why *why)
{
    return digest_of("chancery bearer", text, ret_kind, ret_digest, why);
}

enum err bearer_csrf(struct bytes text, char ret[static CSRF_TEXT], struct why *why)
{
    uint8_t digest[BEARER_DIGEST];
    enum bearer_kind kind;
    AUTO_BUF hex = { 0 };
    TRY(digest_of("chancery csrf", text, &kind, digest, why));
    hex_append(&hex, BYTES_ARR(digest));
    memcpy(ret, buf_text(&hex), CSRF_TEXT);
    return OK;
}
