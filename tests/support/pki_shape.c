/* SPDX-License-Identifier: Apache-2.0 */
/* A message is CSR, EnvelopedData, SignedData, and for iOS both CMS layers in BER. */
#include "tests/support/pki_shape.h"

#include "base/auto.h"
#include "base/encode.h"
#include "tests/support/evp_key.h"
#include "tests/support/ios_ber.h"
#include "tests/support/rsa_encode.h"
#include "x509/cbc.h"
#include "x509/cms_content.h"
#include "x509/csr.h"
#include "x509/name.h"

static const struct {
    const char *name;
    enum cipher cipher;
    enum digest digest;
    enum transport transport;
} kinds[] = {
    [SHAPE_PLAIN] = { "plain", CIPHER_AES128_CBC, DIGEST_SHA256, TRANSPORT_PKCS1_V15 },
    [SHAPE_WINDOWS] = { "windows", CIPHER_AES256_CBC, DIGEST_SHA256, TRANSPORT_OAEP },
    [SHAPE_IOS] = { "ios", CIPHER_DES_EDE3_CBC, DIGEST_SHA512, TRANSPORT_PKCS1_V15 },
};
static const char *const break_names[] = {
    [BREAK_NOTHING] = "nothing",
    [BREAK_CMS_SIGNATURE] = "cms-signature",
    [BREAK_CSR_SIGNATURE] = "csr-signature",
    [BREAK_PADDING] = "padding",
    [BREAK_LENGTH] = "length",
    [BREAK_KEY] = "key",
    [BREAK_CONTENT] = "content",
};

bool shape_by_name(const char *name, enum shape_kind *ret)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *ret = (enum shape_kind)i;
            return true;
        }
    }
    return false;
}

bool shape_break_by_name(const char *name, enum shape_break *ret)
{
    for (size_t i = 0; i < sizeof(break_names) / sizeof(*break_names); i++) {
        if (strcmp(break_names[i], name) == 0) {
            *ret = (enum shape_break)i;
            return true;
        }
    }
    return false;
}

struct buf shape_signer_cert(const struct key *signer, const char *subject)
{
    static const uint8_t one[] = { 1 };
    const struct test_cert wanted = { .subject = subject,
                                      .serial = BYTES_ARR(one),
                                      .key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT };
    return test_cert_make(signer, &wanted);
}

enum err shape_csr(const struct shape *shape, struct buf *ret, struct why *why)
{
    AUTO_BUF subject = { 0 }, csr = { 0 };
    TRY(name_from_text(shape->subject, &subject, why));
    const struct csr_params params = { .subject = buf_bytes(&subject),
                                       .challenge = shape->challenge,
                                       .extensions = shape->extensions };
    TRY(csr_make(&params, shape->csr_key ? shape->csr_key : shape->signer, &csr, why));
    if (shape->breaks == BREAK_CSR_SIGNATURE)
        csr.data[csr.len - 1] ^= 1;
    *ret = TAKE_BUF(csr);
    return OK;
}

/* The content key as it goes into the RSA block: another length, or another key, when that is to be broken.
 */
static struct buf padded_key(struct shape *shape, size_t size, struct bytes content_key)
{
    AUTO_BUF key = buf_dup(content_key);
    if (shape->breaks == BREAK_LENGTH)
        key.len--;
    if (shape->breaks == BREAK_KEY)
        key.data[0] ^= 0x10;
    struct buf block = kinds[shape->kind].transport == TRANSPORT_OAEP
                           ? rsa_pad_oaep(&shape->prng, size, &shape->oaep, buf_bytes(&key))
                           : rsa_pad_pkcs1(&shape->prng, size, buf_bytes(&key));
    if (shape->breaks == BREAK_PADDING)
        block.data[1] ^= 0x40; /* block type 42; for OAEP the masked seed */
    return block;
}

static enum err put_recipient(struct buf *out, struct shape *shape, struct bytes cert_der,
                              struct bytes content_key, struct why *why)
{
    struct cert cert;
    TRY(cert_parse(cert_der, &cert, why));
    AUTO(public_key) key = NULL;
    TRY(public_key_parse(cert.spki, &key, why));
    AUTO_BUF block = padded_key(shape, (size_t)(public_key_bits(key) + 7) / 8, content_key);
    AUTO_BUF encrypted = rsa_encrypt_raw(cert.spki, buf_bytes(&block));
    size_t info = der_begin(out, DER_SEQUENCE);
    der_put_int64(out, 0);
    static const uint8_t other_serial[] = { 0x7B };
    if (shape->recipient_none)
        cert.serial = BYTES_ARR(other_serial);
    cms_issuer_and_serial_put(out, &cert);
    transport_put(out, kinds[shape->kind].transport, &shape->oaep);
    der_put_octets(out, buf_bytes(&encrypted));
    der_end(out, info);
    return OK;
}

static enum err put_recipients(struct buf *out, struct shape *shape, struct bytes content_key,
                               struct why *why)
{
    AUTO_BUF infos = { 0 };
    for (size_t i = 0; i < shape->recipient_count; i++)
        TRY(put_recipient(&infos, shape, shape->recipients[i], content_key, why));
    if (shape->recipient_twice)
        TRY(put_recipient(&infos, shape, shape->recipients[0], content_key, why));
    der_put(out, DER_SET, buf_bytes(&infos));
    return OK;
}

/* Bad content padding: whole blocks that end in zero, made by leaving out the block of padding behind them.
 */
static enum err encrypt_content(const struct shape *shape, const struct cbc *cbc, struct bytes plain,
                                struct buf *ret, struct why *why)
{
    if (shape->breaks != BREAK_CONTENT)
        return cbc_encrypt(cbc, plain, ret, why);
    size_t block = cipher_block_size(cbc->cipher);
    AUTO_BUF padded = buf_dup(plain);
    do {
        buf_append_byte(&padded, 0);
    } while (padded.len % block);
    TRY(cbc_encrypt(cbc, buf_bytes(&padded), ret, why));
    ret->len -= block;
    return OK;
}

enum err shape_envelope(struct shape *shape, struct bytes plain, struct buf *ret, struct why *why)
{
    uint8_t key[32], iv[16];
    enum cipher cipher = kinds[shape->kind].cipher;
    prng_fill(&shape->prng, key, sizeof(key));
    prng_fill(&shape->prng, iv, sizeof(iv));
    const struct cbc cbc = { cipher, bytes_of(key, cipher_key_size(cipher)),
                             bytes_of(iv, cipher_block_size(cipher)) };
    AUTO_BUF out = { 0 }, ciphertext = { 0 };
    TRY(encrypt_content(shape, &cbc, plain, &ciphertext, why));
    struct cms_content_marks marks = cms_content_begin(&out, OID_ENVELOPED_DATA);
    der_put_int64(&out, 0);
    TRY(put_recipients(&out, shape, cbc.key, why));
    size_t content = der_begin(&out, DER_SEQUENCE);
    der_put_oid(&out, oid_bytes(OID_DATA));
    cipher_put(&out, cipher, cbc.iv);
    der_put(&out, DER_CONTEXT(0), buf_bytes(&ciphertext));
    der_end(&out, content);
    cms_content_end(&out, &marks);
    *ret = shape->kind == SHAPE_IOS ? ios_ber_enveloped(buf_bytes(&out), 0) : TAKE_BUF(out);
    return OK;
}

static enum err transaction_id(const struct shape *shape, struct buf *ret, struct why *why)
{
    uint8_t digest[32];
    struct bytes spki = public_key_spki(shape->signer->public_half);
    if (shape->transaction_id) {
        buf_append_str(ret, shape->transaction_id);
        return OK;
    }
    TRY(sha256_parts(&spki, 1, digest, why));
    hex_append_upper(ret, BYTES_ARR(digest));
    return OK;
}

static enum err put_attributes(struct buf *out, struct shape *shape, struct why *why)
{
    uint8_t nonce[16];
    AUTO_BUF type = { 0 }, id = { 0 };
    prng_fill(&shape->prng, nonce, sizeof(nonce));
    buf_printf(&type, "%d", shape->message_type);
    TRY(transaction_id(shape, &id, why));
    cms_attribute_put(out, OID_SCEP_MESSAGE_TYPE, DER_PRINTABLE_STRING, buf_bytes(&type));
    cms_attribute_put(out, OID_SCEP_TRANSACTION_ID, DER_PRINTABLE_STRING, buf_bytes(&id));
    cms_attribute_put(out, OID_SCEP_SENDER_NONCE, DER_OCTET_STRING, BYTES_ARR(nonce));
    return OK;
}

enum err shape_message(struct shape *shape, struct buf *ret, struct why *why)
{
    AUTO_BUF csr = { 0 }, envelope = { 0 }, attributes = { 0 }, message = { 0 };
    AUTO_BUF cert = shape_signer_cert(shape->signer, shape->subject);
    TRY(shape_csr(shape, &csr, why));
    TRY(shape_envelope(shape, buf_bytes(&csr), &envelope, why));
    TRY(put_attributes(&attributes, shape, why));
    const struct cms_signed_params params = { .has_content = true,
                                              .content = buf_bytes(&envelope),
                                              .digest = kinds[shape->kind].digest,
                                              .signer_cert = buf_bytes(&cert),
                                              .with_signer_cert = true,
                                              .attributes = buf_bytes(&attributes) };
    TRY(cms_signed_encode(&params, shape->signer, &message, why));
    if (shape->breaks == BREAK_CMS_SIGNATURE)
        message.data[message.len - 1] ^= 1; /* the signature is what ends a SignedData */
    *ret = shape->kind == SHAPE_IOS ? ios_ber_signed(buf_bytes(&message), 0) : TAKE_BUF(message);
    return OK;
}
