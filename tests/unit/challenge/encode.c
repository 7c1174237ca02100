/* SPDX-License-Identifier: Apache-2.0 */
/* What is inside a challenge: written and read by the same rules. */
#include "tests/unit/challenge/fixture.h"

#include "x509/san.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
static struct why why;

/* The format again, written down without any rule of ours: what pins it, and how broken ones are made. */
struct raw {
    struct challenge challenge;
    int64_t version;
    struct bytes id, last, behind;
};

static struct raw raw_of(const struct challenge *challenge)
{
    return (struct raw){ .challenge = *challenge, .version = 1, .id = BYTES_ARR(challenge->id) };
}

static struct buf raw_der(const struct raw *raw)
{
    const struct challenge *challenge = &raw->challenge;
    const struct challenge_expectation *expects = &challenge->expects;
    struct buf out = { 0 };
    size_t mark = der_begin(&out, DER_SEQUENCE);
    der_put_int64(&out, raw->version);
    der_put(&out, DER_OCTET_STRING, raw->id);
    der_put(&out, DER_UTF8_STRING, challenge->profile);
    der_put_int64(&out, challenge->profile_version);
    der_put(&out, DER_UTF8_STRING, challenge->device);
    if (challenge->user.data)
        der_put(&out, 0x80, challenge->user);
    der_put_int64(&out, challenge->not_before);
    der_put_int64(&out, challenge->expires);
    buf_append(&out, expects->subject);
    if (expects->san.data)
        der_put(&out, 0xA1, expects->san);
    der_put(&out, DER_SEQUENCE, expects->eku);
    der_put_named_bits(&out, expects->key_usage);
    der_put_int64(&out, expects->key_kind);
    der_put_int64(&out, expects->rsa_bits);
    der_put_int64(&out, expects->validity_s);
    if (expects->is_bound)
        der_put(&out, 0x82, BYTES_ARR(expects->key_digest));
    buf_append(&out, raw->last);
    der_end(&out, mark);
    buf_append(&out, raw->behind);
    return out;
}

static enum err decode_raw(const struct raw *raw)
{
    struct challenge decoded;
    AUTO_BUF der = raw_der(raw);
    return challenge_decode(buf_bytes(&der), &decoded, &why);
}

static void assert_round_trip(const struct challenge *challenge)
{
    struct raw raw = raw_of(challenge);
    AUTO_BUF der = { 0 }, again = { 0 }, pinned = raw_der(&raw);
    struct challenge decoded;
    ASSERT_OK(challenge_encode(challenge, &der, &why), &why);
    assert_true(der_is_valid(buf_bytes(&der)));
    ASSERT_BYTES(buf_bytes(&der), buf_bytes(&pinned));
    ASSERT_OK(challenge_decode(buf_bytes(&der), &decoded, &why), &why);
    const struct challenge_expectation *a = &challenge->expects, *b = &decoded.expects;
    assert_memory_equal(challenge->id, decoded.id, sizeof(decoded.id));
    ASSERT_BYTES(challenge->profile, decoded.profile);
    ASSERT_BYTES(challenge->device, decoded.device);
    ASSERT_BYTES(challenge->user, decoded.user);
    assert_true(challenge->profile_version == decoded.profile_version &&
                challenge->not_before == decoded.not_before && challenge->expires == decoded.expires);
    ASSERT_BYTES(a->subject, b->subject);
    ASSERT_BYTES(a->san, b->san);
    ASSERT_BYTES(a->eku, b->eku);
    assert_true(a->key_usage == b->key_usage && a->key_kind == b->key_kind && a->rsa_bits == b->rsa_bits &&
                a->validity_s == b->validity_s && a->is_bound == b->is_bound);
    assert_memory_equal(a->key_digest, b->key_digest, sizeof(a->key_digest));
    ASSERT_OK(challenge_encode(&decoded, &again, &why), &why);
    ASSERT_BYTES(buf_bytes(&der), buf_bytes(&again));
}

TEST(what_is_written_is_read_as_the_same)
{
    struct site site;
    site_init(&site);
    struct challenge challenge = site.challenge;
    assert_round_trip(&challenge);
    challenge.user = BYTES_NONE;
    challenge.expects.san = BYTES_NONE;
    assert_round_trip(&challenge);
    challenge.expects.is_bound = true;
    memset(challenge.expects.key_digest, 0xA5, sizeof(challenge.expects.key_digest));
    challenge.expects.validity_s = 0;
    assert_round_trip(&challenge);
    for (int kind = KEY_EC_P256; kind <= KEY_EC_P521; kind++) {
        challenge.expects.key_kind = (enum key_kind)kind;
        challenge.expects.rsa_bits = 0;
        assert_round_trip(&challenge);
    }
    challenge.expects.san = buf_bytes(&site.san);
    challenge.expects.subject = BYTES_LIT("\x30\x00"); /* none, where there is a SAN */
    assert_round_trip(&challenge);
    site_free(&site);
}

TEST(no_beginning_of_it_is_read)
{
    struct site site;
    struct challenge decoded;
    site_init(&site);
    site.challenge.expects.is_bound = true;
    AUTO_BUF der = { 0 };
    ASSERT_OK(challenge_encode(&site.challenge, &der, &why), &why);
    for (size_t len = 0; len < der.len; len++)
        ASSERT_ERR(ERR_CHALLENGE_MALFORMED, challenge_decode(bytes_of(der.data, len), &decoded, &why), &why);
    site_free(&site);
}

TEST(bytes_behind_it_or_at_its_end_are_refused)
{
    struct site site;
    site_init(&site);
    struct raw raw = raw_of(&site.challenge);
    ASSERT_OK(decode_raw(&raw), &why);
    raw.behind = BYTES_LIT("\0");
    ASSERT_ERR(ERR_CHALLENGE_MALFORMED, decode_raw(&raw), &why);
    raw.behind = BYTES_NONE;
    raw.last = BYTES_LIT("\x05\x00");
    ASSERT_ERR(ERR_CHALLENGE_MALFORMED, decode_raw(&raw), &why);
    assert_non_null(strstr(why.text, "followed by 2 bytes"));
    site_free(&site);
}

/* A mutant is refused, or says something else: there is one encoding of each challenge. */
TEST(a_mutant_that_is_read_is_written_as_itself)
{
    struct site site;
    site_init(&site);
    site.challenge.expects.is_bound = true;
    AUTO_BUF der = { 0 };
    size_t refused = 0;
    ASSERT_OK(challenge_encode(&site.challenge, &der, &why), &why);
    for (size_t i = 0; i < der.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            struct challenge decoded;
            AUTO_BUF mutant = buf_dup(buf_bytes(&der)), again = { 0 };
            mutant.data[i] ^= (uint8_t)(1 << bit);
            if (challenge_decode(buf_bytes(&mutant), &decoded, &why) != OK) {
                refused++;
                continue;
            }
            ASSERT_OK(challenge_encode(&decoded, &again, &why), &why);
            ASSERT_BYTES(buf_bytes(&mutant), buf_bytes(&again));
        }
    }
    assert_true(refused > der.len); /* most of all */
    site_free(&site);
}

TEST(another_version_is_refused_by_its_number)
{
    struct site site;
    site_init(&site);
    struct raw raw = raw_of(&site.challenge);
    raw.version = 2;
    ASSERT_ERR(ERR_CHALLENGE_MALFORMED, decode_raw(&raw), &why);
    assert_string_equal(why.text, "challenge of version 2, this release reads 1");
    raw.version = 0;
    ASSERT_ERR(ERR_CHALLENGE_MALFORMED, decode_raw(&raw), &why);
    site_free(&site);
}

/* --- rules, in both directions --- */

static void expect_both(enum err wanted, const struct challenge *challenge)
{
    struct buf der = { 0 };
    struct raw raw = raw_of(challenge);
    ASSERT_ERR(wanted, challenge_encode(challenge, &der, &why), &why);
    ASSERT_ERR(wanted, decode_raw(&raw), &why);
    buf_free(&der);
}

TEST(each_id_has_its_form_and_its_error)
{
    static const char *const bad[] = {
        "0A1B2C3D-0000-4000-8000-00000000000a",
        "0a1b2c3d-0000-4000-8000-00000000000",
        "0a1b2c3d-0000-4000-8000-00000000000ab",
        "0a1b2c3d00000-4000-8000-00000000000a",
        "{a1b2c3d-0000-4000-8000-0000000000a}",
        "0a1b2c3g-0000-4000-8000-00000000000a",
        "x",
    };
    struct site site;
    site_init(&site);
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct challenge challenge = site.challenge;
        challenge.profile = bytes_str(bad[i]);
        expect_both(ERR_CHALLENGE_MALFORMED, &challenge);
        challenge = site.challenge;
        challenge.device = bytes_str(bad[i]);
        expect_both(ERR_CHALLENGE_DEVICE, &challenge);
        assert_non_null(strstr(why.text, bad[i]));
        challenge = site.challenge;
        challenge.user = bytes_str(bad[i]);
        expect_both(ERR_CHALLENGE_USER, &challenge);
    }
    struct challenge challenge = site.challenge;
    challenge.device = BYTES_LIT("");
    expect_both(ERR_CHALLENGE_DEVICE, &challenge);
    challenge = site.challenge;
    memset(challenge.id, 0, sizeof(challenge.id));
    expect_both(ERR_CHALLENGE_REQUEST_ID, &challenge);
    site_free(&site);
}

TEST(no_user_is_said_in_one_way)
{
    struct site site;
    site_init(&site);
    struct raw raw = raw_of(&site.challenge);
    raw.challenge.user = BYTES_LIT(""); /* [0], and empty */
    ASSERT_ERR(ERR_CHALLENGE_MALFORMED, decode_raw(&raw), &why);
    raw.challenge.user = BYTES_NONE;
    ASSERT_OK(decode_raw(&raw), &why);
    raw.challenge.expects.san = BYTES_LIT("");
    ASSERT_ERR(ERR_CHALLENGE_MALFORMED, decode_raw(&raw), &why);
    site_free(&site);
}

TEST(an_id_has_16_octets)
{
    struct site site;
    site_init(&site);
    struct raw raw = raw_of(&site.challenge);
    for (size_t len = 0; len <= 17; len++) {
        raw.id = bytes_of("seventeen octets!", len);
        ASSERT_ERR(len == 16 ? OK : ERR_CHALLENGE_MALFORMED, decode_raw(&raw), &why);
    }
    site_free(&site);
}

TEST(numbers_end_where_they_should)
{
    static const int64_t year_9999 = INT64_C(253402300799);
    struct site site;
    site_init(&site);
    const struct {
        int64_t version, not_before, expires, validity;
        bool good;
    } rows[] = {
        { 1, NOW, NOW + 1, 0, true },
        { INT64_MAX, NOW, NOW + LIMIT_CHALLENGE_LIFETIME_S, LIMIT_CHALLENGE_VALIDITY_S, true },
        { 1, 0, 1, 1, true },
        { 1, year_9999 - 1, year_9999, 1, true },
        { 0, NOW, NOW + 1, 0, false },
        { -1, NOW, NOW + 1, 0, false },
        { 1, NOW, NOW, 0, false },
        { 1, NOW, NOW - 1, 0, false },
        { 1, NOW, NOW + LIMIT_CHALLENGE_LIFETIME_S + 1, 0, false },
        { 1, -1, 1, 0, false },
        { 1, INT64_MIN, INT64_MAX, 0, false },
        { 1, year_9999, year_9999 + 1, 0, false },
        { 1, NOW, NOW + 1, -1, false },
        { 1, NOW, NOW + 1, LIMIT_CHALLENGE_VALIDITY_S + 1, false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct challenge challenge = site.challenge;
        challenge.profile_version = rows[i].version;
        challenge.not_before = rows[i].not_before;
        challenge.expires = rows[i].expires;
        challenge.expects.validity_s = rows[i].validity;
        if (rows[i].good)
            assert_round_trip(&challenge);
        else
            expect_both(ERR_CHALLENGE_MALFORMED, &challenge);
    }
    site_free(&site);
}

TEST(keys_are_of_a_known_kind_and_size)
{
    static const struct {
        int kind, bits;
        bool good;
    } rows[] = {
        { KEY_RSA, 1024, true },       { KEY_RSA, LIMIT_RSA_BITS_MAX, true },
        { KEY_RSA, 1023, false },      { KEY_RSA, LIMIT_RSA_BITS_MAX + 1, false },
        { KEY_RSA, 0, false },         { KEY_EC_P256, 256, false },
        { KEY_EC_P521 + 1, 0, false }, { 0, 0, false },
        { KEY_EC_P256, 0, true },
    };
    struct site site;
    site_init(&site);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct challenge challenge = site.challenge;
        challenge.expects.key_kind = (enum key_kind)rows[i].kind;
        challenge.expects.rsa_bits = rows[i].bits;
        if (rows[i].good)
            assert_round_trip(&challenge);
        else
            expect_both(ERR_CHALLENGE_MALFORMED, &challenge);
    }
    site_free(&site);
}

TEST(names_are_checked_names_and_there_is_one)
{
    static const struct bytes bad_subjects[] = {
        { (const uint8_t *)"\x30\x02\x31\x00", 4 }, /* RDN of nothing */
        { (const uint8_t *)"\x30\x0D\x31\x0B\x30\x09\x06\x03\x55\x04\x03\x0C\x02\x61\x0A",
          15 }, /* line end */
    };
    struct site site;
    site_init(&site);
    for (size_t i = 0; i < COUNT(bad_subjects); i++) {
        struct challenge challenge = site.challenge;
        challenge.expects.subject = bad_subjects[i];
        expect_both(ERR_CHALLENGE_MALFORMED, &challenge);
    }
    struct challenge challenge = site.challenge;
    challenge.expects.san = BYTES_LIT("\x30\x04\x82\x02\x61\x20"); /* dns:"a " */
    expect_both(ERR_CHALLENGE_MALFORMED, &challenge);
    challenge.expects.san = BYTES_LIT("\x30\x00");
    expect_both(ERR_CHALLENGE_MALFORMED, &challenge);
    challenge.expects.san = BYTES_NONE;
    challenge.expects.subject = BYTES_LIT("\x30\x00");
    expect_both(ERR_CHALLENGE_MALFORMED, &challenge);
    site_free(&site);
}

TEST(usages_are_some_and_none_that_signs_certificates)
{
    struct site site;
    site_init(&site);
    AUTO_BUF most = { 0 }, past = { 0 };
    for (size_t i = 0; i < LIMIT_CHALLENGE_PURPOSES; i++)
        der_put_oid(&most, oid_bytes(OID_KP_CLIENT_AUTH));
    buf_append(&past, buf_bytes(&most));
    der_put_oid(&past, oid_bytes(OID_KP_CLIENT_AUTH));
    struct challenge challenge = site.challenge;
    challenge.expects.eku = buf_bytes(&most);
    assert_round_trip(&challenge);
    challenge.expects.eku = buf_bytes(&past);
    expect_both(ERR_CHALLENGE_MALFORMED, &challenge);
    challenge.expects.eku = BYTES_NONE;
    expect_both(ERR_CHALLENGE_MALFORMED, &challenge);
    challenge.expects.eku = BYTES_LIT("\x05\x00");
    expect_both(ERR_CHALLENGE_MALFORMED, &challenge);
    challenge = site.challenge;
    static const uint16_t bad[] = { 0, KU_KEY_CERT_SIGN, KU_CRL_SIGN | KU_DIGITAL_SIGNATURE, 1 << 9,
                                    1 << 15 };
    for (size_t i = 0; i < COUNT(bad); i++) {
        challenge.expects.key_usage = bad[i];
        expect_both(ERR_CHALLENGE_MALFORMED, &challenge);
    }
    challenge.expects.key_usage = KU_DIGITAL_SIGNATURE | KU_DECIPHER_ONLY;
    assert_round_trip(&challenge);
    site_free(&site);
}

/* A challenge whose subject has `fill` octets beside what is the same each time. */
static enum err encode_filled(const struct site *site, size_t fill, struct buf *ret_der)
{
    AUTO_BUF text = { 0 };
    for (size_t left = fill; left; left -= left < 1000 ? left : 1000) {
        buf_append_str(&text, text.len ? ",CN=" : "CN=");
        for (size_t i = 0; i < (left < 1000 ? left : 1000); i++)
            buf_append_byte(&text, 'x');
    }
    AUTO_BUF name = name_der(buf_text(&text));
    struct challenge challenge = site->challenge;
    challenge.expects.subject = buf_bytes(&name);
    return challenge_encode(&challenge, ret_der, &why);
}

TEST(the_whole_has_a_limit)
{
    struct site site;
    struct challenge decoded;
    site_init(&site);
    size_t fill = 7500;
    for (;; fill++) { /* to the first that does not fit any more */
        AUTO_BUF der = { 0 };
        if (encode_filled(&site, fill, &der) != OK)
            break;
        if (der.len == LIMIT_CHALLENGE_DER_BYTES)
            ASSERT_OK(challenge_decode(buf_bytes(&der), &decoded, &why), &why);
        assert_true(der.len <= LIMIT_CHALLENGE_DER_BYTES);
    }
    assert_int_equal(why.err, ERR_LIMIT);
    assert_non_null(strstr(why.text, "8193 bytes before sealing, limit 8192"));
    uint8_t large[LIMIT_CHALLENGE_DER_BYTES + 1] = { DER_SEQUENCE };
    ASSERT_ERR(ERR_CHALLENGE_MALFORMED, challenge_decode(BYTES_ARR(large), &decoded, &why), &why);
    assert_string_equal(why.text, "challenge of 8193 bytes, limit 8192");
    site_free(&site);
}

RUN(T(what_is_written_is_read_as_the_same), T(no_beginning_of_it_is_read),
    T(bytes_behind_it_or_at_its_end_are_refused), T(a_mutant_that_is_read_is_written_as_itself),
    T(another_version_is_refused_by_its_number), T(each_id_has_its_form_and_its_error),
    T(no_user_is_said_in_one_way), T(an_id_has_16_octets), T(numbers_end_where_they_should),
    T(keys_are_of_a_known_kind_and_size), T(names_are_checked_names_and_there_is_one),
    T(usages_are_some_and_none_that_signs_certificates), T(the_whole_has_a_limit))
