/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#10: a request that parses has a subject that can be shown, a SAN that can be walked, and a checkable signature. */
#include "fuzz/target.h"

#include "base/auto.h"
#include "base/limits.h"
#include "x509/csr.h"
#include "x509/name.h"
#include "x509/san.h"

static void verify(const struct csr *csr)
{
    struct why why;
    struct public_key *key = NULL;
    if (public_key_parse(csr->spki, &key, &why) != OK)
        return;
    enum err err = csr_verify(csr, key, true, &why);
    PROMISE(err == OK || err == ERR_BAD_MESSAGE_CHECK || err == ERR_BAD_ALG);
    public_key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct why why;
    struct csr csr;
    AUTO_BUF text = { 0 }, challenge = { 0 };
    if (csr_parse(bytes_of(data, len), &csr, &why) != OK)
        return 0;
    PROMISE(csr.der.len == len && len <= LIMIT_CSR_BYTES);
    PROMISE(!csr.has_challenge || csr.challenge.len <= LIMIT_CHALLENGE_BYTES);
    if (csr_challenge_utf8(&csr, &challenge))
        PROMISE(csr.has_challenge && utf8_is_valid(buf_bytes(&challenge)));
    if (name_check(csr.subject, &why) == OK)
        name_append_text(&text, csr.subject);
    if (csr.san.len && san_check(csr.san, &why) == OK)
        san_append_text(&text, csr.san);
    verify(&csr);
    return 0;
}
