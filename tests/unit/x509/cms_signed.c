/* SPDX-License-Identifier: Apache-2.0 */
/* SignedData: what a signer may send, what nobody may, and OpenSSL's CMS as the other side. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "tests/support/evp_key.h"
#include "x509/cms_content.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
static const uint8_t serial_bytes[] = { 0x7A, 0x01 };
static const struct bytes content = { (const uint8_t *)"what is signed", 14 };

/* A message put together by hand, so that each part can be wrong. Empty parts get the right value. */
struct parts {
    struct key *key;
    struct buf cert;
    enum digest digest;
    struct buf digests, encap, certs, crls, sid, attrs, algorithm, unsigned_attrs, more_signers, after;
    int version, signer_version;
    bool no_attrs, no_certs, sign_as_sent;
};

static void parts_init(struct parts *parts, struct key *key)
{
    const struct test_cert wanted = { .subject = "CN=signer,O=Example", .serial = BYTES_ARR(serial_bytes) };
    *parts = (struct parts){ .key = key, .digest = DIGEST_SHA256, .version = 1, .signer_version = 1 };
    parts->cert = test_cert_make(key, &wanted);
}

static void parts_free(struct parts *parts)
{
    struct buf *all[] = { &parts->cert,           &parts->digests,      &parts->encap, &parts->certs,
                          &parts->crls,           &parts->sid,          &parts->attrs, &parts->algorithm,
                          &parts->unsigned_attrs, &parts->more_signers, &parts->after };
    for (size_t i = 0; i < COUNT(all); i++)
        buf_free(all[i]);
    key_free(parts->key);
}

static void put_attr_type(struct buf *out)
{
    cms_attribute_put(out, OID_ATTR_CONTENT_TYPE, DER_OID, oid_bytes(OID_DATA));
}

static void put_attr_digest(struct buf *out, enum digest digest)
{
    uint8_t hash[DIGEST_MAX_BYTES];
    struct why why;
    ASSERT_OK(digest_compute(digest, content, hash, &why), &why);
    cms_attribute_put(out, OID_ATTR_MESSAGE_DIGEST, DER_OCTET_STRING, bytes_of(hash, digest_size(digest)));
}

static void put_attr_tx(struct buf *out, const char *id)
{
    cms_attribute_put(out, OID_SCEP_TRANSACTION_ID, DER_PRINTABLE_STRING, bytes_str(id));
}

static void put_or(struct buf *out, const struct buf *given, struct bytes usual)
{
    buf_append(out, given->len ? buf_bytes(given) : usual);
}

static void put_signer(struct buf *out, const struct parts *parts)
{
    struct cert cert;
    struct why why;
    ASSERT_OK(cert_parse(buf_bytes(&parts->cert), &cert, &why), &why);
    AUTO_BUF sid = { 0 }, algorithm = { 0 }, attrs = { 0 }, signed_form = { 0 }, signature = { 0 };
    cms_issuer_and_serial_put(&sid, &cert);
    signature_algorithm_put(
        &algorithm,
        (struct signature_algorithm){ public_key_kind(parts->key->public_half) == KEY_RSA, parts->digest });
    if (parts->attrs.len == 0) {
        put_attr_type(&attrs);
        put_attr_tx(&attrs, "tx-1");
        put_attr_digest(&attrs, parts->digest);
    }
    buf_append(&attrs, buf_bytes(&parts->attrs));
    if (parts->sign_as_sent)
        der_put(&signed_form, DER_SET, buf_bytes(&attrs));
    else
        assert_true(der_put_set_of(&signed_form, DER_SET, buf_bytes(&attrs)));
    struct bytes to_sign = parts->no_attrs ? content : buf_bytes(&signed_form);
    ASSERT_OK(key_sign(parts->key, parts->digest, to_sign, &signature, &why), &why);
    size_t info = der_begin(out, DER_SEQUENCE);
    der_put_int64(out, parts->signer_version);
    put_or(out, &parts->sid, buf_bytes(&sid));
    digest_put(out, parts->digest);
    signed_form.data[0] = DER_CONTEXT_CONSTRUCTED(0);
    if (!parts->no_attrs)
        buf_append(out, buf_bytes(&signed_form));
    put_or(out, &parts->algorithm, buf_bytes(&algorithm));
    der_put_octets(out, buf_bytes(&signature));
    buf_append(out, buf_bytes(&parts->unsigned_attrs));
    der_end(out, info);
}

static struct buf parts_message(const struct parts *parts)
{
    struct buf out = { 0 };
    AUTO_BUF digests = { 0 }, encap = { 0 };
    size_t mark = der_begin(&digests, DER_SET);
    digest_put(&digests, parts->digest);
    der_end(&digests, mark);
    mark = der_begin(&encap, DER_SEQUENCE);
    der_put_oid(&encap, oid_bytes(OID_DATA));
    size_t inner = der_begin(&encap, DER_CONTEXT_CONSTRUCTED(0));
    der_put_octets(&encap, content);
    der_end(&encap, inner);
    der_end(&encap, mark);
    struct cms_content_marks marks = cms_content_begin(&out, OID_SIGNED_DATA);
    der_put_int64(&out, parts->version);
    put_or(&out, &parts->digests, buf_bytes(&digests));
    put_or(&out, &parts->encap, buf_bytes(&encap));
    mark = der_begin(&out, DER_CONTEXT_CONSTRUCTED(0));
    put_or(&out, &parts->certs, buf_bytes(&parts->cert));
    der_end(&out, mark);
    buf_append(&out, buf_bytes(&parts->crls));
    mark = der_begin(&out, DER_SET);
    put_signer(&out, parts);
    buf_append(&out, buf_bytes(&parts->more_signers));
    der_end(&out, mark);
    buf_append(&out, buf_bytes(&parts->after));
    cms_content_end(&out, &marks);
    return out;
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

/* Takes parts. */
static void expect(enum err wanted, struct parts *parts)
{
    struct why why = { 0 };
    AUTO_BUF message = parts_message(parts);
    ASSERT_ERR(wanted, decode_and_verify(buf_bytes(&message), &why), &why);
    parts_free(parts);
}

TEST(a_message_put_together_by_hand_is_accepted)
{
    struct parts parts;
    parts_init(&parts, evp_key_rsa(2048));
    expect(OK, &parts);
    parts_init(&parts, evp_key_ec("P-256"));
    expect(OK, &parts);
}

TEST(rsa_encryption_as_signature_algorithm_takes_the_digest_of_the_signer)
{
    static const bool with_null[] = { true, false };
    for (size_t i = 0; i < 2; i++) {
        struct parts parts;
        parts_init(&parts, evp_key_rsa(2048));
        size_t mark = der_begin(&parts.algorithm, DER_SEQUENCE);
        der_put_oid(&parts.algorithm, oid_bytes(OID_RSA_ENCRYPTION));
        if (with_null[i])
            der_put_null(&parts.algorithm);
        der_end(&parts.algorithm, mark);
        expect(OK, &parts);
    }
    struct parts parts;
    parts_init(&parts, evp_key_rsa(2048));
    size_t mark = der_begin(&parts.algorithm, DER_SEQUENCE);
    der_put_oid(&parts.algorithm, oid_bytes(OID_RSA_ENCRYPTION));
    der_put_int64(&parts.algorithm, 5);
    der_end(&parts.algorithm, mark);
    expect(ERR_MALFORMED, &parts);
}

TEST(signature_algorithms_that_contradict_are_refused)
{
    struct parts parts;
    parts_init(&parts, evp_key_rsa(2048)); /* another digest than the signer's */
    signature_algorithm_put(&parts.algorithm, (struct signature_algorithm){ true, DIGEST_SHA512 });
    expect(ERR_BAD_ALG, &parts);
    parts_init(&parts, evp_key_rsa(2048)); /* ECDSA by an RSA key */
    signature_algorithm_put(&parts.algorithm, (struct signature_algorithm){ false, DIGEST_SHA256 });
    expect(ERR_BAD_MESSAGE_CHECK, &parts);
    parts_init(&parts, evp_key_ec("P-256")); /* RSA by an EC key */
    signature_algorithm_put(&parts.algorithm, (struct signature_algorithm){ true, DIGEST_SHA256 });
    expect(ERR_BAD_MESSAGE_CHECK, &parts);
    parts_init(&parts, evp_key_rsa(2048)); /* md5WithRSAEncryption */
    static const uint8_t md5_rsa[] = { 0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                       0xF7, 0x0D, 0x01, 0x01, 0x04, 0x05, 0x00 };
    buf_append(&parts.algorithm, BYTES_ARR(md5_rsa));
    expect(ERR_BAD_ALG, &parts);
}

TEST(digest_algorithms_must_be_exactly_one_and_the_signers)
{
    struct parts parts;
    parts_init(&parts, evp_key_rsa(2048)); /* CVE-2026-45447: none at all */
    der_put(&parts.digests, DER_SET, BYTES_NONE);
    expect(ERR_MALFORMED, &parts);
    parts_init(&parts, evp_key_rsa(2048)); /* two */
    size_t mark = der_begin(&parts.digests, DER_SET);
    digest_put(&parts.digests, DIGEST_SHA256);
    digest_put(&parts.digests, DIGEST_SHA512);
    der_end(&parts.digests, mark);
    expect(ERR_MALFORMED, &parts);
    parts_init(&parts, evp_key_rsa(2048)); /* the same twice */
    mark = der_begin(&parts.digests, DER_SET);
    digest_put(&parts.digests, DIGEST_SHA256);
    digest_put(&parts.digests, DIGEST_SHA256);
    der_end(&parts.digests, mark);
    expect(ERR_MALFORMED, &parts);
    parts_init(&parts, evp_key_rsa(2048)); /* another than the signer's */
    mark = der_begin(&parts.digests, DER_SET);
    digest_put(&parts.digests, DIGEST_SHA512);
    der_end(&parts.digests, mark);
    expect(ERR_BAD_ALG, &parts);
}

TEST(signed_attributes_are_never_missing)
{
    struct parts parts;
    parts_init(&parts, evp_key_rsa(2048));
    parts.no_attrs = true;
    expect(ERR_MALFORMED, &parts);
}

/* ePrint 2023/1801: the signed attributes of one message presented as the content of another, without
 * attributes. */
TEST(attributes_replayed_as_content_are_refused)
{
    struct parts parts;
    parts_init(&parts, evp_key_rsa(2048));
    AUTO_BUF attrs = { 0 }, set = { 0 };
    put_attr_type(&attrs);
    put_attr_digest(&attrs, DIGEST_SHA256);
    assert_true(der_put_set_of(&set, DER_SET, buf_bytes(&attrs)));
    parts.no_attrs = true;
    size_t mark = der_begin(&parts.encap, DER_SEQUENCE);
    der_put_oid(&parts.encap, oid_bytes(OID_DATA));
    size_t inner = der_begin(&parts.encap, DER_CONTEXT_CONSTRUCTED(0));
    der_put_octets(&parts.encap, buf_bytes(&set));
    der_end(&parts.encap, inner);
    der_end(&parts.encap, mark);
    expect(ERR_MALFORMED, &parts);
}

enum piece {
    TYPE,
    TYPE_OTHER,
    TYPE_OCTETS,
    DIGEST,
    DIGEST_SHORT,
    DIGEST_OID,
    TX,
    TX_OTHER,
    TX_TWO,
    TX_NONE,
    SPARE,
    EMPTY,
    FLAT
};

static void put_piece(struct buf *out, enum piece piece)
{
    static const uint8_t octets[31] = { 0 };
    static const uint8_t two_values[] = { 0x30, 0x12, 0x06, 0x0A, 0x60, 0x86, 0x48, 0x01, 0x86, 0xF8,
                                          0x45, 0x01, 0x09, 0x07, 0x31, 0x04, 0x13, 0x00, 0x13, 0x00 };
    static const uint8_t no_value[] = { 0x30, 0x0E, 0x06, 0x0A, 0x60, 0x86, 0x48, 0x01,
                                        0x86, 0xF8, 0x45, 0x01, 0x09, 0x07, 0x31, 0x00 };
    static const uint8_t not_a_set[] = { 0x30, 0x0E, 0x06, 0x0A, 0x60, 0x86, 0x48, 0x01,
                                         0x86, 0xF8, 0x45, 0x01, 0x09, 0x07, 0x13, 0x00 };
    switch (piece) {
    case TYPE:
        put_attr_type(out);
        break;
    case TYPE_OTHER:
        cms_attribute_put(out, OID_ATTR_CONTENT_TYPE, DER_OID, oid_bytes(OID_ENVELOPED_DATA));
        break;
    case TYPE_OCTETS:
        cms_attribute_put(out, OID_ATTR_CONTENT_TYPE, DER_OCTET_STRING, oid_bytes(OID_DATA));
        break;
    case DIGEST:
        put_attr_digest(out, DIGEST_SHA256);
        break;
    case DIGEST_SHORT:
        cms_attribute_put(out, OID_ATTR_MESSAGE_DIGEST, DER_OCTET_STRING, BYTES_ARR(octets));
        break;
    case DIGEST_OID: /* CVE-2026-22796: a type that is not OCTET STRING */
        cms_attribute_put(out, OID_ATTR_MESSAGE_DIGEST, DER_OID, oid_bytes(OID_DATA));
        break;
    case TX:
        put_attr_tx(out, "one");
        break;
    case TX_OTHER:
        put_attr_tx(out, "two");
        break;
    case TX_TWO:
        buf_append(out, BYTES_ARR(two_values));
        break;
    case TX_NONE:
        buf_append(out, BYTES_ARR(no_value));
        break;
    case SPARE:
        cms_attribute_put(out, OID_ATTR_SIGNING_TIME, DER_UTC_TIME, BYTES_LIT("260101000000Z"));
        break;
    case EMPTY:
        der_put(out, DER_SEQUENCE, BYTES_NONE);
        break;
    case FLAT:
        buf_append(out, BYTES_ARR(not_a_set));
        break;
    }
}

static const struct {
    enum err wanted;
    int count;
    enum piece pieces[4];
} attribute_sets[] = {
    { OK, 2, { TYPE, DIGEST } },
    { OK, 4, { TYPE, DIGEST, TX, SPARE } },
    { ERR_MALFORMED, 1, { TYPE } },
    { ERR_MALFORMED, 1, { DIGEST } },
    { ERR_MALFORMED, 2, { TYPE_OTHER, DIGEST } },
    { ERR_MALFORMED, 2, { TYPE_OCTETS, DIGEST } },
    { ERR_MALFORMED, 2, { TYPE, DIGEST_SHORT } },
    { ERR_MALFORMED, 2, { TYPE, DIGEST_OID } },
    { ERR_MALFORMED, 3, { TYPE, TYPE, DIGEST } },
    { ERR_MALFORMED, 3, { TYPE, TYPE_OTHER, DIGEST } },
    { ERR_MALFORMED, 3, { TYPE, DIGEST, DIGEST } },
    { ERR_MALFORMED, 3, { TYPE, DIGEST, DIGEST_SHORT } },
    { ERR_MALFORMED, 4, { TYPE, DIGEST, TX, TX } },
    { ERR_MALFORMED, 4, { TYPE, DIGEST, TX, TX_OTHER } },
    { ERR_MALFORMED, 3, { TYPE, DIGEST, TX_TWO } },
    { ERR_MALFORMED, 3, { TYPE, DIGEST, TX_NONE } },
    { ERR_MALFORMED, 4, { TYPE, DIGEST, SPARE, SPARE } },
    { ERR_MALFORMED, 3, { TYPE, DIGEST, EMPTY } },
    { ERR_MALFORMED, 3, { TYPE, DIGEST, FLAT } },
};

TEST(every_attribute_is_there_once_with_one_value)
{
    for (size_t i = 0; i < COUNT(attribute_sets); i++) {
        struct parts parts;
        parts_init(&parts, evp_key_ec("P-256"));
        for (int k = 0; k < attribute_sets[i].count; k++)
            put_piece(&parts.attrs, attribute_sets[i].pieces[k]);
        expect(attribute_sets[i].wanted, &parts);
    }
}

TEST(the_number_of_attributes_is_limited)
{
    for (int extra = 0; extra < 2; extra++) {
        struct parts parts;
        parts_init(&parts, evp_key_ec("P-256"));
        put_attr_type(&parts.attrs);
        put_attr_digest(&parts.attrs, DIGEST_SHA256);
        for (uint8_t i = 0; i < CMS_ATTRIBUTES_MAX - 2 + extra; i++) {
            const uint8_t attribute[] = { 0x30, 0x08, 0x06, 0x02, 0x2A, i, 0x31, 0x02, 0x05, 0x00 };
            buf_append(&parts.attrs, BYTES_ARR(attribute));
        }
        expect(extra ? ERR_LIMIT : OK, &parts);
    }
}

/* The signature covers the octets as they came: unsorted attributes verify if they were signed unsorted, only
 * then. */
TEST(attributes_out_of_order_verify_as_they_were_signed)
{
    struct why why = { 0 };
    struct parts parts;
    parts_init(&parts, evp_key_ec("P-256"));
    put_attr_digest(&parts.attrs, DIGEST_SHA256);
    put_attr_tx(&parts.attrs, "a longer one");
    put_attr_type(&parts.attrs);
    parts.sign_as_sent = true;
    expect(OK, &parts);
    parts_init(&parts, evp_key_ec("P-256"));
    AUTO_BUF sorted = parts_message(&parts), attrs = { 0 }, set = { 0 };
    put_attr_digest(&attrs, DIGEST_SHA256);
    put_attr_tx(&attrs, "tx-1");
    put_attr_type(&attrs);
    assert_true(der_put_set_of(&set, DER_SET, buf_bytes(&attrs)));
    assert_memory_not_equal(attrs.data, set.data + 2, attrs.len);
    uint8_t *at = memmem(sorted.data, sorted.len, set.data + 2, set.len - 2);
    assert_non_null(at);
    memcpy(at, attrs.data, attrs.len); /* the same attributes, in another order */
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, decode_and_verify(buf_bytes(&sorted), &why), &why);
    parts_free(&parts);
}

TEST(unsigned_attributes_of_scep_are_refused_and_others_ignored)
{
    static const struct {
        enum oid type;
        enum err wanted;
    } rows[] = {
        { OID_SCEP_TRANSACTION_ID, ERR_MALFORMED }, { OID_SCEP_MESSAGE_TYPE, ERR_MALFORMED },
        { OID_SCEP_PKI_STATUS, ERR_MALFORMED },     { OID_SCEP_SENDER_NONCE, ERR_MALFORMED },
        { OID_SCEP_FAIL_INFO_TEXT, ERR_MALFORMED }, { OID_ATTR_CONTENT_TYPE, ERR_MALFORMED },
        { OID_ATTR_MESSAGE_DIGEST, ERR_MALFORMED }, { OID_CN, OK },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct parts parts;
        parts_init(&parts, evp_key_ec("P-256"));
        size_t mark = der_begin(&parts.unsigned_attrs, DER_CONTEXT_CONSTRUCTED(1));
        cms_attribute_put(&parts.unsigned_attrs, rows[i].type, DER_PRINTABLE_STRING, BYTES_LIT("x"));
        der_end(&parts.unsigned_attrs, mark);
        expect(rows[i].wanted, &parts);
    }
    struct parts parts;
    parts_init(&parts, evp_key_ec("P-256"));
    der_put_null(&parts.unsigned_attrs);
    expect(ERR_MALFORMED, &parts);
}

TEST(several_signers_are_refused)
{
    struct parts parts;
    parts_init(&parts, evp_key_ec("P-256"));
    put_signer(&parts.more_signers, &parts);
    expect(ERR_MALFORMED, &parts);
}

TEST(crls_and_trailing_elements_are_refused)
{
    struct parts parts;
    parts_init(&parts, evp_key_ec("P-256"));
    der_put(&parts.crls, DER_CONTEXT_CONSTRUCTED(1), BYTES_NONE);
    expect(ERR_MALFORMED, &parts);
    parts_init(&parts, evp_key_ec("P-256"));
    der_put_null(&parts.after);
    expect(ERR_MALFORMED, &parts);
}

TEST(versions_other_than_the_fields_are_refused)
{
    static const int bad[] = { 0, 2, 4, 5, -1 };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct parts parts;
        parts_init(&parts, evp_key_ec("P-256"));
        parts.version = bad[i];
        expect(ERR_MALFORMED, &parts);
        parts_init(&parts, evp_key_ec("P-256"));
        parts.signer_version = bad[i];
        expect(ERR_MALFORMED, &parts);
    }
    struct parts parts;
    parts_init(&parts, evp_key_ec("P-256"));
    parts.signer_version = 3; /* goes with a key identifier only */
    expect(ERR_MALFORMED, &parts);
}

TEST(the_signer_may_be_named_by_its_key_identifier)
{
    struct parts parts;
    parts_init(&parts, evp_key_ec("P-256"));
    struct cert cert;
    struct why why = { 0 };
    ASSERT_OK(cert_parse(buf_bytes(&parts.cert), &cert, &why), &why);
    assert_int_equal(cert.ski.len, 20);
    der_put(&parts.sid, DER_CONTEXT(0), cert.ski);
    parts.signer_version = 3;
    parts.version = 3;
    expect(OK, &parts);
}

TEST(a_signer_that_is_not_among_the_certificates_stays_unknown)
{
    struct why why = { 0 };
    struct parts parts;
    parts_init(&parts, evp_key_ec("P-256"));
    const struct test_cert other = { .subject = "CN=other", .serial = BYTES_ARR(serial_bytes) };
    parts.certs = test_cert_make(parts.key, &other);
    AUTO_BUF message = parts_message(&parts);
    struct cms_signed decoded;
    ASSERT_OK(cms_signed_decode(buf_bytes(&message), &decoded, &why), &why);
    assert_int_equal(decoded.signer_cert.len, 0);
    assert_int_equal(decoded.cert_count, 1);
    cms_signed_free(&decoded);
    parts_free(&parts);
}

TEST(the_issuer_is_compared_as_a_name)
{
    struct parts parts;
    parts_init(&parts, evp_key_ec("P-256"));
    static const struct {
        enum oid type;
        const char *value;
    } rdns[] = { { OID_CN, "signer" }, { OID_O, "Example" } };
    size_t pair = der_begin(&parts.sid, DER_SEQUENCE), name = der_begin(&parts.sid, DER_SEQUENCE);
    for (size_t i = 0; i < 2; i++) { /* PrintableString where the certificate has UTF8String */
        size_t set = der_begin(&parts.sid, DER_SET), attribute = der_begin(&parts.sid, DER_SEQUENCE);
        der_put_oid(&parts.sid, oid_bytes(rdns[i].type));
        der_put(&parts.sid, DER_PRINTABLE_STRING, bytes_str(rdns[i].value));
        der_end(&parts.sid, attribute);
        der_end(&parts.sid, set);
    }
    der_end(&parts.sid, name);
    der_put(&parts.sid, DER_INTEGER, BYTES_ARR(serial_bytes));
    der_end(&parts.sid, pair);
    expect(OK, &parts);
}

TEST(two_certificates_that_match_the_signer_are_refused)
{
    struct parts parts;
    parts_init(&parts, evp_key_ec("P-256"));
    const struct test_cert same = { .subject = "CN=signer,O=Example", .serial = BYTES_ARR(serial_bytes) };
    AUTO(key) other_key = evp_key_ec("P-256");
    AUTO_BUF other = test_cert_make(other_key, &same);
    buf_append(&parts.certs, buf_bytes(&parts.cert));
    buf_append(&parts.certs, buf_bytes(&other));
    expect(ERR_MALFORMED, &parts);
    parts_init(&parts, evp_key_ec("P-256")); /* the very same one twice does no harm */
    buf_append(&parts.certs, buf_bytes(&parts.cert));
    buf_append(&parts.certs, buf_bytes(&parts.cert));
    expect(OK, &parts);
}

TEST(the_number_of_certificates_is_limited)
{
    for (size_t count = LIMIT_MESSAGE_CERTS; count <= LIMIT_MESSAGE_CERTS + 1; count++) {
        struct parts parts;
        parts_init(&parts, evp_key_ec("P-256"));
        for (size_t i = 0; i < count; i++)
            buf_append(&parts.certs, buf_bytes(&parts.cert));
        expect(count > LIMIT_MESSAGE_CERTS ? ERR_LIMIT : OK, &parts);
    }
    struct parts parts;
    parts_init(&parts, evp_key_ec("P-256"));
    der_put(&parts.certs, DER_CONTEXT_CONSTRUCTED(1), BYTES_NONE); /* an attribute certificate */
    expect(ERR_MALFORMED, &parts);
}

TEST(any_octet_changed_is_refused_or_changes_nothing_that_is_signed)
{
    struct why why = { 0 };
    struct parts parts;
    parts_init(&parts, evp_key_ec("P-256"));
    AUTO_BUF message = parts_message(&parts);
    size_t accepted = 0;
    for (size_t i = 0; i < message.len; i++) {
        message.data[i] ^= 0x01;
        __attribute__((cleanup(cms_signed_free))) struct cms_signed decoded = { 0 };
        if (cms_signed_decode(buf_bytes(&message), &decoded, &why) == OK &&
            cms_signed_verify(&decoded, parts.key->public_half, &why) == OK) {
            struct der_item tx;
            accepted++;
            ASSERT_BYTES(decoded.content, content);
            assert_true(cms_signed_attribute(&decoded, OID_SCEP_TRANSACTION_ID, &tx));
            ASSERT_BYTES(tx.content, BYTES_LIT("tx-1"));
        }
        message.data[i] ^= 0x01;
    }
    assert_true(accepted < message.len / 2); /* the certificate is not signed by the message */
    parts_free(&parts);
}

TEST(every_cut_is_refused)
{
    struct why why = { 0 };
    struct parts parts;
    parts_init(&parts, evp_key_ec("P-256"));
    AUTO_BUF message = parts_message(&parts);
    struct cms_signed decoded;
    for (size_t len = 0; len < message.len; len++)
        ASSERT_ERR(ERR_MALFORMED, cms_signed_decode(bytes_of(message.data, len), &decoded, &why), &why);
    buf_append_byte(&message, 0);
    ASSERT_ERR(ERR_MALFORMED, cms_signed_decode(buf_bytes(&message), &decoded, &why), &why);
    parts_free(&parts);
}

TEST(content_of_another_type_is_refused)
{
    struct parts parts;
    parts_init(&parts, evp_key_ec("P-256"));
    size_t mark = der_begin(&parts.encap, DER_SEQUENCE);
    der_put_oid(&parts.encap, oid_bytes(OID_ENVELOPED_DATA));
    der_end(&parts.encap, mark);
    expect(ERR_MALFORMED, &parts);
}

RUN(T(a_message_put_together_by_hand_is_accepted),
    T(rsa_encryption_as_signature_algorithm_takes_the_digest_of_the_signer),
    T(signature_algorithms_that_contradict_are_refused),
    T(digest_algorithms_must_be_exactly_one_and_the_signers), T(signed_attributes_are_never_missing),
    T(attributes_replayed_as_content_are_refused), T(every_attribute_is_there_once_with_one_value),
    T(the_number_of_attributes_is_limited), T(attributes_out_of_order_verify_as_they_were_signed),
    T(unsigned_attributes_of_scep_are_refused_and_others_ignored), T(several_signers_are_refused),
    T(crls_and_trailing_elements_are_refused), T(versions_other_than_the_fields_are_refused),
    T(the_signer_may_be_named_by_its_key_identifier),
    T(a_signer_that_is_not_among_the_certificates_stays_unknown), T(the_issuer_is_compared_as_a_name),
    T(two_certificates_that_match_the_signer_are_refused), T(the_number_of_certificates_is_limited),
    T(any_octet_changed_is_refused_or_changes_nothing_that_is_signed), T(every_cut_is_refused),
    T(content_of_another_type_is_refused))
