/* SPDX-License-Identifier: Apache-2.0 */
/* PrivateKeyInfo (RFC 5208 5) with RSAPrivateKey (RFC 8017 A.1.2) or ECPrivateKey (RFC 5915): read and
   written here and not by libcrypto's decoders, which leave copies of the plain text in freed memory. */
#include "x509/key_internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

static const char *const rsa_names[] = {
    OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
    OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
    OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};
#define RSA_NUMBERS (sizeof(rsa_names) / sizeof(*rsa_names))

static bool make_pair(const char *type, OSSL_PARAM *params, struct pkey *ret)
{
    AUTO_VAL(pkey_ctx) ctx = { EVP_PKEY_CTX_new_from_name(NULL, type, NULL) };
    EVP_PKEY *made = NULL;
    if (!ctx.handle || EVP_PKEY_fromdata_init(ctx.handle) != 1)
        return false;
    secret_heap_keep();
    bool done = EVP_PKEY_fromdata(ctx.handle, &made, EVP_PKEY_KEYPAIR, params) == 1;
    secret_heap_keep_end();
    ret->handle = made;
    return done;
}

static bool get_rsa(struct bytes der, struct bytes numbers[RSA_NUMBERS], size_t *ret_total)
{
    struct der_reader in = der_reader_over(der), fields;
    int64_t version;
    if (!der_get_sequence(&in, &fields) || !der_at_end(&in) || !der_get_int64(&fields, &version) ||
        version != 0)
        return false;
    size_t total = 0;
    for (size_t i = 0; i < RSA_NUMBERS; i++) {
        if (!der_get_unsigned_bytes(&fields, &numbers[i]) || numbers[i].len > RSA_MAX_BYTES)
            return false;
        total += numbers[i].len;
    }
    *ret_total = total;
    return der_at_end(&fields);
}

static bool load_rsa(struct der_reader parameters, struct bytes der, struct pkey *ret)
{
    struct bytes numbers[RSA_NUMBERS];
    size_t total;
    if (!der_get_null(&parameters) || !der_at_end(&parameters) || !get_rsa(der, numbers, &total))
        return false;
    AUTO_VAL(secret) native = secret_new(total);
    OSSL_PARAM params[RSA_NUMBERS + 1];
    uint8_t *at = native.data;
    for (size_t i = 0; i < RSA_NUMBERS; i++) {
        native_from_magnitude(at, numbers[i]);
        params[i] = OSSL_PARAM_construct_BN(rsa_names[i], at, numbers[i].len);
        at += numbers[i].len;
    }
    params[RSA_NUMBERS] = OSSL_PARAM_construct_end();
    return make_pair("RSA", params, ret);
}

struct ec_private {
    struct bytes scalar, point;
};

/* ECPrivateKey; the curve is the outer AlgorithmIdentifier's, and a second one must be the same. */
static bool get_ec(struct bytes der, const struct curve *curve, struct ec_private *ret)
{
    struct der_reader in = der_reader_over(der), fields, inside;
    struct bytes oid;
    int64_t version;
    if (!der_get_sequence(&in, &fields) || !der_at_end(&in) || !der_get_int64(&fields, &version) ||
        version != 1 || !der_get_octets(&fields, &ret->scalar) || ret->scalar.len != curve->coordinate)
        return false;
    if (der_next_is(&fields, DER_CONTEXT_CONSTRUCTED(0)) &&
        (!der_get_constructed(&fields, DER_CONTEXT_CONSTRUCTED(0), &inside) || !der_get_oid(&inside, &oid) ||
         !der_at_end(&inside) || !oid_is(oid, curve->oid)))
        return false;
    return der_get_constructed(&fields, DER_CONTEXT_CONSTRUCTED(1), &inside) && der_at_end(&fields) &&
           der_get_bits(&inside, &ret->point) && der_at_end(&inside) &&
           ret->point.len == 1 + 2 * curve->coordinate && ret->point.data[0] == 4;
}

static bool load_ec(struct der_reader parameters, struct bytes der, struct pkey *ret)
{
    struct bytes oid;
    if (!der_get_oid(&parameters, &oid) || !der_at_end(&parameters))
        return false;
    const struct curve *curve = curve_by_oid(oid);
    struct ec_private parts;
    if (!curve || !get_ec(der, curve, &parts))
        return false;
    AUTO_VAL(secret) native = secret_new(parts.scalar.len);
    native_from_magnitude(native.data, parts.scalar);
    uint8_t point[1 + 2 * CURVE_MAX_COORDINATE];
    memcpy(point, parts.point.data, parts.point.len);
    char group[8];
    snprintf(group, sizeof(group), "%s", curve->group);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, parts.point.len),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native.data, native.len),
        OSSL_PARAM_construct_end(),
    };
    return make_pair("EC", params, ret);
}

enum err key_info_parse(struct bytes info, struct pkey *ret, struct why *why)
{
    struct der_reader in = der_reader_over(info), fields, algorithm;
    struct bytes oid, key, attributes;
    int64_t version;
    bool read = der_get_sequence(&in, &fields) && der_at_end(&in) && der_get_int64(&fields, &version) &&
                version == 0 && der_get_sequence(&fields, &algorithm) && der_get_oid(&algorithm, &oid) &&
                der_get_octets(&fields, &key);
    if (read && der_next_is(&fields, DER_CONTEXT_CONSTRUCTED(0)))
        read =
            der_get(&fields, DER_CONTEXT_CONSTRUCTED(0), &attributes); /* Windows notes the provider here */
    if (!read || !der_at_end(&fields))
        return fail(why, ERR_KEY, PKCS8_WRONG_SECRET);
    bool loaded = (oid_is(oid, OID_RSA_ENCRYPTION) && load_rsa(algorithm, key, ret)) ||
                  (oid_is(oid, OID_EC_PUBLIC_KEY) && load_ec(algorithm, key, ret));
    return loaded ? OK : crypto_failed(why, ERR_KEY, "not an RSA key, nor one on P-256, P-384 or P-521");
}

/* A number of the key as an INTEGER. */
static bool put_number(struct buf *out, EVP_PKEY *pkey, const char *name)
{
    BIGNUM *number = BN_secure_new();
    bool done =
        number && EVP_PKEY_get_bn_param(pkey, name, &number) == 1 && BN_num_bytes(number) <= RSA_MAX_BYTES;
    if (done) {
        AUTO_VAL(secret) octets = secret_new(RSA_MAX_BYTES);
        octets.len = (size_t)BN_bn2bin(number, octets.data);
        der_put_unsigned_bytes(out, secret_bytes(&octets));
        octets.len = RSA_MAX_BYTES; /* wiped as a whole */
    }
    BN_clear_free(number);
    return done;
}

static bool put_rsa_private(struct buf *out, EVP_PKEY *pkey)
{
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_int64(out, 0);
    bool done = true;
    for (size_t i = 0; done && i < RSA_NUMBERS; i++)
        done = put_number(out, pkey, rsa_names[i]);
    der_end(out, mark);
    return done;
}

static const struct curve *curve_of(EVP_PKEY *pkey)
{
    int bits = EVP_PKEY_get_bits(pkey);
    return curve_by_kind(bits == 256 ? KEY_EC_P256 : bits == 384 ? KEY_EC_P384 : KEY_EC_P521);
}

static bool put_point(struct buf *out, EVP_PKEY *pkey, size_t coordinate)
{
    uint8_t point[1 + 2 * CURVE_MAX_COORDINATE];
    size_t len;
    if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len) != 1 ||
        len != 1 + 2 * coordinate || point[0] != 4)
        return false;
    der_put_bits(out, bytes_of(point, len));
    return true;
}

static bool put_ec_private(struct buf *out, EVP_PKEY *pkey, const struct curve *curve)
{
    BIGNUM *scalar = BN_secure_new();
    AUTO_VAL(secret) octets = secret_new(curve->coordinate);
    bool done = scalar && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1 &&
                BN_bn2binpad(scalar, octets.data, (int)octets.len) == (int)octets.len;
    BN_clear_free(scalar);
    if (!done)
        return false;
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_int64(out, 1);
    der_put_octets(out, secret_bytes(&octets));
    size_t point = der_begin(out, DER_CONTEXT_CONSTRUCTED(1));
    done = put_point(out, pkey, curve->coordinate);
    der_end(out, point);
    der_end(out, mark);
    return done;
}

static void put_algorithm(struct buf *out, const struct curve *curve)
{
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(curve ? OID_EC_PUBLIC_KEY : OID_RSA_ENCRYPTION));
    if (curve)
        der_put_oid(out, oid_bytes(curve->oid));
    else
        der_put_null(out);
    der_end(out, mark);
}

enum err key_info_build(EVP_PKEY *pkey, struct buf *ret_info, struct why *why)
{
    const struct curve *curve = EVP_PKEY_is_a(pkey, "RSA") ? NULL : curve_of(pkey);
    AUTO_WIPE info = { 0 };
    buf_reserve(&info, 8192); /* so that growing moves nothing */
    size_t mark = der_begin(&info, DER_SEQUENCE);
    der_put_int64(&info, 0);
    put_algorithm(&info, curve);
    size_t key = der_begin(&info, DER_OCTET_STRING);
    bool done = curve ? put_ec_private(&info, pkey, curve) : put_rsa_private(&info, pkey);
    der_end(&info, key);
    der_end(&info, mark);
    if (!done)
        return crypto_failed(why, ERR_KEY, "libcrypto does not give the key's numbers");
    *ret_info = TAKE_BUF(info);
    return OK;
}

enum err spki_build(EVP_PKEY *pkey, struct buf *ret_spki, struct why *why)
{
    const struct curve *curve = EVP_PKEY_is_a(pkey, "RSA") ? NULL : curve_of(pkey);
    AUTO_BUF bits = { 0 };
    bool done = true;
    if (curve) {
        done = put_point(&bits, pkey, curve->coordinate);
    } else {
        AUTO_BUF numbers = { 0 };
        size_t mark = der_begin(&numbers, DER_SEQUENCE);
        done = put_number(&numbers, pkey, OSSL_PKEY_PARAM_RSA_N) &&
               put_number(&numbers, pkey, OSSL_PKEY_PARAM_RSA_E);
        der_end(&numbers, mark);
        der_put_bits(&bits, buf_bytes(&numbers));
    }
    if (!done)
        return crypto_failed(why, ERR_KEY, "libcrypto does not give the public key");
    AUTO_BUF spki = { 0 };
    size_t mark = der_begin(&spki, DER_SEQUENCE);
    put_algorithm(&spki, curve);
    der_put_raw(&spki, buf_bytes(&bits));
    der_end(&spki, mark);
    *ret_spki = TAKE_BUF(spki);
    return OK;
}
