/* SPDX-License-Identifier: Apache-2.0 */
/* The algorithms Chancery takes part in, and their AlgorithmIdentifiers (RFC 3370, 4055, 5754, 5758, 3565).
 */
#include "x509/algorithm.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/secret.h"
#include "x509/ready.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdatomic.h>

/* Fetched once: libcrypto looks EVP_sha256() and its like up by name at each use. */
typedef _Atomic(EVP_MD *) fetched_md;
typedef _Atomic(EVP_CIPHER *) fetched_cipher;

struct digest_row {
    const char *name;
    size_t size;
    enum oid oid, with_rsa, with_ecdsa;
    const EVP_MD *(*evp)(void);
};
static const struct digest_row digests[] = {
    [DIGEST_SHA1] = { "SHA-1", 20, OID_SHA1, OID_SHA1_WITH_RSA, OID_ECDSA_SHA1, EVP_sha1 },
    [DIGEST_SHA256] = { "SHA-256", 32, OID_SHA256, OID_SHA256_WITH_RSA, OID_ECDSA_SHA256, EVP_sha256 },
    [DIGEST_SHA384] = { "SHA-384", 48, OID_SHA384, OID_SHA384_WITH_RSA, OID_ECDSA_SHA384, EVP_sha384 },
    [DIGEST_SHA512] = { "SHA-512", 64, OID_SHA512, OID_SHA512_WITH_RSA, OID_ECDSA_SHA512, EVP_sha512 },
};
#define DIGESTS (sizeof(digests) / sizeof(*digests))

struct cipher_row {
    const char *name;
    size_t key, block;
    enum oid oid;
    const EVP_CIPHER *(*evp)(void);
};
static const struct cipher_row ciphers[] = {
    [CIPHER_DES_EDE3_CBC] = { "3DES-CBC", 24, 8, OID_DES_EDE3_CBC, EVP_des_ede3_cbc },
    [CIPHER_AES128_CBC] = { "AES-128-CBC", 16, 16, OID_AES128_CBC, EVP_aes_128_cbc },
    [CIPHER_AES192_CBC] = { "AES-192-CBC", 24, 16, OID_AES192_CBC, EVP_aes_192_cbc },
    [CIPHER_AES256_CBC] = { "AES-256-CBC", 32, 16, OID_AES256_CBC, EVP_aes_256_cbc },
    /* EDE with one key three times is DES, without libcrypto's legacy provider (x509/cbc.c). */
    [CIPHER_DES_CBC] = { "DES-CBC", 8, 8, OID_DES_CBC, EVP_des_ede3_cbc },
};
#define CIPHERS (sizeof(ciphers) / sizeof(*ciphers))

static const struct digest_row *digest_row(enum digest digest)
{
    if (digest < DIGEST_SHA1 || (size_t)digest >= DIGESTS)
        die("digest %d does not exist", (int)digest);
    return &digests[digest];
}

static const struct cipher_row *cipher_row(enum cipher cipher)
{
    if (cipher < CIPHER_DES_EDE3_CBC || (size_t)cipher >= CIPHERS)
        die("cipher %d does not exist", (int)cipher);
    return &ciphers[cipher];
}

size_t digest_size(enum digest digest)
{
    return digest_row(digest)->size;
}

const char *digest_name(enum digest digest)
{
    return digest_row(digest)->name;
}

bool digest_by_name(const char *name, enum digest *ret)
{
    for (size_t i = 0; i < DIGESTS; i++) {
        if (digests[i].name && strcmp(digests[i].name, name) == 0) {
            *ret = (enum digest)i;
            return true;
        }
    }
    return false;
}

const struct evp_md_st *digest_evp(enum digest digest)
{
    static fetched_md fetched[DIGESTS];
    const EVP_MD *named = digest_row(digest)->evp();
    EVP_MD *md = atomic_load(&fetched[digest]), *none = NULL;
    if (md)
        return md;
    md = EVP_MD_fetch(NULL, EVP_MD_get0_name(named), NULL);
    if (md && !atomic_compare_exchange_strong(&fetched[digest], &none, md)) {
        EVP_MD_free(md);
        md = none;
    }
    return md ? md : named;
}

const char *cipher_name(enum cipher cipher)
{
    return cipher_row(cipher)->name;
}

size_t cipher_key_size(enum cipher cipher)
{
    return cipher_row(cipher)->key;
}

size_t cipher_block_size(enum cipher cipher)
{
    return cipher_row(cipher)->block;
}

const struct evp_cipher_st *cipher_evp(enum cipher cipher)
{
    static fetched_cipher fetched[CIPHERS];
    const EVP_CIPHER *named = cipher_row(cipher)->evp();
    EVP_CIPHER *evp = atomic_load(&fetched[cipher]), *none = NULL;
    if (evp)
        return evp;
    evp = EVP_CIPHER_fetch(NULL, EVP_CIPHER_get0_name(named), NULL);
    if (evp && !atomic_compare_exchange_strong(&fetched[cipher], &none, evp)) {
        EVP_CIPHER_free(evp);
        evp = none;
    }
    return evp ? evp : named;
}

const char *key_kind_name(enum key_kind kind)
{
    static const char *const names[] = {
        [KEY_RSA] = "RSA", [KEY_EC_P256] = "P-256", [KEY_EC_P384] = "P-384", [KEY_EC_P521] = "P-521"
    };
    return kind >= KEY_RSA && kind <= KEY_EC_P521 ? names[kind] : "unknown";
}

/* Opens one AlgorithmIdentifier and gives its OID and a reader over what follows it. */
static bool open_algorithm(struct der_reader *in, struct bytes *ret_oid, struct der_reader *ret_parameters)
{
    return der_get_sequence(in, ret_parameters) && der_get_oid(ret_parameters, ret_oid);
}

static bool ends_empty(const struct der_reader *parameters)
{
    return der_at_end(parameters);
}

/* RFC 4055 2.1 and 5754 2: NULL and absent are both to be accepted for hashes and for PKCS#1 v1.5. */
static bool ends_with_null_or_empty(struct der_reader parameters)
{
    return der_at_end(&parameters) || (der_get_null(&parameters) && der_at_end(&parameters));
}

static void put_algorithm(struct buf *out, enum oid oid, bool with_null)
{
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(oid));
    if (with_null)
        der_put_null(out);
    der_end(out, mark);
}

bool digest_by_oid(struct bytes oid_content, enum digest *ret)
{
    for (size_t i = DIGEST_SHA1; i < DIGESTS; i++) {
        if (oid_is(oid_content, digests[i].oid)) {
            *ret = (enum digest)i;
            return true;
        }
    }
    return false;
}

bool digest_get(struct der_reader *in, enum digest *ret)
{
    struct der_reader at = *in, parameters;
    struct bytes oid;
    enum digest digest;
    if (!open_algorithm(&at, &oid, &parameters) || !digest_by_oid(oid, &digest) ||
        !ends_with_null_or_empty(parameters))
        return false;
    *in = at;
    *ret = digest;
    return true;
}

void digest_put(struct buf *out, enum digest digest)
{
    put_algorithm(out, digest_row(digest)->oid, digest == DIGEST_SHA1);
}

bool cipher_get(struct der_reader *in, enum cipher *ret, struct bytes *ret_iv)
{
    struct der_reader at = *in, parameters;
    struct bytes oid, iv;
    if (!open_algorithm(&at, &oid, &parameters) || !der_get_octets(&parameters, &iv) ||
        !der_at_end(&parameters))
        return false;
    for (size_t i = CIPHER_DES_EDE3_CBC; i < CIPHERS; i++) {
        if (!oid_is(oid, ciphers[i].oid))
            continue;
        if (!FAULT(cipher_iv) && iv.len != ciphers[i].block) /* B4: exact, whatever the library would take */
            return false;
        *in = at;
        *ret = (enum cipher)i;
        *ret_iv = iv;
        return true;
    }
    return false;
}

void cipher_put(struct buf *out, enum cipher cipher, struct bytes iv)
{
    const struct cipher_row *row = cipher_row(cipher);
    if (iv.len != row->block)
        die("%s wants an IV of %zu bytes, not %zu", row->name, row->block, iv.len);
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(row->oid));
    der_put_octets(out, iv);
    der_end(out, mark);
}

/* [n] EXPLICIT around a reader that must be used up. Absent leaves *ret_present false. */
static bool open_explicit(struct der_reader *in, unsigned n, bool *ret_present, struct der_reader *ret_inside)
{
    *ret_present = der_next_is(in, (uint8_t)DER_CONTEXT_CONSTRUCTED(n));
    return !*ret_present || der_get_constructed(in, (uint8_t)DER_CONTEXT_CONSTRUCTED(n), ret_inside);
}

static bool get_mgf1(struct der_reader *in, enum digest *ret)
{
    struct der_reader parameters;
    struct bytes oid;
    return open_algorithm(in, &oid, &parameters) && oid_is(oid, OID_MGF1) && digest_get(&parameters, ret) &&
           der_at_end(&parameters);
}

/* id-pSpecified with an empty label: a label that only some decoders honour would make two readings of one
 * message. */
static bool get_empty_label(struct der_reader *in)
{
    struct der_reader parameters;
    struct bytes oid, label;
    return open_algorithm(in, &oid, &parameters) && oid_is(oid, OID_P_SPECIFIED) &&
           der_get_octets(&parameters, &label) && (FAULT(oaep_label) || label.len == 0) &&
           der_at_end(&parameters);
}

/* RSAES-OAEP-params (RFC 4055 4.1); every field has a default, and the whole may be absent. */
static bool get_oaep(struct der_reader parameters, struct oaep *ret)
{
    struct oaep oaep = { DIGEST_SHA1, DIGEST_SHA1 };
    struct der_reader fields, inside;
    bool present;
    if (der_at_end(&parameters)) {
        *ret = oaep;
        return true;
    }
    if (!der_get_sequence(&parameters, &fields) || !der_at_end(&parameters))
        return false;
    if (!open_explicit(&fields, 0, &present, &inside) ||
        (present && !(digest_get(&inside, &oaep.digest) && der_at_end(&inside))))
        return false;
    if (!open_explicit(&fields, 1, &present, &inside) ||
        (present && !(get_mgf1(&inside, &oaep.mgf_digest) && der_at_end(&inside))))
        return false;
    if (!open_explicit(&fields, 2, &present, &inside) ||
        (present && !(get_empty_label(&inside) && der_at_end(&inside))))
        return false;
    if (!der_at_end(&fields))
        return false;
    *ret = oaep;
    return true;
}

bool transport_get(struct der_reader *in, enum transport *ret, struct oaep *ret_oaep)
{
    struct der_reader at = *in, parameters;
    struct bytes oid;
    if (!open_algorithm(&at, &oid, &parameters))
        return false;
    struct oaep oaep = { 0 };
    enum transport transport = oid_is(oid, OID_RSA_OAEP) ? TRANSPORT_OAEP : TRANSPORT_PKCS1_V15;
    if (transport == TRANSPORT_OAEP) {
        if (!get_oaep(parameters, &oaep))
            return false;
    } else if (!oid_is(oid, OID_RSA_ENCRYPTION) || !ends_with_null_or_empty(parameters)) {
        return false;
    }
    *in = at;
    *ret = transport;
    *ret_oaep = oaep;
    return true;
}

/* RFC 4055 2.1 writes the hashes inside RSA parameters with NULL. A field that equals its DEFAULT is left
   out: in DER it must be (X.690 11.5), and strict decoders insist. */
static void put_oaep(struct buf *out, const struct oaep *oaep)
{
    size_t params = der_begin(out, DER_SEQUENCE);
    if (oaep->digest != DIGEST_SHA1) {
        size_t hash = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
        put_algorithm(out, digest_row(oaep->digest)->oid, true);
        der_end(out, hash);
    }
    if (oaep->mgf_digest != DIGEST_SHA1) {
        size_t mgf = der_begin(out, DER_CONTEXT_CONSTRUCTED(1));
        size_t algorithm = der_begin(out, DER_SEQUENCE);
        der_put_oid(out, oid_bytes(OID_MGF1));
        put_algorithm(out, digest_row(oaep->mgf_digest)->oid, true);
        der_end(out, algorithm);
        der_end(out, mgf);
    }
    der_end(out, params);
}

void transport_put(struct buf *out, enum transport transport, const struct oaep *oaep)
{
    if (transport == TRANSPORT_PKCS1_V15) {
        put_algorithm(out, OID_RSA_ENCRYPTION, true);
        return;
    }
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(OID_RSA_OAEP));
    put_oaep(out, oaep);
    der_end(out, mark);
}

/* The row of a signature OID; RSA with NULL or no parameters, ECDSA with none (RFC 5758 3.2). */
static bool find_signature(struct bytes oid, struct der_reader parameters, struct signature_algorithm *ret)
{
    for (size_t i = DIGEST_SHA1; i < DIGESTS; i++) {
        bool rsa = oid_is(oid, digests[i].with_rsa);
        if (!rsa && !oid_is(oid, digests[i].with_ecdsa))
            continue;
        if (rsa ? !ends_with_null_or_empty(parameters) : !ends_empty(&parameters))
            return false;
        *ret = (struct signature_algorithm){ .rsa = rsa, .digest = (enum digest)i };
        return true;
    }
    return false;
}

bool signature_algorithm_get(struct der_reader *in, struct signature_algorithm *ret)
{
    struct der_reader at = *in, parameters;
    struct bytes oid;
    if (!open_algorithm(&at, &oid, &parameters) || !find_signature(oid, parameters, ret))
        return false;
    *in = at;
    return true;
}

bool signature_algorithm_get_signer(struct der_reader *in, enum digest digest,
                                    struct signature_algorithm *ret)
{
    struct der_reader at = *in, parameters;
    struct bytes oid;
    if (!open_algorithm(&at, &oid, &parameters))
        return false;
    struct signature_algorithm algorithm = { .rsa = true, .digest = digest };
    bool plain_rsa = oid_is(oid, OID_RSA_ENCRYPTION) && ends_with_null_or_empty(parameters);
    if (!plain_rsa && (!find_signature(oid, parameters, &algorithm) || algorithm.digest != digest))
        return false;
    *in = at;
    *ret = algorithm;
    return true;
}

void signature_algorithm_put(struct buf *out, struct signature_algorithm algorithm)
{
    const struct digest_row *row = digest_row(algorithm.digest);
    put_algorithm(out, algorithm.rsa ? row->with_rsa : row->with_ecdsa, algorithm.rsa);
}

static enum err digest_failed(struct why *why, const char *name)
{
    ERR_clear_error();
    return fail(why, ERR_INTERNAL, "%s failed in libcrypto", name);
}

enum err digest_compute(enum digest digest, struct bytes data, uint8_t *ret, struct why *why)
{
    const struct digest_row *row = digest_row(digest);
    if (EVP_Digest(data.data, data.len, ret, NULL, digest_evp(digest), NULL) != 1)
        return digest_failed(why, row->name);
    return OK;
}

enum err digest_hex(enum digest digest, struct bytes data, char *ret, struct why *why)
{
    uint8_t value[DIGEST_MAX_BYTES];
    AUTO_BUF text = { 0 };
    TRY(digest_compute(digest, data, value, why));
    hex_append(&text, bytes_of(value, digest_size(digest)));
    memcpy(ret, buf_text(&text), text.len + 1);
    return OK;
}

enum err sha256_parts(const struct bytes *parts, size_t count, uint8_t ret[static 32], struct why *why)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool done = ctx && EVP_DigestInit_ex2(ctx, digest_evp(DIGEST_SHA256), NULL) == 1;
    for (size_t i = 0; done && i < count; i++)
        done = parts[i].len == 0 || EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) == 1;
    uint8_t value[EVP_MAX_MD_SIZE];
    done = done && EVP_DigestFinal_ex(ctx, value, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    if (!done)
        return digest_failed(why, "SHA-256");
    memcpy(ret, value, 32);
    secret_wipe(value, sizeof(value)); /* keys are derived by it, too */
    return OK;
}

static EVP_MAC_CTX *hmac_new(void)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                  OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac); /* ctx has its own reference */
    if (ctx && EVP_MAC_CTX_set_params(ctx, params) == 1)
        return ctx;
    EVP_MAC_CTX_free(ctx);
    return NULL;
}

enum err hmac_sha256(struct bytes key, struct bytes data, uint8_t ret[static 32], struct why *why)
{
    static struct ready ready = READY_NONE;
    static const uint8_t nothing[1]; /* EVP_MAC_init takes NULL for "as before" */
    uint8_t value[32];
    size_t len = 0;
    EVP_MAC_CTX *ctx = ready_take(&ready);
    ctx = ctx ? ctx : hmac_new();
    bool done = ctx && EVP_MAC_init(ctx, key.len ? key.data : nothing, key.len, NULL) == 1 &&
                (data.len == 0 || EVP_MAC_update(ctx, data.data, data.len) == 1) &&
                EVP_MAC_final(ctx, value, &len, sizeof(value)) == 1 && len == sizeof(value);
    /* It keeps its key until the next one comes. */
    done = done && EVP_MAC_init(ctx, nothing, sizeof(nothing), NULL) == 1;
    if (!done || !ready_give(&ready, ctx))
        EVP_MAC_CTX_free(ctx);
    if (!done)
        return digest_failed(why, "HMAC-SHA-256");
    memcpy(ret, value, sizeof(value));
    return OK;
}
