/* SPDX-License-Identifier: Apache-2.0 */
/* EnvelopedData with RSA key transport (RFC 5652 6). Everything that can be refused is refused here, before
   cms_open.c spends a private-key operation on it (spec security.md B3 to B7). */
#include "x509/cms.h"

#include "base/auto.h"
#include "base/fault.h"
#include "x509/ber.h"
#include "x509/cbc.h"
#include "x509/cms_content.h"

void cms_enveloped_free(struct cms_enveloped *message)
{
    if (!message)
        return;
    buf_free(&message->storage);
    *message = (struct cms_enveloped){ 0 };
}

/* KeyTransRecipientInfo (RFC 5652 6.2.1); the algorithm stays unread unless it turns out to be ours. */
struct recipient {
    struct bytes issuer, serial, key_id, algorithm, encrypted_key;
};

static bool read_recipient_id(struct der_reader *in, struct recipient *recipient)
{
    struct der_reader pair;
    if (der_next_is(in, DER_CONTEXT(0)))
        return der_get(in, DER_CONTEXT(0), &recipient->key_id) && recipient->key_id.len > 0;
    return der_get_sequence(in, &pair) && der_get_whole(&pair, DER_SEQUENCE, &recipient->issuer) &&
           der_get_integer_bytes(&pair, &recipient->serial) && der_at_end(&pair);
}

static bool read_recipient(struct der_reader *in, struct recipient *ret)
{
    struct der_reader info;
    struct recipient recipient = { 0 };
    int64_t version;
    /* 0 goes with issuerAndSerialNumber and 2 with a key identifier, but clients mix them up. */
    if (!der_get_sequence(in, &info) || !der_get_int64(&info, &version) || (version != 0 && version != 2) ||
        !read_recipient_id(&info, &recipient) || !der_get_whole(&info, DER_SEQUENCE, &recipient.algorithm) ||
        !der_get_octets(&info, &recipient.encrypted_key) || !der_at_end(&info))
        return false;
    *ret = recipient;
    return true;
}

static bool find_ours(const struct recipient *recipient, const struct cert *ours, size_t ours_count,
                      size_t *ret)
{
    for (size_t i = 0; i < ours_count; i++) {
        if (cms_names_cert(&ours[i], recipient->issuer, recipient->serial, recipient->key_id)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

struct own {
    const struct cert *certs;
    size_t count;
};

/* All refusals in here are one error: none of them may be told from another, nor from a failed decryption
 * (B3). */
static enum err choose_recipient(struct der_reader *in, const struct own *own, struct recipient *ret,
                                 size_t *ret_index, struct why *why)
{
    struct der_reader set;
    if (!der_get_set(in, &set))
        return fail(why, ERR_BAD_MESSAGE_CHECK,
                    "EnvelopedData without recipientInfos, or with originatorInfo");
    size_t all = 0, found = 0, index = 0;
    struct recipient recipient = { 0 }, chosen = { 0 };
    for (; !der_at_end(&set); all++) {
        if (!FAULT(recipient_count) && all == LIMIT_RECIPIENTS)
            return fail(why, ERR_BAD_MESSAGE_CHECK, "more than %d RecipientInfos", LIMIT_RECIPIENTS);
        if (!read_recipient(&set, &recipient))
            return fail(why, ERR_BAD_MESSAGE_CHECK,
                        "RecipientInfo %zu is not a well-formed KeyTransRecipientInfo", all);
        if (!find_ours(&recipient, own->certs, own->count, &index))
            continue;
        chosen = recipient;
        *ret_index = index;
        found++;
    }
    if (FAULT(recipient_rule) ? found == 0 : found != 1)
        return fail(why, ERR_BAD_MESSAGE_CHECK,
                    "%zu of %zu RecipientInfos name one of our %zu RA certificates, wanted 1", found, all,
                    own->count);
    *ret = chosen;
    return OK;
}

static enum err read_transport(struct bytes algorithm, struct cms_enveloped *message, struct why *why)
{
    struct der_reader in = der_reader_over(algorithm), peek = in, inside;
    struct bytes oid;
    if (transport_get(&in, &message->transport, &message->oaep) && der_at_end(&in))
        return OK;
    /* B6: a known algorithm with odd parameters is a broken request, an unknown one a wrong choice. */
    bool known = der_get_sequence(&peek, &inside) && der_get_oid(&inside, &oid) &&
                 (oid_is(oid, OID_RSA_ENCRYPTION) || oid_is(oid, OID_RSA_OAEP));
    return known ? fail(why, ERR_BAD_REQUEST,
                        "key transport with parameters that are not allowed (RFC 4055 4.1)")
                 : fail(why, ERR_BAD_ALG, "key transport algorithm is not allowed");
}

/* Names what was asked for: an administrator looks up the OID. */
static enum err refuse_cipher(struct der_reader algorithm, struct why *why)
{
    struct der_reader inside;
    struct bytes oid;
    AUTO_BUF dotted = { 0 };
    if (!der_get_sequence(&algorithm, &inside) || !der_get_oid(&inside, &oid))
        return fail(why, ERR_MALFORMED, "contentEncryptionAlgorithm malformed (RFC 5652 6.1)");
    oid_append_dotted(&dotted, oid);
    return fail(
        why, ERR_BAD_ALG,
        "content cipher %s (%s) is not known here, or its IV has another length; AES-CBC and 3DES are",
        buf_text(&dotted), oid_name(oid_find(oid)));
}

static enum err read_encrypted_content(struct der_reader *in, struct cms_enveloped *message, struct why *why)
{
    struct der_reader info;
    struct bytes type;
    if (!der_get_sequence(in, &info) || !der_get_oid(&info, &type))
        return fail(why, ERR_MALFORMED, "EnvelopedData without encryptedContentInfo (RFC 5652 6.1)");
    if (!oid_is(type, OID_DATA))
        return fail(why, ERR_MALFORMED, "encrypted content is not id-data (RFC 8894 3.2.2)");
    struct der_reader algorithm = info;
    if (!cipher_get(&info, &message->cipher, &message->iv))
        return refuse_cipher(algorithm, why);
    if (!der_get(&info, DER_CONTEXT(0), &message->ciphertext) || !der_at_end(&info))
        return fail(why, ERR_MALFORMED, "EnvelopedData without encryptedContent (RFC 5652 6.1)");
    size_t block = cipher_block_size(message->cipher);
    if (message->ciphertext.len == 0 || message->ciphertext.len % block != 0)
        return fail(why, ERR_MALFORMED, "encryptedContent of %zu octets, %s has blocks of %zu",
                    message->ciphertext.len, cipher_name(message->cipher), block);
    return OK;
}

static enum err decode(struct cms_enveloped *message, const struct own *own, struct why *why)
{
    struct der_reader in;
    struct recipient recipient = { 0 };
    int64_t version;
    if (!cms_content_get(buf_bytes(&message->storage), OID_ENVELOPED_DATA, &in))
        return fail(why, ERR_MALFORMED, "not a ContentInfo with id-envelopedData (RFC 5652 3)");
    if (!der_get_int64(&in, &version) || version < 0 || version > 4)
        return fail(why, ERR_MALFORMED, "EnvelopedData version is not one of 0 to 4 (RFC 5652 6.1)");
    TRY(choose_recipient(&in, own, &recipient, &message->recipient, why));
    TRY(read_transport(recipient.algorithm, message, why));
    message->encrypted_key = recipient.encrypted_key;
    TRY(read_encrypted_content(&in, message, why));
    if (!der_at_end(&in))
        return fail(why, ERR_MALFORMED, "EnvelopedData with unprotected attributes or trailing bytes");
    return OK;
}

enum err cms_enveloped_decode(struct bytes ber, const struct cert *ours, size_t ours_count,
                              struct cms_enveloped *ret, struct why *why)
{
    struct cms_enveloped message = { 0 };
    TRY(ber_to_der(ber, BER_ENVELOPED, &message.storage, why));
    const struct own own = { ours, ours_count };
    enum err err = decode(&message, &own, why);
    if (err != OK) {
        cms_enveloped_free(&message);
        return err;
    }
    *ret = message;
    return OK;
}

/* DES keys have odd parity: some receivers check it. */
static void set_odd_parity(uint8_t *key, size_t len)
{
    for (size_t i = 0; i < len; i++)
        key[i] = (uint8_t)((key[i] & 0xFE) | !(__builtin_popcount(key[i] & 0xFE) & 1));
}

static enum err make_content_key(enum cipher cipher, struct buf *ret_key, struct why *why)
{
    AUTO_WIPE key = { 0 };
    size_t size = cipher_key_size(cipher);
    buf_reserve(&key, size);
    TRY(random_fill(key.data, size, why));
    key.len = size;
    if (cipher == CIPHER_DES_EDE3_CBC || cipher == CIPHER_DES_CBC)
        set_odd_parity(key.data, key.len);
    *ret_key = TAKE_BUF(key);
    return OK;
}

static enum err put_recipient(struct buf *out, const struct cms_seal_params *params, struct bytes content_key,
                              struct why *why)
{
    struct cert parsed;
    const struct cert *cert = params->recipient ? params->recipient : &parsed;
    AUTO(public_key) read = NULL;
    if (!params->recipient)
        TRY(cert_parse(params->recipient_cert, &parsed, why));
    if (!params->recipient_key)
        TRY(public_key_parse(cert->spki, &read, why));
    const struct public_key *key = params->recipient_key ? params->recipient_key : read;
    if (public_key_kind(key) != KEY_RSA)
        return fail(why, ERR_BAD_ALG, "cannot encrypt to a %s key: SCEP transports keys by RSA",
                    key_kind_name(public_key_kind(key)));
    AUTO_BUF encrypted_key = { 0 };
    TRY(public_key_encrypt(key, params->transport, &params->oaep, content_key, &encrypted_key, why));
    size_t set = der_begin(out, DER_SET);
    size_t info = der_begin(out, DER_SEQUENCE);
    der_put_int64(out, 0);
    cms_issuer_and_serial_put(out, cert);
    transport_put(out, params->transport, &params->oaep);
    der_put_octets(out, buf_bytes(&encrypted_key));
    der_end(out, info);
    der_end(out, set);
    return OK;
}

static enum err put_encrypted_content(struct buf *out, const struct cbc *cbc, struct bytes plain,
                                      struct why *why)
{
    AUTO_BUF ciphertext = { 0 };
    TRY(cbc_encrypt(cbc, plain, &ciphertext, why));
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(OID_DATA));
    cipher_put(out, cbc->cipher, cbc->iv);
    der_put(out, DER_CONTEXT(0), buf_bytes(&ciphertext));
    der_end(out, mark);
    return OK;
}

enum err cms_enveloped_seal(const struct cms_seal_params *params, struct bytes plain, struct buf *ret,
                            struct why *why)
{
    AUTO_BUF out = { 0 };
    AUTO_WIPE content_key = { 0 };
    uint8_t iv[16];
    struct cbc cbc = { .cipher = params->cipher, .iv = { iv, cipher_block_size(params->cipher) } };
    TRY(random_fill(iv, sizeof(iv), why));
    TRY(make_content_key(params->cipher, &content_key, why));
    cbc.key = buf_bytes(&content_key);
    struct cms_content_marks marks = cms_content_begin(&out, OID_ENVELOPED_DATA);
    der_put_int64(&out, 0);
    TRY(put_recipient(&out, params, cbc.key, why));
    TRY(put_encrypted_content(&out, &cbc, plain, why));
    cms_content_end(&out, &marks);
    *ret = TAKE_BUF(out);
    return OK;
}
