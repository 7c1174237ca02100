/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/enrolment_token.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/secret.h"
#include "x509/algorithm.h"
#include <stdio.h>

/* clang-format off: one a row */
static const struct attribute attributes[] = {
    OBJECT_ATTRIBUTE_ID,
    { .name = "note", .kind = ATTRIBUTE_TEXT, .most = LIMIT_DIRECTORY_KEY_BYTES, .help = "what it is for" },
    { .name = "owner",
      .kind = ATTRIBUTE_USER,
      .flags = ATTRIBUTE_FILTER,
      .most = LIMIT_DIRECTORY_KEY_BYTES,
      .help = "the user whose devices it enrols, by id or UPN; none: the devices have no user" },
    { .name = "device",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_FILTER,
      .most = LIMIT_DIRECTORY_KEY_BYTES,
      .help = "the one device that it enrols again, by id, name or serial number; none: any" },
    { .name = "uses", .kind = ATTRIBUTE_NUMBER, .flags = ATTRIBUTE_OWN, .help = "devices that it enrols" },
    { .name = "uses_left",
      .kind = ATTRIBUTE_NUMBER,
      .flags = ATTRIBUTE_OWN,
      .help = "of these it still does" },
    { .name = "expires_at", .kind = ATTRIBUTE_TIME, .flags = ATTRIBUTE_OWN, .help = "until when it enrols" },
    OBJECT_ATTRIBUTES_OWN,
};
/* clang-format on */

const struct object_class token_class = {
    .name = "token",
    .plural = "tokens",
    .table = "enrolment_token",
    .key = "note",
    .unique = "id",
    .find = "SELECT id FROM enrolment_token WHERE folded = $2 AND folded <> '' AND $1 = $1 "
            "AND deleted_at IS NULL LIMIT 2",
    .own_group_kind = "token",
    .attributes = attributes,
    .count = sizeof(attributes) / sizeof(*attributes),
};

enum err enrolment_token_make(char ret[static ENROLMENT_TOKEN_TEXT], struct why *why)
{
    uint8_t random[ENROLMENT_TOKEN_BYTES];
    AUTO_BUF text = { 0 };
    TRY(random_fill(random, sizeof(random), why));
    hex_append(&text, BYTES_ARR(random));
    memcpy(ret, buf_text(&text), ENROLMENT_TOKEN_TEXT);
    return OK;
}

/* Of 128 random bits a plain digest tells nothing: there is no list of them to try. */
static enum err digest_of(struct bytes token, uint8_t ret[static 32], struct why *why)
{
    uint8_t raw[ENROLMENT_TOKEN_BYTES];
    const struct bytes parts[] = { BYTES_LIT("chancery enrolment token"), BYTES_ARR(raw) };
    if (token.len != ENROLMENT_TOKEN_TEXT - 1 || !hex_decode_into(token, raw))
        return fail(why, ERR_NOT_AUTHORISED, "the token is not %d hexadecimal digits",
                    ENROLMENT_TOKEN_TEXT - 1);
    return sha256_parts(parts, 2, ret, why);
}

enum err enrolment_token_keep(struct store_tx *tx, const char *id, const char *token, struct why *why)
{
    uint8_t digest[32];
    TRY(digest_of(bytes_str(token), digest, why));
    return store_exec(tx, "INSERT INTO enrolment_secret (digest, token_id) VALUES ($1, $2)",
                      S_ARGS(S_BYTES(BYTES_ARR(digest)), S_TEXT(id)), NULL, why);
}

static enum err token_judge(const struct object *token, int64_t now, struct why *why)
{
    const char *id = object_id(token);
    if (object_number(token, "deleted_at") && !FAULT(enrol_revoked))
        return fail(why, ERR_NOT_AUTHORISED, "token %s was revoked", id);
    if (object_number(token, "expires_at") <= now && !FAULT(enrol_expired))
        return fail(why, ERR_NOT_AUTHORISED, "token %s is over", id);
    if (object_number(token, "uses_left") <= 0 && !FAULT(enrol_claim))
        return fail(why, ERR_NOT_AUTHORISED, "token %s has enrolled as many devices as it may, %lld", id,
                    (long long)object_number(token, "uses"));
    return OK;
}

enum err enrolment_token_find(struct store_tx *tx, struct bytes token, int64_t now, struct object *ret,
                              struct why *why)
{
    AUTO(store_rows) rows = NULL;
    uint8_t digest[32];
    TRY(digest_of(token, digest, why));
    TRY(store_query(tx, "SELECT token_id FROM enrolment_secret WHERE digest = $1",
                    S_ARGS(S_BYTES(BYTES_ARR(digest))), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_AUTHORISED, "there is no such token");
    TRY(object_load(tx, &token_class, store_str(rows, 0, 0), ret, why));
    return token_judge(ret, now, why);
}

/* The condition decides, not the look before it. */
enum err enrolment_token_claim(struct store_tx *tx, const char *id, int64_t now, struct why *why)
{
    static const char *const claim = "UPDATE enrolment_token SET uses_left = uses_left - 1 WHERE id = $1 AND "
                                     "deleted_at IS NULL AND expires_at > $2 AND uses_left > 0";
    static const char *const loose =
        "UPDATE enrolment_token SET uses_left = uses_left - 1 WHERE id = $1 AND $2 = $2";
    int64_t changed = 0;
    TRY(store_exec(tx, FAULT(enrol_claim) || FAULT(enrol_expired) || FAULT(enrol_revoked) ? loose : claim,
                   S_ARGS(S_TEXT(id), S_INT(now)), &changed, why));
    if (changed != 1)
        return fail(why, ERR_NOT_AUTHORISED, "token %s has no use left", id);
    return OK;
}
