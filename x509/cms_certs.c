/* SPDX-License-Identifier: Apache-2.0 */
/* Certs-only SignedData, read: what CAs hand out as PKCS#7 (.p7b). Nothing in it is signed, so nothing of it is believed. */
#include "x509/cms.h"

#include "base/auto.h"
#include "x509/ber.h"
#include "x509/cms_content.h"

/* The content between digestAlgorithms and certificates is of no interest, crls neither; signers are none. */
static bool get_set(struct bytes der, struct der_reader *ret_certs)
{
    struct der_reader inside, signers;
    struct bytes digests, content, crls;
    int64_t version;
    if (!cms_content_get(der, OID_SIGNED_DATA, &inside) || !der_get_int64(&inside, &version) ||
        !der_get(&inside, DER_SET, &digests) || !der_get(&inside, DER_SEQUENCE, &content) ||
        !der_get_constructed(&inside, DER_CONTEXT_CONSTRUCTED(0), ret_certs))
        return false;
    if (der_next_is(&inside, DER_CONTEXT_CONSTRUCTED(1)) &&
        !der_get(&inside, DER_CONTEXT_CONSTRUCTED(1), &crls))
        return false;
    return der_get_set(&inside, &signers) && der_at_end(&signers) && der_at_end(&inside);
}

enum err cms_certs_decode(struct bytes ber, struct buf *ret_storage, struct bytes *ret_certs, size_t max,
                          size_t *ret_count, struct why *why)
{
    AUTO_BUF der = { 0 };
    struct der_reader certs;
    size_t count = 0;
    TRY(ber_to_der(ber, BER_SIGNED, &der, why));
    if (!get_set(buf_bytes(&der), &certs) || der_at_end(&certs))
        return fail(why, ERR_MALFORMED, "not a certs-only SignedData (RFC 5652 5.2)");
    while (!der_at_end(&certs)) {
        struct bytes whole;
        if (!der_get_whole(&certs, DER_SEQUENCE, &whole))
            return fail(why, ERR_MALFORMED,
                        "certificate %zu of the message is none of X.509 (RFC 5652 10.2.2)", count + 1);
        if (count == max)
            return fail(why, ERR_LIMIT, "a message of more than %zu certificates", max);
        ret_certs[count++] = whole;
    }
    *ret_storage = TAKE_BUF(der); /* the views stay: its memory is handed over as it is */
    *ret_count = count;
    return OK;
}
