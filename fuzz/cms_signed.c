/* SPDX-License-Identifier: Apache-2.0 */
/* SignedData: decoding, its attributes, and the signature; and the certs-only ones of CAs. */
#include "fuzz/target.h"

#include "base/auto.h"
#include "x509/cms.h"

static void verify(const struct cms_signed *message)
{
    struct why why;
    struct cert cert;
    struct public_key *key = NULL;
    if (cert_parse(message->signer_cert, &cert, &why) != OK || public_key_parse(cert.spki, &key, &why) != OK)
        return;
    enum err err = cms_signed_verify(message, key, &why);
    PROMISE(err == OK || err == ERR_BAD_MESSAGE_CHECK || err == ERR_BAD_ALG);
    public_key_free(key);
}

static void decode_certs(struct bytes message)
{
    struct why why;
    struct bytes certs[LIMIT_CHAIN_CERTS];
    AUTO_BUF storage = { 0 }, again = { 0 }, twice = { 0 };
    size_t count = 0;
    if (cms_certs_decode(message, &storage, certs, LIMIT_CHAIN_CERTS, &count, &why) != OK)
        return;
    PROMISE(count >= 1 && count <= LIMIT_CHAIN_CERTS);
    PROMISE(cms_certs_encode(certs, count, &again, &why) == OK);
    size_t same = 0;
    PROMISE(cms_certs_decode(buf_bytes(&again), &twice, certs, LIMIT_CHAIN_CERTS, &same, &why) == OK &&
            same == count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const enum oid attributes[] = { OID_SCEP_MESSAGE_TYPE, OID_SCEP_TRANSACTION_ID,
                                           OID_SCEP_SENDER_NONCE };
    struct why why;
    struct cms_signed message;
    struct der_item value;
    decode_certs(bytes_of(data, len));
    if (cms_signed_decode(bytes_of(data, len), &message, &why) != OK)
        return 0;
    PROMISE(message.signed_attrs.len > 0 && message.signature.len > 0);
    PROMISE(message.cert_count <= LIMIT_MESSAGE_CERTS);
    PROMISE(cms_signed_attribute(&message, OID_ATTR_CONTENT_TYPE, &value));
    PROMISE(cms_signed_attribute(&message, OID_ATTR_MESSAGE_DIGEST, &value) &&
            value.content.len == digest_size(message.digest));
    for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++)
        (void)cms_signed_attribute(&message, attributes[i], &value);
    if (message.signer_cert.len)
        verify(&message);
    cms_signed_free(&message);
    return 0;
}
