/* SPDX-License-Identifier: Apache-2.0 */
/* Certification requests: what real clients send, what is refused, and what csr_make writes. */
#include "base/limits.h"
#include "tests/unit/x509/fixture.h"

static const char intune_sans[] = "dns:d42.example.com, email:d42@example.com, ip:192.0.2.9, ip:2001:db8::1, "
                                  "uri:tag:microsoft.com\\,2022-09-14:sid:S-1-5-21-1, upn:d42@example.com";
static const char openssl_subject[] =
    "C=DE,O=Example Gerät,OU=One,OU=Two,CN=device 42+UID=x17,E=d42@example.com";
/* Two octets a character make CN longer than UID, and DER sorts the RDN's SET by that. */
static const char openssl_bmp_subject[] =
    "C=DE,O=Example Gerät,OU=One,OU=Two,UID=x17+CN=device 42,E=d42@example.com";

/* Files made by the tools of their name; the values were given on their command lines. */
static const struct real {
    const char *file, *subject, *san, *challenge;
    int key_usage; /* -1: not asked for */
    bool client_auth, sha1;
} reals[] = {
    { "openssl-rsa", openssl_subject, intune_sans, "b7c0ffee-once", 5, true, false },
    { "openssl-sha1", openssl_subject, intune_sans, "b7c0ffee-once", 5, true, true },
    { "openssl-bmp", openssl_bmp_subject, intune_sans, "b7c0ffee-once", 5, true, false },
    { "openssl-t61", openssl_subject, intune_sans, "b7c0ffee-once", 5, true, false },
    { "openssl-ec", "CN=ec,O=x", "", NULL, -1, false, false },
    { "openssl-ec521", "CN=ec521", "", NULL, -1, false, false },
    { "openssl-empty-subject", "", "dns:only.example", NULL, -1, false, false },
    { "gnutls-rsa", "C=DE,O=Example,CN=gnutls device",
      "dns:g.example.com, uri:urn:x:1, ip:192.0.2.1, email:g@example.com", "gnutls secret", 5, true, false },
    { "gnutls-ec", "C=DE,O=Example,CN=gnutls device",
      "dns:g.example.com, uri:urn:x:1, ip:192.0.2.1, email:g@example.com", "gnutls secret", 1, true, false },
    { "strongswan-rsa", "C=DE,O=strongSwan,CN=peer", "dns:peer.example.org, email:a@b.example", "swan-secret",
      -1, false, false },
    { "strongswan-ec", "CN=peer", "", NULL, -1, false, false },
    { "scepclient-rsa", "C=US,O=scep-client,OU=MDM,CN=go-device", "", "go-secret", -1, false, false },
    { "certmonger-rsa", "CN=certmonger device,O=Example",
      "dns:cm.example.com, email:cm@example.com, upn:host/cm@EXAMPLE, other:1.3.6.1.5.2.2:X, ip:192.0.2.7",
      "cm-secret", 5, true, false },
};

/* The Kerberos name of certmonger's SAN is not of interest: its octets are left out. */
static void drop_other_value(struct buf *text)
{
    char *at = strstr((char *)(uintptr_t)buf_text(text), "other:1.3.6.1.5.2.2:");
    if (!at)
        return;
    at += strlen("other:1.3.6.1.5.2.2:");
    size_t hex = strspn(at, "0123456789abcdef");
    *at = 'X';
    memmove(at + 1, at + hex, strlen(at + hex) + 1);
    text->len -= hex - 1;
}

static void assert_real(const struct real *real)
{
    AUTO_STR path = xasprintf("csr/%s.der", real->file);
    AUTO_BUF der = fixture_file(path), subject = { 0 }, san = { 0 }, challenge = { 0 };
    AUTO(public_key) key = NULL;
    struct why why = { 0 };
    struct csr csr;
    ASSERT_OK(csr_parse(buf_bytes(&der), &csr, &why), &why);
    ASSERT_OK(public_key_parse(csr.spki, &key, &why), &why);
    ASSERT_ERR(real->sha1 ? ERR_BAD_ALG : OK, csr_verify(&csr, key, false, &why), &why);
    ASSERT_OK(csr_verify(&csr, key, true, &why), &why);
    name_append_text(&subject, csr.subject);
    assert_string_equal(buf_text(&subject), real->subject);
    san_append_text(&san, csr.san);
    drop_other_value(&san);
    assert_string_equal(buf_text(&san), real->san);
    assert_int_equal(csr_challenge_utf8(&csr, &challenge), real->challenge != NULL);
    if (real->challenge)
        assert_string_equal(buf_text(&challenge), real->challenge);
    assert_int_equal(csr.has_key_usage ? csr.key_usage : -1, real->key_usage);
    struct cert with_eku = { .eku = csr.eku };
    assert_int_equal(csr.eku.len > 0 && cert_allows_eku(&with_eku, OID_KP_CLIENT_AUTH), real->client_auth);
}

TEST(requests_of_real_clients_are_read)
{
    for (size_t i = 0; i < sizeof(reals) / sizeof(*reals); i++)
        assert_real(&reals[i]);
}

TEST(pss_eddsa_and_md5_are_no_algorithms_of_ours)
{
    static const char *const files[] = { "csr/openssl-pss.der", "csr/openssl-ed25519.der",
                                         "csr/openssl-md5.der" };
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        AUTO_BUF der = fixture_file(files[i]);
        struct csr csr;
        struct why why = { 0 };
        ASSERT_ERR(ERR_BAD_ALG, csr_parse(buf_bytes(&der), &csr, &why), &why);
    }
}

/* --- requests made here
 * ------------------------------------------------------------------------------------------- */
static void put_attribute(struct buf *out, enum oid type, struct bytes values)
{
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(type));
    der_put(out, DER_SET, values);
    der_end(out, mark);
}

static void put_string_attribute(struct buf *out, enum oid type, uint8_t tag, struct bytes text)
{
    AUTO_BUF value = { 0 };
    der_put(&value, tag, text);
    put_attribute(out, type, buf_bytes(&value));
}

static void put_extension_request(struct buf *out, enum oid type, struct bytes extensions)
{
    put_string_attribute(out, type, DER_SEQUENCE, extensions);
}

/* A request with these attributes, signed. */
static struct buf request_with(struct bytes attributes)
{
    AUTO(key) key = fixture_key(KEY_EC_P256);
    AUTO_BUF subject = fixture_name("CN=device");
    struct csr_params params = { .subject = buf_bytes(&subject), .more_attributes = attributes };
    struct buf der = { 0 };
    struct why why = { 0 };
    ASSERT_OK(csr_make(&params, key, &der, &why), &why);
    return der;
}

static enum err parse_with(struct bytes attributes, struct why *why)
{
    AUTO_BUF der = request_with(attributes);
    struct csr csr;
    return csr_parse(buf_bytes(&der), &csr, why);
}

TEST(what_is_made_is_read_again)
{
    static const enum key_kind kinds[] = { KEY_RSA, KEY_EC_P256, KEY_EC_P384, KEY_EC_P521 };
    AUTO_BUF subject = fixture_name("CN=ü,O=x"), san = fixture_san("dns:a.b"), extensions = { 0 };
    extension_put_san(&extensions, buf_bytes(&san), false);
    extension_put_key_usage(&extensions, KU_DIGITAL_SIGNATURE);
    struct csr_params params = { .subject = buf_bytes(&subject),
                                 .challenge = "one time",
                                 .extensions = buf_bytes(&extensions) };
    for (size_t i = 0; i < 4; i++) {
        AUTO(key) key = fixture_key(kinds[i]);
        AUTO_BUF der = { 0 }, challenge = { 0 };
        struct why why = { 0 };
        struct csr csr;
        ASSERT_OK(csr_make(&params, key, &der, &why), &why);
        ASSERT_OK(csr_parse(buf_bytes(&der), &csr, &why), &why);
        ASSERT_OK(csr_verify(&csr, key->public_half, false, &why), &why);
        ASSERT_BYTES(csr.subject, buf_bytes(&subject));
        ASSERT_BYTES(csr.san, buf_bytes(&san));
        ASSERT_BYTES(csr.extensions, buf_bytes(&extensions));
        ASSERT_BYTES(csr.spki, public_key_spki(key->public_half));
        assert_int_equal(csr.key_usage, KU_DIGITAL_SIGNATURE);
        assert_int_equal(csr.challenge_tag, DER_PRINTABLE_STRING);
        assert_true(csr_challenge_utf8(&csr, &challenge));
        assert_string_equal(buf_text(&challenge), "one time");
    }
}

TEST(a_challenge_outside_printable_string_is_made_utf8)
{
    AUTO(key) key = fixture_key(KEY_EC_P256);
    AUTO_BUF subject = fixture_name("CN=d"), der = { 0 }, challenge = { 0 };
    struct csr_params params = { .subject = buf_bytes(&subject), .challenge = "a_b@ü" };
    struct why why = { 0 };
    struct csr csr;
    ASSERT_OK(csr_make(&params, key, &der, &why), &why);
    ASSERT_OK(csr_parse(buf_bytes(&der), &csr, &why), &why);
    assert_int_equal(csr.challenge_tag, DER_UTF8_STRING);
    assert_true(csr_challenge_utf8(&csr, &challenge));
    assert_string_equal(buf_text(&challenge), "a_b@ü");
    params.challenge = "\xFF";
    struct buf none = { 0 };
    ASSERT_ERR(ERR_BAD_REQUEST, csr_make(&params, key, &none, &why), &why);
}

TEST(a_challenge_may_be_any_directory_string)
{
    static const struct {
        uint8_t tag;
        struct bytes value;
        const char *wanted;
    } rows[] = {
        { DER_PRINTABLE_STRING, BYTES_LIT("a_+/="), "a_+/=" },
        { DER_UTF8_STRING, BYTES_LIT("ü"), "ü" },
        { DER_IA5_STRING, BYTES_LIT("a@b"), "a@b" },
        { DER_T61_STRING, BYTES_LIT("\xFC"), "ü" },
        { DER_BMP_STRING, BYTES_LIT("\0a\0\xFC"), "aü" },
        { DER_UNIVERSAL_STRING, BYTES_LIT("\0\0\0a"), "a" },
        { DER_UTF8_STRING, BYTES_LIT(""), NULL },    /* empty never matches */
        { DER_UTF8_STRING, BYTES_LIT("a\0"), NULL }, /* nor does anything with a NUL */
        { DER_UTF8_STRING, BYTES_LIT("\0"), NULL },
        { DER_BMP_STRING, BYTES_LIT("\0a\0\0"), NULL },
        { DER_T61_STRING, BYTES_LIT("a\0b"), NULL },
        { DER_PRINTABLE_STRING, BYTES_LIT("a\0b"), NULL },
        { DER_UTF8_STRING, BYTES_LIT("\xFF"), NULL },
        { DER_IA5_STRING, BYTES_LIT("\xFC"), NULL },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF attributes = { 0 }, challenge = { 0 };
        struct why why = { 0 };
        struct csr csr;
        put_string_attribute(&attributes, OID_ATTR_CHALLENGE_PASSWORD, rows[i].tag, rows[i].value);
        AUTO_BUF der = request_with(buf_bytes(&attributes));
        ASSERT_OK(csr_parse(buf_bytes(&der), &csr, &why), &why);
        assert_true(csr.has_challenge);
        assert_int_equal(csr_challenge_utf8(&csr, &challenge), rows[i].wanted != NULL);
        if (rows[i].wanted)
            assert_string_equal(buf_text(&challenge), rows[i].wanted);
        else
            assert_null(challenge.data);
    }
}

TEST(a_challenge_has_16384_octets_at_most)
{
    static const uint8_t tags[] = { DER_PRINTABLE_STRING, DER_UTF8_STRING, DER_BMP_STRING, DER_T61_STRING };
    AUTO_BUF text = { 0 };
    while (text.len < LIMIT_CHALLENGE_BYTES)
        buf_append_byte(&text, 'a');
    for (size_t i = 0; i < sizeof(tags); i++) {
        AUTO_BUF at = { 0 }, past = { 0 };
        struct why why = { 0 };
        put_string_attribute(&at, OID_ATTR_CHALLENGE_PASSWORD, tags[i], buf_bytes(&text));
        ASSERT_OK(parse_with(buf_bytes(&at), &why), &why);
        AUTO_BUF longer = buf_dup(buf_bytes(&text));
        buf_append_byte(&longer, 'a');
        if (tags[i] == DER_BMP_STRING)
            buf_append_byte(&longer, 'a');
        put_string_attribute(&past, OID_ATTR_CHALLENGE_PASSWORD, tags[i], buf_bytes(&longer));
        ASSERT_ERR(ERR_LIMIT, parse_with(buf_bytes(&past), &why), &why);
    }
    AUTO(key) key = fixture_key(KEY_EC_P256);
    AUTO_BUF subject = fixture_name("CN=d"), der = { 0 };
    struct buf none = { 0 };
    struct why why = { 0 };
    struct csr_params params = { .subject = buf_bytes(&subject), .challenge = buf_text(&text) };
    ASSERT_OK(csr_make(&params, key, &der, &why), &why);
    buf_append_byte(&text, 'a');
    params.challenge = buf_text(&text);
    ASSERT_ERR(ERR_LIMIT, csr_make(&params, key, &none, &why), &why);
}

TEST(known_attributes_are_there_once_with_one_value)
{
    AUTO_BUF extensions = { 0 };
    struct why why = { 0 };
    extension_put_key_usage(&extensions, KU_DIGITAL_SIGNATURE);
    static const enum oid pairs[][2] = {
        { OID_ATTR_EXTENSION_REQUEST, OID_ATTR_EXTENSION_REQUEST },
        { OID_ATTR_MS_CERT_EXTENSIONS, OID_ATTR_MS_CERT_EXTENSIONS },
        { OID_ATTR_EXTENSION_REQUEST, OID_ATTR_MS_CERT_EXTENSIONS },
        { OID_ATTR_MS_CERT_EXTENSIONS, OID_ATTR_EXTENSION_REQUEST },
    };
    for (size_t i = 0; i < 4; i++) {
        AUTO_BUF attributes = { 0 };
        put_extension_request(&attributes, pairs[i][0], buf_bytes(&extensions));
        ASSERT_OK(parse_with(buf_bytes(&attributes), &why), &why);
        put_extension_request(&attributes, pairs[i][1], buf_bytes(&extensions));
        ASSERT_ERR(ERR_MALFORMED, parse_with(buf_bytes(&attributes), &why), &why);
    }
    AUTO_BUF odd = { 0 };
    put_string_attribute(&odd, OID_ATTR_CHALLENGE_PASSWORD, DER_BMP_STRING, BYTES_LIT("a"));
    ASSERT_ERR(ERR_MALFORMED, parse_with(buf_bytes(&odd), &why), &why);
    AUTO_BUF twice = { 0 }, two_values = { 0 }, no_value = { 0 }, number = { 0 }, not_list = { 0 };
    put_string_attribute(&twice, OID_ATTR_CHALLENGE_PASSWORD, DER_UTF8_STRING, BYTES_LIT("a"));
    put_string_attribute(&twice, OID_ATTR_CHALLENGE_PASSWORD, DER_UTF8_STRING, BYTES_LIT("b"));
    ASSERT_ERR(ERR_MALFORMED, parse_with(buf_bytes(&twice), &why), &why);
    put_attribute(&two_values, OID_ATTR_CHALLENGE_PASSWORD,
                  BYTES_LIT("\x0C\x01"
                            "a\x0C\x01"
                            "b"));
    ASSERT_ERR(ERR_MALFORMED, parse_with(buf_bytes(&two_values), &why), &why);
    put_attribute(&no_value, OID_ATTR_EXTENSION_REQUEST, BYTES_NONE);
    ASSERT_ERR(ERR_MALFORMED, parse_with(buf_bytes(&no_value), &why), &why);
    put_string_attribute(&number, OID_ATTR_CHALLENGE_PASSWORD, DER_INTEGER, BYTES_LIT("\1"));
    ASSERT_ERR(ERR_MALFORMED, parse_with(buf_bytes(&number), &why), &why);
    put_string_attribute(&not_list, OID_ATTR_EXTENSION_REQUEST, DER_OCTET_STRING, buf_bytes(&extensions));
    ASSERT_ERR(ERR_MALFORMED, parse_with(buf_bytes(&not_list), &why), &why);
}

TEST(the_microsoft_attribute_asks_for_extensions_too)
{
    AUTO_BUF attributes = { 0 }, extensions = { 0 };
    struct why why = { 0 };
    struct csr csr;
    extension_put_key_usage(&extensions, KU_KEY_ENCIPHERMENT);
    put_extension_request(&attributes, OID_ATTR_MS_CERT_EXTENSIONS, buf_bytes(&extensions));
    AUTO_BUF der = request_with(buf_bytes(&attributes));
    ASSERT_OK(csr_parse(buf_bytes(&der), &csr, &why), &why);
    assert_int_equal(csr.key_usage, KU_KEY_ENCIPHERMENT);
}

TEST(an_empty_list_of_extensions_asks_for_nothing)
{
    AUTO_BUF attributes = { 0 };
    struct why why = { 0 };
    put_extension_request(&attributes, OID_ATTR_EXTENSION_REQUEST, BYTES_NONE);
    ASSERT_OK(parse_with(buf_bytes(&attributes), &why), &why);
}

static enum err parse_extension(enum oid oid, const char *hex, struct why *why)
{
    AUTO_BUF value = fixture_hex(hex), extensions = { 0 }, attributes = { 0 };
    extension_put(&extensions, oid, false, buf_bytes(&value));
    put_extension_request(&attributes, OID_ATTR_EXTENSION_REQUEST, buf_bytes(&extensions));
    return parse_with(buf_bytes(&attributes), why);
}

TEST(requested_extensions_that_we_read_are_read_strictly)
{
    static const struct {
        enum oid oid;
        const char *hex;
    } rows[] = {
        { OID_EXT_KEY_USAGE, "" },
        { OID_EXT_KEY_USAGE, "030200a0" },
        { OID_EXT_KEY_USAGE, "030205a000" },
        { OID_EXT_KEY_USAGE, "0401a0" },
        { OID_EXT_EKU, "" },
        { OID_EXT_EKU, "3000" },
        { OID_EXT_EKU, "30020500" },
        { OID_EXT_EKU, "300306012a00" },
        { OID_EXT_EKU, "06012a" },
        { OID_EXT_SAN, "" },
        { OID_EXT_SAN, "3000" },
        { OID_EXT_SAN, "3003820100" },
        { OID_EXT_SAN, "300582036100"
                       "62" },
        { OID_EXT_SAN, "300382016100" },
    };
    struct why why = { 0 };
    ASSERT_OK(parse_extension(OID_EXT_KEY_USAGE, "030205a0", &why), &why);
    ASSERT_OK(parse_extension(OID_EXT_EKU, "300306012a", &why), &why);
    ASSERT_OK(parse_extension(OID_EXT_SAN, "3003820161", &why), &why);
    ASSERT_OK(parse_extension(OID_EXT_BASIC_CONSTRAINTS, "01", &why), &why); /* not looked at */
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (parse_extension(rows[i].oid, rows[i].hex, &why) != ERR_MALFORMED)
            fail_msg("row %zu was not refused", i);
}

TEST(unknown_attributes_are_ignored)
{
    AUTO_BUF attributes = { 0 };
    struct why why = { 0 };
    put_string_attribute(&attributes, OID_UNSTRUCTURED_NAME, DER_IA5_STRING, BYTES_LIT("router"));
    put_string_attribute(&attributes, OID_UNSTRUCTURED_NAME, DER_INTEGER, BYTES_LIT("\1"));
    put_attribute(&attributes, OID_MS_TEMPLATE_NAME, BYTES_NONE);
    ASSERT_OK(parse_with(buf_bytes(&attributes), &why), &why);
}

/* --- hand-made CertificationRequestInfo
 * ---------------------------------------------------------------------------- */
/* version, subject, key and whatever follows, signed or not: parsing does not look at the signature. */
static enum err parse_info(const char *version, const char *subject, const char *rest, struct why *why)
{
    AUTO(key) key = fixture_key(KEY_EC_P256);
    AUTO_BUF info = { 0 }, der = { 0 };
    AUTO_BUF version_der = fixture_hex(version), subject_der = fixture_hex(subject),
             rest_der = fixture_hex(rest);
    struct csr csr;
    size_t mark = der_begin(&info, DER_SEQUENCE);
    der_put_raw(&info, buf_bytes(&version_der));
    der_put_raw(&info, buf_bytes(&subject_der));
    der_put_raw(&info, public_key_spki(key->public_half));
    der_put_raw(&info, buf_bytes(&rest_der));
    der_end(&info, mark);
    ASSERT_OK(csr_sign(buf_bytes(&info), key, &der, why), why);
    return csr_parse(buf_bytes(&der), &csr, why);
}

TEST(version_subject_and_attributes_have_their_form)
{
    struct why why = { 0 };
    ASSERT_OK(parse_info("020100", "3000", "a000", &why), &why);
    ASSERT_OK(parse_info("020100", "3000", "", &why), &why); /* no attributes field at all */
    static const struct {
        const char *version, *subject, *rest;
    } rows[] = {
        { "020101", "3000", "a000" },   /* version 1 */
        { "02020000", "3000", "a000" }, /* version not minimal */
        { "", "3000", "a000" },
        { "020100", "3100", "a000" },
        { "020100", "30023100", "a000" },
        { "020100", "3000", "a0000500" }, /* something behind the attributes */
        { "020100", "3000", "3100" },     /* attributes without their tag */
        { "020100", "3000",
          "a1"
          "00" },
        { "020100", "3000", "a0023000" },               /* attribute without type */
        { "020100", "3000", "a005300306012a" },         /* attribute without values */
        { "020100", "3000", "a007300506012a3000" },     /* values are no SET */
        { "020100", "3000", "a009300706012a31000500" }, /* something behind the values */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (parse_info(rows[i].version, rows[i].subject, rows[i].rest, &why) != ERR_MALFORMED)
            fail_msg("row %zu was not refused", i);
}

TEST(every_byte_is_consumed)
{
    AUTO_BUF der = request_with(BYTES_NONE);
    struct why why = { 0 };
    struct csr csr;
    ASSERT_OK(csr_parse(buf_bytes(&der), &csr, &why), &why);
    for (size_t len = 0; len < der.len; len++) {
        struct bytes cut = bytes_of(der.data, len);
        if (csr_parse(cut, &csr, &why) == OK)
            fail_msg("%zu of %zu octets were taken", len, der.len);
    }
    buf_append_byte(&der, 0);
    ASSERT_ERR(ERR_MALFORMED, csr_parse(buf_bytes(&der), &csr, &why), &why);
}

TEST(a_request_has_49152_octets_at_most)
{
    struct why why = { 0 };
    AUTO_BUF filler = { 0 };
    size_t frame = 0;
    for (int round = 0; round < 3; round++) { /* first to learn the rest's size, then at and past */
        AUTO_BUF attributes = { 0 };
        buf_clear(&filler);
        size_t want = round == 0 ? 40000 : LIMIT_CSR_BYTES - frame + (round == 2);
        while (filler.len < want)
            buf_append_byte(&filler, 'a');
        put_string_attribute(&attributes, OID_UNSTRUCTURED_NAME, DER_UTF8_STRING, buf_bytes(&filler));
        AUTO_BUF der = { 0 };
        size_t outer = der_begin(&der, DER_SEQUENCE), inner = der_begin(&der, DER_SEQUENCE);
        der_put_int64(&der, 0);
        der_put_raw(&der, BYTES_LIT("\x30\x00\x30\x09\x30\x03\x06\x01\x2A\x03\x02\x00\x00"));
        der_put(&der, DER_CONTEXT_CONSTRUCTED(0), buf_bytes(&attributes));
        der_end(&der, inner);
        signature_algorithm_put(&der, (struct signature_algorithm){ .rsa = true, .digest = DIGEST_SHA256 });
        der_put_bits(&der, BYTES_LIT("x"));
        der_end(&der, outer);
        frame = round == 0 ? der.len - want : frame;
        struct csr csr;
        if (round)
            assert_int_equal(der.len, LIMIT_CSR_BYTES + (round == 2));
        ASSERT_ERR(round == 2 ? ERR_LIMIT : OK, csr_parse(buf_bytes(&der), &csr, &why), &why);
    }
}

/* --- proof of possession
 * ------------------------------------------------------------------------------------------- */
TEST(a_signature_by_another_key_or_over_other_bytes_fails)
{
    AUTO(key) other = fixture_key(KEY_EC_P256);
    AUTO_BUF der = request_with(BYTES_NONE);
    AUTO(public_key) own = NULL;
    struct why why = { 0 };
    struct csr csr;
    ASSERT_OK(csr_parse(buf_bytes(&der), &csr, &why), &why);
    ASSERT_OK(public_key_parse(csr.spki, &own, &why), &why);
    ASSERT_OK(csr_verify(&csr, own, false, &why), &why);
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, csr_verify(&csr, other->public_half, false, &why), &why);
    der.data[(size_t)(csr.subject.data - der.data) + csr.subject.len - 1] ^= 1;
    ASSERT_OK(csr_parse(buf_bytes(&der), &csr, &why), &why);
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, csr_verify(&csr, own, false, &why), &why);
}

TEST(key_and_signature_must_be_of_one_kind)
{
    AUTO(key) rsa = fixture_key(KEY_RSA);
    AUTO(key) ec = fixture_key(KEY_EC_P256);
    struct why why = { 0 };
    const struct signature_algorithm with_rsa = { true, DIGEST_SHA256 }, with_ec = { false, DIGEST_SHA256 };
    struct csr csr = { .spki = public_key_spki(ec->public_half),
                       .algorithm = with_rsa,
                       .signature = BYTES_LIT("x") };
    ASSERT_ERR(ERR_BAD_ALG, csr_verify(&csr, ec->public_half, true, &why), &why);
    csr.spki = public_key_spki(rsa->public_half);
    csr.algorithm = with_ec;
    ASSERT_ERR(ERR_BAD_ALG, csr_verify(&csr, rsa->public_half, true, &why), &why);
    csr.algorithm = with_rsa;
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, csr_verify(&csr, rsa->public_half, true, &why), &why);
    csr.algorithm.digest = DIGEST_SHA1;
    ASSERT_ERR(ERR_BAD_ALG, csr_verify(&csr, rsa->public_half, false, &why), &why);
}

/* --- Microsoft's name/value pairs
 * ---------------------------------------------------------------------------------- */
static void put_bmp(struct buf *out, const char *text)
{
    size_t mark = der_begin(out, DER_BMP_STRING);
    for (; *text; text++) {
        buf_append_byte(out, 0);
        buf_append_byte(out, (uint8_t)*text);
    }
    der_end(out, mark);
}

static void put_pair(struct buf *out, const char *name, const char *value)
{
    AUTO_BUF pair = { 0 };
    size_t mark = der_begin(&pair, DER_SEQUENCE);
    put_bmp(&pair, name);
    put_bmp(&pair, value);
    der_end(&pair, mark);
    put_attribute(out, OID_ATTR_MS_NAME_VALUE, buf_bytes(&pair));
}

TEST(enrollment_values_are_found_by_name)
{
    AUTO_BUF attributes = { 0 }, value = { 0 };
    struct buf none = { 0 };
    struct why why = { 0 };
    struct csr csr;
    put_pair(&attributes, "ValidityPeriod", "Days");
    put_pair(&attributes, "ValidityPeriodUnits", "90");
    put_pair(&attributes, "Twice", "1");
    put_pair(&attributes, "Twice", "2");
    put_attribute(&attributes, OID_ATTR_MS_NAME_VALUE, BYTES_LIT("\x05\x00"));
    AUTO_BUF der = request_with(buf_bytes(&attributes));
    ASSERT_OK(csr_parse(buf_bytes(&der), &csr, &why), &why);
    assert_true(csr_enrollment_value(&csr, "validityperiodunits", &value));
    assert_string_equal(buf_text(&value), "90");
    assert_false(csr_enrollment_value(&csr, "Validity", &none));
    assert_false(csr_enrollment_value(&csr, "Twice", &none));
    assert_null(none.data);
}

RUN(T(requests_of_real_clients_are_read), T(pss_eddsa_and_md5_are_no_algorithms_of_ours),
    T(what_is_made_is_read_again), T(a_challenge_outside_printable_string_is_made_utf8),
    T(a_challenge_may_be_any_directory_string), T(a_challenge_has_16384_octets_at_most),
    T(known_attributes_are_there_once_with_one_value), T(the_microsoft_attribute_asks_for_extensions_too),
    T(an_empty_list_of_extensions_asks_for_nothing), T(requested_extensions_that_we_read_are_read_strictly),
    T(unknown_attributes_are_ignored), T(version_subject_and_attributes_have_their_form),
    T(every_byte_is_consumed), T(a_request_has_49152_octets_at_most),
    T(a_signature_by_another_key_or_over_other_bytes_fails), T(key_and_signature_must_be_of_one_kind),
    T(enrollment_values_are_found_by_name))
