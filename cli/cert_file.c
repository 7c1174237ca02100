/* SPDX-License-Identifier: Apache-2.0 */
/* Files of certificates in every form that a CA's web page or Windows' certreq leaves them. */
#include "cli/cert_file.h"

#include "base/encode.h"
#include "base/file.h"
#include "x509/cms.h"

void cert_file_free(struct cert_file *file)
{
    for (size_t i = 0; i < file->count; i++)
        buf_free(&file->ders[i]);
    *file = (struct cert_file){ 0 };
}

static enum err cert_add(struct cert_file *file, struct bytes der, struct why *why)
{
    if (file->count == LIMIT_CHAIN_CERTS)
        return fail(why, ERR_LIMIT, "more than %d certificates", LIMIT_CHAIN_CERTS);
    size_t at = file->count++;
    file->ders[at] = buf_dup(der);
    return cert_parse(buf_bytes(&file->ders[at]), &file->certs[at], why);
}

static enum err add_pkcs7(struct cert_file *file, struct bytes ber, struct why *why)
{
    AUTO_BUF storage = { 0 };
    struct bytes certs[LIMIT_CHAIN_CERTS];
    size_t count;
    TRY(cms_certs_decode(ber, &storage, certs, LIMIT_CHAIN_CERTS, &count, why));
    for (size_t i = 0; i < count; i++)
        TRY(cert_add(file, certs[i], why));
    return OK;
}

static enum err add_pem(struct cert_file *file, struct bytes text, struct why *why)
{
    struct bytes rest = text;
    for (;;) {
        AUTO_BUF der = { 0 };
        if (!pem_decode(rest, "CERTIFICATE", &der, &rest))
            break;
        TRY(cert_add(file, buf_bytes(&der), why));
    }
    AUTO_BUF pkcs7 = { 0 };
    if (!file->count && (pem_decode(text, "PKCS7", &pkcs7, NULL) || pem_decode(text, "CMS", &pkcs7, NULL)))
        return add_pkcs7(file, buf_bytes(&pkcs7), why);
    return file->count ? OK : fail(why, ERR_MALFORMED, "no PEM block of type CERTIFICATE or PKCS7");
}

static enum err add_any(struct cert_file *file, struct bytes content, struct why *why)
{
    static const char begin[] = "-----BEGIN ";
    struct der_reader in = der_reader_over(content), inside;
    if (content.len && memmem(content.data, content.len, begin, sizeof(begin) - 1))
        return add_pem(file, content, why);
    if (!der_next_is(&in, DER_SEQUENCE))
        return fail(why, ERR_MALFORMED, "neither PEM nor DER");
    /* ContentInfo begins with an OID; a certificate with its SEQUENCE. BER is PKCS#7's alone. */
    bool certificate = der_get_sequence(&in, &inside) && der_next_is(&inside, DER_SEQUENCE);
    return certificate ? cert_add(file, content, why) : add_pkcs7(file, content, why);
}

enum err cert_file_read(const char *path, struct cert_file *ret, struct why *why)
{
    AUTO_BUF content = { 0 };
    AUTO_VAL(cert_file) file = { 0 };
    struct why inner = { 0 };
    TRY(file_read(path, LIMIT_TEXT_FILE_BYTES, &content, why));
    enum err err = add_any(&file, buf_bytes(&content), &inner);
    if (err != OK)
        return fail(why, err, "%s: %s", path, inner.text);
    *ret = file;
    file = (struct cert_file){ 0 };
    return OK;
}
