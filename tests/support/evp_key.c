/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates for tests, by libcrypto's own API: nothing here shares code with what is tested. */
#include "tests/support/evp_key.h"

#include "x509/extension.h"
#include "x509/name.h"
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

struct evp_key {
    struct key key;
    EVP_PKEY *pkey;
    unsigned *decrypts; /* and agreements */
};

static enum err evp_sign(const struct key *key, enum digest digest, struct bytes data,
                         struct buf *ret_signature, struct why *why)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = 0;
    struct buf signature = { 0 };
    bool done = EVP_DigestSignInit(ctx, NULL, digest_evp(digest), NULL, evp_key_pkey(key)) == 1 &&
                EVP_DigestSign(ctx, NULL, &len, data.data, data.len) == 1;
    buf_reserve(&signature, len);
    done = done && EVP_DigestSign(ctx, signature.data, &len, data.data, data.len) == 1;
    signature.len = len;
    EVP_MD_CTX_free(ctx);
    if (!done)
        return fail(why, ERR_KEY, "test key cannot sign");
    *ret_signature = signature;
    return OK;
}

static enum err evp_decrypt(const struct key *key, struct bytes in, struct buf *ret_raw, struct why *why)
{
    const struct evp_key *self = (const struct evp_key *)key;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(self->pkey, NULL);
    struct buf raw = { 0 };
    size_t len = (size_t)EVP_PKEY_get_size(self->pkey);
    buf_reserve(&raw, len);
    ++*self->decrypts;
    bool done = EVP_PKEY_decrypt_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
                EVP_PKEY_decrypt(ctx, raw.data, &len, in.data, in.len) == 1;
    raw.len = len;
    EVP_PKEY_CTX_free(ctx);
    if (!done) {
        buf_free(&raw);
        return fail(why, ERR_KEY, "test key cannot decrypt");
    }
    *ret_raw = raw;
    return OK;
}

static enum err evp_agree(const struct key *key, const struct public_key *peer, struct secret *ret_shared,
                          struct why *why)
{
    const struct evp_key *self = (const struct evp_key *)key;
    struct bytes spki = public_key_spki(peer);
    const uint8_t *at = spki.data;
    EVP_PKEY *other = d2i_PUBKEY(NULL, &at, (long)spki.len);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(self->pkey, NULL);
    size_t len = 0;
    ++*self->decrypts;
    bool done = EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, other) == 1 &&
                EVP_PKEY_derive(ctx, NULL, &len) == 1;
    struct secret shared = secret_new(len);
    done = done && EVP_PKEY_derive(ctx, shared.data, &len) == 1 && len == shared.len;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(other);
    if (!done) {
        secret_free(&shared);
        return fail(why, ERR_KEY, "test key cannot agree");
    }
    *ret_shared = shared;
    return OK;
}

static void evp_free(struct key *key)
{
    struct evp_key *self = (struct evp_key *)key;
    EVP_PKEY_free(self->pkey);
    free(self->decrypts);
    free(self);
}

static const struct key_ops evp_ops = {
    .name = "test", .sign = evp_sign, .decrypt = evp_decrypt, .agree = evp_agree, .free = evp_free
};

struct key *evp_key_new(EVP_PKEY *pkey)
{
    struct evp_key *self = xcalloc(1, sizeof(*self));
    uint8_t *spki = NULL;
    int len = pkey ? i2d_PUBKEY(pkey, &spki) : -1;
    struct why why;
    if (len < 0 || public_key_parse(bytes_of(spki, (size_t)len), &self->key.public_half, &why) != OK)
        die("test key: %s", len < 0 ? "none" : why.text);
    OPENSSL_free(spki);
    self->key.ops = &evp_ops;
    self->pkey = pkey;
    self->decrypts = xcalloc(1, sizeof(*self->decrypts));
    return &self->key;
}

struct key *evp_key_rsa(int bits)
{
    return evp_key_new(EVP_RSA_gen((unsigned)bits));
}

struct key *evp_key_ec(const char *curve)
{
    return evp_key_new(EVP_EC_gen(curve));
}

struct key *evp_key_load(const char *path)
{
    FILE *file = fopen(path, "r");
    EVP_PKEY *pkey = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (!pkey)
        die("%s: no private key in PEM", path);
    fclose(file);
    return evp_key_new(pkey);
}

void evp_key_save(const struct key *key, const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file || PEM_write_PrivateKey(file, evp_key_pkey(key), NULL, NULL, 0, NULL, NULL) != 1 ||
        fclose(file) != 0)
        die("%s: cannot write the key", path);
}

EVP_PKEY *evp_key_pkey(const struct key *key)
{
    return ((const struct evp_key *)key)->pkey;
}

unsigned evp_key_decrypts(const struct key *key)
{
    return *((const struct evp_key *)key)->decrypts;
}

static X509_NAME *make_name(const char *text)
{
    struct buf der = { 0 };
    struct why why;
    if (name_from_text(text, &der, &why) != OK)
        die("test name %s: %s", text, why.text);
    const uint8_t *at = der.data;
    X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);
    buf_free(&der);
    return name;
}

static void add_extension(X509 *x509, int nid, const char *text)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, x509, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, text);
    if (!extension || X509_add_ext(x509, extension, -1) != 1)
        die("test certificate: extension %s", text);
    X509_EXTENSION_free(extension);
}

static void set_names(X509 *x509, const struct test_cert *wanted)
{
    X509_NAME *subject = make_name(wanted->subject);
    X509_NAME *issuer = make_name(wanted->issuer ? wanted->issuer : wanted->subject);
    X509_set_subject_name(x509, subject);
    X509_set_issuer_name(x509, issuer);
    X509_NAME_free(subject);
    X509_NAME_free(issuer);
}

static struct buf finish_cert(X509 *x509, const struct key *signer)
{
    uint8_t *der = NULL;
    EVP_PKEY *pkey = evp_key_pkey(signer);
    if (X509_sign(x509, pkey, EVP_sha256()) <= 0)
        die("test certificate: cannot sign");
    int len = i2d_X509(x509, &der);
    struct buf copy = buf_dup(bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    X509_free(x509);
    return copy;
}

struct buf test_cert_make(const struct key *key, const struct test_cert *wanted)
{
    X509 *x509 = X509_new();
    BIGNUM *serial = BN_bin2bn(wanted->serial.data, (int)wanted->serial.len, NULL);
    X509_set_version(x509, X509_VERSION_3);
    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509));
    BN_free(serial);
    set_names(x509, wanted);
    ASN1_TIME_set_string_X509(X509_getm_notBefore(x509), "20200101000000Z");
    ASN1_TIME_set_string_X509(X509_getm_notAfter(x509), "20491231235959Z");
    X509_set_pubkey(x509, evp_key_pkey(key));
    AUTO_BUF usage = { 0 };
    if (wanted->key_usage) {
        buf_append_str(&usage, "critical,");
        key_usage_append_text(&usage, wanted->key_usage);
        add_extension(x509, NID_key_usage, buf_text(&usage));
    }
    if (!wanted->no_ski)
        add_extension(x509, NID_subject_key_identifier, "hash");
    return finish_cert(x509, wanted->issuer_key ? wanted->issuer_key : key);
}
