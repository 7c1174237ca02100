/* SPDX-License-Identifier: Apache-2.0 */
/* The SCEP pkiMessage: which signed attributes a request must have, and those of an answer. */
#include "scep/message.h"

#include "base/fault.h"
#include "base/log.h"
#include <stdio.h>

#define NONCE_BYTES 16 /* RFC 8894 3.2.1.5 */

/* What clients send. Default is refusal: 18 once issued certificates elsewhere (CVE-2026-30836, spec
 * security.md A2). */
static const struct {
    enum scep_type type;
    const char *digits, *name;
} requests[] = {
    { SCEP_RENEWAL_REQ, "17", "RenewalReq" }, { SCEP_PKCS_REQ, "19", "PKCSReq" },
    { SCEP_CERT_POLL, "20", "CertPoll" },     { SCEP_GET_CERT, "21", "GetCert" },
    { SCEP_GET_CRL, "22", "GetCRL" },
};

const char *scep_type_name(enum scep_type type)
{
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        if (requests[i].type == type)
            return requests[i].name;
    }
    return type == SCEP_CERT_REP ? "CertRep" : "none";
}

const char *scep_fail_info_name(int fail_info)
{
    static const char *const names[] = { "badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId" };
    return fail_info >= FAIL_BAD_ALG && fail_info <= FAIL_BAD_CERT_ID ? names[fail_info] : "none";
}

/* RFC 8894 3.2.1.1: a PrintableString. Encoders in the field put other printable characters into one; it is
   echoed as it came, and nothing that could forge a log line passes. */
static enum err transaction_id_get(const struct cms_signed *cms, struct bytes *ret, struct why *why)
{
    struct der_item item;
    if (!cms_signed_attribute(cms, OID_SCEP_TRANSACTION_ID, &item))
        return fail(why, ERR_MALFORMED, "transactionID absent, RFC 8894 3.2.1.1 needs one");
    if (item.tag != DER_PRINTABLE_STRING)
        return fail(why, ERR_MALFORMED, "transactionID has tag %02X, PrintableString is %02X", item.tag,
                    DER_PRINTABLE_STRING);
    if (item.content.len == 0 || item.content.len > LIMIT_TRANSACTION_ID_BYTES)
        return fail(why, ERR_MALFORMED, "transactionID of %zu bytes, allowed 1 to %d", item.content.len,
                    LIMIT_TRANSACTION_ID_BYTES);
    for (size_t i = 0; i < item.content.len; i++) {
        if (!FAULT(transaction_id_text) && (item.content.data[i] < 0x20 || item.content.data[i] > 0x7E))
            return fail(why, ERR_MALFORMED, "transactionID has byte %02X, printable is 20 to 7E",
                        item.content.data[i]);
    }
    *ret = item.content;
    return OK;
}

enum err scep_message_decode(struct bytes ber, struct scep_message *ret, struct why *why)
{
    if (!FAULT(message_size) && ber.len > LIMIT_PKI_MESSAGE_BYTES)
        return fail(why, ERR_LIMIT, "pkiMessage of %zu bytes, limit %d", ber.len, LIMIT_PKI_MESSAGE_BYTES);
    __attribute__((cleanup(scep_message_free))) struct scep_message message = { 0 };
    TRY(cms_signed_decode(ber, &message.cms, why));
    if (message.cms.signer_cert.len == 0)
        return fail(why, ERR_MALFORMED, "the signer's certificate is not among the %zu of the message",
                    message.cms.cert_count);
    TRY(transaction_id_get(&message.cms, &message.transaction_id, why));
    struct der_item nonce;
    /* RFC 8894 wants 16 octets; clients send 8 or none, and get back what they sent (spec interop.md). */
    if (cms_signed_attribute(&message.cms, OID_SCEP_SENDER_NONCE, &nonce) && nonce.tag == DER_OCTET_STRING &&
        nonce.content.len <= LIMIT_NONCE_BYTES) {
        message.has_sender_nonce = true;
        message.sender_nonce = nonce.content;
    }
    *ret = message;
    message = (struct scep_message){ 0 };
    return OK;
}

void scep_message_free(struct scep_message *message)
{
    cms_signed_free(&message->cms);
    *message = (struct scep_message){ 0 };
}

static enum err type_get(const struct cms_signed *cms, enum scep_type *ret, struct why *why)
{
    struct der_item item;
    if (!cms_signed_attribute(cms, OID_SCEP_MESSAGE_TYPE, &item))
        return fail(why, ERR_BAD_REQUEST, "messageType absent, RFC 8894 3.2.1.2 needs one");
    if (item.tag != DER_PRINTABLE_STRING)
        return fail(why, ERR_BAD_REQUEST, "messageType has tag %02X, PrintableString is %02X", item.tag,
                    DER_PRINTABLE_STRING);
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        if (FAULT(message_type) || bytes_equal(item.content, bytes_str(requests[i].digits))) {
            *ret = requests[i].type;
            return OK;
        }
    }
    char shown[80];
    log_quote((const char *)item.content.data, item.content.len < 16 ? item.content.len : 16, shown,
              sizeof(shown));
    return fail(why, ERR_BAD_REQUEST, "messageType \"%s\" of %zu bytes, allowed 17, 19, 20, 21, 22", shown,
                item.content.len);
}

enum err scep_message_check(const struct scep_message *message, enum scep_type *ret_type, struct why *why)
{
    static const enum oid answers_only[] = { OID_SCEP_PKI_STATUS, OID_SCEP_FAIL_INFO };
    enum scep_type type = SCEP_CERT_REP;
    struct der_item item;
    TRY(type_get(&message->cms, &type, why));
    if (!message->has_sender_nonce && cms_signed_attribute(&message->cms, OID_SCEP_SENDER_NONCE, &item))
        return fail(why, ERR_BAD_REQUEST,
                    "senderNonce has tag %02X and %zu bytes, allowed OCTET STRING up to %d", item.tag,
                    item.content.len, LIMIT_NONCE_BYTES);
    for (size_t i = 0; i < sizeof(answers_only) / sizeof(*answers_only); i++) {
        if (!FAULT(answer_attributes) && cms_signed_attribute(&message->cms, answers_only[i], &item))
            return fail(why, ERR_BAD_REQUEST, "%s in a request of type %d, only answers have it",
                        oid_name(answers_only[i]), type);
    }
    *ret_type = type;
    return OK;
}

/* --- answers --- */

static void number_put(struct buf *out, enum oid type, int number)
{
    char digits[12];
    snprintf(digits, sizeof(digits), "%d", number);
    cms_attribute_put(out, type, DER_PRINTABLE_STRING, bytes_str(digits));
}

/* RFC 8894 3.2.1: the attributes of a CertRep. */
static enum err attributes_make(const struct scep_reply *reply, struct buf *ret, struct why *why)
{
    uint8_t nonce[NONCE_BYTES];
    TRY(random_fill(nonce, sizeof(nonce), why));
    number_put(ret, OID_SCEP_MESSAGE_TYPE, SCEP_CERT_REP);
    number_put(ret, OID_SCEP_PKI_STATUS, reply->status);
    cms_attribute_put(ret, OID_SCEP_TRANSACTION_ID, DER_PRINTABLE_STRING, reply->transaction_id);
    /* 3.2.1.5: the client's senderNonce comes back, so that a replayed answer is noticed. */
    if (reply->has_recipient_nonce)
        cms_attribute_put(ret, OID_SCEP_RECIPIENT_NONCE, DER_OCTET_STRING, reply->recipient_nonce);
    cms_attribute_put(ret, OID_SCEP_SENDER_NONCE, DER_OCTET_STRING, BYTES_ARR(nonce));
    if (reply->status == SCEP_FAILURE) {
        number_put(ret, OID_SCEP_FAIL_INFO, reply->fail_info);
        if (reply->fail_info_text)
            cms_attribute_put(ret, OID_SCEP_FAIL_INFO_TEXT, DER_UTF8_STRING,
                              bytes_str(reply->fail_info_text));
    }
    return OK;
}

enum err scep_reply_encode(const struct scep_reply *reply, const struct cert *signer, const struct key *key,
                           struct buf *ret, struct why *why)
{
    AUTO_BUF attributes = { 0 };
    TRY(attributes_make(reply, &attributes, why));
    /* 3.3.2: only SUCCESS carries a messageData. The signer's certificate goes along: clients that fetched an
       older generation from GetCACert find the new one here, issued by the same CA. */
    struct cms_signed_params params = {
        .has_content = reply->status == SCEP_SUCCESS,
        .content = reply->envelope,
        .digest = reply->digest,
        .signer_cert = signer->der,
        .signer = signer,
        .with_signer_cert = true,
        .attributes = buf_bytes(&attributes),
    };
    return cms_signed_encode(&params, key, ret, why);
}
