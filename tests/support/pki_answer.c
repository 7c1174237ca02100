/* SPDX-License-Identifier: Apache-2.0 */
/* CertRep: SignedData, its attributes, EnvelopedData to us, certs-only SignedData. */
#include "tests/support/pki_answer.h"

#include "base/auto.h"
#include "base/encode.h"
#include "x509/cms_content.h"

void answer_free(struct answer *answer)
{
    buf_free(&answer->pki_status);
    buf_free(&answer->fail_info);
    buf_free(&answer->transaction_id);
    buf_free(&answer->recipient_nonce);
    buf_free(&answer->certificate);
    *answer = (struct answer){ 0 };
}

static void copy_attribute(const struct cms_signed *message, enum oid type, struct buf *ret)
{
    struct der_item value;
    if (cms_signed_attribute(message, type, &value))
        buf_append(ret, value.content);
}

/* Issuer and serial of the one recipient: the certificate that the request was signed with. */
static bool read_recipient(struct bytes envelope, struct cert *ret)
{
    struct der_reader in, set, info, pair;
    int64_t version;
    return cms_content_get(envelope, OID_ENVELOPED_DATA, &in) && der_get_int64(&in, &version) &&
           der_get_set(&in, &set) && der_get_sequence(&set, &info) && der_get_int64(&info, &version) &&
           der_get_sequence(&info, &pair) && der_get_whole(&pair, DER_SEQUENCE, &ret->issuer) &&
           der_get_integer_bytes(&pair, &ret->serial);
}

static enum err open_envelope(struct bytes envelope, const struct key *key, struct buf *ret_plain,
                              struct why *why)
{
    struct cert self = { 0 };
    struct cms_enveloped message;
    uint8_t good;
    if (!read_recipient(envelope, &self))
        return fail(why, ERR_MALFORMED, "answer: no recipient by issuer and serial");
    TRY(cms_enveloped_decode(envelope, &self, 1, &message, why));
    enum err err = cms_enveloped_open(&message, key, ret_plain, &good, why);
    cms_enveloped_free(&message);
    if (err == OK && !good)
        return fail(why, ERR_BAD_MESSAGE_CHECK, "answer: does not decrypt with this key");
    return err;
}

static enum err choose_certificate(struct bytes degenerate, const struct key *key, struct answer *answer,
                                   struct why *why)
{
    struct der_reader in, certs;
    int64_t version;
    struct bytes skipped, der;
    if (!cms_content_get(degenerate, OID_SIGNED_DATA, &in) || !der_get_int64(&in, &version) ||
        !der_get(&in, DER_SET, &skipped) || !der_get(&in, DER_SEQUENCE, &skipped) ||
        !der_get_constructed(&in, DER_CONTEXT_CONSTRUCTED(0), &certs))
        return fail(why, ERR_MALFORMED, "answer: no certs-only SignedData inside");
    while (der_get_whole(&certs, DER_SEQUENCE, &der)) {
        struct cert cert;
        TRY(cert_parse(der, &cert, why));
        answer->certificates++;
        if (bytes_equal(cert.spki, public_key_spki(key->public_half)))
            answer->certificate = buf_dup(der);
    }
    return answer->certificate.len ? OK : fail(why, ERR_NOT_FOUND, "answer: no certificate for this key");
}

static enum err read_answer(const struct cms_signed *message, const struct key *key, struct answer *answer,
                            struct why *why)
{
    AUTO_BUF nonce = { 0 };
    AUTO_WIPE plain = { 0 };
    struct cert signer;
    TRY(cert_parse(message->signer_cert, &signer, why));
    AUTO(public_key) signer_key = NULL;
    TRY(public_key_parse(signer.spki, &signer_key, why));
    TRY(cms_signed_verify(message, signer_key, why));
    copy_attribute(message, OID_SCEP_PKI_STATUS, &answer->pki_status);
    copy_attribute(message, OID_SCEP_FAIL_INFO, &answer->fail_info);
    copy_attribute(message, OID_SCEP_TRANSACTION_ID, &answer->transaction_id);
    copy_attribute(message, OID_SCEP_RECIPIENT_NONCE, &nonce);
    hex_append(&answer->recipient_nonce, buf_bytes(&nonce));
    if (!bytes_equal(buf_bytes(&answer->pki_status), BYTES_LIT("0")))
        return OK;
    TRY(open_envelope(message->content, key, &plain, why));
    return choose_certificate(buf_bytes(&plain), key, answer, why);
}

enum err answer_open(struct bytes der, const struct key *key, struct answer *ret, struct buf *ret_signer,
                     struct why *why)
{
    struct cms_signed message;
    struct answer answer = { 0 };
    TRY(cms_signed_decode(der, &message, why));
    enum err err = read_answer(&message, key, &answer, why);
    if (err == OK && ret_signer)
        *ret_signer = buf_dup(message.signer_cert);
    cms_signed_free(&message);
    if (err != OK) {
        answer_free(&answer);
        return err;
    }
    *ret = answer;
    return OK;
}
