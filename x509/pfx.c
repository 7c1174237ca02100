/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#12 by libcrypto, with the algorithms named here: its defaults change between releases. */
#include "x509/pfx.h"

#include "x509/key_internal.h"
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

/* For each of key, certificates and MAC. Readers that count the whole file's iterations stop at 600,000 (.NET). */
#define ITERATIONS 100000
#define SALT_BYTES 16

struct parts {
    X509 *cert;
    STACK_OF(X509) * chain;
    PKCS12 *pfx;
};

static void parts_free(struct parts *parts)
{
    X509_free(parts->cert);
    sk_X509_pop_free(parts->chain, X509_free);
    PKCS12_free(parts->pfx);
}

static X509 *x509_of(struct bytes der)
{
    const uint8_t *at = der.data;
    return d2i_X509(NULL, &at, (long)der.len);
}

static bool parts_read(const struct pfx_params *params, struct parts *parts)
{
    parts->cert = x509_of(params->certs[0]);
    parts->chain = sk_X509_new_null();
    if (!parts->cert || !parts->chain)
        return false;
    for (size_t i = 1; i < params->count; i++) {
        X509 *cert = x509_of(params->certs[i]);
        if (!cert || sk_X509_push(parts->chain, cert) < 1) {
            X509_free(cert);
            return false;
        }
    }
    return true;
}

/* The plain key passes through libcrypto's memory: all of that is kept in the locked heap. */
static bool parts_seal(const struct pfx_params *params, const char *password, struct parts *parts)
{
    secret_heap_keep();
    parts->pfx = PKCS12_create(password, params->friendly_name, key_file_pkey(params->key), parts->cert,
                               parts->chain, NID_aes_256_cbc, NID_aes_256_cbc, ITERATIONS, -1, 0);
    bool done = parts->pfx &&
                PKCS12_set_mac(parts->pfx, password, -1, NULL, SALT_BYTES, ITERATIONS, EVP_sha256()) == 1;
    secret_heap_keep_end();
    return done;
}

static enum err parts_write(const struct parts *parts, struct buf *ret_der, struct why *why)
{
    uint8_t *der = NULL;
    int len = i2d_PKCS12(parts->pfx, &der);
    if (len <= 0)
        return crypto_failed(why, ERR_INTERNAL, "libcrypto cannot encode the PKCS#12");
    *ret_der = buf_dup(bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    return OK;
}

enum err pfx_make(const struct pfx_params *params, const struct secret *password, struct buf *ret_der,
                  struct why *why)
{
    if (!key_file_pkey(params->key))
        return fail(why, ERR_KEY, "a key held by %s cannot be exported", params->key->ops->name);
    if (!password->len || memchr(password->data, '\0', password->len) ||
        !utf8_is_valid(secret_bytes(password)))
        return fail(why, ERR_USAGE, "the password of a PKCS#12 must be UTF-8, not empty and without NUL");
    AUTO_VAL(parts) parts = { 0 };
    if (!parts_read(params, &parts))
        return crypto_failed(why, ERR_MALFORMED, "libcrypto cannot read a certificate of the chain");
    AUTO_VAL(secret) text = secret_new(password->len + 1); /* zeroed: its end */
    memcpy(text.data, password->data, password->len);
    if (!parts_seal(params, (const char *)text.data, &parts))
        return crypto_failed(why, ERR_KEY, "libcrypto cannot make the PKCS#12");
    return parts_write(&parts, ret_der, why);
}
