/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted private keys: PBES2 (RFC 8018) with AES-256-CBC under PBKDF2-HMAC-SHA-256 or scrypt (RFC 7914).
   The plain text is only ever in the locked heap here. */
#include "x509/key_internal.h"

#include "base/limits.h"
#include <openssl/err.h>
#include <openssl/kdf.h>

#define KEK_BYTES  32
#define SALT_BYTES 16
/* The unlock secret is 256 random bits: iterations would add nothing; 2048 is what the field's readers
 * expect. */
#define SECRET_ITERATIONS 2048
/* A human's passphrase: 16 MiB and 8 passes. N stays at 2^14 because libcrypto's own reader of such files
   allows 32 MiB in all, which 2^15 just misses. */
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 8

struct kdf {
    bool scrypt;
    struct bytes salt;
    int64_t iterations, n, r, p;
};

static enum err derive(const struct kdf *kdf, struct bytes password, uint8_t ret_kek[static KEK_BYTES],
                       struct why *why)
{
    if (password.len == 0 || password.len > INT32_MAX)
        return fail(why, ERR_KEY, "the unlock secret is empty");
    const char *text = (const char *)password.data;
    bool done = kdf->scrypt ? EVP_PBE_scrypt(text, password.len, kdf->salt.data, kdf->salt.len,
                                             (uint64_t)kdf->n, (uint64_t)kdf->r, (uint64_t)kdf->p,
                                             LIMIT_SCRYPT_MEMORY, ret_kek, KEK_BYTES) == 1
                            : PKCS5_PBKDF2_HMAC(text, (int)password.len, kdf->salt.data, (int)kdf->salt.len,
                                                (int)kdf->iterations, EVP_sha256(), KEK_BYTES, ret_kek) == 1;
    return done ? OK : crypto_failed(why, ERR_KEY, "the key derivation failed in libcrypto");
}

/* keyLength, when it is there, says what AES-256 needs anyway. */
static bool get_key_length(struct der_reader *in)
{
    int64_t length;
    return !der_next_is(in, DER_INTEGER) || (der_get_int64(in, &length) && length == KEK_BYTES);
}

/* PBKDF2-params (RFC 8018 A.2); the default PRF is HMAC-SHA-1 and so is never taken. */
static bool get_pbkdf2(struct der_reader in, struct kdf *ret)
{
    struct der_reader fields, prf;
    struct bytes oid;
    return der_get_sequence(&in, &fields) && der_at_end(&in) && der_get_octets(&fields, &ret->salt) &&
           der_get_int64(&fields, &ret->iterations) && get_key_length(&fields) &&
           der_get_sequence(&fields, &prf) && der_at_end(&fields) && der_get_oid(&prf, &oid) &&
           oid_is(oid, OID_HMAC_SHA256) && der_get_null(&prf) && der_at_end(&prf) && ret->iterations >= 1 &&
           ret->iterations <= LIMIT_KDF_ITERATIONS;
}

/* scrypt-params (RFC 7914 7.1) */
static bool get_scrypt(struct der_reader in, struct kdf *ret)
{
    struct der_reader fields;
    ret->scrypt = true;
    if (!der_get_sequence(&in, &fields) || !der_at_end(&in) || !der_get_octets(&fields, &ret->salt) ||
        !der_get_int64(&fields, &ret->n) || !der_get_int64(&fields, &ret->r) ||
        !der_get_int64(&fields, &ret->p) || !get_key_length(&fields) || !der_at_end(&fields))
        return false;
    const int64_t most = LIMIT_SCRYPT_WORK;
    if (ret->n < 2 || ret->r < 1 || ret->p < 1 || ret->n > most || ret->r > most || ret->p > most)
        return false;
    return ret->n <= most / ret->r && ret->n * ret->r <= most / ret->p;
}

static bool get_kdf(struct der_reader *in, struct kdf *ret)
{
    struct der_reader kdf;
    struct bytes oid;
    if (!der_get_sequence(in, &kdf) || !der_get_oid(&kdf, &oid))
        return false;
    bool read = (oid_is(oid, OID_PBKDF2) && get_pbkdf2(kdf, ret)) ||
                (oid_is(oid, OID_SCRYPT) && get_scrypt(kdf, ret));
    return read && ret->salt.len <= 64;
}

struct encrypted {
    struct kdf kdf;
    struct bytes iv, ciphertext;
};

static bool get_encrypted(struct bytes der, struct encrypted *ret)
{
    struct der_reader in = der_reader_over(der), fields, algorithm, params;
    struct bytes oid;
    enum cipher cipher;
    return der_get_sequence(&in, &fields) && der_at_end(&in) && der_get_sequence(&fields, &algorithm) &&
           der_get_octets(&fields, &ret->ciphertext) && der_at_end(&fields) &&
           der_get_oid(&algorithm, &oid) && oid_is(oid, OID_PBES2) && der_get_sequence(&algorithm, &params) &&
           der_at_end(&algorithm) && get_kdf(&params, &ret->kdf) && cipher_get(&params, &cipher, &ret->iv) &&
           der_at_end(&params) && cipher == CIPHER_AES256_CBC && ret->ciphertext.len <= LIMIT_TEXT_FILE_BYTES;
}

/* One way or the other over the whole of in; ret->len is set to what came out. */
static bool run_cipher(bool encrypt, const uint8_t *kek, const uint8_t *iv, struct bytes in,
                       struct secret *ret)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int first = 0, last = 0;
    bool done = ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, kek, iv, encrypt) == 1 &&
                EVP_CipherUpdate(ctx, ret->data, &first, in.data, (int)in.len) == 1 &&
                EVP_CipherFinal_ex(ctx, ret->data + first, &last) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (done)
        ret->len = (size_t)first + (size_t)last;
    return done;
}

enum err pkcs8_open(struct bytes der, struct bytes password, struct secret *ret_info, struct why *why)
{
    struct encrypted encrypted = { 0 };
    if (!get_encrypted(der, &encrypted))
        return fail(why, ERR_KEY,
                    "not an EncryptedPrivateKeyInfo with PBES2, AES-256-CBC and scrypt or PBKDF2 with "
                    "HMAC-SHA-256 (openssl pkcs8 -topk8 -v2 aes-256-cbc makes one)");
    uint8_t kek[KEK_BYTES];
    TRY(derive(&encrypted.kdf, password, kek, why));
    AUTO_VAL(secret) info = secret_new(encrypted.ciphertext.len + EVP_MAX_BLOCK_LENGTH);
    bool done = run_cipher(false, kek, encrypted.iv.data, encrypted.ciphertext, &info);
    secret_wipe(kek, sizeof(kek));
    if (!done)
        return crypto_failed(why, ERR_KEY, PKCS8_WRONG_SECRET);
    *ret_info = info;
    info = (struct secret){ 0 };
    return OK;
}

static void put_kdf(struct buf *out, const struct kdf *kdf)
{
    size_t algorithm = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(kdf->scrypt ? OID_SCRYPT : OID_PBKDF2));
    size_t params = der_begin(out, DER_SEQUENCE);
    der_put_octets(out, kdf->salt);
    if (kdf->scrypt) {
        der_put_int64(out, kdf->n);
        der_put_int64(out, kdf->r);
        der_put_int64(out, kdf->p);
    } else {
        der_put_int64(out, kdf->iterations);
        size_t prf = der_begin(out, DER_SEQUENCE);
        der_put_oid(out, oid_bytes(OID_HMAC_SHA256));
        der_put_null(out);
        der_end(out, prf);
    }
    der_end(out, params);
    der_end(out, algorithm);
}

static void put_encrypted(struct buf *out, const struct encrypted *encrypted)
{
    size_t whole = der_begin(out, DER_SEQUENCE);
    size_t algorithm = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(OID_PBES2));
    size_t params = der_begin(out, DER_SEQUENCE);
    put_kdf(out, &encrypted->kdf);
    cipher_put(out, CIPHER_AES256_CBC, encrypted->iv);
    der_end(out, params);
    der_end(out, algorithm);
    der_put_octets(out, encrypted->ciphertext);
    der_end(out, whole);
}

enum err pkcs8_seal(struct bytes info, struct bytes password, enum key_protection protection,
                    struct buf *ret_der, struct why *why)
{
    uint8_t salt[SALT_BYTES], iv[16], kek[KEK_BYTES];
    TRY(random_fill(salt, sizeof(salt), why));
    TRY(random_fill(iv, sizeof(iv), why));
    struct encrypted encrypted = { .iv = BYTES_ARR(iv),
                                   .kdf = { .scrypt = protection == KEY_PROTECT_PASSPHRASE,
                                            .salt = BYTES_ARR(salt),
                                            .iterations = SECRET_ITERATIONS,
                                            .n = SCRYPT_N,
                                            .r = SCRYPT_R,
                                            .p = SCRYPT_P } };
    TRY(derive(&encrypted.kdf, password, kek, why));
    AUTO_VAL(secret) sealed = secret_new(info.len + EVP_MAX_BLOCK_LENGTH);
    bool done = run_cipher(true, kek, iv, info, &sealed);
    secret_wipe(kek, sizeof(kek));
    if (!done)
        return crypto_failed(why, ERR_INTERNAL, "AES-256-CBC failed in libcrypto");
    encrypted.ciphertext = secret_bytes(&sealed);
    AUTO_BUF der = { 0 };
    put_encrypted(&der, &encrypted);
    *ret_der = TAKE_BUF(der);
    return OK;
}
