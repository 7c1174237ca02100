/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: one that parses is within its limits, and its names, extensions and lint run to an end. */
#include "fuzz/target.h"

#include "base/auto.h"
#include "base/limits.h"
#include "x509/cert.h"
#include "x509/name.h"
#include "x509/san.h"

static void verify(const struct cert *cert)
{
    struct why why;
    struct public_key *key = NULL;
    if (public_key_parse(cert->spki, &key, &why) != OK)
        return;
    enum err err = cert_verify(cert, key, &why);
    PROMISE(err == OK || err == ERR_BAD_MESSAGE_CHECK || err == ERR_BAD_ALG);
    public_key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct why why;
    struct cert cert, again;
    AUTO_BUF text = { 0 };
    if (cert_parse(bytes_of(data, len), &cert, &why) != OK)
        return 0;
    PROMISE(cert.der.len == len && len <= LIMIT_CERT_BYTES);
    PROMISE(tbs_parse(cert.tbs, &again, &why) == OK && bytes_equal(again.serial, cert.serial));
    serial_append_text(&text, cert.serial);
    if (name_check(cert.subject, &why) == OK)
        name_append_text(&text, cert.subject);
    if (cert.san.len && san_check(cert.san, &why) == OK)
        san_append_text(&text, cert.san);
    (void)cert_allows_eku(&cert, OID_KP_CLIENT_AUTH);
    PROMISE(tbs_lint(cert.tbs, &why) == OK || why.text[0]);
    verify(&cert);
    return 0;
}
