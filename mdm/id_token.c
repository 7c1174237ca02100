/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/id_token.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/secret.h"
#include <strings.h>

#define PARTS 3
/* RFC 7519 4.1.2 sets none; OpenID Connect Core 2 sets this one. */
#define SUBJECT_MOST 255

/* --- the form: header.claims.signature --- */

struct parts {
    struct bytes text[PARTS], signed_text;
    struct buf signature;
    json_t *header, *claims;
};

static void parts_free(struct parts *parts)
{
    buf_free(&parts->signature);
    json_decref(parts->header);
    json_decref(parts->claims);
}

static enum err split(struct bytes token, struct parts *parts, struct why *why)
{
    struct bytes rest = token;
    for (size_t i = 0; i < PARTS; i++) {
        const uint8_t *dot = rest.len ? memchr(rest.data, '.', rest.len) : NULL;
        if ((dot == NULL) != (i == PARTS - 1))
            return fail(why, ERR_SIGN_IN, "it has not three parts");
        size_t len = dot ? (size_t)(dot - rest.data) : rest.len;
        parts->text[i] = bytes_of(rest.data, len);
        rest = dot ? bytes_of(dot + 1, rest.len - len - 1) : BYTES_NONE;
    }
    parts->signed_text = bytes_of(token.data, parts->text[0].len + 1 + parts->text[1].len);
    return OK;
}

static enum err object_read(struct bytes text, const char *what, json_t **ret, struct why *why)
{
    AUTO_BUF raw = { 0 };
    struct why inner = { 0 };
    if (!base64url_decode(text, &raw))
        return fail(why, ERR_SIGN_IN, "its %s is no base64url", what);
    if (json_text_read(buf_bytes(&raw), LIMIT_ID_TOKEN_BYTES, ret, &inner) != OK)
        return fail(why, ERR_SIGN_IN, "its %s: %s", what, inner.text);
    return json_is_object(*ret) ? OK : fail(why, ERR_SIGN_IN, "its %s is no JSON object", what);
}

static enum err parts_read(struct bytes token, struct parts *parts, struct why *why)
{
    if (token.len > LIMIT_ID_TOKEN_BYTES)
        return fail(why, ERR_SIGN_IN, "it has %zu octets, limit %d", token.len, LIMIT_ID_TOKEN_BYTES);
    TRY(split(token, parts, why));
    TRY(object_read(parts->text[0], "header", &parts->header, why));
    TRY(object_read(parts->text[1], "claims", &parts->claims, why));
    if (!base64url_decode(parts->text[2], &parts->signature) || parts->signature.len == 0)
        return fail(why, ERR_SIGN_IN, "it has no signature");
    return OK;
}

/* --- who signed it --- */

static struct bytes text_of(const json_t *json, const char *name)
{
    const json_t *member = json_object_get(json, name);
    return bytes_of(json_string_value(member), json_string_length(member));
}

/* A header that brings its own key, or the place of one, is trusted in nothing; one with what has to be understood is not understood. */
static enum err header_judge(const json_t *header, enum jose *ret, struct why *why)
{
    static const char *const refused[] = { "crit", "b64", "jku", "jwk", "x5u", "x5c", "zip", "enc" };
    struct bytes type = text_of(header, "typ");
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        if (json_object_get(header, refused[i]) && !FAULT(id_token_header))
            return fail(why, ERR_SIGN_IN, "its header has %s", refused[i]);
    }
    if (json_object_get(header, "typ") &&
        (type.len != 3 || strncasecmp((const char *)type.data, "JWT", 3) != 0))
        return fail(why, ERR_SIGN_IN, "its type is not JWT");
    if (!jose_by_name(text_of(header, "alg"), ret))
        return fail(why, ERR_SIGN_IN, "its algorithm is none of RS256, PS256 and ES256");
    return OK;
}

static bool fits(const struct jwk *key, const json_t *kid, enum jose algorithm)
{
    bool kind = (public_key_kind(key->key) == KEY_RSA) == (algorithm != JOSE_ES256);
    bool same = !kid || (key->kid && json_is_string(kid) && strcmp(json_string_value(kid), key->kid) == 0);
    return kind && same && (!key->bound || key->algorithm == algorithm);
}

/* Exactly one key is meant. */
static enum err key_find(const struct jwk_set *keys, const json_t *header, enum jose algorithm,
                         const struct jwk **ret, struct why *why)
{
    const json_t *kid = json_object_get(header, "kid");
    size_t count = 0;
    if (kid && !json_is_string(kid))
        return fail(why, ERR_SIGN_IN, "its kid is no string");
    for (size_t i = 0; i < keys->count; i++) {
        if (fits(&keys->keys[i], kid, algorithm) && count++ == 0)
            *ret = &keys->keys[i];
    }
    if (count == 0)
        return fail(why, ERR_NOT_FOUND, "the provider has no key of this id for this algorithm");
    return count == 1 ? OK : fail(why, ERR_SIGN_IN, "%zu keys of the provider could be meant", count);
}

static enum err signature_check(const struct parts *parts, const struct jwk_set *keys, struct why *why)
{
    enum jose algorithm;
    const struct jwk *key = NULL;
    struct why inner = { 0 };
    TRY(header_judge(parts->header, &algorithm, why));
    TRY(key_find(keys, parts->header, algorithm, &key, why));
    if (jose_verify(key->key, algorithm, parts->signed_text, buf_bytes(&parts->signature), &inner) != OK &&
        !FAULT(id_token_signature))
        return fail(why, ERR_SIGN_IN, "its signature: %s", inner.text);
    return OK;
}

/* --- what it says --- */

static bool is_text(const json_t *member, const char *wanted)
{
    return json_is_string(member) && json_string_length(member) == strlen(wanted) &&
           secret_equal(bytes_str(json_string_value(member)), bytes_str(wanted));
}

static bool audience_has(const json_t *audience, const char *client, size_t *ret_count)
{
    size_t index;
    json_t *each;
    bool has = false;
    *ret_count = 1;
    if (!json_is_array(audience))
        return is_text(audience, client);
    *ret_count = json_array_size(audience);
    json_array_foreach(audience, index, each)
    {
        if (!json_is_string(each))
            return false;
        has = has || is_text(each, client);
    }
    return has;
}

/* For us, and when for others, too, then given to us (OpenID Connect Core 1.0, 3.1.3.7, 3 to 5). */
static enum err audience_judge(const json_t *claims, const char *client, struct why *why)
{
    const json_t *party = json_object_get(claims, "azp");
    size_t count;
    if (!audience_has(json_object_get(claims, "aud"), client, &count) && !FAULT(id_token_audience))
        return fail(why, ERR_SIGN_IN, "it is for somebody else (aud)");
    if (((party && !is_text(party, client)) || (!party && count > 1)) && !FAULT(id_token_party))
        return fail(why, ERR_SIGN_IN, "it was given to somebody else (azp)");
    return OK;
}

static enum err time_of(const json_t *claims, const char *name, int64_t *ret, struct why *why)
{
    const json_t *member = json_object_get(claims, name);
    double value = json_number_value(member);
    if (!json_is_number(member) || value < 0 || value > 253402300799.0) /* the year 9999 */
        return fail(why, ERR_SIGN_IN, "its %s is no time", name);
    *ret = (int64_t)value;
    return OK;
}

static enum err times_judge(const json_t *claims, int64_t now, struct why *why)
{
    int64_t expires, issued, from = 0;
    TRY(time_of(claims, "exp", &expires, why));
    TRY(time_of(claims, "iat", &issued, why));
    if (json_object_get(claims, "nbf"))
        TRY(time_of(claims, "nbf", &from, why));
    if (expires <= now - ID_TOKEN_SKEW_S && !FAULT(id_token_expired))
        return fail(why, ERR_SIGN_IN, "it is over since %llds", (long long)(now - expires));
    if (from > now + ID_TOKEN_SKEW_S && !FAULT(id_token_early))
        return fail(why, ERR_SIGN_IN, "it begins in %llds", (long long)(from - now));
    if ((issued > now + ID_TOKEN_SKEW_S || issued < now - ID_TOKEN_AGE_S) && !FAULT(id_token_age))
        return fail(why, ERR_SIGN_IN, "it was made %llds ago, limit %d", (long long)(now - issued),
                    ID_TOKEN_AGE_S);
    return OK;
}

static enum err claims_judge(const json_t *claims, const struct id_token_rules *rules, struct why *why)
{
    struct bytes subject = text_of(claims, "sub");
    if (!is_text(json_object_get(claims, "iss"), rules->issuer) && !FAULT(id_token_issuer))
        return fail(why, ERR_SIGN_IN, "it is of another issuer (iss)");
    TRY(audience_judge(claims, rules->client, why));
    TRY(times_judge(claims, rules->now, why));
    if (!is_text(json_object_get(claims, "nonce"), rules->nonce) && !FAULT(id_token_nonce))
        return fail(why, ERR_SIGN_IN, "it is of another sign-in (nonce)");
    if (subject.len == 0 || subject.len > SUBJECT_MOST)
        return fail(why, ERR_SIGN_IN, "it has no subject of 1 to %d octets (sub)", SUBJECT_MOST);
    return OK;
}

enum err id_token_judge(struct bytes token, const struct jwk_set *keys, const struct id_token_rules *rules,
                        json_t **ret_claims, struct why *why)
{
    AUTO_VAL(parts) parts = { 0 };
    TRY(parts_read(token, &parts, why));
    TRY(signature_check(&parts, keys, why));
    TRY(claims_judge(parts.claims, rules, why));
    *ret_claims = json_incref(parts.claims);
    return OK;
}
