/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys: a strict SubjectPublicKeyInfo reader straight into EVP_PKEY_fromdata, and what is done with
 * them. */
#include "x509/key_internal.h"

#include "base/fault.h"
#include "base/limits.h"
#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

_Static_assert(RSA_MAX_BYTES * 8 == LIMIT_RSA_BITS_MAX, "one limit for RSA moduli");
/* e is 65537 in practice; 64 bits is what libcrypto itself allows above 3072 bits. */
#define RSA_EXPONENT_MAX_BYTES 8

void pkey_free(struct pkey *pkey)
{
    EVP_PKEY_free(pkey->handle);
    pkey->handle = NULL;
}

void pkey_ctx_free(struct pkey_ctx *ctx)
{
    EVP_PKEY_CTX_free(ctx->handle);
    ctx->handle = NULL;
}

struct pkey_ctx pkey_ctx_take(struct ready *ready, EVP_PKEY *pkey, int (*begin)(EVP_PKEY_CTX *ctx))
{
    struct pkey_ctx ctx = { ready_take(ready) };
    if (ctx.handle)
        return ctx;
    ctx.handle = EVP_PKEY_CTX_new(pkey, NULL);
    if (ctx.handle && begin(ctx.handle) != 1)
        pkey_ctx_free(&ctx);
    return ctx;
}

void pkey_ctx_give(struct ready *ready, struct pkey_ctx *ctx)
{
    if (ready_give(ready, ctx->handle))
        ctx->handle = NULL;
    else
        pkey_ctx_free(ctx);
}

void pkey_ctx_drop(struct ready *ready)
{
    EVP_PKEY_CTX *ctx;
    while ((ctx = ready_take(ready)))
        EVP_PKEY_CTX_free(ctx);
}

bool crypto_was_short_of_memory(void)
{
    bool was = false;
    for (unsigned long code = ERR_get_error(); code; code = ERR_get_error())
        was |= ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
    return was;
}

enum err crypto_failed(struct why *why, enum err err, const char *what)
{
    /* Nobody is refused, and nothing called malformed, because memory was short. */
    if (crypto_was_short_of_memory())
        return fail(why, ERR_NO_MEMORY, "%s: out of memory", what);
    return fail(why, err, "%s", what);
}

void native_from_magnitude(uint8_t *ret, struct bytes magnitude)
{
    for (size_t i = 0; i < magnitude.len; i++)
        ret[i] = magnitude.data[magnitude.len - 1 - i];
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "native_from_magnitude is for little-endian machines");

static const struct curve curves[] = {
    { KEY_EC_P256, OID_P256, "P-256", 256, 32 },
    { KEY_EC_P384, OID_P384, "P-384", 384, 48 },
    { KEY_EC_P521, OID_P521, "P-521", 521, 66 },
};
#define CURVES (sizeof(curves) / sizeof(*curves))

const struct curve *curve_by_kind(enum key_kind kind)
{
    for (size_t i = 0; i < CURVES; i++) {
        if (curves[i].kind == kind)
            return &curves[i];
    }
    return NULL;
}

const struct curve *curve_by_oid(struct bytes oid_content)
{
    for (size_t i = 0; i < CURVES; i++) {
        if (oid_is(oid_content, curves[i].oid))
            return &curves[i];
    }
    return NULL;
}

void public_key_free(struct public_key *key)
{
    if (!key)
        return;
    pkey_ctx_drop(&key->verifying);
    EVP_PKEY_free(key->pkey);
    buf_free(&key->spki);
    free(key);
}

/* The kind of key that is read all day long. */
static struct pkey_ctx import_take(struct ready *ready, const char *type)
{
    struct pkey_ctx ctx = { ready_take(ready) };
    if (ctx.handle)
        return ctx;
    ctx.handle = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (ctx.handle && EVP_PKEY_fromdata_init(ctx.handle) != 1)
        pkey_ctx_free(&ctx);
    return ctx;
}

static bool make_once(const char *type, OSSL_PARAM *params, EVP_PKEY **ret)
{
    static struct ready rsa = READY_NONE, ec = READY_NONE;
    struct ready *ready = strcmp(type, "RSA") == 0 ? &rsa : &ec;
    AUTO_VAL(pkey_ctx) ctx = import_take(ready, type);
    if (!ctx.handle || EVP_PKEY_fromdata(ctx.handle, ret, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return false;
    pkey_ctx_give(ready, &ctx);
    return true;
}

/* libcrypto does not always say that it was short of memory. What condemns a device's key, or its signature, has to be
   found twice. */
static bool make_pkey(const char *type, OSSL_PARAM *params, EVP_PKEY **ret)
{
    return make_once(type, params, ret) || make_once(type, params, ret);
}

static int magnitude_bits(struct bytes magnitude)
{
    int bits = (int)(magnitude.len - 1) * 8;
    for (unsigned top = magnitude.data[0]; top; top >>= 1)
        bits++;
    return bits;
}

/* Sizes first: what passes here costs a bounded time in every later step (CVE-2023-6237). */
static enum err check_rsa(struct public_key *key, struct why *why)
{
    if (key->modulus.len > RSA_MAX_BYTES)
        return fail(why, ERR_WEAK_KEY, "RSA modulus of %zu octets, limit %d", key->modulus.len,
                    RSA_MAX_BYTES);
    key->bits = magnitude_bits(key->modulus);
    if (!FAULT(rsa_1024) && key->bits < 1024)
        return fail(why, ERR_WEAK_KEY, "RSA modulus of %d bits, at least 1024", key->bits);
    if (!FAULT(rsa_even) && !(key->modulus.data[key->modulus.len - 1] & 1))
        return fail(why, ERR_WEAK_KEY, "RSA modulus is even");
    if (key->exponent.len > RSA_EXPONENT_MAX_BYTES)
        return fail(why, ERR_WEAK_KEY, "RSA exponent of %zu octets, limit %d", key->exponent.len,
                    RSA_EXPONENT_MAX_BYTES);
    bool odd = key->exponent.data[key->exponent.len - 1] & 1;
    if (!odd || (key->exponent.len == 1 && key->exponent.data[0] < 3))
        return fail(why, ERR_WEAK_KEY, "RSA exponent is even or less than 3");
    return OK;
}

static enum err load_rsa(struct public_key *key, struct der_reader parameters, struct bytes bits,
                         struct why *why)
{
    struct der_reader in = der_reader_over(bits), fields;
    if (!der_get_null(&parameters) || !der_at_end(&parameters))
        return fail(why, ERR_MALFORMED,
                    "rsaEncryption wants NULL parameters in a public key (RFC 3279 2.3.1)");
    if (!der_get_sequence(&in, &fields) || !der_at_end(&in) ||
        !der_get_unsigned_bytes(&fields, &key->modulus) || !der_get_unsigned_bytes(&fields, &key->exponent) ||
        !der_at_end(&fields))
        return fail(why, ERR_MALFORMED, "RSAPublicKey malformed (RFC 8017 A.1.1)");
    TRY(check_rsa(key, why));
    uint8_t modulus[RSA_MAX_BYTES], exponent[RSA_EXPONENT_MAX_BYTES];
    native_from_magnitude(modulus, key->modulus);
    native_from_magnitude(exponent, key->exponent);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus, key->modulus.len),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent, key->exponent.len),
        OSSL_PARAM_construct_end(),
    };
    if (!make_pkey("RSA", params, &key->pkey))
        return crypto_failed(why, ERR_MALFORMED, "RSA key refused by libcrypto");
    return OK;
}

static enum err load_ec(struct public_key *key, struct der_reader parameters, struct bytes bits,
                        struct why *why)
{
    struct bytes oid;
    if (!der_get_oid(&parameters, &oid) || !der_at_end(&parameters))
        return fail(why, ERR_MALFORMED, "EC key without a named curve (RFC 5480 2.1.1)");
    const struct curve *curve = curve_by_oid(oid);
    if (!curve) {
        AUTO_BUF dotted = { 0 };
        oid_append_dotted(&dotted, oid);
        return fail(why, ERR_WEAK_KEY, "EC curve %s, allowed are P-256, P-384 and P-521", buf_text(&dotted));
    }
    key->kind = curve->kind;
    key->bits = curve->bits;
    /* Uncompressed only (RFC 5480 2.2); the point at infinity is one octet and so has no place here. */
    if (bits.len != 1 + 2 * curve->coordinate || (!FAULT(ec_point_form) && bits.data[0] != 4))
        return fail(why, ERR_MALFORMED, "EC point of %zu octets, wanted uncompressed with %zu", bits.len,
                    1 + 2 * curve->coordinate);
    uint8_t point[1 + 2 * CURVE_MAX_COORDINATE];
    memcpy(point, bits.data, bits.len);
    char group[8];
    snprintf(group, sizeof(group), "%s", curve->group);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, bits.len),
        OSSL_PARAM_construct_end(),
    };
    if (!make_pkey("EC", params, &key->pkey)) /* libcrypto checks that the point is on the curve */
        return crypto_failed(why, ERR_MALFORMED, "EC point is not on its curve");
    return OK;
}

static bool open_spki(struct bytes spki, struct der_reader *ret_algorithm, struct bytes *ret_bits)
{
    struct der_reader in = der_reader_over(spki), fields;
    return der_get_sequence(&in, &fields) && der_at_end(&in) && der_get_sequence(&fields, ret_algorithm) &&
           der_get_bits(&fields, ret_bits) && der_at_end(&fields);
}

enum err public_key_parse(struct bytes spki, struct public_key **ret, struct why *why)
{
    if (spki.len > LIMIT_CERT_BYTES)
        return fail(why, ERR_WEAK_KEY, "SubjectPublicKeyInfo of %zu octets, limit %d", spki.len,
                    LIMIT_CERT_BYTES);
    AUTO(public_key) key = xcalloc(1, sizeof(*key));
    pthread_mutex_init(&key->verifying.lock, NULL);
    key->spki = buf_dup(spki);
    struct der_reader algorithm;
    struct bytes bits, oid;
    if (!open_spki(buf_bytes(&key->spki), &algorithm, &bits) || !der_get_oid(&algorithm, &oid))
        return fail(why, ERR_MALFORMED, "SubjectPublicKeyInfo malformed (RFC 5280 4.1.2.7)");
    if (oid_is(oid, OID_RSA_ENCRYPTION)) {
        key->kind = KEY_RSA;
        TRY(load_rsa(key, algorithm, bits, why));
    } else if (oid_is(oid, OID_EC_PUBLIC_KEY)) {
        TRY(load_ec(key, algorithm, bits, why));
    } else {
        AUTO_BUF dotted = { 0 };
        oid_append_dotted(&dotted, oid);
        return fail(why, ERR_BAD_ALG, "public key of type %s, allowed are RSA and EC", buf_text(&dotted));
    }
    *ret = TAKE(key);
    return OK;
}

enum key_kind public_key_kind(const struct public_key *key)
{
    return key->kind;
}

int public_key_bits(const struct public_key *key)
{
    return key->bits;
}

struct bytes public_key_spki(const struct public_key *key)
{
    return buf_bytes(&key->spki);
}

bool spki_key_octets(struct bytes spki, struct bytes *ret)
{
    struct der_reader algorithm;
    return open_spki(spki, &algorithm, ret);
}

enum err spki_key_identifier(struct bytes spki, uint8_t ret[static 20], struct why *why)
{
    struct bytes bits;
    if (!spki_key_octets(spki, &bits))
        return fail(why, ERR_MALFORMED, "SubjectPublicKeyInfo malformed (RFC 5280 4.1.2.7)");
    return digest_compute(DIGEST_SHA1, bits, ret, why);
}

static enum err verify_once(const struct public_key *key, enum digest digest, const uint8_t *hash,
                            struct bytes signature, bool *ret_good, struct why *why)
{
    struct ready *ready =
        &((struct public_key *)key)->verifying; /* what is kept there is no part of the key */
    AUTO_VAL(pkey_ctx) ctx = pkey_ctx_take(ready, key->pkey, EVP_PKEY_verify_init);
    if (!ctx.handle ||
        (key->kind == KEY_RSA && EVP_PKEY_CTX_set_rsa_padding(ctx.handle, RSA_PKCS1_PADDING) != 1) ||
        EVP_PKEY_CTX_set_signature_md(ctx.handle, digest_evp(digest)) != 1)
        return crypto_failed(why, ERR_INTERNAL, "libcrypto cannot verify signatures");
    *ret_good = EVP_PKEY_verify(ctx.handle, signature.data, signature.len, hash, digest_size(digest)) == 1;
    if (*ret_good)
        pkey_ctx_give(ready, &ctx);
    return OK;
}

enum err public_key_verify(const struct public_key *key, struct signature_algorithm algorithm,
                           struct bytes data, struct bytes signature, struct why *why)
{
    if (algorithm.rsa != (key->kind == KEY_RSA))
        return fail(why, ERR_BAD_ALG, "%s signature by a key of type %s", algorithm.rsa ? "RSA" : "ECDSA",
                    key_kind_name(key->kind));
    if (key->kind == KEY_RSA && signature.len != key->modulus.len)
        return fail(why, ERR_BAD_MESSAGE_CHECK, "RSA signature of %zu octets, the key has %zu", signature.len,
                    key->modulus.len);
    uint8_t hash[DIGEST_MAX_BYTES];
    TRY(digest_compute(algorithm.digest, data, hash, why));
    ERR_clear_error();
    bool good = false;
    TRY(verify_once(key, algorithm.digest, hash, signature, &good, why));
    if (!good)
        TRY(verify_once(key, algorithm.digest, hash, signature, &good, why));
    return good || FAULT(signature_verified)
               ? OK
               : crypto_failed(why, ERR_BAD_MESSAGE_CHECK, "signature does not verify");
}

enum err public_key_verify_pss(const struct public_key *key, enum digest digest, struct bytes data,
                               struct bytes signature, struct why *why)
{
    uint8_t hash[DIGEST_MAX_BYTES];
    if (key->kind != KEY_RSA)
        return fail(why, ERR_BAD_ALG, "RSASSA-PSS signature by a key of type %s", key_kind_name(key->kind));
    TRY(digest_compute(digest, data, hash, why));
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
    bool ready = ctx && EVP_PKEY_verify_init(ctx) == 1 &&
                 EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                 EVP_PKEY_CTX_set_signature_md(ctx, digest_evp(digest)) == 1 &&
                 EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    bool good = ready && EVP_PKEY_verify(ctx, signature.data, signature.len, hash, digest_size(digest)) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (!ready)
        return crypto_failed(why, ERR_INTERNAL, "libcrypto cannot verify signatures");
    return good ? OK : crypto_failed(why, ERR_BAD_MESSAGE_CHECK, "signature does not verify");
}

static bool set_transport(EVP_PKEY_CTX *ctx, enum transport transport, const struct oaep *oaep)
{
    if (transport == TRANSPORT_PKCS1_V15)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(ctx, digest_evp(oaep->digest)) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, digest_evp(oaep->mgf_digest)) == 1;
}

enum err public_key_encrypt(const struct public_key *key, enum transport transport, const struct oaep *oaep,
                            struct bytes plain, struct buf *ret, struct why *why)
{
    assert(transport == TRANSPORT_PKCS1_V15 || oaep);
    if (key->kind != KEY_RSA)
        return fail(why, ERR_BAD_ALG, "key transport to a key of type %s, only RSA can",
                    key_kind_name(key->kind));
    /* RFC 8017 7.1.1 and 7.2.1 */
    size_t overhead = transport == TRANSPORT_OAEP ? 2 * digest_size(oaep->digest) + 2 : 11;
    if (key->modulus.len < overhead || plain.len > key->modulus.len - overhead)
        return fail(why, ERR_BAD_ALG, "%zu octets do not fit a %d bit RSA key with this padding", plain.len,
                    key->bits);
    AUTO_VAL(pkey_ctx) ctx = { EVP_PKEY_CTX_new(key->pkey, NULL) };
    AUTO_BUF sealed = { 0 };
    buf_reserve(&sealed, key->modulus.len);
    sealed.len = key->modulus.len;
    if (!ctx.handle || EVP_PKEY_encrypt_init(ctx.handle) != 1 ||
        !set_transport(ctx.handle, transport, oaep) ||
        EVP_PKEY_encrypt(ctx.handle, sealed.data, &sealed.len, plain.data, plain.len) != 1)
        return crypto_failed(why, ERR_INTERNAL, "RSA encryption failed in libcrypto");
    *ret = TAKE_BUF(sealed);
    return OK;
}
