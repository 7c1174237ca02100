/* SPDX-License-Identifier: Apache-2.0 */
/* The CMS writer, and OpenSSL's CMS on the other side, in both directions and both layers. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "base/file.h"
#include "tests/support/evp_key.h"
#include "tests/support/ios_ber.h"
#include "x509/cms_content.h"
#include <openssl/cms.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
static const uint8_t serial_bytes[] = { 0x7A, 0x01 };
static const struct bytes content = { (const uint8_t *)"what is signed", 14 };

static void put_attr_tx(struct buf *out, const char *id)
{
    cms_attribute_put(out, OID_SCEP_TRANSACTION_ID, DER_PRINTABLE_STRING, bytes_str(id));
}

static enum err decode_and_verify(struct bytes message, struct why *why)
{
    __attribute__((cleanup(cms_signed_free))) struct cms_signed decoded = { 0 };
    TRY(cms_signed_decode(message, &decoded, why));
    struct cert cert;
    TRY(cert_parse(decoded.signer_cert, &cert, why));
    AUTO(public_key) key = NULL;
    TRY(public_key_parse(cert.spki, &key, why));
    TRY(cms_signed_verify(&decoded, key, why));
    ASSERT_BYTES(decoded.content, content);
    return OK;
}

/* --- SignedData --- */

struct writer {
    struct key *key;
    struct buf cert, attributes;
    struct cms_signed_params params;
};

static void writer_init(struct writer *writer, struct key *key, enum digest digest)
{
    const struct test_cert wanted = { .subject = "CN=signer,O=Example", .serial = BYTES_ARR(serial_bytes) };
    *writer = (struct writer){ .key = key, .cert = test_cert_make(key, &wanted) };
    put_attr_tx(&writer->attributes, "tx-9");
    writer->params = (struct cms_signed_params){ .has_content = true,
                                                 .content = content,
                                                 .digest = digest,
                                                 .signer_cert = buf_bytes(&writer->cert),
                                                 .with_signer_cert = true,
                                                 .attributes = buf_bytes(&writer->attributes) };
}

static void writer_free(struct writer *writer)
{
    buf_free(&writer->cert);
    buf_free(&writer->attributes);
    key_free(writer->key);
}

static const enum digest digests[] = { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };

static bool openssl_verifies(struct bytes der)
{
    const uint8_t *at = der.data;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
    BIO *out = BIO_new(BIO_s_mem());
    bool good = cms && CMS_verify(cms, NULL, NULL, NULL, out, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1;
    char *text = NULL;
    long len = BIO_get_mem_data(out, &text);
    good = good && bytes_equal(bytes_of(text, (size_t)len), content);
    BIO_free(out);
    CMS_ContentInfo_free(cms);
    return good;
}

TEST(what_is_written_verifies_here_and_with_openssl)
{
    static const char *const kinds[] = { NULL, "P-256", "P-384", "P-521" };
    for (size_t k = 0; k < COUNT(kinds); k++) {
        for (size_t d = 0; d < COUNT(digests); d++) {
            struct why why = { 0 };
            struct writer writer;
            AUTO_BUF message = { 0 };
            writer_init(&writer, kinds[k] ? evp_key_ec(kinds[k]) : evp_key_rsa(2048), digests[d]);
            ASSERT_OK(cms_signed_encode(&writer.params, writer.key, &message, &why), &why);
            assert_true(der_is_valid(buf_bytes(&message)));
            ASSERT_OK(decode_and_verify(buf_bytes(&message), &why), &why);
            assert_true(openssl_verifies(buf_bytes(&message)));
            writer_free(&writer);
        }
    }
}

TEST(content_of_a_given_type_verifies_here_and_with_openssl_and_as_no_other_type)
{
    struct why why = { 0 };
    struct writer writer;
    struct cms_signed decoded;
    AUTO_BUF message = { 0 };
    writer_init(&writer, evp_key_ec("P-256"), DIGEST_SHA256);
    writer.params.content_type = OID_ENVELOPED_DATA;
    ASSERT_OK(cms_signed_encode(&writer.params, writer.key, &message, &why), &why);
    assert_true(openssl_verifies(buf_bytes(&message)));
    ASSERT_ERR(ERR_MALFORMED, cms_signed_decode(buf_bytes(&message), &decoded, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, cms_signed_decode_type(buf_bytes(&message), OID_SIGNED_DATA, &decoded, &why),
               &why);
    ASSERT_OK(cms_signed_decode_type(buf_bytes(&message), OID_ENVELOPED_DATA, &decoded, &why), &why);
    ASSERT_OK(cms_signed_verify(&decoded, writer.key->public_half, &why), &why);
    ASSERT_BYTES(decoded.content, content);
    assert_true(cms_names_cert(&decoded.signer, decoded.sid.issuer, decoded.sid.serial, decoded.sid.key_id));
    assert_false(decoded.has_unsigned_attrs);
    cms_signed_free(&decoded);
    writer_free(&writer);
}

TEST(written_attributes_are_in_der_order)
{
    struct why why = { 0 };
    struct writer writer;
    AUTO_BUF message = { 0 };
    writer_init(&writer, evp_key_ec("P-256"), DIGEST_SHA256);
    cms_attribute_put(&writer.attributes, OID_SCEP_PKI_STATUS, DER_PRINTABLE_STRING, BYTES_LIT("0"));
    writer.params.attributes = buf_bytes(&writer.attributes);
    ASSERT_OK(cms_signed_encode(&writer.params, writer.key, &message, &why), &why);
    struct cms_signed decoded;
    ASSERT_OK(cms_signed_decode(buf_bytes(&message), &decoded, &why), &why);
    struct der_reader in = der_reader_over(decoded.signed_attrs);
    struct der_item item, last = { 0 };
    for (int i = 0; i < 4; i++) {
        assert_true(der_get_any(&in, &item));
        assert_true(bytes_compare(last.whole, item.whole) < 0);
        last = item;
    }
    assert_true(der_at_end(&in));
    cms_signed_free(&decoded);
    writer_free(&writer);
}

TEST(a_message_without_content_verifies)
{
    struct why why = { 0 };
    struct writer writer;
    AUTO_BUF message = { 0 };
    writer_init(&writer, evp_key_ec("P-256"), DIGEST_SHA256);
    writer.params.has_content = false;
    writer.params.with_signer_cert = false;
    ASSERT_OK(cms_signed_encode(&writer.params, writer.key, &message, &why), &why);
    struct cms_signed decoded;
    ASSERT_OK(cms_signed_decode(buf_bytes(&message), &decoded, &why), &why);
    assert_false(decoded.has_content);
    assert_int_equal(decoded.cert_count, 0);
    ASSERT_OK(cms_signed_verify(&decoded, writer.key->public_half, &why), &why);
    AUTO(key) other = evp_key_ec("P-256");
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, cms_signed_verify(&decoded, other->public_half, &why), &why);
    cms_signed_free(&decoded);
    writer_free(&writer);
}

TEST(the_ios_form_in_parts_of_any_size_is_read_as_the_der)
{
    static const size_t part_sizes[] = { 0, 1, 3, 1000 };
    struct why why = { 0 };
    struct writer writer;
    AUTO_BUF message = { 0 };
    writer_init(&writer, evp_key_rsa(2048), DIGEST_SHA512);
    ASSERT_OK(cms_signed_encode(&writer.params, writer.key, &message, &why), &why);
    for (size_t i = 0; i < COUNT(part_sizes); i++) {
        AUTO_BUF ber = ios_ber_signed(buf_bytes(&message), part_sizes[i]);
        assert_int_equal(ber.data[1], 0x80);
        ASSERT_OK(decode_and_verify(buf_bytes(&ber), &why), &why);
    }
    writer_free(&writer);
}

static struct buf openssl_signs(const struct writer *writer, const EVP_MD *md, unsigned flags)
{
    const uint8_t *at = writer->cert.data;
    X509 *x509 = d2i_X509(NULL, &at, (long)writer->cert.len);
    BIO *in = BIO_new_mem_buf(content.data, (int)content.len), *out = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_BINARY | CMS_STREAM);
    assert_non_null(CMS_add1_signer(cms, x509, evp_key_pkey(writer->key), md, flags));
    assert_int_equal(i2d_CMS_bio_stream(out, cms, in, CMS_STREAM | CMS_BINARY), 1);
    char *text = NULL;
    long len = BIO_get_mem_data(out, &text);
    struct buf copy = buf_dup(bytes_of(text, (size_t)len));
    BIO_free(in);
    BIO_free(out);
    X509_free(x509);
    CMS_ContentInfo_free(cms);
    return copy;
}

TEST(what_openssl_streams_in_ber_verifies_here)
{
    const EVP_MD *const mds[] = { EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512() };
    for (size_t d = 0; d < COUNT(mds); d++) {
        for (unsigned by_key_id = 0; by_key_id < 2; by_key_id++) {
            struct why why = { 0 };
            struct writer writer;
            writer_init(&writer, evp_key_rsa(2048), DIGEST_SHA256);
            AUTO_BUF ber = openssl_signs(&writer, mds[d], by_key_id ? CMS_USE_KEYID : 0);
            assert_int_equal(ber.data[1], 0x80); /* indefinite: the point of this test */
            ASSERT_OK(decode_and_verify(buf_bytes(&ber), &why), &why);
            writer_free(&writer);
        }
    }
}

TEST(openssl_md5_is_refused)
{
    struct why why = { 0 };
    struct writer writer;
    writer_init(&writer, evp_key_rsa(2048), DIGEST_SHA256);
    AUTO_BUF ber = openssl_signs(&writer, EVP_md5(), 0);
    ASSERT_ERR(ERR_BAD_ALG, decode_and_verify(buf_bytes(&ber), &why), &why);
    writer_free(&writer);
}

TEST(certs_only_keeps_the_order_given)
{
    struct why why = { 0 };
    AUTO(key) key = evp_key_ec("P-256");
    const struct test_cert first = { .subject = "CN=a rather long name that sorts last",
                                     .serial = BYTES_ARR(serial_bytes) };
    const struct test_cert second = { .subject = "CN=b", .serial = BYTES_ARR(serial_bytes) };
    AUTO_BUF a = test_cert_make(key, &first), b = test_cert_make(key, &second), message = { 0 };
    const struct bytes certs[] = { buf_bytes(&a), buf_bytes(&b) };
    ASSERT_OK(cms_certs_encode(certs, 2, &message, &why), &why);
    assert_true(der_is_valid(buf_bytes(&message)));
    const uint8_t *at = message.data;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)message.len);
    assert_non_null(cms);
    STACK_OF(X509) *found = CMS_get1_certs(cms);
    assert_int_equal(sk_X509_num(found), 2);
    sk_X509_pop_free(found, X509_free);
    CMS_ContentInfo_free(cms);
    uint8_t *at_a = memmem(message.data, message.len, a.data, a.len);
    uint8_t *at_b = memmem(message.data, message.len, b.data, b.len);
    assert_true(at_a && at_b && at_a < at_b);
    ASSERT_ERR(ERR_INTERNAL, cms_certs_encode(certs, 0, &message, &why), &why);
}

TEST(crls_only_carries_the_crl)
{
    struct why why = { 0 };
    static const uint8_t crl[] = { 0x30, 0x00 }; /* passed through whatever it is */
    AUTO_BUF message = { 0 };
    ASSERT_OK(cms_crl_encode(BYTES_ARR(crl), &message, &why), &why);
    struct der_reader in;
    int64_t version;
    struct bytes skipped, inside = BYTES_NONE;
    assert_true(cms_content_get(buf_bytes(&message), OID_SIGNED_DATA, &in) && der_get_int64(&in, &version) &&
                der_get(&in, DER_SET, &skipped) && der_get(&in, DER_SEQUENCE, &skipped) &&
                der_get(&in, DER_CONTEXT_CONSTRUCTED(1), &inside) && der_get(&in, DER_SET, &skipped));
    assert_true(der_at_end(&in));
    ASSERT_BYTES(inside, BYTES_ARR(crl));
    ASSERT_ERR(ERR_INTERNAL, cms_crl_encode(BYTES_NONE, &message, &why), &why);
}

/* --- EnvelopedData --- */

static const enum cipher ciphers[] = { CIPHER_DES_EDE3_CBC, CIPHER_AES128_CBC, CIPHER_AES192_CBC,
                                       CIPHER_AES256_CBC };
static const struct {
    enum transport transport;
    struct oaep oaep;
    const char *md;
} transports[] = {
    { TRANSPORT_PKCS1_V15, { 0 }, NULL },
    { TRANSPORT_OAEP, { DIGEST_SHA1, DIGEST_SHA1 }, "SHA1" },
    { TRANSPORT_OAEP, { DIGEST_SHA256, DIGEST_SHA256 }, "SHA256" },
    { TRANSPORT_OAEP, { DIGEST_SHA512, DIGEST_SHA512 }, "SHA512" },
};

struct ra {
    struct key *key;
    struct buf der;
    struct cert cert;
    X509 *x509;
};

static void ra_init(struct ra *ra)
{
    struct why why;
    const struct test_cert wanted = { .subject = "CN=RA,O=Example", .serial = BYTES_ARR(serial_bytes) };
    ra->key = evp_key_rsa(2048);
    ra->der = test_cert_make(ra->key, &wanted);
    ASSERT_OK(cert_parse(buf_bytes(&ra->der), &ra->cert, &why), &why);
    const uint8_t *at = ra->der.data;
    ra->x509 = d2i_X509(NULL, &at, (long)ra->der.len);
    assert_non_null(ra->x509);
}

static void ra_free(struct ra *ra)
{
    X509_free(ra->x509);
    buf_free(&ra->der);
    key_free(ra->key);
}

static void expect_opens(const struct ra *ra, struct bytes message, struct bytes wanted)
{
    struct why why = { 0 };
    struct cms_enveloped decoded;
    AUTO_WIPE plain = { 0 };
    uint8_t good = 0;
    ASSERT_OK(cms_enveloped_decode(message, &ra->cert, 1, &decoded, &why), &why);
    ASSERT_OK(cms_enveloped_open(&decoded, ra->key, &plain, &good, &why), &why);
    assert_int_equal(good, 0xFF);
    ASSERT_BYTES(buf_bytes(&plain), wanted);
    cms_enveloped_free(&decoded);
}

static void expect_openssl_opens(const struct ra *ra, struct bytes message, struct bytes wanted)
{
    const uint8_t *at = message.data;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)message.len);
    BIO *out = BIO_new(BIO_s_mem());
    assert_non_null(cms);
    assert_int_equal(CMS_decrypt(cms, evp_key_pkey(ra->key), ra->x509, NULL, out, CMS_BINARY), 1);
    char *text = NULL;
    long len = BIO_get_mem_data(out, &text);
    ASSERT_BYTES(bytes_of(text, (size_t)len), wanted);
    BIO_free(out);
    CMS_ContentInfo_free(cms);
}

TEST(what_is_sealed_opens_here_and_with_openssl)
{
    struct ra ra;
    ra_init(&ra);
    for (size_t c = 0; c < COUNT(ciphers); c++) {
        for (size_t t = 0; t < COUNT(transports); t++) {
            for (size_t len = 0; len <= 17; len++) { /* every amount of padding */
                struct why why = { 0 };
                AUTO_BUF message = { 0 };
                const struct cms_seal_params params = { .recipient_cert = buf_bytes(&ra.der),
                                                        .transport = transports[t].transport,
                                                        .oaep = transports[t].oaep,
                                                        .cipher = ciphers[c] };
                struct bytes plain = bytes_of("seventeen octets.", len);
                ASSERT_OK(cms_enveloped_seal(&params, plain, &message, &why), &why);
                assert_true(der_is_valid(buf_bytes(&message)));
                expect_opens(&ra, buf_bytes(&message), plain);
                if (len == 0 || len >= 15)
                    expect_openssl_opens(&ra, buf_bytes(&message), plain);
            }
        }
    }
    ra_free(&ra);
}

TEST(two_seals_share_neither_key_nor_iv)
{
    struct why why = { 0 };
    struct ra ra;
    ra_init(&ra);
    struct cms_enveloped decoded[2];
    for (size_t i = 0; i < 2; i++) {
        AUTO_BUF message = { 0 };
        const struct cms_seal_params params = { .recipient_cert = buf_bytes(&ra.der),
                                                .transport = TRANSPORT_PKCS1_V15,
                                                .cipher = CIPHER_DES_EDE3_CBC };
        ASSERT_OK(cms_enveloped_seal(&params, content, &message, &why), &why);
        ASSERT_OK(cms_enveloped_decode(buf_bytes(&message), &ra.cert, 1, &decoded[i], &why), &why);
        AUTO_BUF block = { 0 };
        ASSERT_OK(key_decrypt_raw(ra.key, decoded[i].encrypted_key, &block, &why), &why);
        for (size_t k = block.len - 24; k < block.len; k++)
            assert_int_equal(__builtin_popcount(block.data[k]) & 1, 1); /* odd parity, as DES keys have */
    }
    assert_false(bytes_equal(decoded[0].iv, decoded[1].iv));
    assert_false(bytes_equal(decoded[0].ciphertext, decoded[1].ciphertext));
    cms_enveloped_free(&decoded[0]);
    cms_enveloped_free(&decoded[1]);
    ra_free(&ra);
}

TEST(an_ec_recipient_cannot_be_sealed_to)
{
    struct why why = { 0 };
    AUTO(key) key = evp_key_ec("P-256");
    const struct test_cert wanted = { .subject = "CN=device", .serial = BYTES_ARR(serial_bytes) };
    AUTO_BUF der = test_cert_make(key, &wanted);
    struct buf message = { 0 };
    const struct cms_seal_params params = { .recipient_cert = buf_bytes(&der),
                                            .transport = TRANSPORT_PKCS1_V15,
                                            .cipher = CIPHER_AES128_CBC };
    ASSERT_ERR(ERR_BAD_ALG, cms_enveloped_seal(&params, content, &message, &why), &why);
    assert_null(message.data);
}

static void use_oaep(CMS_RecipientInfo *info, const char *md)
{
    EVP_PKEY_CTX *ctx = CMS_RecipientInfo_get0_pkey_ctx(info);
    assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
                EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_get_digestbyname(md)) > 0);
}

static struct buf openssl_seals(const struct ra *ra, const EVP_CIPHER *cipher, const char *md, unsigned flags)
{
    BIO *in = BIO_new_mem_buf(content.data, (int)content.len), *out = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, cipher, CMS_PARTIAL | CMS_BINARY | CMS_STREAM);
    CMS_RecipientInfo *info = CMS_add1_recipient_cert(cms, ra->x509, flags | CMS_KEY_PARAM);
    assert_non_null(info);
    if (md)
        use_oaep(info, md);
    assert_int_equal(i2d_CMS_bio_stream(out, cms, in, CMS_STREAM | CMS_BINARY), 1);
    char *text = NULL;
    long len = BIO_get_mem_data(out, &text);
    struct buf copy = buf_dup(bytes_of(text, (size_t)len));
    BIO_free(in);
    BIO_free(out);
    CMS_ContentInfo_free(cms);
    return copy;
}

TEST(what_openssl_seals_in_ber_opens_here)
{
    const EVP_CIPHER *const evp[] = { EVP_des_ede3_cbc(), EVP_aes_128_cbc(), EVP_aes_192_cbc(),
                                      EVP_aes_256_cbc() };
    struct ra ra;
    ra_init(&ra);
    for (size_t c = 0; c < COUNT(evp); c++) {
        for (size_t t = 0; t < COUNT(transports); t++) {
            for (unsigned by_key_id = 0; by_key_id < 2; by_key_id++) {
                AUTO_BUF ber = openssl_seals(&ra, evp[c], transports[t].md, by_key_id ? CMS_USE_KEYID : 0);
                assert_int_equal(ber.data[1], 0x80); /* indefinite: the point of this test */
                expect_opens(&ra, buf_bytes(&ber), content);
            }
        }
    }
    ra_free(&ra);
}

TEST(what_openssl_seals_with_another_cipher_is_refused)
{
    const EVP_CIPHER *const evp[] = { EVP_aes_128_cfb128(), EVP_camellia_128_cbc() };
    struct ra ra;
    ra_init(&ra);
    for (size_t c = 0; c < COUNT(evp); c++) {
        struct why why = { 0 };
        struct cms_enveloped decoded;
        AUTO_BUF ber = openssl_seals(&ra, evp[c], NULL, 0);
        ASSERT_ERR(ERR_BAD_ALG, cms_enveloped_decode(buf_bytes(&ber), &ra.cert, 1, &decoded, &why), &why);
    }
    assert_int_equal(evp_key_decrypts(ra.key), 0);
    ra_free(&ra);
}

TEST(the_ios_envelope_in_parts_of_any_size_opens_as_the_der)
{
    static const size_t part_sizes[] = { 0, 1, 7, 1000 };
    struct why why = { 0 };
    struct ra ra;
    ra_init(&ra);
    AUTO_BUF message = { 0 };
    const struct cms_seal_params params = { .recipient_cert = buf_bytes(&ra.der),
                                            .transport = TRANSPORT_PKCS1_V15,
                                            .cipher = CIPHER_DES_EDE3_CBC };
    ASSERT_OK(cms_enveloped_seal(&params, content, &message, &why), &why);
    for (size_t i = 0; i < COUNT(part_sizes); i++) {
        AUTO_BUF ber = ios_ber_enveloped(buf_bytes(&message), part_sizes[i]);
        expect_opens(&ra, buf_bytes(&ber), content);
    }
    ra_free(&ra);
}

/* The beginning of the PKIOperation that an iPhone sent, as the deployment guide's log has it. Its own
   lengths say what the rest of the inner message was: 6056 octets, one more part of 8, and five
   ends-of-contents. */
TEST(the_recorded_ios_envelope_is_read)
{
    enum { ENVELOPE_AT = 58, ENVELOPE_LEN = 0x197F, CIPHERTEXT = 6056, CIPHERTEXT_AT = 509 };
    struct why why = { 0 };
    AUTO_BUF head = { 0 };
    ASSERT_OK(file_read(TEST_DATA "/cms/ios-pkioperation-head.ber", 4096, &head, &why), &why);
    AUTO_BUF envelope = buf_dup(bytes_of(head.data + ENVELOPE_AT, head.len - ENVELOPE_AT));
    while (envelope.len < CIPHERTEXT_AT - ENVELOPE_AT + CIPHERTEXT)
        buf_append_byte(&envelope, 0x5A);
    static const uint8_t last_part[] = { 0x04, 0x08, 1, 2, 3, 4, 5, 6, 7, 8 }, ends[10];
    buf_append(&envelope, BYTES_ARR(last_part));
    buf_append(&envelope, BYTES_ARR(ends));
    assert_int_equal(envelope.len, ENVELOPE_LEN);
    static const uint8_t serial[] = { 0x68, 0,    0,    0, 9, 0x9A, 0x9D, 0xE5, 0x63, 0x10,
                                      0xF9, 0x5C, 0x4F, 0, 0, 0,    0,    0,    9 };
    static const uint8_t issuer_at = 33;
    struct der_reader in = der_reader_over(bytes_of(envelope.data + issuer_at, 200));
    struct cert ours = { .serial = BYTES_ARR(serial) };
    assert_true(der_get_whole(&in, DER_SEQUENCE, &ours.issuer));
    struct cms_enveloped decoded;
    ASSERT_OK(cms_enveloped_decode(buf_bytes(&envelope), &ours, 1, &decoded, &why), &why);
    assert_int_equal(decoded.cipher, CIPHER_DES_EDE3_CBC);
    assert_int_equal(decoded.transport, TRANSPORT_PKCS1_V15);
    assert_int_equal(decoded.ciphertext.len, CIPHERTEXT + 8);
    assert_int_equal(decoded.encrypted_key.len, 256);
    assert_int_equal(decoded.ciphertext.data[CIPHERTEXT], 1);
    cms_enveloped_free(&decoded);
}

RUN(T(what_is_written_verifies_here_and_with_openssl),
    T(content_of_a_given_type_verifies_here_and_with_openssl_and_as_no_other_type),
    T(written_attributes_are_in_der_order), T(a_message_without_content_verifies),
    T(the_ios_form_in_parts_of_any_size_is_read_as_the_der), T(what_openssl_streams_in_ber_verifies_here),
    T(openssl_md5_is_refused), T(certs_only_keeps_the_order_given), T(crls_only_carries_the_crl),
    T(what_is_sealed_opens_here_and_with_openssl), T(two_seals_share_neither_key_nor_iv),
    T(an_ec_recipient_cannot_be_sealed_to), T(what_openssl_seals_in_ber_opens_here),
    T(what_openssl_seals_with_another_cipher_is_refused),
    T(the_ios_envelope_in_parts_of_any_size_opens_as_the_der), T(the_recorded_ios_envelope_is_read))
