/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed challenges: who can open them, whose are opened, and when. */
#include "tests/unit/challenge/fixture.h"

#include "x509/cms_content.h"
#include "x509/text.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
static struct why why;

static enum err open_at(const struct site *site, struct bytes text, int64_t now)
{
    __attribute__((cleanup(challenge_opened_free))) struct challenge_opened opened = { 0 };
    return challenge_open(text, &site->keys, now, &opened, &why);
}

static enum err open_text(const struct site *site, const struct buf *text)
{
    return open_at(site, buf_bytes(text), NOW);
}

static unsigned agreements(const struct site *site)
{
    return evp_key_decrypts(site->crp.key) + evp_key_decrypts(site->crp_before.key);
}

TEST(what_is_sealed_is_opened)
{
    struct site site;
    struct challenge_opened opened;
    site_init(&site);
    AUTO_BUF text = site_sealed(&site), wanted = { 0 }, got = { 0 };
    ASSERT_OK(challenge_open(buf_bytes(&text), &site.keys, NOW, &opened, &why), &why);
    ASSERT_OK(challenge_encode(&site.challenge, &wanted, &why), &why);
    ASSERT_OK(challenge_encode(&opened.challenge, &got, &why), &why);
    ASSERT_BYTES(buf_bytes(&wanted), buf_bytes(&got));
    assert_int_equal(opened.signer, 0);
    assert_int_equal(opened.own, 0);
    challenge_opened_free(&opened);
    challenge_opened_free(NULL);
    site_free(&site);
}

/* A CSR carries it as a PrintableString, which Windows insists on. */
TEST(a_typical_one_has_about_1200_characters_and_all_are_printable)
{
    struct site site;
    site_init(&site);
    AUTO_BUF text = site_sealed(&site);
    if (text.len < 1100 || text.len > 1300)
        fail_msg("a typical challenge has %zu characters", text.len);
    assert_true(text.len < LIMIT_CHALLENGE_BYTES / 10);
    assert_true(text_is_printable_string(buf_bytes(&text)));
    site.seal.recipient_count = LIMIT_CHALLENGE_RECIPIENTS;
    for (size_t i = 0; i < LIMIT_CHALLENGE_RECIPIENTS; i++)
        site.recipients[i] = side_peer(&site.crp);
    AUTO_BUF most = site_sealed(&site);
    if (most.len > LIMIT_CHALLENGE_BYTES / 2)
        fail_msg("with %d recipients it has %zu characters", LIMIT_CHALLENGE_RECIPIENTS, most.len);
    site_free(&site);
}

TEST(two_of_the_same_have_nothing_in_common_that_is_encrypted)
{
    struct site site;
    site_init(&site);
    AUTO_BUF a = site_sealed(&site), b = site_sealed(&site), der_a = { 0 }, der_b = { 0 };
    assert_true(base64_decode(buf_bytes(&a), false, &der_a) && base64_decode(buf_bytes(&b), false, &der_b));
    size_t run = 0, longest = 0;
    for (size_t i = der_a.len - 400; i < der_a.len && i < der_b.len;
         i++) { /* the ciphertext is near the end */
        run = der_a.data[i] == der_b.data[i] ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    assert_false(bytes_equal(buf_bytes(&der_a), buf_bytes(&der_b)));
    static const char subject[] = "device-1";
    assert_null(memmem(der_a.data, der_a.len, subject, sizeof(subject) - 1));
    site_free(&site);
}

/* --- who signed --- */

TEST(the_predecessor_of_the_signer_counts_too)
{
    struct site site;
    struct challenge_opened opened;
    site_init(&site);
    site.seal.signer = side_own(&site.mdm_before);
    AUTO_BUF text = site_sealed(&site);
    ASSERT_OK(challenge_open(buf_bytes(&text), &site.keys, NOW, &opened, &why), &why);
    assert_int_equal(opened.signer, 1);
    challenge_opened_free(&opened);
    site.keys.signer_count = 1; /* it is not pinned any more */
    ASSERT_ERR(ERR_CHALLENGE_SIGNER, open_text(&site, &text), &why);
    site_free(&site);
}

TEST(a_signer_that_is_not_pinned_is_refused_before_anything_is_decrypted)
{
    struct site site;
    site_init(&site);
    site.seal.signer = side_own(&site.stranger);
    AUTO_BUF text = site_sealed(&site);
    ASSERT_ERR(ERR_CHALLENGE_SIGNER, open_text(&site, &text), &why);
    assert_non_null(strstr(why.text, "serial 5a03, none of the 2 pinned ones"));
    site.keys.signer_count = 0;
    ASSERT_ERR(ERR_CHALLENGE_SIGNER, open_text(&site, &text), &why);
    assert_int_equal(agreements(&site), 0);
    site_free(&site);
}

TEST(the_name_of_a_pinned_signer_is_not_enough)
{
    struct site site;
    site_init(&site);
    site.seal.signer = (struct challenge_own){ &site.mdm.cert, site.stranger.key };
    AUTO_BUF text = site_sealed(&site);
    ASSERT_ERR(ERR_CHALLENGE_SIGNATURE, open_text(&site, &text), &why);
    assert_int_equal(agreements(&site), 0);
    site_free(&site);
}

/* --- who may read --- */

TEST(each_of_several_recipients_opens_it)
{
    struct site site;
    struct side *const all[] = { &site.other_crp, &site.crp, &site.crp_before };
    site_init(&site);
    site.seal.recipient_count = COUNT(all);
    for (size_t i = 0; i < COUNT(all); i++)
        site.recipients[i] = side_peer(all[i]);
    AUTO_BUF text = site_sealed(&site);
    for (size_t i = 0; i < COUNT(all); i++) {
        site.own[0] = side_own(all[i]);
        site.keys.own_count = 1;
        ASSERT_OK(open_text(&site, &text), &why);
        assert_int_equal(evp_key_decrypts(all[i]->key), 1);
    }
    site.own[0] = side_own(&site.stranger);
    ASSERT_ERR(ERR_CHALLENGE_DECRYPTION, open_text(&site, &text), &why);
    assert_string_equal(why.text, "challenge: encrypted to 3 certificates, to none of our 1");
    site_free(&site);
}

TEST(an_older_key_of_the_crp_opens_it)
{
    struct site site;
    struct challenge_opened opened;
    site_init(&site);
    site.recipients[0] = side_peer(&site.crp_before);
    AUTO_BUF text = site_sealed(&site);
    ASSERT_OK(challenge_open(buf_bytes(&text), &site.keys, NOW, &opened, &why), &why);
    assert_int_equal(opened.own, 1);
    challenge_opened_free(&opened);
    site_free(&site);
}

TEST(another_key_behind_the_same_certificate_does_not_open_it)
{
    struct site site;
    site_init(&site);
    AUTO_BUF text = site_sealed(&site);
    site.own[0].key = site.stranger.key;
    ASSERT_ERR(ERR_CHALLENGE_DECRYPTION, open_text(&site, &text), &why);
    assert_non_null(strstr(why.text, "does not unwrap"));
    AUTO(key) p384 = evp_key_ec("P-384");
    site.own[0].key = p384;
    ASSERT_ERR(ERR_CHALLENGE_DECRYPTION, open_text(&site, &text), &why);
    site_free(&site);
}

TEST(recipients_are_1_to_16)
{
    struct site site;
    struct buf text = { 0 };
    site_init(&site);
    for (size_t i = 0; i < COUNT(site.recipients); i++)
        site.recipients[i] = side_peer(&site.other_crp);
    site.recipients[LIMIT_CHALLENGE_RECIPIENTS - 1] = side_peer(&site.crp);
    site.seal.recipient_count = LIMIT_CHALLENGE_RECIPIENTS;
    AUTO_BUF most = site_sealed(&site);
    ASSERT_OK(open_text(&site, &most), &why);
    site.seal.recipient_count++;
    ASSERT_ERR(ERR_LIMIT, challenge_seal(&site.challenge, &site.seal, &text, &why), &why);
    assert_string_equal(why.text, "challenge for 17 recipients, must be 1 to 16");
    site.seal.recipient_count = 0;
    ASSERT_ERR(ERR_LIMIT, challenge_seal(&site.challenge, &site.seal, &text, &why), &why);
    assert_null(text.data);
    site_free(&site);
}

TEST(keys_are_on_p_256)
{
    struct site site;
    struct buf text = { 0 };
    struct side p384, rsa;
    site_init(&site);
    side_init_key(&p384, "CN=P-384", 7, evp_key_ec("P-384"));
    side_init_key(&rsa, "CN=RSA", 8, evp_key_rsa(2048));
    const struct side *const bad[] = { &p384, &rsa };
    for (size_t i = 0; i < COUNT(bad); i++) {
        site.seal.signer = side_own(bad[i]);
        ASSERT_ERR(ERR_BAD_ALG, challenge_seal(&site.challenge, &site.seal, &text, &why), &why);
        site.seal.signer = side_own(&site.mdm);
        site.recipients[0] = side_peer(bad[i]);
        ASSERT_ERR(ERR_BAD_ALG, challenge_seal(&site.challenge, &site.seal, &text, &why), &why);
        site.recipients[0] = side_peer(&site.crp);
    }
    assert_null(text.data);
    AUTO_BUF good = site_sealed(&site);
    site.signers[0] = (struct challenge_peer){ &site.mdm.cert, p384.key->public_half };
    ASSERT_ERR(ERR_CHALLENGE_SIGNER, open_text(&site, &good), &why);
    side_free(&p384);
    side_free(&rsa);
    site_free(&site);
}

/* --- when --- */

TEST(it_is_valid_from_its_first_second_to_before_its_last)
{
    struct site site;
    site_init(&site);
    AUTO_BUF text = site_sealed(&site);
    ASSERT_ERR(ERR_CHALLENGE_EARLY, open_at(&site, buf_bytes(&text), NOW - 1), &why);
    assert_string_equal(why.text,
                        "challenge is valid from 2026-09-21T14:13:20Z on, it is 2026-09-21T14:13:19Z");
    ASSERT_OK(open_at(&site, buf_bytes(&text), NOW), &why);
    ASSERT_OK(open_at(&site, buf_bytes(&text), NOW + 3599), &why);
    ASSERT_ERR(ERR_CHALLENGE_EXPIRED, open_at(&site, buf_bytes(&text), NOW + 3600), &why);
    assert_string_equal(why.text, "challenge expired at 2026-09-21T15:13:20Z, it is 2026-09-21T15:13:20Z");
    site_free(&site);
}

/* --- the text --- */

TEST(the_text_is_base64_of_the_plain_alphabet_and_nothing_else)
{
    struct site site;
    site_init(&site);
    AUTO_BUF text = site_sealed(&site);
    while (text.data[text.len - 1] != '=') { /* its length differs, as signatures do: one with padding */
        buf_free(&text);
        text = site_sealed(&site);
    }
    static const char *const odd[] = { " ", "\n", "\r\n", "-", "_", "=", "A", "AAAA", "\xC3\xA9" };
    for (size_t i = 0; i < COUNT(odd); i++) {
        AUTO_BUF behind = buf_dup(buf_bytes(&text)), before = { 0 },
                 inside = buf_dup(bytes_of(text.data, 64));
        buf_append_str(&behind, odd[i]);
        buf_append_str(&before, odd[i]);
        buf_append(&before, buf_bytes(&text));
        buf_append_str(&inside, odd[i]);
        buf_append(&inside, bytes_of(text.data + 64, text.len - 64));
        ASSERT_ERR(ERR_CHALLENGE_ENCODING, open_text(&site, &behind), &why);
        ASSERT_ERR(ERR_CHALLENGE_ENCODING, open_text(&site, &before), &why);
        ASSERT_ERR(ERR_CHALLENGE_ENCODING, open_text(&site, &inside), &why);
    }
    for (size_t len = 0; len < text.len; len++)
        ASSERT_ERR(ERR_CHALLENGE_ENCODING, open_at(&site, bytes_of(text.data, len), NOW), &why);
    ASSERT_ERR(ERR_CHALLENGE_ENCODING, open_at(&site, BYTES_LIT("secret password!"), NOW), &why);
    uint8_t large[LIMIT_CHALLENGE_BYTES + 4];
    memset(large, 'A', sizeof(large));
    ASSERT_ERR(ERR_CHALLENGE_ENCODING, open_at(&site, BYTES_ARR(large), NOW), &why);
    assert_string_equal(why.text, "challenge of 16388 characters, limit 16384");
    ASSERT_ERR(ERR_CHALLENGE_ENCODING, open_at(&site, bytes_of(large, LIMIT_CHALLENGE_BYTES), NOW), &why);
    assert_string_equal(why.text, "challenge: not DER");
    site_free(&site);
}

TEST(one_that_grows_past_the_limit_is_not_made)
{
    struct site site;
    struct side long_named;
    struct buf text = { 0 };
    site_init(&site);
    AUTO_STR name = xasprintf("CN=%0900d", 1);
    side_init(&long_named, name, 9);
    for (size_t i = 0; i < LIMIT_CHALLENGE_RECIPIENTS; i++)
        site.recipients[i] = side_peer(&long_named);
    AUTO_BUF one = site_sealed(&site);
    assert_true(one.len > 0); /* with one recipient it fits */
    site.seal.recipient_count = LIMIT_CHALLENGE_RECIPIENTS;
    ASSERT_ERR(ERR_LIMIT, challenge_seal(&site.challenge, &site.seal, &text, &why), &why);
    assert_non_null(strstr(why.text, "characters, limit 16384"));
    assert_null(text.data);
    side_free(&long_named);
    site_free(&site);
}

/* --- what mdm itself might make wrongly: signed by it, and odd --- */

struct odd {
    struct buf envelope; /* content of SignedData */
    enum digest digest;
    bool with_cert, no_content;
    const struct key *key;
    enum oid content_type;
};

static struct buf odd_text(const struct site *site, const struct odd *odd)
{
    struct buf text = { 0 };
    AUTO_BUF der = { 0 };
    const struct cms_signed_params params = { .content_type = odd->content_type,
                                              .has_content = !odd->no_content,
                                              .content = buf_bytes(&odd->envelope),
                                              .digest = odd->digest,
                                              .signer_cert = buf_bytes(&site->mdm.der),
                                              .with_signer_cert = odd->with_cert };
    ASSERT_OK(cms_signed_encode(&params, odd->key, &der, &why), &why);
    base64_append(&text, buf_bytes(&der));
    return text;
}

static struct odd odd_of(const struct site *site)
{
    struct cms_signed message;
    AUTO_BUF text = site_sealed(site), der = { 0 };
    assert_true(base64_decode(buf_bytes(&text), false, &der));
    ASSERT_OK(cms_signed_decode_type(buf_bytes(&der), OID_ENVELOPED_DATA, &message, &why), &why);
    struct odd odd = { .envelope = buf_dup(message.content),
                       .digest = DIGEST_SHA256,
                       .key = site->mdm.key,
                       .content_type = OID_ENVELOPED_DATA };
    cms_signed_free(&message);
    return odd;
}

static void expect_odd(const struct site *site, enum err wanted, const struct odd *odd)
{
    AUTO_BUF text = odd_text(site, odd);
    ASSERT_ERR(wanted, open_text(site, &text), &why);
}

TEST(another_form_of_signed_data_is_refused)
{
    struct site site;
    site_init(&site);
    struct odd odd = odd_of(&site);
    expect_odd(&site, OK, &odd);
    odd.with_cert = true;
    expect_odd(&site, ERR_CHALLENGE_ENCODING, &odd);
    odd.with_cert = false;
    odd.no_content = true;
    expect_odd(&site, ERR_CHALLENGE_ENCODING, &odd);
    odd.no_content = false;
    odd.digest = DIGEST_SHA512;
    expect_odd(&site, ERR_CHALLENGE_ENCODING, &odd);
    odd.digest = DIGEST_SHA256;
    odd.content_type = OID_DATA;
    expect_odd(&site, ERR_CHALLENGE_ENCODING, &odd);
    odd.content_type = OID_ENVELOPED_DATA;
    AUTO(key) rsa = evp_key_rsa(2048);
    odd.key = rsa;
    expect_odd(&site, ERR_CHALLENGE_ENCODING, &odd);
    assert_int_equal(agreements(&site), 1); /* of the good one */
    buf_free(&odd.envelope);
    site_free(&site);
}

/* The same signature, and an unsigned attribute put behind it. */
TEST(an_unsigned_attribute_is_refused)
{
    struct site site;
    site_init(&site);
    AUTO_BUF text = site_sealed(&site), der = { 0 }, out = { 0 }, forged = { 0 };
    struct der_reader in, digests, info, infos;
    struct bytes encap = BYTES_NONE;
    int64_t version = 0;
    assert_true(base64_decode(buf_bytes(&text), false, &der));
    assert_true(cms_content_get(buf_bytes(&der), OID_SIGNED_DATA, &in) && der_get_int64(&in, &version) &&
                der_get_set(&in, &digests) && der_get_whole(&in, DER_SEQUENCE, &encap) &&
                der_get_set(&in, &infos) && der_get_sequence(&infos, &info));
    struct cms_content_marks marks = cms_content_begin(&out, OID_SIGNED_DATA);
    der_put_int64(&out, version);
    der_put(&out, DER_SET, digests.rest);
    der_put_raw(&out, encap);
    size_t set = der_begin(&out, DER_SET), one = der_begin(&out, DER_SEQUENCE);
    buf_append(&out, info.rest);
    size_t unsigned_attrs = der_begin(&out, DER_CONTEXT_CONSTRUCTED(1));
    cms_attribute_put(&out, OID_ATTR_CHALLENGE_PASSWORD, DER_PRINTABLE_STRING, BYTES_LIT("x"));
    der_end(&out, unsigned_attrs);
    der_end(&out, one);
    der_end(&out, set);
    cms_content_end(&out, &marks);
    base64_append(&forged, buf_bytes(&out));
    ASSERT_ERR(ERR_CHALLENGE_ENCODING, open_text(&site, &forged), &why);
    assert_non_null(strstr(why.text, "unsigned attributes"));
    site_free(&site);
}

struct envelope {
    int64_t version, recipient_version;
    struct buf originator, algorithm, keys, content; /* of the recipient, whole; of the envelope, whole */
    struct buf ukm, more_recipients, behind;
    size_t copies;
};

static void envelope_take(struct envelope *envelope, const struct odd *odd)
{
    struct der_reader in = der_reader_over(buf_bytes(&odd->envelope)), inside, set, info;
    struct bytes originator = BYTES_NONE, algorithm = BYTES_NONE, keys = BYTES_NONE, content = BYTES_NONE;
    *envelope = (struct envelope){ .version = 2, .copies = 1 };
    assert_true(der_get_sequence(&in, &inside) && der_get_int64(&inside, &envelope->version) &&
                der_get_set(&inside, &set) && der_get_constructed(&set, DER_CONTEXT_CONSTRUCTED(1), &info) &&
                der_get_int64(&info, &envelope->recipient_version) &&
                der_get_whole(&info, DER_CONTEXT_CONSTRUCTED(0), &originator) &&
                der_get_whole(&info, DER_SEQUENCE, &algorithm) && der_get_whole(&info, DER_SEQUENCE, &keys) &&
                der_get_whole(&inside, DER_SEQUENCE, &content));
    envelope->originator = buf_dup(originator);
    envelope->algorithm = buf_dup(algorithm);
    envelope->keys = buf_dup(keys);
    envelope->content = buf_dup(content);
}

static void envelope_free(struct envelope *envelope)
{
    struct buf *const all[] = { &envelope->originator, &envelope->algorithm, &envelope->keys,
                                &envelope->content,    &envelope->ukm,       &envelope->more_recipients,
                                &envelope->behind };
    for (size_t i = 0; i < COUNT(all); i++)
        buf_free(all[i]);
}

static struct buf envelope_der(const struct envelope *envelope)
{
    struct buf out = { 0 };
    size_t mark = der_begin(&out, DER_SEQUENCE);
    der_put_int64(&out, envelope->version);
    size_t set = der_begin(&out, DER_SET);
    for (size_t i = 0; i < envelope->copies; i++) {
        size_t info = der_begin(&out, DER_CONTEXT_CONSTRUCTED(1));
        der_put_int64(&out, envelope->recipient_version);
        buf_append(&out, buf_bytes(&envelope->originator));
        buf_append(&out, buf_bytes(&envelope->ukm));
        buf_append(&out, buf_bytes(&envelope->algorithm));
        buf_append(&out, buf_bytes(&envelope->keys));
        der_end(&out, info);
    }
    buf_append(&out, buf_bytes(&envelope->more_recipients));
    der_end(&out, set);
    buf_append(&out, buf_bytes(&envelope->content));
    buf_append(&out, buf_bytes(&envelope->behind));
    der_end(&out, mark);
    return out;
}

static void expect_envelope(const struct site *site, enum err wanted, struct odd *odd,
                            const struct envelope *envelope)
{
    buf_free(&odd->envelope);
    odd->envelope = envelope_der(envelope);
    expect_odd(site, wanted, odd);
}

static struct buf content_of(struct bytes ciphertext)
{
    static const uint8_t iv[16];
    struct buf out = { 0 };
    size_t mark = der_begin(&out, DER_SEQUENCE);
    der_put_oid(&out, oid_bytes(OID_DATA));
    cipher_put(&out, CIPHER_AES128_CBC, BYTES_ARR(iv));
    der_put(&out, DER_CONTEXT(0), ciphertext);
    der_end(&out, mark);
    return out;
}

TEST(another_form_of_enveloped_data_is_refused_although_it_is_signed)
{
    struct site site;
    struct envelope envelope;
    site_init(&site);
    struct odd odd = odd_of(&site);
    envelope_take(&envelope, &odd);
    expect_envelope(&site, OK, &odd, &envelope);
    envelope.version = 0;
    expect_envelope(&site, ERR_CHALLENGE_ENCODING, &odd, &envelope);
    envelope.version = 2;
    envelope.recipient_version = 2;
    expect_envelope(&site, ERR_CHALLENGE_ENCODING, &odd, &envelope);
    envelope.recipient_version = 3;
    buf_append(&envelope.ukm, BYTES_LIT("\xA1\x04\x04\x02uk"));
    expect_envelope(&site, ERR_CHALLENGE_ENCODING, &odd, &envelope);
    buf_clear(&envelope.ukm);
    buf_append(&envelope.more_recipients, BYTES_LIT("\x30\x00")); /* a ktri that is none */
    expect_envelope(&site, ERR_CHALLENGE_ENCODING, &odd, &envelope);
    buf_clear(&envelope.more_recipients);
    buf_append(&envelope.behind, BYTES_LIT("\xA1\x00")); /* unprotectedAttrs */
    expect_envelope(&site, ERR_CHALLENGE_ENCODING, &odd, &envelope);
    buf_clear(&envelope.behind);
    AUTO_BUF content = TAKE_BUF(envelope.content);
    envelope.content = content_of(BYTES_LIT("fifteen octets."));
    expect_envelope(&site, ERR_CHALLENGE_ENCODING, &odd, &envelope);
    buf_free(&envelope.content);
    envelope.content = content_of(BYTES_NONE);
    expect_envelope(&site, ERR_CHALLENGE_ENCODING, &odd, &envelope);
    buf_free(&envelope.content);
    envelope.content = TAKE_BUF(content);
    envelope.copies = 0;
    expect_envelope(&site, ERR_CHALLENGE_DECRYPTION, &odd, &envelope);
    envelope.copies = LIMIT_CHALLENGE_RECIPIENTS; /* as they are in an overlap, more than one of ours */
    expect_envelope(&site, OK, &odd, &envelope);
    envelope.copies++;
    expect_envelope(&site, ERR_CHALLENGE_ENCODING, &odd, &envelope);
    assert_string_equal(why.text, "challenge: more than 16 recipients");
    envelope_free(&envelope);
    buf_free(&odd.envelope);
    site_free(&site);
}

static bool replace(struct buf *in, struct bytes from, struct bytes to)
{
    uint8_t *at = memmem(in->data, in->len, from.data, from.len);
    assert_int_equal(from.len, to.len);
    if (at)
        memcpy(at, to.data, to.len);
    return at != NULL;
}

TEST(other_algorithms_are_refused_although_they_are_signed)
{
    struct site site;
    struct envelope envelope;
    site_init(&site);
    static const struct {
        enum oid from, to;
    } rows[] = {
        { OID_AES128_WRAP, OID_AES256_CBC },
        { OID_EC_PUBLIC_KEY, OID_ECDSA_SHA1 },
        { OID_AES128_CBC, OID_AES256_CBC },
        { OID_DATA, OID_SIGNED_DATA },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct odd odd = odd_of(&site);
        struct bytes from = oid_bytes(rows[i].from), to = oid_bytes(rows[i].to);
        AUTO_BUF short_to = { 0 };
        if (to.len != from.len) { /* any other OID of that length */
            short_to = buf_dup(from);
            short_to.data[short_to.len - 1] ^= 1;
            to = buf_bytes(&short_to);
        }
        assert_true(replace(&odd.envelope, from, to));
        expect_odd(&site, ERR_CHALLENGE_ENCODING, &odd);
        buf_free(&odd.envelope);
    }
    struct odd odd = odd_of(&site);
    envelope_take(&envelope, &odd);
    envelope.originator.data[envelope.originator.len - 1] ^= 1; /* off the curve */
    expect_envelope(&site, ERR_CHALLENGE_DECRYPTION, &odd, &envelope);
    envelope.originator.data[envelope.originator.len - 1] ^= 1;
    envelope.content.data[envelope.content.len - 17] ^= 1; /* the padding */
    expect_envelope(&site, ERR_CHALLENGE_DECRYPTION, &odd, &envelope);
    envelope.content.data[envelope.content.len - 17] ^= 1;
    envelope.content.data[envelope.content.len - 20 * 16] ^= 1; /* a block inside */
    AUTO_BUF der = envelope_der(&envelope);
    buf_free(&odd.envelope);
    odd.envelope = TAKE_BUF(der);
    AUTO_BUF text = odd_text(&site, &odd);
    enum err err = open_text(&site, &text);
    assert_true(err == ERR_CHALLENGE_MALFORMED || err == ERR_CHALLENGE_DEVICE || err == ERR_CHALLENGE_USER);
    envelope_free(&envelope);
    buf_free(&odd.envelope);
    site_free(&site);
}

RUN(T(what_is_sealed_is_opened), T(a_typical_one_has_about_1200_characters_and_all_are_printable),
    T(two_of_the_same_have_nothing_in_common_that_is_encrypted), T(the_predecessor_of_the_signer_counts_too),
    T(a_signer_that_is_not_pinned_is_refused_before_anything_is_decrypted),
    T(the_name_of_a_pinned_signer_is_not_enough), T(each_of_several_recipients_opens_it),
    T(an_older_key_of_the_crp_opens_it), T(another_key_behind_the_same_certificate_does_not_open_it),
    T(recipients_are_1_to_16), T(keys_are_on_p_256), T(it_is_valid_from_its_first_second_to_before_its_last),
    T(the_text_is_base64_of_the_plain_alphabet_and_nothing_else),
    T(one_that_grows_past_the_limit_is_not_made), T(another_form_of_signed_data_is_refused),
    T(an_unsigned_attribute_is_refused), T(another_form_of_enveloped_data_is_refused_although_it_is_signed),
    T(other_algorithms_are_refused_although_they_are_signed))
