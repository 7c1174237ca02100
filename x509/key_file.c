/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of this process: made here or unlocked from an encrypted PKCS#8 PEM file, used behind the gate. */
#include "x509/key_internal.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/limits.h"
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#define PEM_ENCRYPTED "ENCRYPTED PRIVATE KEY"

struct file_key {
    struct key base; /* first: struct key * points here too */
    struct pkey pkey;
    struct key_gate *gate;                      /* borrowed */
    struct ready signing, decrypting, deriving; /* EVP_PKEY_CTX after their init */
};

/* When memory runs out while OpenSSL 3.0 renews the blinding of an RSA key, at each 32nd use, it goes on with half of it, says
   nothing, and the results until the next renewal are wrong: bad signatures, and devices refused for what they encrypted well. */
static void blinding_check(const struct key *key)
{
    if (key->public_half->kind == KEY_RSA && crypto_was_short_of_memory())
        die("out of memory inside an RSA operation: the key's state cannot be trusted");
}

/* RSA with PKCS#1 v1.5 and blinding, which libcrypto has on by default; ECDSA with a fresh random nonce. */
static enum err file_key_sign(const struct key *key, enum digest digest, struct bytes data,
                              struct buf *ret_signature, struct why *why)
{
    struct file_key *file = (struct file_key *)key; /* what is ready is no part of the key */
    bool rsa = key->public_half->kind == KEY_RSA;
    uint8_t hash[DIGEST_MAX_BYTES];
    TRY(digest_compute(digest, data, hash, why));
    AUTO_VAL(pkey_ctx) ctx = pkey_ctx_take(&file->signing, file->pkey.handle, EVP_PKEY_sign_init);
    AUTO_BUF signature = { 0 };
    buf_reserve(&signature, (size_t)EVP_PKEY_get_size(file->pkey.handle));
    size_t len = signature.cap;
    if (!ctx.handle || (rsa && EVP_PKEY_CTX_set_rsa_padding(ctx.handle, RSA_PKCS1_PADDING) != 1) ||
        EVP_PKEY_CTX_set_signature_md(ctx.handle, digest_evp(digest)) != 1)
        return crypto_failed(why, ERR_KEY, "libcrypto cannot sign with this key");
    ERR_clear_error();
    key_gate_enter(file->gate);
    bool done = EVP_PKEY_sign(ctx.handle, signature.data, &len, hash, digest_size(digest)) == 1;
    key_gate_leave(file->gate);
    blinding_check(key);
    /* OpenSSL 3.0 gives an ECDSA signature of SIZE_MAX octets, and success, when it has no memory to encode it. */
    if (!done || len == 0 || len > signature.cap)
        return crypto_failed(why, ERR_KEY, "signing failed in libcrypto");
    pkey_ctx_give(&file->signing, &ctx);
    signature.len = len;
    *ret_signature = TAKE_BUF(signature);
    return OK;
}

static enum err file_key_decrypt(const struct key *key, struct bytes in, struct buf *ret_raw, struct why *why)
{
    struct file_key *file = (struct file_key *)key;
    AUTO_VAL(pkey_ctx) ctx = pkey_ctx_take(&file->decrypting, file->pkey.handle, EVP_PKEY_decrypt_init);
    AUTO_WIPE raw = { 0 };
    buf_reserve(&raw, key->public_half->modulus.len);
    size_t len = key->public_half->modulus.len;
    if (!ctx.handle || EVP_PKEY_CTX_set_rsa_padding(ctx.handle, RSA_NO_PADDING) != 1)
        return crypto_failed(why, ERR_KEY, "libcrypto cannot decrypt with this key");
    ERR_clear_error();
    key_gate_enter(file->gate);
    bool done = EVP_PKEY_decrypt(ctx.handle, raw.data, &len, in.data, in.len) == 1;
    key_gate_leave(file->gate);
    blinding_check(key);
    if (!done || len != key->public_half->modulus.len)
        return crypto_failed(why, ERR_KEY, "RSA decryption failed in libcrypto");
    pkey_ctx_give(&file->decrypting, &ctx);
    raw.len = len;
    *ret_raw = TAKE_BUF(raw);
    return OK;
}

static enum err file_key_agree(const struct key *key, const struct public_key *peer,
                               struct secret *ret_shared, struct why *why)
{
    struct file_key *file = (struct file_key *)key;
    AUTO_VAL(pkey_ctx) ctx = pkey_ctx_take(&file->deriving, file->pkey.handle, EVP_PKEY_derive_init);
    if (!ctx.handle)
        return crypto_failed(why, ERR_KEY, "libcrypto cannot derive with this key");
    ERR_clear_error();
    key_gate_enter(file->gate);
    bool done = pkey_derive(ctx.handle, peer, ret_shared);
    key_gate_leave(file->gate);
    if (!done)
        return crypto_failed(why, ERR_KEY, "ECDH failed in libcrypto");
    pkey_ctx_give(&file->deriving, &ctx);
    return OK;
}

static void file_key_free(struct key *key)
{
    struct file_key *file = (struct file_key *)key;
    pkey_ctx_drop(&file->signing);
    pkey_ctx_drop(&file->decrypting);
    pkey_ctx_drop(&file->deriving);
    pkey_free(&file->pkey);
    free(file);
}

static const struct key_ops file_ops = { .name = "file",
                                         .sign = file_key_sign,
                                         .decrypt = file_key_decrypt,
                                         .agree = file_key_agree,
                                         .free = file_key_free };

/* Does the private half belong to the public half? A damaged key would give away its factors, or sign
 * nothing. */
static enum err check_pair(const struct key *key, struct why *why)
{
    static const uint8_t probe[] = "chancery key probe";
    struct signature_algorithm algorithm = key_signature_algorithm(key);
    AUTO_BUF signature = { 0 };
    secret_heap_keep(); /* the first use makes what libcrypto keeps beside the key, its primes among it */
    enum err err = key_sign(key, algorithm.digest, BYTES_ARR(probe), &signature, why);
    secret_heap_keep_end();
    TRY(err);
    if (!FAULT(key_halves) &&
        public_key_verify(key->public_half, algorithm, BYTES_ARR(probe), buf_bytes(&signature), NULL) != OK)
        return fail(why, ERR_KEY, "the private key does not fit its public half");
    return OK;
}

/* Takes pkey, always. */
static enum err key_from_pkey(struct pkey *pkey, struct key_gate *gate, struct key **ret, struct why *why)
{
    struct file_key *file = xcalloc(1, sizeof(*file));
    file->base.ops = &file_ops;
    pthread_mutex_init(&file->signing.lock, NULL);
    pthread_mutex_init(&file->decrypting.lock, NULL);
    pthread_mutex_init(&file->deriving.lock, NULL);
    file->gate = gate;
    file->pkey.handle = TAKE(pkey->handle);
    AUTO(key) key = &file->base;
    AUTO_BUF spki = { 0 };
    TRY(spki_build(file->pkey.handle, &spki, why));
    TRY(public_key_parse(buf_bytes(&spki), &key->public_half, why));
    TRY(public_key_check_weak(key->public_half, LIMIT_RSA_BITS_MIN, why));
    TRY(check_pair(key, why));
    *ret = TAKE(key);
    return OK;
}

enum err key_generate(const struct key_spec *spec, struct key_gate *gate, struct key **ret, struct why *why)
{
    const struct curve *curve = curve_by_kind(spec->kind);
    bool in_bounds = spec->rsa_bits >= LIMIT_RSA_BITS_MIN && spec->rsa_bits <= LIMIT_RSA_BITS_MAX;
    if (!curve && (spec->kind != KEY_RSA || !in_bounds))
        return fail(why, ERR_WEAK_KEY, "cannot make a key of type %s with %d bits; RSA takes %d to %d",
                    key_kind_name(spec->kind), spec->rsa_bits, LIMIT_RSA_BITS_MIN, LIMIT_RSA_BITS_MAX);
    AUTO_VAL(pkey) pkey = { 0 };
    key_gate_enter(gate);
    secret_heap_keep();
    if (curve)
        pkey.handle = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve->group);
    else
        pkey.handle = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)spec->rsa_bits); /* e is 65537 */
    secret_heap_keep_end();
    key_gate_leave(gate);
    if (!pkey.handle)
        return crypto_failed(why, ERR_KEY, "key generation failed in libcrypto");
    return key_from_pkey(&pkey, gate, ret, why);
}

static bool is_blank(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!strchr(" \t\r\n", text.data[i]) || text.data[i] == '\0')
            return false;
    }
    return true;
}

/* One encrypted PEM block, and nothing else. */
static enum err read_pem(const char *path, struct buf *ret_der, struct why *why)
{
    AUTO_VAL(secret) text = { 0 }; /* an unencrypted key may be what we find */
    TRY(secret_read_file(path, LIMIT_KEY_FILE_BYTES, &text, why));
    struct bytes all = secret_bytes(&text), rest;
    AUTO_BUF der = { 0 };
    static const char begin[] = "-----BEGIN " PEM_ENCRYPTED "-----";
    bool starts = all.len >= sizeof(begin) - 1 && memcmp(all.data, begin, sizeof(begin) - 1) == 0;
    if (!starts && memmem(all.data, all.len, "PRIVATE KEY-----", 16))
        return fail(why, ERR_KEY,
                    "%s is not an encrypted PKCS#8 key (openssl pkcs8 -topk8 -v2 aes-256-cbc makes one)",
                    path);
    if (!starts || !pem_decode(all, PEM_ENCRYPTED, &der, &rest) || !is_blank(rest))
        return fail(why, ERR_KEY, "%s is not one PEM block of type %s", path, PEM_ENCRYPTED);
    *ret_der = TAKE_BUF(der);
    return OK;
}

static enum err unlock_pkey(struct bytes der, const struct secret *unlock, struct pkey *ret, struct why *why)
{
    AUTO_VAL(secret) info = { 0 };
    TRY(pkcs8_open(der, secret_bytes(unlock), &info, why));
    return key_info_parse(secret_bytes(&info), ret, why);
}

enum err key_file_load(const char *path, const struct secret *unlock, struct key_gate *gate, struct key **ret,
                       struct why *why)
{
    AUTO_BUF der = { 0 };
    AUTO_VAL(pkey) pkey = { 0 };
    TRY(read_pem(path, &der, why));
    struct why inner = { 0 };
    enum err err = unlock_pkey(buf_bytes(&der), unlock, &pkey, &inner);
    if (err == OK)
        err = key_from_pkey(&pkey, gate, ret, &inner);
    return err == OK ? OK : fail(why, err, "%s: %s", path, inner.text);
}

EVP_PKEY *key_file_pkey(const struct key *key)
{
    return key->ops == &file_ops ? ((const struct file_key *)key)->pkey.handle : NULL;
}

enum err key_file_save(const struct key *key, const char *path, const struct secret *unlock,
                       enum key_protection protection, struct why *why)
{
    if (key->ops != &file_ops)
        return fail(why, ERR_KEY, "%s: a key held by %s cannot be saved", path, key->ops->name);
    /* Few iterations are right for a random secret only. */
    if (protection == KEY_PROTECT_SECRET && unlock->len < 32)
        return fail(why, ERR_KEY, "%s: the unlock secret has %zu bytes, at least 32", path, unlock->len);
    const struct file_key *file = (const struct file_key *)key;
    AUTO_WIPE info = { 0 };
    TRY(key_info_build(file->pkey.handle, &info, why));
    AUTO_BUF der = { 0 }, pem = { 0 };
    TRY(pkcs8_seal(buf_bytes(&info), secret_bytes(unlock), protection, &der, why));
    pem_append(&pem, PEM_ENCRYPTED, buf_bytes(&der));
    return file_write_new(path, buf_bytes(&pem), 0400, why);
}
