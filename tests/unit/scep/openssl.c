/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's reading of what scep writes. Apart from support.c: x509v3.h has macros by the names of our key usages. */
#include "tests/unit/scep/support.h"
#include "tests/unit/test.h"
#include <openssl/cms.h>
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
