/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's reading of what scep writes. Apart from support.c: x509v3.h has macros by the names of our key
 * usages. */
#include "tests/unit/scep/support.h"
#include "tests/unit/test.h"
#include <openssl/cms.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static CMS_ContentInfo *openssl_cms(struct bytes der)
{
    const unsigned char *at = der.data;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
    assert_non_null(cms);
    assert_ptr_equal(at, der.data + der.len);
    return cms;
}

size_t openssl_cert_count(struct bytes der)
{
    CMS_ContentInfo *cms = openssl_cms(der);
    STACK_OF(X509) *certs = CMS_get1_certs(cms);
    size_t count = certs ? (size_t)sk_X509_num(certs) : 0;
    sk_X509_pop_free(certs, X509_free);
    CMS_ContentInfo_free(cms);
    return count;
}

struct buf openssl_cert_at(struct bytes der, size_t index)
{
    CMS_ContentInfo *cms = openssl_cms(der);
    STACK_OF(X509) *certs = CMS_get1_certs(cms);
    unsigned char *out = NULL;
    int len = i2d_X509(sk_X509_value(certs, (int)index), &out);
    assert_true(len > 0);
    struct buf copy = buf_dup(bytes_of(out, (size_t)len));
    OPENSSL_free(out);
    sk_X509_pop_free(certs, X509_free);
    CMS_ContentInfo_free(cms);
    return copy;
}

static EVP_PKEY *openssl_public(struct bytes spki)
{
    const unsigned char *at = spki.data;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.len);
    assert_non_null(key);
    return key;
}

struct buf openssl_raw_encrypt(struct bytes spki, struct bytes block)
{
    EVP_PKEY *key = openssl_public(spki);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    struct buf out = { 0 };
    size_t len = block.len;
    buf_reserve(&out, len);
    assert_int_equal(EVP_PKEY_encrypt_init(context), 1);
    assert_true(EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) > 0);
    assert_int_equal(EVP_PKEY_encrypt(context, out.data, &len, block.data, block.len), 1);
    out.len = len;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return out;
}

struct openssl_key {
    struct key key;
    EVP_PKEY *pkey;
};

static enum err openssl_sign(const struct key *key, enum digest digest, struct bytes data, struct buf *ret,
                             struct why *why)
{
    (void)why;
    assert_int_equal(digest, DIGEST_SHA256);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t len = 512;
    buf_reserve(ret, len);
    EVP_PKEY *pkey = ((const struct openssl_key *)key)->pkey;
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, pkey), 1);
    assert_int_equal(EVP_DigestSign(context, ret->data, &len, data.data, data.len), 1);
    ret->len = len;
    EVP_MD_CTX_free(context);
    return OK;
}

static void openssl_key_free(struct key *key)
{
    EVP_PKEY_free(((struct openssl_key *)key)->pkey);
    free(key);
}

struct key *openssl_rsa_key(unsigned bits)
{
    static const struct key_ops ops = { .name = "openssl", .sign = openssl_sign, .free = openssl_key_free };
    struct openssl_key *made = xcalloc(1, sizeof(*made));
    struct why why = { 0 };
    unsigned char *spki = NULL;
    made->key.ops = &ops;
    made->pkey = EVP_RSA_gen(bits);
    int len = i2d_PUBKEY(made->pkey, &spki);
    assert_true(len > 0);
    ASSERT_OK(public_key_parse(bytes_of(spki, (size_t)len), &made->key.public_half, &why), &why);
    OPENSSL_free(spki);
    return &made->key;
}

bool openssl_certrep_verifies(struct bytes der, struct bytes ra_certificate)
{
    CMS_ContentInfo *cms = openssl_cms(der);
    const unsigned char *at = ra_certificate.data;
    X509 *ra = d2i_X509(NULL, &at, (long)ra_certificate.len);
    STACK_OF(X509) *known = sk_X509_new_null();
    sk_X509_push(known, ra);
    BIO *nothing = BIO_new_mem_buf("", 0);
    BIO *content = CMS_get0_content(cms) && *CMS_get0_content(cms) ? NULL : nothing;
    bool good = CMS_verify(cms, known, NULL, content, NULL, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1;
    BIO_free(nothing);
    sk_X509_pop_free(known, X509_free);
    CMS_ContentInfo_free(cms);
    return good;
}
