/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/jwk.h"

#include "base/encode.h"

bool base64url_decode(struct bytes text, struct buf *ret)
{
    AUTO_BUF plain = { 0 };
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '+' || c == '/' || c == '=')
            return false;
        buf_append_byte(&plain, c == '-' ? '+' : c == '_' ? '/' : c);
    }
    return base64_decode(buf_bytes(&plain), false, ret);
}

void jwk_set_free(struct jwk_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->keys[i].kid);
        public_key_free(set->keys[i].key);
    }
    *set = (struct jwk_set){ 0 };
}

static struct bytes text_of(const json_t *jwk, const char *name)
{
    const json_t *member = json_object_get(jwk, name);
    return bytes_of(json_string_value(member), json_string_length(member));
}

static enum err octets_of(const json_t *jwk, const char *name, struct buf *ret, struct why *why)
{
    if (!base64url_decode(text_of(jwk, name), ret) || ret->len == 0)
        return fail(why, ERR_MALFORMED, "member %s of a key is no base64url", name);
    return OK;
}

static enum err rsa_read(const json_t *jwk, struct public_key **ret, struct why *why)
{
    AUTO_BUF n = { 0 }, e = { 0 };
    TRY(octets_of(jwk, "n", &n, why));
    TRY(octets_of(jwk, "e", &e, why));
    return jose_rsa_key(buf_bytes(&n), buf_bytes(&e), ret, why);
}

static enum err p256_read(const json_t *jwk, struct public_key **ret, struct why *why)
{
    AUTO_BUF x = { 0 }, y = { 0 };
    TRY(octets_of(jwk, "x", &x, why));
    TRY(octets_of(jwk, "y", &y, why));
    return jose_p256_key(buf_bytes(&x), buf_bytes(&y), ret, why);
}

static enum err jwk_read(const json_t *jwk, struct jwk *ret, struct why *why)
{
    struct bytes type = text_of(jwk, "kty"), use = text_of(jwk, "use"), algorithm = text_of(jwk, "alg");
    bool rsa = bytes_equal(type, BYTES_LIT("RSA"));
    bool p256 = bytes_equal(type, BYTES_LIT("EC")) && bytes_equal(text_of(jwk, "crv"), BYTES_LIT("P-256"));
    bool other_use = use.len && !bytes_equal(use, BYTES_LIT("sig"));
    ret->bound = algorithm.len > 0;
    if ((!rsa && !p256) || other_use || (ret->bound && !jose_by_name(algorithm, &ret->algorithm)))
        return OK;
    return rsa ? rsa_read(jwk, &ret->key, why) : p256_read(jwk, &ret->key, why);
}

static enum err keys_read(const json_t *keys, struct jwk_set *set, struct why *why)
{
    size_t index;
    json_t *jwk;
    if (!json_is_array(keys) || json_array_size(keys) > LIMIT_JWKS)
        return fail(why, ERR_MALFORMED, "the key set has no array keys of at most %d", LIMIT_JWKS);
    json_array_foreach(keys, index, jwk)
    {
        struct jwk one = { 0 };
        TRY(jwk_read(jwk, &one, why));
        if (!one.key)
            continue;
        struct bytes kid = text_of(jwk, "kid");
        one.kid = kid.len ? xstrndup((const char *)kid.data, kid.len) : NULL;
        set->keys[set->count++] = one;
    }
    return OK;
}

enum err jwk_set_read(struct bytes text, struct jwk_set *ret, struct why *why)
{
    AUTO_JSON json = NULL;
    AUTO_VAL(jwk_set) set = { 0 };
    TRY(json_text_read(text, LIMIT_JWKS_BYTES, &json, why));
    TRY(keys_read(json_object_get(json, "keys"), &set, why));
    *ret = set;
    set = (struct jwk_set){ 0 };
    return OK;
}
