/* SPDX-License-Identifier: Apache-2.0 */
/* EnvelopedData, reading: which recipient, how many RSA operations, and one outcome for every kind of
 * failure. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "base/limits.h"
#include "tests/support/evp_key.h"
#include "tests/support/rsa_encode.h"
#include "x509/cbc.h"
#include "x509/cms_content.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
static const struct bytes plain = { (const uint8_t *)"what only the RA may read, 40 octets long", 41 };
static const uint8_t serial_bytes[] = { 0x7A, 0x01 }, old_serial[] = { 0x11 };

/* An RA with a current and a previous certificate of one key, and a message to it, part by part. */
struct ra {
    struct key *key;
    struct buf cert_der[2];
    struct cert certs[2];
};

static void ra_init(struct ra *ra)
{
    struct why why;
    const struct test_cert now = { .subject = "CN=RA,O=Example", .serial = BYTES_ARR(serial_bytes) };
    const struct test_cert before = { .subject = "CN=RA,O=Example",
                                      .serial = BYTES_ARR(old_serial),
                                      .no_ski = true };
    ra->key = evp_key_rsa(2048);
    ra->cert_der[0] = test_cert_make(ra->key, &now);
    ra->cert_der[1] = test_cert_make(ra->key, &before);
    for (size_t i = 0; i < 2; i++)
        ASSERT_OK(cert_parse(buf_bytes(&ra->cert_der[i]), &ra->certs[i], &why), &why);
}

static void ra_free(struct ra *ra)
{
    buf_free(&ra->cert_der[0]);
    buf_free(&ra->cert_der[1]);
    key_free(ra->key);
}

struct parts {
    const struct ra *ra;
    struct prng prng;
    struct buf content_key, block; /* block: what is encrypted by RSA, when not the usual */
    struct buf recipients, transport, cipher, ciphertext, encrypted_key;
    enum cipher kind;
    int version;
    struct buf originator, after;
};

static void parts_init(struct parts *parts, const struct ra *ra)
{
    *parts = (struct parts){ .ra = ra, .prng = prng_seeded("enveloped"), .kind = CIPHER_AES128_CBC };
    uint8_t key[32];
    prng_fill(&parts->prng, key, sizeof(key));
    buf_append(&parts->content_key, BYTES_ARR(key));
}

static void parts_free(struct parts *parts)
{
    struct buf *all[] = { &parts->content_key, &parts->block,         &parts->recipients,
                          &parts->transport,   &parts->originator,    &parts->after,
                          &parts->cipher,      &parts->encrypted_key, &parts->ciphertext };
    for (size_t i = 0; i < COUNT(all); i++)
        buf_free(all[i]);
}

static void put_or(struct buf *out, const struct buf *given, struct bytes usual)
{
    buf_append(out, given->len ? buf_bytes(given) : usual);
}

static void put_ktri(struct buf *out, const struct parts *parts, struct bytes rid, struct bytes encrypted_key)
{
    AUTO_BUF transport = { 0 };
    transport_put(&transport, TRANSPORT_PKCS1_V15, NULL);
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_int64(out, rid.data[0] == DER_CONTEXT(0) ? 2 : 0);
    buf_append(out, rid);
    put_or(out, &parts->transport, buf_bytes(&transport));
    der_put_octets(out, encrypted_key);
    der_end(out, mark);
}

static void put_own(struct buf *out, struct parts *parts, const struct cert *cert)
{
    AUTO_BUF rid = { 0 };
    cms_issuer_and_serial_put(&rid, cert);
    if (parts->encrypted_key.len == 0) {
        struct bytes content_key = bytes_of(parts->content_key.data, cipher_key_size(parts->kind));
        AUTO_BUF block = rsa_pad_pkcs1(&parts->prng, 256, content_key);
        parts->encrypted_key =
            rsa_encrypt_raw(cert->spki, buf_bytes(parts->block.len ? &parts->block : &block));
    }
    put_ktri(out, parts, buf_bytes(&rid), buf_bytes(&parts->encrypted_key));
}

/* A recipient that is nobody's: ordinary but for the serial, and with an algorithm we do not know. */
static void put_foreign(struct buf *out, const struct parts *parts, uint8_t serial)
{
    struct cert cert = parts->ra->certs[0];
    const uint8_t octets[] = { 0x42, serial };
    cert.serial = BYTES_ARR(octets);
    AUTO_BUF rid = { 0 };
    cms_issuer_and_serial_put(&rid, &cert);
    put_ktri(out, parts, buf_bytes(&rid), BYTES_LIT("somebody else's key"));
}

static struct buf parts_message(struct parts *parts)
{
    static const uint8_t iv[16] = { 1, 2, 3 };
    struct why why;
    struct buf out = { 0 };
    size_t block = cipher_block_size(parts->kind);
    const struct cbc cbc = { parts->kind, bytes_of(parts->content_key.data, cipher_key_size(parts->kind)),
                             bytes_of(iv, block) };
    AUTO_BUF usual = { 0 }, ciphertext = { 0 }, cipher = { 0 };
    ASSERT_OK(cbc_encrypt(&cbc, plain, &ciphertext, &why), &why);
    cipher_put(&cipher, parts->kind, cbc.iv);
    struct cms_content_marks marks = cms_content_begin(&out, OID_ENVELOPED_DATA);
    der_put_int64(&out, parts->version);
    buf_append(&out, buf_bytes(&parts->originator));
    if (parts->recipients.len == 0)
        put_own(&usual, parts, &parts->ra->certs[0]);
    der_put(&out, DER_SET, buf_bytes(parts->recipients.len ? &parts->recipients : &usual));
    size_t mark = der_begin(&out, DER_SEQUENCE);
    der_put_oid(&out, oid_bytes(OID_DATA));
    put_or(&out, &parts->cipher, buf_bytes(&cipher));
    der_put(&out, DER_CONTEXT(0), buf_bytes(parts->ciphertext.len ? &parts->ciphertext : &ciphertext));
    der_end(&out, mark);
    buf_append(&out, buf_bytes(&parts->after));
    cms_content_end(&out, &marks);
    return out;
}

static enum err open_message(const struct ra *ra, struct bytes message, struct buf *ret_plain,
                             uint8_t *ret_good, struct why *why)
{
    __attribute__((cleanup(cms_enveloped_free))) struct cms_enveloped decoded = { 0 };
    TRY(cms_enveloped_decode(message, ra->certs, 2, &decoded, why));
    return cms_enveloped_open(&decoded, ra->key, ret_plain, ret_good, why);
}

/* Takes parts. What is refused is refused before any RSA operation; what is not takes exactly one. */
static void expect(enum err wanted, struct parts *parts)
{
    struct why why = { 0 };
    AUTO_BUF message = parts_message(parts);
    AUTO_WIPE got = { 0 };
    uint8_t good = 0;
    unsigned before = evp_key_decrypts(parts->ra->key);
    ASSERT_ERR(wanted, open_message(parts->ra, buf_bytes(&message), &got, &good, &why), &why);
    assert_int_equal(evp_key_decrypts(parts->ra->key) - before, wanted == OK ? 1 : 0);
    assert_int_equal(good, wanted == OK ? 0xFF : 0);
    if (wanted == OK)
        ASSERT_BYTES(buf_bytes(&got), plain);
    parts_free(parts);
}

TEST(every_cipher_opens)
{
    struct ra ra;
    ra_init(&ra);
    for (enum cipher cipher = CIPHER_DES_EDE3_CBC; cipher <= CIPHER_DES_CBC; cipher++) {
        struct parts parts;
        parts_init(&parts, &ra);
        parts.kind = cipher;
        expect(OK, &parts);
    }
    ra_free(&ra);
}

TEST(recipients_that_are_not_ours_are_passed_over)
{
    struct ra ra;
    struct parts parts;
    ra_init(&ra);
    parts_init(&parts, &ra); /* three, ours in the middle */
    put_foreign(&parts.recipients, &parts, 1);
    put_own(&parts.recipients, &parts, &ra.certs[0]);
    put_foreign(&parts.recipients, &parts, 2);
    expect(OK, &parts);
    parts_init(&parts, &ra); /* the previous certificate */
    put_own(&parts.recipients, &parts, &ra.certs[1]);
    expect(OK, &parts);
    parts_init(&parts, &ra); /* as many as there may be */
    put_own(&parts.recipients, &parts, &ra.certs[0]);
    for (uint8_t i = 1; i < LIMIT_RECIPIENTS; i++)
        put_foreign(&parts.recipients, &parts, i);
    expect(OK, &parts);
    ra_free(&ra);
}

TEST(the_recipient_may_be_named_by_key_identifier)
{
    struct ra ra;
    struct parts parts;
    ra_init(&ra);
    for (int right = 0; right < 2; right++) {
        AUTO_BUF rid = { 0 };
        uint8_t ski[20];
        memcpy(ski, ra.certs[0].ski.data, sizeof(ski));
        ski[19] ^= right ? 0 : 1;
        der_put(&rid, DER_CONTEXT(0), BYTES_ARR(ski));
        parts_init(&parts, &ra);
        parts.version = 2;
        put_own(&parts.recipients, &parts, &ra.certs[0]);
        buf_clear(&parts.recipients);
        put_ktri(&parts.recipients, &parts, buf_bytes(&rid), buf_bytes(&parts.encrypted_key));
        expect(right ? OK : ERR_BAD_MESSAGE_CHECK, &parts);
    }
    AUTO_BUF none = { 0 }; /* the previous certificate has no identifier: no match */
    der_put(&none, DER_CONTEXT(0), BYTES_NONE);
    parts_init(&parts, &ra);
    put_ktri(&parts.recipients, &parts, buf_bytes(&none), BYTES_LIT("key"));
    expect(ERR_BAD_MESSAGE_CHECK, &parts);
    ra_free(&ra);
}

TEST(the_issuer_is_compared_as_a_name)
{
    struct ra ra;
    struct parts parts;
    ra_init(&ra);
    parts_init(&parts, &ra);
    put_own(&parts.recipients, &parts, &ra.certs[0]);
    /* UTF8String becomes PrintableString: the same name in other octets */
    size_t changed = 0;
    for (size_t i = 0; i + 1 < parts.recipients.len && changed < 2; i++) {
        bool value = parts.recipients.data[i] == DER_UTF8_STRING && parts.recipients.data[i + 1] <= 7;
        if (value) {
            parts.recipients.data[i] = DER_PRINTABLE_STRING;
            changed++;
        }
    }
    assert_int_equal(changed, 2);
    expect(OK, &parts);
    ra_free(&ra);
}

TEST(recipients_that_cannot_be_chosen_from_are_one_early_refusal)
{
    static const uint8_t other_kinds[] = {
        0xA1, 0xA2, 0xA3, 0xA4, 0xA0, 0x80, DER_SET
    }; /* kari kekri pwri ori … */
    struct ra ra;
    struct parts parts;
    ra_init(&ra);
    for (size_t i = 0; i < COUNT(other_kinds); i++) {
        for (int with_ours = 0; with_ours < 2; with_ours++) {
            parts_init(&parts, &ra);
            der_put(&parts.recipients, other_kinds[i], BYTES_LIT("\x02\x01\x00"));
            if (with_ours)
                put_own(&parts.recipients, &parts, &ra.certs[0]);
            expect(ERR_BAD_MESSAGE_CHECK, &parts);
        }
    }
    parts_init(&parts, &ra); /* none of ours */
    put_foreign(&parts.recipients, &parts, 1);
    expect(ERR_BAD_MESSAGE_CHECK, &parts);
    parts_init(&parts, &ra); /* ours twice */
    put_own(&parts.recipients, &parts, &ra.certs[0]);
    put_own(&parts.recipients, &parts, &ra.certs[0]);
    expect(ERR_BAD_MESSAGE_CHECK, &parts);
    parts_init(&parts, &ra); /* two certificates of ours */
    put_own(&parts.recipients, &parts, &ra.certs[0]);
    put_own(&parts.recipients, &parts, &ra.certs[1]);
    expect(ERR_BAD_MESSAGE_CHECK, &parts);
    parts_init(&parts, &ra); /* nine */
    put_own(&parts.recipients, &parts, &ra.certs[0]);
    for (uint8_t i = 1; i <= LIMIT_RECIPIENTS; i++)
        put_foreign(&parts.recipients, &parts, i);
    expect(ERR_BAD_MESSAGE_CHECK, &parts);
    parts_init(&parts, &ra); /* an originator */
    der_put(&parts.originator, DER_CONTEXT_CONSTRUCTED(0), BYTES_NONE);
    expect(ERR_BAD_MESSAGE_CHECK, &parts);
    ra_free(&ra);
}

TEST(key_transport_is_on_the_allow_list)
{
    static const struct {
        enum err wanted;
        const char *der;
    } rows[] = {
        { OK, "300b06092a864886f70d010101" },                    /* without NULL */
        { ERR_BAD_REQUEST, "300e06092a864886f70d010101020100" }, /* with an INTEGER */
        { ERR_BAD_REQUEST, "300f06092a864886f70d0101070500"
                           "0500" },                   /* OAEP with rubbish (CVE-2026-28390) */
        { ERR_BAD_ALG, "300b06092a864886f70d01010a" }, /* RSASSA-PSS */
    };
    struct ra ra;
    ra_init(&ra);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct parts parts;
        parts_init(&parts, &ra);
        assert_true(hex_decode(bytes_str(rows[i].der), &parts.transport));
        expect(rows[i].wanted, &parts);
    }
    ra_free(&ra);
}

TEST(content_ciphers_are_on_the_allow_list_with_their_exact_iv)
{
    static const struct {
        enum err wanted;
        const char *oid;
        size_t iv;
    } rows[] = {
        { ERR_BAD_ALG, "60864801650304012a", 15 },
        { ERR_BAD_ALG, "60864801650304012a", 17 },
        { ERR_BAD_ALG, "60864801650304012a", 0 },
        { ERR_BAD_ALG, "608648016503040106", 12 }, /* AES-128-GCM */
        { ERR_BAD_ALG, "608648016503040106", 4000 },
        { ERR_BAD_ALG, "608648016503040107", 16 }, /* AES-128-CCM */
        { ERR_BAD_ALG, "2b0e030207", 16 },         /* DES-CBC, but not its IV */
        { ERR_BAD_ALG, "2a864886f70d0302", 8 },    /* RC2-CBC */
    };
    struct ra ra;
    ra_init(&ra);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct parts parts;
        static const uint8_t zeros[4096];
        AUTO_BUF oid = { 0 };
        assert_true(hex_decode(bytes_str(rows[i].oid), &oid));
        parts_init(&parts, &ra);
        size_t mark = der_begin(&parts.cipher, DER_SEQUENCE);
        der_put_oid(&parts.cipher, buf_bytes(&oid));
        der_put_octets(&parts.cipher, bytes_of(zeros, rows[i].iv));
        der_end(&parts.cipher, mark);
        expect(rows[i].wanted, &parts);
    }
    ra_free(&ra);
}

TEST(ciphertext_is_whole_blocks)
{
    static const uint8_t zeros[64];
    static const size_t bad[] = { 1, 15, 17, 47, 63 };
    struct ra ra;
    struct parts parts;
    ra_init(&ra);
    for (size_t i = 0; i < COUNT(bad); i++) {
        parts_init(&parts, &ra);
        buf_append(&parts.ciphertext, bytes_of(zeros, bad[i]));
        expect(ERR_MALFORMED, &parts);
    }
    parts_init(&parts, &ra);
    AUTO_BUF message = parts_message(&parts); /* none at all: cut the 48 octets off the end */
    struct why why = { 0 };
    struct cms_enveloped decoded;
    AUTO_BUF without = { 0 };
    struct der_reader in, content;
    struct bytes recipients;
    assert_true(cms_content_get(buf_bytes(&message), OID_ENVELOPED_DATA, &in));
    assert_true(der_get(&in, DER_INTEGER, &recipients) && der_get_whole(&in, DER_SET, &recipients));
    assert_true(der_get_sequence(&in, &content));
    struct cms_content_marks marks = cms_content_begin(&without, OID_ENVELOPED_DATA);
    der_put_int64(&without, 0);
    buf_append(&without, recipients);
    der_put(&without, DER_SEQUENCE, bytes_of(content.rest.data, content.rest.len - 48));
    without.data[without.len - 1] = 0; /* 80 00 */
    cms_content_end(&without, &marks);
    ASSERT_ERR(ERR_MALFORMED, cms_enveloped_decode(buf_bytes(&without), ra.certs, 2, &decoded, &why), &why);
    parts_free(&parts);
    ra_free(&ra);
}

TEST(what_surrounds_the_content_is_strict)
{
    struct ra ra;
    struct parts parts;
    ra_init(&ra);
    parts_init(&parts, &ra);
    parts.version = 5;
    expect(ERR_MALFORMED, &parts);
    parts_init(&parts, &ra);
    parts.version = -1;
    expect(ERR_MALFORMED, &parts);
    parts_init(&parts, &ra); /* unprotectedAttrs */
    der_put(&parts.after, DER_CONTEXT_CONSTRUCTED(1), BYTES_NONE);
    expect(ERR_MALFORMED, &parts);
    ra_free(&ra);
}

TEST(every_cut_is_refused)
{
    struct why why = { 0 };
    struct ra ra;
    struct parts parts;
    ra_init(&ra);
    parts_init(&parts, &ra);
    AUTO_BUF message = parts_message(&parts);
    struct cms_enveloped decoded;
    for (size_t len = 0; len < message.len; len++)
        ASSERT_ERR(ERR_MALFORMED,
                   cms_enveloped_decode(bytes_of(message.data, len), ra.certs, 2, &decoded, &why), &why);
    buf_append_byte(&message, 0);
    ASSERT_ERR(ERR_MALFORMED, cms_enveloped_decode(buf_bytes(&message), ra.certs, 2, &decoded, &why), &why);
    parts_free(&parts);
    ra_free(&ra);
}

/* Takes parts. Not an error, one RSA operation, a plaintext, and the verdict that it is not good; again the
 * same. */
static void expect_not_good(struct parts *parts)
{
    struct why why = { 0 };
    AUTO_BUF message = parts_message(parts);
    AUTO_WIPE first = { 0 }, again = { 0 };
    uint8_t good = 0x5A;
    unsigned before = evp_key_decrypts(parts->ra->key);
    ASSERT_OK(open_message(parts->ra, buf_bytes(&message), &first, &good, &why), &why);
    assert_int_equal(good, 0);
    assert_int_equal(evp_key_decrypts(parts->ra->key) - before, 1);
    good = 0x5A;
    ASSERT_OK(open_message(parts->ra, buf_bytes(&message), &again, &good, &why), &why);
    assert_int_equal(good, 0);
    ASSERT_BYTES(buf_bytes(&first), buf_bytes(&again));
    parts_free(parts);
}

TEST(bad_padding_wrong_length_wrong_key_and_bad_content_have_one_outcome)
{
    struct ra ra;
    struct parts parts;
    ra_init(&ra);
    parts_init(&parts, &ra); /* bad padding */
    parts.block = rsa_pad_pkcs1(&parts.prng, 256, bytes_of(parts.content_key.data, 16));
    parts.block.data[1] = 1;
    expect_not_good(&parts);
    static const size_t lengths[] = { 0, 15, 17, 24, 32 };
    for (size_t i = 0; i < COUNT(lengths); i++) { /* good padding, wrong length */
        parts_init(&parts, &ra);
        parts.block = rsa_pad_pkcs1(&parts.prng, 256, bytes_of(parts.content_key.data, lengths[i]));
        expect_not_good(&parts);
    }
    parts_init(&parts, &ra); /* right length, wrong key */
    parts.block = rsa_pad_pkcs1(&parts.prng, 256, bytes_of(parts.content_key.data + 1, 16));
    expect_not_good(&parts);
    parts_init(&parts, &ra); /* bad content padding: blocks of zeros */
    static const uint8_t zeros[48], iv[16] = { 1, 2, 3 };
    struct why why;
    const struct cbc cbc = { CIPHER_AES128_CBC, bytes_of(parts.content_key.data, 16), BYTES_ARR(iv) };
    ASSERT_OK(cbc_encrypt(&cbc, BYTES_ARR(zeros), &parts.ciphertext, &why), &why);
    parts.ciphertext.len -= 16;
    expect_not_good(&parts);
    ra_free(&ra);
}

/* Whole blocks under the right key, with every value of the last octet: PKCS#7 padding is 1 to 16 of that
 * value. */
TEST(content_padding_is_judged_for_every_last_octet)
{
    struct why why = { 0 };
    uint8_t key[16] = { 7 }, iv[16] = { 9 };
    const struct cbc cbc = { CIPHER_AES128_CBC, BYTES_ARR(key), BYTES_ARR(iv) };
    for (int last = 0; last < 256; last++) {
        for (int spoilt = -1; spoilt < 16; spoilt++) { /* which octet of the last block is wrong; -1: none */
            uint8_t blocks[32];
            AUTO_BUF ciphertext = { 0 };
            AUTO_WIPE got = { 0 };
            uint8_t good;
            memset(blocks, last, sizeof(blocks));
            if (spoilt >= 0 && spoilt < 15)
                blocks[16 + spoilt] ^= 0x20;
            ASSERT_OK(cbc_encrypt(&cbc, BYTES_ARR(blocks), &ciphertext, &why), &why);
            ciphertext.len -= 16;
            ASSERT_OK(cbc_decrypt(&cbc, buf_bytes(&ciphertext), &got, &good, &why), &why);
            bool wanted = last >= 1 && last <= 16 && (spoilt < 0 || spoilt >= 15 || spoilt < 16 - last);
            assert_int_equal(good, wanted ? 0xFF : 0);
            assert_int_equal(got.len, wanted ? 32 - last : 32);
        }
    }
}

TEST(any_octet_of_the_encrypted_key_changed_is_one_outcome)
{
    struct ra ra;
    ra_init(&ra);
    for (size_t i = 0; i < 256; i += 17) {
        struct parts parts;
        AUTO_BUF scratch = { 0 };
        parts_init(&parts, &ra);
        put_own(&scratch, &parts, &ra.certs[0]);
        parts.encrypted_key.data[i] ^= 0x01;
        expect_not_good(&parts);
    }
    ra_free(&ra);
}

static void modulus_minus(const struct key *key, uint8_t less, struct buf *ret)
{
    struct der_reader in = der_reader_over(public_key_spki(key->public_half)), spki, rsa;
    struct bytes algorithm, n = BYTES_NONE;
    assert_true(der_get_sequence(&in, &spki) && der_get_whole(&spki, DER_SEQUENCE, &algorithm) &&
                der_get_bits(&spki, &in.rest) && der_get_sequence(&in, &rsa) &&
                der_get_unsigned_bytes(&rsa, &n));
    buf_append(ret, n);
    assert_true(n.data[n.len - 1] >= less);
    ret->data[n.len - 1] -= less;
}

/* 0, 1, n - 1, n, all ones, and keys of another length: modules fail on some of them, which must not show. */
TEST(encrypted_keys_out_of_range_are_one_outcome)
{
    struct ra ra;
    ra_init(&ra);
    for (int way = 0; way < 8; way++) {
        struct parts parts;
        parts_init(&parts, &ra);
        modulus_minus(ra.key, way == 2 ? 1 : 0, &parts.encrypted_key);
        struct buf *c = &parts.encrypted_key;
        if (way < 2)
            memset(c->data, 0, c->len);
        if (way == 1)
            c->data[c->len - 1] = 1;
        if (way == 4)
            memset(c->data, 0xFF, c->len);
        if (way == 5)
            c->len--;
        if (way == 6)
            buf_append_byte(c, 0);
        if (way == 7)
            c->len = 1;
        expect_not_good(&parts);
    }
    ra_free(&ra);
}

/* The substitute key is neither zeros nor what an attacker can compute from the message alone. */
TEST(the_substitute_key_depends_on_the_message_and_on_the_private_key)
{
    struct why why = { 0 };
    struct ra ra, other;
    ra_init(&ra);
    ra_init(&other);
    struct parts parts;
    parts_init(&parts, &ra);
    parts.block = rsa_pad_pkcs1(&parts.prng, 256, bytes_of(parts.content_key.data, 15));
    AUTO_BUF message = parts_message(&parts);
    struct cms_enveloped decoded;
    ASSERT_OK(cms_enveloped_decode(buf_bytes(&message), ra.certs, 2, &decoded, &why), &why);
    AUTO_WIPE with_one = { 0 }, with_other = { 0 };
    uint8_t good;
    ASSERT_OK(cms_enveloped_open(&decoded, ra.key, &with_one, &good, &why), &why);
    ASSERT_OK(cms_enveloped_open(&decoded, other.key, &with_other, &good, &why), &why);
    assert_true(with_one.len != with_other.len || memcmp(with_one.data, with_other.data, with_one.len) != 0);
    cms_enveloped_free(&decoded);
    parts_free(&parts);
    ra_free(&ra);
    ra_free(&other);
}

/* Whoever padded the block badly on purpose knows it, and with it the substitute key: a content that unpads under that key
   must not make the message a good one. */
TEST(content_that_unpads_under_the_substitute_key_is_not_good)
{
    static const uint8_t iv[16] = { 1, 2, 3 };
    struct why why = { 0 };
    struct ra ra;
    struct parts parts;
    uint8_t substitute[32], good = 0x5A;
    AUTO_BUF labelled = { 0 };
    AUTO_WIPE got = { 0 };
    ra_init(&ra);
    parts_init(&parts, &ra);
    parts.block = rsa_pad_pkcs1(&parts.prng, 256, bytes_of(parts.content_key.data, 15));
    parts.encrypted_key = rsa_encrypt_raw(ra.certs[0].spki, buf_bytes(&parts.block));
    buf_append_str(&labelled, "chancery implicit rejection 1");
    buf_append(&labelled, buf_bytes(&parts.encrypted_key));
    ASSERT_OK(hmac_sha256(buf_bytes(&parts.block), buf_bytes(&labelled), substitute, &why), &why);
    const struct cbc cbc = { CIPHER_AES128_CBC, bytes_of(substitute, 16), BYTES_ARR(iv) };
    ASSERT_OK(cbc_encrypt(&cbc, plain, &parts.ciphertext, &why), &why);
    AUTO_BUF message = parts_message(&parts);
    ASSERT_OK(open_message(&ra, buf_bytes(&message), &got, &good, &why), &why);
    ASSERT_BYTES(buf_bytes(&got), plain); /* it is the substitute key, so the padding was good */
    assert_int_equal(good, 0);
    parts_free(&parts);
    ra_free(&ra);
}

TEST(an_ec_key_cannot_open)
{
    struct why why = { 0 };
    struct ra ra;
    struct parts parts;
    ra_init(&ra);
    parts_init(&parts, &ra);
    AUTO_BUF message = parts_message(&parts);
    AUTO(key) ec = evp_key_ec("P-256");
    struct cms_enveloped decoded;
    struct buf got = { 0 };
    uint8_t good = 0x5A;
    ASSERT_OK(cms_enveloped_decode(buf_bytes(&message), ra.certs, 2, &decoded, &why), &why);
    ASSERT_ERR(ERR_KEY, cms_enveloped_open(&decoded, ec, &got, &good, &why), &why);
    assert_null(got.data);
    assert_int_equal(good, 0x5A); /* written only on success */
    cms_enveloped_free(&decoded);
    parts_free(&parts);
    ra_free(&ra);
}

RUN(T(every_cipher_opens), T(recipients_that_are_not_ours_are_passed_over),
    T(the_recipient_may_be_named_by_key_identifier), T(the_issuer_is_compared_as_a_name),
    T(recipients_that_cannot_be_chosen_from_are_one_early_refusal), T(key_transport_is_on_the_allow_list),
    T(content_ciphers_are_on_the_allow_list_with_their_exact_iv), T(ciphertext_is_whole_blocks),
    T(what_surrounds_the_content_is_strict), T(every_cut_is_refused),
    T(bad_padding_wrong_length_wrong_key_and_bad_content_have_one_outcome),
    T(content_padding_is_judged_for_every_last_octet),
    T(any_octet_of_the_encrypted_key_changed_is_one_outcome), T(encrypted_keys_out_of_range_are_one_outcome),
    T(the_substitute_key_depends_on_the_message_and_on_the_private_key),
    T(content_that_unpads_under_the_substitute_key_is_not_good), T(an_ec_key_cannot_open))
