/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: built byte for byte, read strictly, verified. */
#include "base/limits.h"
#include "tests/unit/x509/fixture.h"

static const char *const cdp[] = { "http://ca.example/crl" };
static const char *const aia[] = { "http://ca.example/ca.cer" };
static const char *const ocsp[] = { "http://ca.example/ocsp" };

/* A fixed P-256 point (the base point), so that every octet of the certificate is known. */
static const char spki_hex[] = "3059301306072a8648ce3d020106082a8648ce3d030107034200"
                               "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                               "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

TEST(a_tbs_is_written_byte_for_byte_as_planned)
{
    AUTO_BUF issuer = fixture_name("CN=I"), subject = fixture_name("CN=S"), san = fixture_san("dns:d"),
             spki = fixture_hex(spki_hex), tbs = { 0 };
    const struct bytes purposes[] = { oid_bytes(OID_KP_CLIENT_AUTH) };
    struct why why = { 0 };
    struct tbs_params params = { .serial = BYTES_LIT("\x80\1\2\3\4\5\6\7\x8\x9\xA\xB\xC\xD\xE\xF"),
                                 .algorithm = { true, DIGEST_SHA256 },
                                 .issuer = buf_bytes(&issuer),
                                 .subject = buf_bytes(&subject),
                                 .spki = buf_bytes(&spki),
                                 .not_before = 2524607999, /* 2049-12-31T23:59:59Z */
                                 .not_after = 2524608000,  /* 2050-01-01T00:00:00Z */
                                 .key_usage = KU_DIGITAL_SIGNATURE,
                                 .eku = purposes,
                                 .eku_count = 1,
                                 .san = buf_bytes(&san),
                                 .issuer_key_id = BYTES_LIT("\xAA\xBB"),
                                 .cdp = cdp,
                                 .cdp_count = 1,
                                 .aia_ca_issuers = aia,
                                 .aia_ca_issuers_count = 1,
                                 .aia_ocsp = ocsp,
                                 .aia_ocsp_count = 1,
                                 .more_extensions = BYTES_LIT("\x30\x07\x06\x01\x2A\x04\x02\x05\x00") };
    ASSERT_OK(tbs_build(&params, &tbs, &why), &why);
    AUTO_BUF wanted = fixture_file("cert/golden-tbs.der");
    ASSERT_BYTES(buf_bytes(&tbs), buf_bytes(&wanted));
    ASSERT_OK(tbs_lint(buf_bytes(&tbs), &why), &why);
}

/* A signed leaf with everything in it. */
static struct buf full_leaf(const struct key *ca, const struct key *key)
{
    AUTO_BUF issuer = fixture_name("CN=Issuing CA,O=Example"), subject = fixture_name("CN=device"),
             san = fixture_san("upn:d@example.com"), tbs = { 0 };
    const struct bytes purposes[] = { oid_bytes(OID_KP_CLIENT_AUTH), oid_bytes(OID_KP_EMAIL_PROTECTION) };
    struct why why = { 0 };
    struct tbs_params params = fixture_leaf(key, buf_bytes(&issuer), buf_bytes(&subject));
    params.eku = purposes;
    params.eku_count = 2;
    params.san = buf_bytes(&san);
    params.algorithm = key_signature_algorithm(ca);
    ASSERT_OK(tbs_build(&params, &tbs, &why), &why);
    return fixture_sign(buf_bytes(&tbs), ca);
}

TEST(what_is_built_is_read_again)
{
    static const enum key_kind kinds[] = { KEY_RSA, KEY_EC_P256, KEY_EC_P384, KEY_EC_P521 };
    AUTO(key) key = fixture_key(KEY_EC_P256);
    for (size_t i = 0; i < 4; i++) {
        AUTO(key) ca = fixture_key(kinds[i]);
        AUTO_BUF der = full_leaf(ca, key), san = fixture_san("upn:d@example.com"), serial = { 0 };
        struct why why = { 0 };
        struct cert cert;
        ASSERT_OK(cert_parse(buf_bytes(&der), &cert, &why), &why);
        ASSERT_OK(cert_verify(&cert, ca->public_half, &why), &why);
        assert_int_equal(cert.version, 3);
        assert_int_equal(cert.serial.len, SERIAL_BYTES + 1);
        serial_append_text(&serial, cert.serial);
        assert_string_equal(buf_text(&serial), "A102030405060708090A0B0C0D0E0F10111213");
        assert_true(cert.not_before == FIXTURE_NOW && cert.not_after == FIXTURE_NOW + 86400);
        assert_true(cert.has_key_usage && cert.key_usage == KU_DIGITAL_SIGNATURE);
        assert_true(!cert.is_ca && cert.path_len == -1);
        ASSERT_BYTES(cert.san, buf_bytes(&san));
        ASSERT_BYTES(cert.spki, public_key_spki(key->public_half));
        assert_int_equal(cert.ski.len, 20);
        assert_int_equal(cert.aki.len, 20);
        assert_true(cert_allows_eku(&cert, OID_KP_EMAIL_PROTECTION));
        assert_false(cert_allows_eku(&cert, OID_KP_SERVER_AUTH));
    }
}

TEST(a_root_names_itself)
{
    AUTO(key) key = fixture_key(KEY_EC_P384);
    AUTO_BUF subject = fixture_name("CN=Root"), tbs = { 0 };
    struct why why = { 0 };
    struct cert cert;
    struct tbs_params params = fixture_ca(key, buf_bytes(&subject));
    ASSERT_OK(tbs_build(&params, &tbs, &why), &why);
    ASSERT_OK(tbs_lint(buf_bytes(&tbs), &why), &why);
    AUTO_BUF der = fixture_sign(buf_bytes(&tbs), key);
    ASSERT_OK(cert_parse(buf_bytes(&der), &cert, &why), &why);
    assert_true(cert.is_ca && cert.path_len == 0);
    ASSERT_BYTES(cert.aki, cert.ski);
    assert_int_equal(cert.key_usage, KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE);
}

TEST(a_wrong_key_or_an_altered_certificate_does_not_verify)
{
    AUTO(key) ca = fixture_key(KEY_EC_P256);
    AUTO(key) other = fixture_key(KEY_EC_P256);
    AUTO(key) rsa = fixture_key(KEY_RSA);
    AUTO_BUF der = full_leaf(ca, other);
    struct why why = { 0 };
    struct cert cert;
    ASSERT_OK(cert_parse(buf_bytes(&der), &cert, &why), &why);
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, cert_verify(&cert, other->public_half, &why), &why);
    ASSERT_ERR(ERR_BAD_ALG, cert_verify(&cert, rsa->public_half, &why), &why);
    der.data[(size_t)(cert.serial.data - der.data) + 5] ^= 1;
    ASSERT_OK(cert_parse(buf_bytes(&der), &cert, &why), &why);
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, cert_verify(&cert, ca->public_half, &why), &why);
}

TEST(every_byte_of_a_certificate_is_consumed)
{
    AUTO(key) ca = fixture_key(KEY_EC_P256);
    AUTO_BUF der = full_leaf(ca, ca);
    struct why why = { 0 };
    struct cert cert;
    for (size_t len = 0; len < der.len; len++)
        if (cert_parse(bytes_of(der.data, len), &cert, &why) == OK)
            fail_msg("%zu of %zu octets were taken", len, der.len);
    buf_append_byte(&der, 0);
    ASSERT_ERR(ERR_MALFORMED, cert_parse(buf_bytes(&der), &cert, &why), &why);
}

TEST(the_two_signature_algorithms_must_be_one)
{
    AUTO(key) ca = fixture_key(KEY_EC_P256);
    AUTO_BUF leaf = full_leaf(ca, ca), der = { 0 };
    struct why why = { 0 };
    struct cert cert;
    ASSERT_OK(cert_parse(buf_bytes(&leaf), &cert, &why), &why);
    signed_assemble(cert.tbs, (struct signature_algorithm){ false, DIGEST_SHA384 }, cert.signature, &der);
    ASSERT_ERR(ERR_MALFORMED, cert_parse(buf_bytes(&der), &cert, &why), &why);
}

TEST(parameters_that_no_certificate_may_have_are_refused)
{
    AUTO(key) key = fixture_key(KEY_EC_P256);
    AUTO_BUF name = fixture_name("CN=x");
    struct buf none = { 0 };
    struct why why = { 0 };
    static const uint8_t serials[][21] = { { 0x7F }, { 0x80 }, { 0 } };
    const struct tbs_params good = fixture_leaf(key, buf_bytes(&name), buf_bytes(&name));
    struct {
        struct bytes serial;
        bool good;
    } rows[] = {
        { bytes_of(serials[0], 15), false }, { bytes_of(serials[0], 16), true },
        { bytes_of(serials[0], 20), true },  { bytes_of(serials[0], 21), false },
        { bytes_of(serials[1], 19), true },  { bytes_of(serials[1], 20), false },
        { bytes_of(serials[2], 18), false }, { BYTES_NONE, false },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct tbs_params params = good;
        params.serial = rows[i].serial;
        AUTO_BUF tbs = { 0 };
        if ((tbs_build(&params, &tbs, &why) == OK) != rows[i].good)
            fail_msg("serial %zu", i);
        if (rows[i].good)
            ASSERT_OK(tbs_lint(buf_bytes(&tbs), &why), &why);
    }
    struct tbs_params params = good;
    params.not_after = params.not_before - 1;
    ASSERT_ERR(ERR_LINT, tbs_build(&params, &none, &why), &why);
    params = good;
    params.subject = BYTES_NONE;
    ASSERT_ERR(ERR_LINT, tbs_build(&params, &none, &why), &why);
    params = good;
    params.more_extensions = BYTES_LIT("\x30\x05");
    ASSERT_ERR(ERR_LINT, tbs_build(&params, &none, &why), &why);
    params = good;
    params.spki = BYTES_LIT("\x30\x00");
    assert_int_not_equal(tbs_build(&params, &none, &why), OK);
    assert_null(none.data);
}

/* --- foreign certificates: put together from parts
 * ---------------------------------------------------------------- */
struct parts {
    const char *version, *serial, *algorithm, *issuer, *validity, *subject, *spki, *rest;
};
static const struct parts good_parts = { "a003020102",
                                         "020101",
                                         "300a06082a8648ce3d040302",
                                         "3000",
                                         "301e170d3236303130313030303030305a170d3236303130323030303030305a",
                                         "3000",
                                         spki_hex,
                                         "" };

static enum err parse_parts(const struct parts *parts, struct cert *ret, struct why *why)
{
    static struct buf tbs; /* what *ret shows */
    const char *const all[] = { parts->version,  parts->serial,  parts->algorithm, parts->issuer,
                                parts->validity, parts->subject, parts->spki,      parts->rest };
    buf_free(&tbs);
    size_t mark = der_begin(&tbs, DER_SEQUENCE);
    for (size_t i = 0; i < 8; i++) {
        AUTO_BUF part = fixture_hex(all[i]);
        buf_append(&tbs, buf_bytes(&part));
    }
    der_end(&tbs, mark);
    enum err err = tbs_parse(buf_bytes(&tbs), ret, why);
    if (err != OK)
        buf_free(&tbs);
    return err;
}

TEST(old_and_odd_certificates_of_devices_are_read)
{
    struct why why = { 0 };
    struct cert cert;
    struct parts parts = good_parts;
    ASSERT_OK(parse_parts(&parts, &cert, &why), &why);
    assert_true(cert.version == 3 && cert.extensions.len == 0);
    parts.version = "";
    ASSERT_OK(parse_parts(&parts, &cert, &why), &why);
    assert_int_equal(cert.version, 1);
    parts.serial = "020100"; /* zero */
    ASSERT_OK(parse_parts(&parts, &cert, &why), &why);
    ASSERT_BYTES(cert.serial, BYTES_LIT("\0"));
    parts.serial = "0201ff"; /* negative */
    ASSERT_OK(parse_parts(&parts, &cert, &why), &why);
    parts.serial = "021500ffffffffffffffffffffffffffffffffffffffff";
    ASSERT_OK(parse_parts(&parts, &cert, &why), &why);
    parts = good_parts;
    parts.rest = "a30b300930070602"
                 "2a03"
                 "0401"
                 "05"; /* an unknown extension, not DER inside */
    ASSERT_OK(parse_parts(&parts, &cert, &why), &why);
    assert_int_equal(cert.extensions.len, 9);
    parts.validity = "3022180f32303530303130313030303030305a180f39393939313233313233353935395a";
    ASSERT_OK(parse_parts(&parts, &cert, &why), &why);
    assert_true(cert.not_before == 2524608000 && cert.not_after == 253402300799);
    ASSERT_ERR(ERR_MALFORMED, tbs_parse(BYTES_NONE, &cert, &why), &why);
}

#define ZEROS_16 "00000000000000000000000000000000"
static const struct {
    size_t part;
    const char *hex;
    enum err err;
} bad_fields[] = {
    { 0, "a003020100", ERR_MALFORMED }, /* v1 written out */
    { 0, "a003020101", ERR_MALFORMED }, /* v2 */
    { 0, "a003020103", ERR_MALFORMED },
    { 0,
      "a0060201020201"
      "02",
      ERR_MALFORMED },
    { 0, "a000", ERR_MALFORMED },
    { 1, "0200", ERR_MALFORMED },
    { 1, "02020001", ERR_MALFORMED },
    { 1,
      "0241"
      "01" ZEROS_16 ZEROS_16 ZEROS_16 ZEROS_16,
      ERR_MALFORMED }, /* one octet more than LIMIT_FOREIGN_SERIAL_BYTES */
    { 1, "", ERR_MALFORMED },
    { 2, "300d06092a864886f70d0101040500", ERR_BAD_ALG }, /* MD5 with RSA */
    { 2, "300506032b6570", ERR_BAD_ALG },                 /* Ed25519 */
    { 2, "3000", ERR_MALFORMED },
    { 2, "3100", ERR_MALFORMED },
    { 3, "3100", ERR_MALFORMED },
    { 3, "30023100", ERR_MALFORMED },
    { 4, "3000", ERR_MALFORMED },
    { 4, "301c170d3236303130313030303030305a170b323630313032303030305a", ERR_MALFORMED }, /* no seconds */
    { 4, "3020170d3236303130313030303030305a170d3236303130323030303030305a0500", ERR_MALFORMED },
    { 5, "", ERR_MALFORMED },
    { 5, "300031", ERR_MALFORMED },
    { 6, "", ERR_MALFORMED },
    { 6, "3100", ERR_MALFORMED },
    { 6, "3000", ERR_MALFORMED },
    { 6,
      "3007"
      "300306012a"
      "0500",
      ERR_MALFORMED },
    { 6,
      "3009"
      "300306012a"
      "03020000",
      OK },
    { 6,
      "3009"
      "300306012a"
      "03020100",
      ERR_MALFORMED }, /* a bit is missing */
    { 6,
      "300d"
      "300706012a"
      "06028001"
      "03020000",
      ERR_MALFORMED }, /* parameters are no OID */
    { 6,
      "300d"
      "300706012a"
      "05000500"
      "03020000",
      ERR_MALFORMED }, /* two parameters */
    { 6,
      "3008"
      "300306012a"
      "030100",
      ERR_MALFORMED }, /* no key */
    { 6,
      "300b"
      "300306012a"
      "030200000500",
      ERR_MALFORMED },
    { 7,
      "8101"
      "00",
      ERR_MALFORMED }, /* issuerUniqueID */
    { 7, "0500", ERR_MALFORMED },
    { 7, "a300", ERR_MALFORMED },
    { 7, "a3023000", ERR_MALFORMED }, /* no extension in it */
    { 7, "a30430003000", ERR_MALFORMED },
};

TEST(fields_that_are_not_as_rfc_5280_has_them_are_refused)
{
    for (size_t i = 0; i < sizeof(bad_fields) / sizeof(*bad_fields); i++) {
        struct parts parts = good_parts;
        const char **all[] = { &parts.version,  &parts.serial,  &parts.algorithm, &parts.issuer,
                               &parts.validity, &parts.subject, &parts.spki,      &parts.rest };
        struct cert cert;
        struct why why = { 0 };
        *all[bad_fields[i].part] = bad_fields[i].hex;
        enum err err = parse_parts(&parts, &cert, &why);
        if (err != bad_fields[i].err)
            fail_msg("row %zu gave %s: %s", i, err_row(err)->name, why.text);
    }
    struct parts parts = good_parts;
    struct cert cert;
    struct why why = { 0 };
    parts.version = "";
    parts.rest = "a30b30093007"
                 "06022a03"
                 "040105";
    ASSERT_ERR(ERR_MALFORMED, parse_parts(&parts, &cert, &why), &why); /* version 1 with extensions */
}

static enum err parse_extension(enum oid oid, const char *hex, struct cert *ret, struct why *why)
{
    AUTO_BUF value = fixture_hex(hex), list = { 0 }, text = { 0 };
    size_t tagged = der_begin(&list, DER_CONTEXT_CONSTRUCTED(3)), sequence = der_begin(&list, DER_SEQUENCE);
    extension_put(&list, oid, false, buf_bytes(&value));
    der_end(&list, sequence);
    der_end(&list, tagged);
    hex_append(&text, buf_bytes(&list));
    struct parts parts = good_parts;
    parts.rest = buf_text(&text);
    return parse_parts(&parts, ret, why);
}

static const struct {
    enum oid oid;
    const char *hex;
    bool good;
} known_extensions[] = {
    { OID_EXT_KEY_USAGE, "03020780", true },
    { OID_EXT_KEY_USAGE, "030200a0", false }, /* trailing zero bits */
    { OID_EXT_KEY_USAGE, "0302078000", false },
    { OID_EXT_BASIC_CONSTRAINTS, "3000", true },
    { OID_EXT_BASIC_CONSTRAINTS, "30030101ff", true },
    { OID_EXT_BASIC_CONSTRAINTS, "30060101ff020105", true },
    { OID_EXT_BASIC_CONSTRAINTS, "30070101ff020200ff", true },
    { OID_EXT_BASIC_CONSTRAINTS, "30070101ff02020100", false }, /* 256 */
    { OID_EXT_BASIC_CONSTRAINTS, "3003010100", false },         /* FALSE written out */
    { OID_EXT_BASIC_CONSTRAINTS, "3003020100", false },         /* pathLen without cA */
    { OID_EXT_BASIC_CONSTRAINTS, "30060101ff0201ff", false },   /* negative */
    { OID_EXT_BASIC_CONSTRAINTS, "30050101ff0500", false },
    { OID_EXT_BASIC_CONSTRAINTS, "300000", false },
    { OID_EXT_EKU, "300306012a", true },
    { OID_EXT_EKU, "3000", false },
    { OID_EXT_EKU, "30020500", false },
    { OID_EXT_EKU, "300306012a00", false },
    { OID_EXT_SAN, "3003820161", true },
    { OID_EXT_SAN, "300382015f", true }, /* a name we would not issue */
    { OID_EXT_SAN, "3000", false },
    { OID_EXT_SAN, "3003890161", false },
    { OID_EXT_SAN, "300382016100", false },
    { OID_EXT_SKI, "040161", true },
    { OID_EXT_SKI, "0400", false },
    { OID_EXT_SKI, "04016100", false },
    { OID_EXT_AKI, "3000", true },
    { OID_EXT_AKI, "3003800161", true },
    { OID_EXT_AKI,
      "300b8001"
      "61"
      "a103"
      "820161"
      "820101",
      true },
    { OID_EXT_AKI,
      "3008800161"
      "820101",
      false }, /* a serial without its issuer */
    { OID_EXT_AKI, "300380016100", false },
};

TEST(extensions_that_are_known_are_read_strictly)
{
    for (size_t i = 0; i < sizeof(known_extensions) / sizeof(*known_extensions); i++) {
        struct cert cert;
        struct why why = { 0 };
        enum err err = parse_extension(known_extensions[i].oid, known_extensions[i].hex, &cert, &why);
        if (err != (known_extensions[i].good ? OK : ERR_MALFORMED))
            fail_msg("row %zu gave %s: %s", i, err_row(err)->name, why.text);
    }
}

TEST(a_certificate_has_8192_octets_at_most)
{
    struct why why = { 0 };
    struct cert cert;
    for (size_t past = 0; past < 2; past++) {
        AUTO_BUF filler = { 0 }, text = { 0 };
        struct parts parts = good_parts;
        while (filler.len < 100)
            buf_append_byte(&filler, 0);
        size_t overhead = 0;
        for (int round = 0; round < 2; round++) { /* learn the size of the rest, then fill up */
            AUTO_BUF list = { 0 };
            size_t want = round ? LIMIT_CERT_BYTES - overhead + past : 7000;
            while (filler.len < want)
                buf_append_byte(&filler, 0);
            size_t tagged = der_begin(&list, DER_CONTEXT_CONSTRUCTED(3)),
                   sequence = der_begin(&list, DER_SEQUENCE);
            extension_put(&list, OID_MS_SID, false, buf_bytes(&filler));
            der_end(&list, sequence);
            der_end(&list, tagged);
            buf_clear(&text);
            hex_append(&text, buf_bytes(&list));
            parts.rest = buf_text(&text);
            enum err err = parse_parts(&parts, &cert, &why);
            if (round)
                assert_int_equal(err, past ? ERR_LIMIT : OK);
            else
                overhead = cert.tbs.len - want;
            if (round && !past)
                assert_int_equal(cert.tbs.len, LIMIT_CERT_BYTES);
        }
    }
}

/* --- small things
 * ---------------------------------------------------------------------------------------------------- */
TEST(a_certificate_expires_after_its_last_second)
{
    const struct cert cert = { .not_after = 1000 };
    assert_false(cert_is_expired(&cert, 999));
    assert_false(cert_is_expired(&cert, 1000));
    assert_true(cert_is_expired(&cert, 1001));
}

TEST(any_extended_key_usage_is_not_every_purpose)
{
    AUTO_BUF eku = { 0 };
    der_put_oid(&eku, oid_bytes(OID_KP_ANY));
    const struct cert any = { .eku = buf_bytes(&eku) }, none = { 0 };
    assert_false(cert_allows_eku(&any, OID_KP_CLIENT_AUTH));
    assert_true(cert_allows_eku(&any, OID_KP_ANY));
    assert_true(cert_allows_eku(&none, OID_KP_CLIENT_AUTH));
}

TEST(serials_of_one_second_are_random_positive_and_of_one_length)
{
    uint8_t serials[200][SERIAL_BYTES];
    struct why why = { 0 };
    for (size_t i = 0; i < 200; i++) {
        ASSERT_OK(serial_make(1764288000, serials[i], &why), &why);
        assert_in_range(serials[i][0], 1, 0x7F);
        for (size_t k = 0; k < i;
             k++) /* each octet differs now and then; a whole word of them never agrees */
            assert_memory_not_equal(serials[i] + SERIAL_BYTES - 8, serials[k] + SERIAL_BYTES - 8, 8);
    }
}

TEST(serials_grow_with_time_and_stay_positive)
{
    static const int64_t times[] = { 0,          1,          255,         256,         1764288000,
                                     1764288001, 0xFFFFFFFF, 0x100000000, 253402300799 };
    uint8_t before[SERIAL_BYTES] = { 0 }, serial[SERIAL_BYTES];
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        ASSERT_OK(serial_make(times[i], serial, &why), &why);
        assert_in_range(serial[0], 1, 0x7F);
        assert_true(memcmp(serial, before, SERIAL_BYTES) > 0);
        memcpy(before, serial, SERIAL_BYTES);
    }
}

TEST(serials_are_shown_without_their_sign_octet)
{
    static const struct {
        struct bytes serial;
        const char *wanted;
    } rows[] = {
        { BYTES_LIT("\0\xAB"), "AB" },
        { BYTES_LIT("\x0A\0"), "0A00" },
        { BYTES_LIT("\0"), "00" },
        { BYTES_LIT("\xFF"), "FF" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF text = { 0 };
        serial_append_text(&text, rows[i].serial);
        assert_string_equal(buf_text(&text), rows[i].wanted);
    }
}

RUN(T(a_tbs_is_written_byte_for_byte_as_planned), T(what_is_built_is_read_again), T(a_root_names_itself),
    T(a_wrong_key_or_an_altered_certificate_does_not_verify), T(every_byte_of_a_certificate_is_consumed),
    T(the_two_signature_algorithms_must_be_one), T(parameters_that_no_certificate_may_have_are_refused),
    T(old_and_odd_certificates_of_devices_are_read), T(fields_that_are_not_as_rfc_5280_has_them_are_refused),
    T(extensions_that_are_known_are_read_strictly), T(a_certificate_has_8192_octets_at_most),
    T(a_certificate_expires_after_its_last_second), T(any_extended_key_usage_is_not_every_purpose),
    T(serials_of_one_second_are_random_positive_and_of_one_length),
    T(serials_grow_with_time_and_stay_positive), T(serials_are_shown_without_their_sign_octet))
