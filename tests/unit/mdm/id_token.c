/* SPDX-License-Identifier: Apache-2.0 */
/* ID tokens: the ones that count, and more than forty that do not (spec security.md E1). */
#include "mdm/id_token.h"
#include "base/auto.h"
#include "base/encode.h"
#include "tests/unit/test.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#define NOW    1790000000
#define ISSUER "https://id.example.org/realm"
#define CLIENT "chancery"
#define NONCE  "n-0S6_WzA2Mj"

static EVP_PKEY *rsa, *other_rsa, *ec;
static struct jwk_set keys;

/* --- making them --- */

static void url64(struct buf *out, struct bytes in)
{
    AUTO_BUF plain = { 0 };
    base64_append(&plain, in);
    for (size_t i = 0; i < plain.len && plain.data[i] != '='; i++)
        buf_append_byte(out, plain.data[i] == '+' ? '-' : plain.data[i] == '/' ? '_' : plain.data[i]);
}

static void number64(struct buf *out, const EVP_PKEY *key, const char *name)
{
    BIGNUM *number = NULL;
    uint8_t raw[512];
    assert_int_equal(1, EVP_PKEY_get_bn_param(key, name, &number));
    int len = *name == 'q' ? 32 : BN_num_bytes(number);
    assert_true(BN_bn2binpad(number, raw, len) == len);
    url64(out, bytes_of(raw, (size_t)len));
    BN_free(number);
}

static char *rsa_jwk(const EVP_PKEY *key, const char *kid)
{
    AUTO_BUF n = { 0 }, e = { 0 };
    number64(&n, key, "n");
    number64(&e, key, "e");
    return xasprintf("{\"kty\":\"RSA\",\"kid\":\"%s\",\"use\":\"sig\",\"n\":\"%s\",\"e\":\"%s\"}", kid,
                     buf_text(&n), buf_text(&e));
}

static char *ec_jwk(const EVP_PKEY *key, const char *kid)
{
    AUTO_BUF x = { 0 }, y = { 0 };
    number64(&x, key, "qx");
    number64(&y, key, "qy");
    return xasprintf(
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%s\",\"alg\":\"ES256\",\"x\":\"%s\",\"y\":\"%s\"}", kid,
        buf_text(&x), buf_text(&y));
}

static void evp_sign(EVP_PKEY *key, bool pss, int salt, struct bytes data, struct buf *ret)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *inner;
    uint8_t signature[512];
    size_t len = sizeof(signature);
    assert_int_equal(1, EVP_DigestSignInit(ctx, &inner, EVP_sha256(), NULL, key));
    if (pss) {
        assert_true(EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING) == 1);
        assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, salt) == 1);
    }
    assert_int_equal(1, EVP_DigestSign(ctx, signature, &len, data.data, data.len));
    buf_append(ret, bytes_of(signature, len));
    EVP_MD_CTX_free(ctx);
}

/* r and s behind each other. */
static void es256_sign(struct bytes data, struct buf *ret)
{
    AUTO_BUF der = { 0 };
    uint8_t raw[64];
    evp_sign(ec, false, 0, data, &der);
    const uint8_t *at = der.data;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + 32, 32);
    buf_append(ret, BYTES_ARR(raw));
    ECDSA_SIG_free(pair);
}

/* With the text of the public key as a shared secret: what a verifier that lets the token choose would take. */
static void hs256_sign(struct bytes data, struct buf *ret)
{
    AUTO_STR secret = rsa_jwk(rsa, "r1");
    uint8_t mac[32];
    unsigned len = sizeof(mac);
    HMAC(EVP_sha256(), secret, (int)strlen(secret), data.data, data.len, mac, &len);
    buf_append(ret, BYTES_ARR(mac));
}

enum by { BY_RS256, BY_PS256, BY_PS256_SALT0, BY_ES256, BY_ES256_DER, BY_OTHER, BY_HS256, BY_NONE };

static void sign_by(enum by by, struct bytes data, struct buf *ret)
{
    switch (by) {
    case BY_RS256:
        return evp_sign(rsa, false, 0, data, ret);
    case BY_PS256:
        return evp_sign(rsa, true, RSA_PSS_SALTLEN_DIGEST, data, ret);
    case BY_PS256_SALT0:
        return evp_sign(rsa, true, 0, data, ret);
    case BY_ES256:
        return es256_sign(data, ret);
    case BY_ES256_DER:
        return evp_sign(ec, false, 0, data, ret);
    case BY_OTHER:
        return evp_sign(other_rsa, false, 0, data, ret);
    case BY_HS256:
        return hs256_sign(data, ret);
    case BY_NONE:
        return;
    }
}

static char *token_of(const char *header, const char *claims, enum by by)
{
    AUTO_BUF text = { 0 }, signature = { 0 };
    url64(&text, bytes_str(header));
    buf_append_byte(&text, '.');
    url64(&text, bytes_str(claims));
    sign_by(by, buf_bytes(&text), &signature);
    buf_append_byte(&text, '.');
    url64(&text, buf_bytes(&signature));
    return xstrdup(buf_text(&text));
}

#define RS256  "{\"alg\":\"RS256\",\"kid\":\"r1\",\"typ\":\"JWT\"}"
#define TIMES  "\"exp\":1790000300,\"iat\":1790000000"
#define WHO    "\"iss\":\"" ISSUER "\",\"sub\":\"248289761001\""
#define FOR_US "\"aud\":\"" CLIENT "\""
#define ONCE   "\"nonce\":\"" NONCE "\""
#define CLAIMS "{" WHO "," FOR_US "," TIMES "," ONCE "}"

static enum err judged(const char *token, struct why *why)
{
    static const struct id_token_rules rules = { ISSUER, CLIENT, NONCE, NOW };
    AUTO_JSON claims = NULL;
    return id_token_judge(bytes_str(token), &keys, &rules, &claims, why);
}

/* --- tests --- */

TEST(a_token_that_is_signed_for_us_now_counts)
{
    static const struct {
        const char *header, *claims;
        enum by by;
    } good[] = {
        { RS256, CLAIMS, BY_RS256 },
        { "{\"alg\":\"PS256\",\"kid\":\"r1\"}", CLAIMS, BY_PS256 },
        { "{\"alg\":\"ES256\",\"kid\":\"e1\",\"typ\":\"jwt\",\"x5t\":\"abc\"}", CLAIMS, BY_ES256 },
        { "{\"alg\":\"ES256\"}", CLAIMS, BY_ES256 }, /* no kid, and one key that it can be */
        { RS256, "{" WHO ",\"aud\":[\"" CLIENT "\"]," TIMES "," ONCE "}", BY_RS256 },
        { RS256, "{" WHO ",\"aud\":[\"x\",\"" CLIENT "\"],\"azp\":\"" CLIENT "\"," TIMES "," ONCE "}",
          BY_RS256 },
        { RS256, "{" WHO "," FOR_US ",\"exp\":1789999941,\"iat\":1789999400,\"nbf\":1790000060," ONCE "}",
          BY_RS256 },
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        struct why why = { 0 };
        AUTO_STR token = token_of(good[i].header, good[i].claims, good[i].by);
        if (judged(token, &why) != OK)
            fail_msg("token %zu: %s", i, why.text);
    }
}

static const struct wrong {
    const char *header, *claims;
    enum by by;
    const char *says;
} wrong[] = {
    { "{\"alg\":\"none\"}", CLAIMS, BY_NONE, "no signature" },
    { "{\"alg\":\"none\",\"kid\":\"r1\"}", CLAIMS, BY_RS256, "algorithm" },
    { "{\"alg\":\"None\"}", CLAIMS, BY_RS256, "algorithm" },
    { "{\"alg\":\"HS256\",\"kid\":\"r1\"}", CLAIMS, BY_HS256, "algorithm" },
    { "{\"alg\":\"RS256\",\"kid\":\"r1\"}", CLAIMS, BY_HS256, "signature" },
    { "{\"alg\":\"RS512\",\"kid\":\"r1\"}", CLAIMS, BY_RS256, "algorithm" },
    { "{\"alg\":\"rs256\",\"kid\":\"r1\"}", CLAIMS, BY_RS256, "algorithm" },
    { "{\"alg\":[\"RS256\"],\"kid\":\"r1\"}", CLAIMS, BY_RS256, "algorithm" },
    { "{\"kid\":\"r1\"}", CLAIMS, BY_RS256, "algorithm" },
    { RS256, CLAIMS, BY_NONE, "no signature" },
    { RS256, CLAIMS, BY_OTHER, "signature" },
    { RS256, CLAIMS, BY_PS256, "signature" },
    { "{\"alg\":\"PS256\",\"kid\":\"r1\"}", CLAIMS, BY_RS256, "signature" },
    { "{\"alg\":\"PS256\",\"kid\":\"r1\"}", CLAIMS, BY_PS256_SALT0, "signature" },
    { "{\"alg\":\"ES256\",\"kid\":\"e1\"}", CLAIMS, BY_ES256_DER, "signature" },
    { "{\"alg\":\"RS256\",\"kid\":\"e1\"}", CLAIMS, BY_RS256, "no key of this id" },
    { "{\"alg\":\"ES256\",\"kid\":\"r1\"}", CLAIMS, BY_ES256, "no key of this id" },
    { "{\"alg\":\"RS256\",\"kid\":\"r9\"}", CLAIMS, BY_RS256, "no key of this id" },
    { "{\"alg\":\"RS256\",\"kid\":\"../../dev/null\"}", CLAIMS, BY_RS256, "no key of this id" },
    { "{\"alg\":\"RS256\",\"kid\":\"x' OR '1'='1\"}", CLAIMS, BY_RS256, "no key of this id" },
    { "{\"alg\":\"RS256\",\"kid\":1}", CLAIMS, BY_RS256, "kid" },
    { "{\"alg\":\"RS256\"}", CLAIMS, BY_RS256, "2 keys" },
    { "{\"alg\":\"RS256\",\"kid\":\"r1\",\"jku\":\"https://evil.example\"}", CLAIMS, BY_RS256, "jku" },
    { "{\"alg\":\"RS256\",\"kid\":\"r1\",\"jwk\":{}}", CLAIMS, BY_RS256, "jwk" },
    { "{\"alg\":\"RS256\",\"kid\":\"r1\",\"x5u\":\"https://evil.example\"}", CLAIMS, BY_RS256, "x5u" },
    { "{\"alg\":\"RS256\",\"kid\":\"r1\",\"x5c\":[]}", CLAIMS, BY_RS256, "x5c" },
    { "{\"alg\":\"RS256\",\"kid\":\"r1\",\"crit\":[\"exp\"]}", CLAIMS, BY_RS256, "crit" },
    { "{\"alg\":\"RS256\",\"kid\":\"r1\",\"b64\":false}", CLAIMS, BY_RS256, "b64" },
    { "{\"alg\":\"RS256\",\"kid\":\"r1\",\"typ\":\"at+jwt\"}", CLAIMS, BY_RS256, "type" },
    { "{\"alg\":\"RS256\",\"alg\":\"none\",\"kid\":\"r1\"}", CLAIMS, BY_RS256, "header" },
    { "[]", CLAIMS, BY_RS256, "no JSON object" },
    { RS256, "[]", BY_RS256, "no JSON object" },
    { RS256, CLAIMS "x", BY_RS256, "claims" },
    { RS256, "{" WHO "," FOR_US "," FOR_US "," TIMES "," ONCE "}", BY_RS256, "claims" },
    { RS256, "{\"iss\":\"https://id.example.org\",\"sub\":\"1\"," FOR_US "," TIMES "," ONCE "}", BY_RS256,
      "(iss)" },
    { RS256, "{\"iss\":\"" ISSUER "/\",\"sub\":\"1\"," FOR_US "," TIMES "," ONCE "}", BY_RS256, "(iss)" },
    { RS256, "{\"iss\":[\"" ISSUER "\"],\"sub\":\"1\"," FOR_US "," TIMES "," ONCE "}", BY_RS256, "(iss)" },
    { RS256, "{\"sub\":\"1\"," FOR_US "," TIMES "," ONCE "}", BY_RS256, "(iss)" },
    { RS256, "{" WHO ",\"aud\":\"other\"," TIMES "," ONCE "}", BY_RS256, "(aud)" },
    { RS256, "{" WHO ",\"aud\":[]," TIMES "," ONCE "}", BY_RS256, "(aud)" },
    { RS256, "{" WHO ",\"aud\":[\"" CLIENT "\",1]," TIMES "," ONCE "}", BY_RS256, "(aud)" },
    { RS256, "{" WHO "," TIMES "," ONCE "}", BY_RS256, "(aud)" },
    { RS256, "{" WHO ",\"aud\":[\"x\",\"" CLIENT "\"]," TIMES "," ONCE "}", BY_RS256, "(azp)" },
    { RS256, "{" WHO "," FOR_US ",\"azp\":\"other\"," TIMES "," ONCE "}", BY_RS256, "(azp)" },
    { RS256, "{" WHO "," FOR_US ",\"exp\":1789999940,\"iat\":1789999900," ONCE "}", BY_RS256, "over" },
    { RS256, "{" WHO "," FOR_US ",\"iat\":1790000000," ONCE "}", BY_RS256, "exp is no time" },
    { RS256, "{" WHO "," FOR_US ",\"exp\":\"1790000300\",\"iat\":1790000000," ONCE "}", BY_RS256,
      "exp is no time" },
    { RS256, "{" WHO "," FOR_US ",\"exp\":1e300,\"iat\":1790000000," ONCE "}", BY_RS256, "exp is no time" },
    { RS256, "{" WHO "," FOR_US ",\"exp\":1790000300," ONCE "}", BY_RS256, "iat is no time" },
    { RS256, "{" WHO "," FOR_US ",\"exp\":1790000300,\"iat\":1790000061," ONCE "}", BY_RS256, "was made" },
    { RS256, "{" WHO "," FOR_US ",\"exp\":1790000300,\"iat\":1789999399," ONCE "}", BY_RS256, "was made" },
    { RS256, "{" WHO "," FOR_US "," TIMES ",\"nbf\":1790000061," ONCE "}", BY_RS256, "begins" },
    { RS256, "{" WHO "," FOR_US "," TIMES ",\"nbf\":\"x\"," ONCE "}", BY_RS256, "nbf is no time" },
    { RS256, "{" WHO "," FOR_US "," TIMES "}", BY_RS256, "(nonce)" },
    { RS256, "{" WHO "," FOR_US "," TIMES ",\"nonce\":\"\"}", BY_RS256, "(nonce)" },
    { RS256, "{" WHO "," FOR_US "," TIMES ",\"nonce\":\"" NONCE "x\"}", BY_RS256, "(nonce)" },
    { RS256, "{\"iss\":\"" ISSUER "\"," FOR_US "," TIMES "," ONCE "}", BY_RS256, "(sub)" },
    { RS256, "{\"iss\":\"" ISSUER "\",\"sub\":\"\"," FOR_US "," TIMES "," ONCE "}", BY_RS256, "(sub)" },
    { RS256, "{\"iss\":\"" ISSUER "\",\"sub\":1," FOR_US "," TIMES "," ONCE "}", BY_RS256, "(sub)" },
};

TEST(of_all_the_tokens_that_are_wrong_in_one_thing_none_counts)
{
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct why why = { 0 };
        AUTO_STR token = token_of(wrong[i].header, wrong[i].claims, wrong[i].by);
        enum err err = judged(token, &why);
        if ((err != ERR_SIGN_IN && err != ERR_NOT_FOUND) || !strstr(why.text, wrong[i].says))
            fail_msg("token %zu, which is to say %s: %d %s", i, wrong[i].says, err, why.text);
    }
    assert_true(sizeof(wrong) / sizeof(*wrong) >= 40);
}

TEST(a_token_that_was_changed_on_the_way_does_not_count)
{
    AUTO_STR token = token_of(RS256, CLAIMS, BY_RS256);
    struct why why = { 0 };
    assert_int_equal(OK, judged(token, &why));
    for (size_t i = 0; token[i]; i++) {
        AUTO_STR changed = xstrdup(token);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        /* The last character of a part has bits that belong to nothing: they are zero, or it is no base64url. */
        assert_int_not_equal(OK, judged(changed, &why));
        changed[i] = '=';
        assert_int_not_equal(OK, judged(changed, &why));
        changed[i] = '\0';
        assert_int_not_equal(OK, judged(changed, &why));
    }
    AUTO_STR more = xasprintf("%s.", token);
    AUTO_STR before = xasprintf(" %s", token);
    AUTO_STR line = xasprintf("%s\n", token);
    assert_int_equal(ERR_SIGN_IN, judged(more, &why));
    assert_int_equal(ERR_SIGN_IN, judged(before, &why));
    assert_int_equal(ERR_SIGN_IN, judged(line, &why));
    assert_int_equal(ERR_SIGN_IN, judged("", &why));
    assert_int_equal(ERR_SIGN_IN, judged("..", &why));
}

TEST(a_key_set_has_keys_for_signatures_and_none_that_is_weak)
{
    static const char *const refused[] = {
        "{}",
        "[]",
        "{\"keys\":{}}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"+/==\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"AQAB\"}]}",
    };
    static const char others[] =
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"o\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
        "\"x\":\"AA\"},"
        "{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"x\"},{\"kty\":\"RSA\",\"alg\":\"RSA-OAEP\"}]}";
    struct jwk_set set = { 0 };
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        assert_int_not_equal(OK, jwk_set_read(bytes_str(refused[i]), &set, &why));
    ASSERT_OK(jwk_set_read(bytes_str(others), &set, &why), &why);
    assert_int_equal(0, set.count);
}

static int begin(void **state)
{
    (void)state;
    struct why why = { 0 };
    rsa = EVP_RSA_gen(2048);
    other_rsa = EVP_RSA_gen(2048);
    ec = EVP_EC_gen("P-256");
    AUTO_STR first = rsa_jwk(rsa, "r1");
    AUTO_STR second = rsa_jwk(other_rsa, "r2");
    AUTO_STR third = ec_jwk(ec, "e1");
    AUTO_STR set = xasprintf("{\"keys\":[%s,%s,%s]}", first, second, third);
    ASSERT_OK(jwk_set_read(bytes_str(set), &keys, &why), &why);
    assert_int_equal(3, keys.count);
    return 0;
}

static int end(void **state)
{
    (void)state;
    jwk_set_free(&keys);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(other_rsa);
    EVP_PKEY_free(ec);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { T(a_token_that_is_signed_for_us_now_counts),
                                        T(of_all_the_tokens_that_are_wrong_in_one_thing_none_counts),
                                        T(a_token_that_was_changed_on_the_way_does_not_count),
                                        T(a_key_set_has_keys_for_signatures_and_none_that_is_weak) };
    TEST_FILTER();
    return cmocka_run_group_tests(tests, begin, end);
}
