/* SPDX-License-Identifier: Apache-2.0 */
/* Linting: for every rule a TBSCertificate that breaks it and nothing else, and the clause in the message. */
#include "base/limits.h"
#include "tests/unit/x509/fixture.h"

static const char ec_spki[] = "3059301306072a8648ce3d020106082a8648ce3d030107034200"
                              "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                              "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
static const char rsa_spki[] = "301a300d06092a864886f70d01010105000309003006020105020103";
static const char dsa_spki[] = "300d300706052b0e03020c03020005";

/* A TBSCertificate as text, so that each part can be broken; extensions: content of the SEQUENCE. */
struct parts {
    const char *version, *serial, *algorithm, *issuer, *not_before, *not_after, *subject, *spki;
    struct buf extensions;
};
#define CN_S "300c310a300806035504030c0153" /* CN=S */

static struct parts good_parts(void)
{
    struct parts parts = { .version = "a003020102",
                           .serial = "02107f112233445566778899aabbccddeeff",
                           .algorithm = "300a06082a8648ce3d040302",
                           .issuer = "300c310a300806035504030c0149",
                           .not_before = "170d3236303130313030303030305a",
                           .not_after = "170d3236303130323030303030305a",
                           .subject = CN_S,
                           .spki = ec_spki };
    return parts;
}

static void put_good_extensions(struct buf *out)
{
    extension_put_key_usage(out, KU_DIGITAL_SIGNATURE);
    extension_put_basic_constraints(out, false, -1);
    extension_put_aki(out, BYTES_LIT("a"));
}

static void put_hex(struct buf *out, const char *hex)
{
    AUTO_BUF octets = fixture_hex(hex);
    buf_append(out, buf_bytes(&octets));
}

static struct buf assemble(struct parts *parts)
{
    struct buf tbs = { 0 };
    size_t mark = der_begin(&tbs, DER_SEQUENCE);
    put_hex(&tbs, parts->version);
    put_hex(&tbs, parts->serial);
    put_hex(&tbs, parts->algorithm);
    put_hex(&tbs, parts->issuer);
    size_t validity = der_begin(&tbs, DER_SEQUENCE);
    put_hex(&tbs, parts->not_before);
    put_hex(&tbs, parts->not_after);
    der_end(&tbs, validity);
    put_hex(&tbs, parts->subject);
    put_hex(&tbs, parts->spki);
    if (parts->extensions.len) {
        size_t tagged = der_begin(&tbs, DER_CONTEXT_CONSTRUCTED(3)), list = der_begin(&tbs, DER_SEQUENCE);
        buf_append(&tbs, buf_bytes(&parts->extensions));
        der_end(&tbs, list);
        der_end(&tbs, tagged);
    }
    der_end(&tbs, mark);
    buf_free(&parts->extensions);
    return tbs;
}

static void assert_clean(struct parts parts)
{
    AUTO_BUF tbs = assemble(&parts);
    struct why why = { 0 };
    ASSERT_OK(tbs_lint(buf_bytes(&tbs), &why), &why);
}

/* Refused, with that clause and that piece of the sentence. */
static void assert_broken(struct parts parts, const char *clause, const char *piece)
{
    AUTO_BUF tbs = assemble(&parts);
    struct why why = { 0 };
    ASSERT_ERR(ERR_LINT, tbs_lint(buf_bytes(&tbs), &why), &why);
    AUTO_STR wanted = xasprintf("RFC 5280 %s: ", clause);
    if (strncmp(why.text, wanted, strlen(wanted)) != 0 || !strstr(why.text, piece))
        fail_msg("wanted \"%s…%s\", got \"%s\"", wanted, piece, why.text);
}

static struct parts with_good_extensions(void)
{
    struct parts parts = good_parts();
    put_good_extensions(&parts.extensions);
    return parts;
}

TEST(a_good_certificate_passes)
{
    assert_clean(with_good_extensions());
}

#define BREAKS_FIELD(field, value, clause, piece)                                                            \
    do {                                                                                                     \
        struct parts broken_ = with_good_extensions();                                                       \
        broken_.field = value;                                                                               \
        assert_broken(broken_, clause, piece);                                                               \
    } while (0)
#define PASSES_FIELD(field, value)                                                                           \
    do {                                                                                                     \
        struct parts good_ = with_good_extensions();                                                         \
        good_.field = value;                                                                                 \
        assert_clean(good_);                                                                                 \
    } while (0)

TEST(version_must_be_3)
{
    struct parts parts = good_parts();
    parts.version = "";
    assert_broken(parts, "4.1.2.1", "version 1, must be 3");
}

TEST(the_serial_must_be_positive_and_of_16_to_20_octets)
{
    BREAKS_FIELD(serial, "0210ff112233445566778899aabbccddeeff", "4.1.2.2", "FF");
    BREAKS_FIELD(serial, "020f7f112233445566778899aabbccddee", "4.1.2.2", "15 octets");
    BREAKS_FIELD(serial, "0215008f112233445566778899aabbccddeeff11223344", "4.1.2.2", "21 octets");
    BREAKS_FIELD(serial, "020100", "4.1.2.2", "1 octets");
    PASSES_FIELD(serial, "02147f112233445566778899aabbccddeeff11223344");
}

TEST(sha1_signatures_are_not_issued)
{
    BREAKS_FIELD(algorithm, "300906072a8648ce3d0401", "4.1.2.3", "SHA-1");
}

TEST(the_issuer_must_have_a_name)
{
    BREAKS_FIELD(issuer, "3000", "4.1.2.4", "0 RDNs");
}

TEST(times_are_utc_time_until_2049_and_in_order)
{
    BREAKS_FIELD(not_before, "180f32303236303130313030303030305a", "4.1.2.5",
                 "notBefore in year 2026 has tag 18");
    BREAKS_FIELD(not_after, "180f32303439313233313233353935395a", "4.1.2.5",
                 "notAfter in year 2049 has tag 18");
    BREAKS_FIELD(not_after, "170d3235303130323030303030305a", "4.1.2.5", "must not be after");
    PASSES_FIELD(not_after, "180f32303530303130313030303030305a");
    PASSES_FIELD(not_after, "170d3439313233313233353935395a");
    PASSES_FIELD(not_after, "170d3236303130313030303030305a"); /* the same second */
}

static const char *subject_hex(struct buf *text, enum oid type, uint8_t tag, struct bytes value)
{
    AUTO_BUF name = { 0 };
    size_t sequence = der_begin(&name, DER_SEQUENCE), set = der_begin(&name, DER_SET),
           pair = der_begin(&name, DER_SEQUENCE);
    der_put_oid(&name, oid_bytes(type));
    der_put(&name, tag, value);
    der_end(&name, pair);
    der_end(&name, set);
    der_end(&name, sequence);
    buf_clear(text);
    hex_append(text, buf_bytes(&name));
    return buf_text(text);
}

TEST(subject_strings_have_their_type_alphabet_and_length)
{
    static const struct {
        enum oid type;
        uint8_t tag;
        const char *value, *clause, *piece;
    } rows[] = {
        { OID_CN, DER_PRINTABLE_STRING, "x", "4.1.2.6", "CN has string type 13, must be 0C" },
        { OID_CN, DER_T61_STRING, "x", "4.1.2.6", "14" },
        { OID_MS_SID, DER_IA5_STRING, "x", "4.1.2.6", "attribute has string type 16" },
        { OID_C, DER_UTF8_STRING, "DE", "4.1.2.6", "C has string type 0C, must be 13" },
        { OID_SERIAL_NUMBER, DER_UTF8_STRING, "1", "4.1.2.6", "13" },
        { OID_DN_QUALIFIER, DER_UTF8_STRING, "1", "4.1.2.6", "13" },
        { OID_EMAIL, DER_UTF8_STRING, "a@b", "4.1.2.6", "16" },
        { OID_DC, DER_UTF8_STRING, "a", "4.1.2.6", "16" },
        { OID_SERIAL_NUMBER, DER_PRINTABLE_STRING, "a_b", "A.1", "a_b" },
        { OID_C, DER_PRINTABLE_STRING, "DEU", "A.1", "3 characters, at most 2" },
        { OID_C, DER_PRINTABLE_STRING, "D", "A.1", "1 characters, must be 2" },
    };
    AUTO_BUF text = { 0 };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        BREAKS_FIELD(subject, subject_hex(&text, rows[i].type, rows[i].tag, bytes_str(rows[i].value)),
                     rows[i].clause, rows[i].piece);
    PASSES_FIELD(subject, subject_hex(&text, OID_C, DER_PRINTABLE_STRING, BYTES_LIT("DE")));
    PASSES_FIELD(subject, subject_hex(&text, OID_EMAIL, DER_IA5_STRING, BYTES_LIT("a@b")));
    PASSES_FIELD(subject, subject_hex(&text, OID_MS_SID, DER_UTF8_STRING, BYTES_LIT("x")));
}

TEST(a_common_name_has_64_characters_at_most)
{
    AUTO_BUF text = { 0 }, value = { 0 };
    for (int i = 0; i < 64; i++)
        buf_append_str(&value, "ü");
    PASSES_FIELD(subject, subject_hex(&text, OID_CN, DER_UTF8_STRING, buf_bytes(&value)));
    buf_append_str(&value, "x");
    BREAKS_FIELD(subject, subject_hex(&text, OID_CN, DER_UTF8_STRING, buf_bytes(&value)), "A.1",
                 "65 characters, at most 64");
}

TEST(an_rdn_is_sorted_and_has_nothing_twice)
{
    static const char sorted[] = "30163114"
                                 "300806035504030c0161"
                                 "3008060355040a0c0161";
    static const char turned[] = "30163114"
                                 "3008060355040a0c0161"
                                 "300806035504030c0161";
    static const char doubled[] = "30163114"
                                  "300806035504030c0161"
                                  "300806035504030c0161";
    PASSES_FIELD(subject, sorted);
    BREAKS_FIELD(subject, turned, "4.1", "attribute 2 not behind attribute 1");
    BREAKS_FIELD(subject, doubled, "4.1", "attribute 2 not behind attribute 1");
}

TEST(the_public_key_is_rsa_or_ec)
{
    BREAKS_FIELD(spki, dsa_spki, "4.1.2.7", "1.3.14.3.2.12");
    BREAKS_FIELD(spki, "3000", "4.1", "4.1.2.7");
    BREAKS_FIELD(spki, "3010301306072a8648ce3d020106082a8648ce3d030107", "4.1", "");
    PASSES_FIELD(spki, rsa_spki);
}

TEST(what_does_not_parse_is_broken_too)
{
    struct why why = { 0 };
    ASSERT_ERR(ERR_LINT, tbs_lint(BYTES_NONE, &why), &why);
    ASSERT_ERR(ERR_LINT, tbs_lint(BYTES_LIT("\x30\x00"), &why), &why);
    BREAKS_FIELD(version, "a003020101", "4.1", "4.1.2.1");
    BREAKS_FIELD(subject, "30023100", "4.1", "RDN");
}

/* --- extensions ------------------------------------------------------------------------------------------------------ */
#define BREAKS(clause, piece, ...)                                                                           \
    do {                                                                                                     \
        struct parts broken_ = good_parts();                                                                 \
        struct buf *out = &broken_.extensions;                                                               \
        __VA_ARGS__;                                                                                         \
        assert_broken(broken_, clause, piece);                                                               \
    } while (0)
#define PASSES(...)                                                                                          \
    do {                                                                                                     \
        struct parts good_ = good_parts();                                                                   \
        struct buf *out = &good_.extensions;                                                                 \
        __VA_ARGS__;                                                                                         \
        assert_clean(good_);                                                                                 \
    } while (0)
static const struct bytes der_null = { (const uint8_t *)"\x05\x00", 2 };

TEST(extensions_are_there_once_and_hold_der)
{
    BREAKS("4.1", "twice", put_good_extensions(out); extension_put_ski(out, BYTES_LIT("a"));
           extension_put_ski(out, BYTES_LIT("b")));
    BREAKS("4.2", "1.3.6.1.4.1.311.25.2 is not one DER value", put_good_extensions(out);
           extension_put(out, OID_MS_SID, false, BYTES_LIT("x")));
    PASSES(put_good_extensions(out); extension_put(out, OID_MS_SID, false, der_null));
}

TEST(critical_is_only_what_verifiers_know)
{
    static const enum oid never[] = { OID_MS_SID,  OID_EXT_SKI,      OID_EXT_CDP,       OID_EXT_AIA,
                                      OID_EXT_IDP, OID_OCSP_NOCHECK, OID_MS_TEMPLATE_V2 };
    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
        BREAKS("4.2", "is critical, must not be", put_good_extensions(out);
               extension_put(out, never[i], true,
                             never[i] == OID_EXT_SKI ? BYTES_LIT("\x04\x01"
                                                                 "a")
                                                     : der_null));
    BREAKS("4.2", "2.5.29.35 is critical", extension_put_key_usage(out, KU_DIGITAL_SIGNATURE);
           extension_put(out, OID_EXT_AKI, true,
                         BYTES_LIT("\x30\x03\x80\x01"
                                   "a")));
    PASSES(put_good_extensions(out);
           extension_put(out, OID_EXT_EKU, true, BYTES_LIT("\x30\x03\x06\x01\x2A")));
    PASSES(put_good_extensions(out); extension_put(out, OID_EXT_POLICIES, true, der_null));
}

TEST(key_usage_and_basic_constraints_are_critical)
{
    BREAKS("4.2.1.3", "keyUsage is not critical", extension_put_aki(out, BYTES_LIT("a"));
           extension_put(out, OID_EXT_KEY_USAGE, false, BYTES_LIT("\x03\x02\x07\x80")));
    BREAKS("4.2.1.9", "basicConstraints is not critical", extension_put_aki(out, BYTES_LIT("a"));
           extension_put(out, OID_EXT_BASIC_CONSTRAINTS, false, BYTES_LIT("\x30\x00")));
    BREAKS("4.2.1.10", "nameConstraints is not critical", put_good_extensions(out);
           extension_put(out, OID_EXT_NAME_CONSTRAINTS, false, der_null));
}

static void put_ca(struct buf *out, uint16_t usage)
{
    extension_put_key_usage(out, usage);
    extension_put_basic_constraints(out, true, -1);
    extension_put_aki(out, BYTES_LIT("a"));
}

TEST(key_identifiers_are_there)
{
    BREAKS("4.2.1.1", "authorityKeyIdentifier absent", extension_put_key_usage(out, KU_DIGITAL_SIGNATURE));
    BREAKS("4.2.1.1", "authorityKeyIdentifier absent",
           extension_put(out, OID_EXT_AKI, false, BYTES_LIT("\x30\x00")));
    BREAKS("4.2.1.2", "subjectKeyIdentifier of a CA absent", put_ca(out, KU_KEY_CERT_SIGN));
    PASSES(put_ca(out, KU_KEY_CERT_SIGN); extension_put_ski(out, BYTES_LIT("b")));
    struct parts root = good_parts();
    root.issuer = root.subject; /* self-issued: no AKI needed */
    extension_put_key_usage(&root.extensions, KU_DIGITAL_SIGNATURE);
    assert_clean(root);
}

TEST(a_ca_and_only_a_ca_signs_certificates)
{
    BREAKS("4.2.1.3", "cA TRUE, keyUsage 0040", put_ca(out, KU_CRL_SIGN);
           extension_put_ski(out, BYTES_LIT("b")));
    BREAKS("4.2.1.3", "cA TRUE, keyUsage 0000", extension_put_basic_constraints(out, true, 0);
           extension_put_aki(out, BYTES_LIT("a")); extension_put_ski(out, BYTES_LIT("b")));
    BREAKS("4.2.1.9", "cA FALSE, keyUsage 0021",
           extension_put_key_usage(out, KU_KEY_CERT_SIGN | KU_DIGITAL_SIGNATURE);
           extension_put_basic_constraints(out, false, -1); extension_put_aki(out, BYTES_LIT("a")));
    BREAKS("4.2.1.9", "cA FALSE", extension_put_key_usage(out, KU_KEY_CERT_SIGN);
           extension_put_aki(out, BYTES_LIT("a")));
    BREAKS("4.1", "basicConstraints malformed", extension_put_aki(out, BYTES_LIT("a"));
           extension_put(out, OID_EXT_BASIC_CONSTRAINTS, true, BYTES_LIT("\x30\x03\x02\x01\x00")));
}

TEST(a_ca_has_a_subject)
{
    struct parts parts = good_parts();
    parts.subject = "3000";
    put_ca(&parts.extensions, KU_KEY_CERT_SIGN);
    extension_put_ski(&parts.extensions, BYTES_LIT("b"));
    extension_put_san(&parts.extensions,
                      BYTES_LIT("\x30\x03\x82\x01"
                                "a"),
                      true);
    assert_broken(parts, "4.1.2.6", "subject of a CA");
}

TEST(key_usage_makes_sense)
{
    BREAKS("4.2.1.3", "keyUsage 0000", extension_put_aki(out, BYTES_LIT("a"));
           extension_put(out, OID_EXT_KEY_USAGE, true, BYTES_LIT("\x03\x01\x00")));
    BREAKS("4.2.1.3", "keyUsage 0200", extension_put_aki(out, BYTES_LIT("a"));
           extension_put_key_usage(out, 1 << 9));
    BREAKS("4.2.1.3", "needs keyAgreement", extension_put_aki(out, BYTES_LIT("a"));
           extension_put_key_usage(out, KU_DIGITAL_SIGNATURE | KU_ENCIPHER_ONLY));
    BREAKS("4.2.1.3", "needs keyAgreement", extension_put_aki(out, BYTES_LIT("a"));
           extension_put_key_usage(out, KU_DIGITAL_SIGNATURE | KU_DECIPHER_ONLY));
    PASSES(extension_put_aki(out, BYTES_LIT("a"));
           extension_put_key_usage(out, KU_KEY_AGREEMENT | KU_DECIPHER_ONLY));
}

TEST(key_usage_fits_the_key)
{
    BREAKS("4.2.1.3", "EC key, keyUsage 0004", extension_put_aki(out, BYTES_LIT("a"));
           extension_put_key_usage(out, KU_KEY_ENCIPHERMENT));
    BREAKS("4.2.1.3", "EC key, keyUsage 0008", extension_put_aki(out, BYTES_LIT("a"));
           extension_put_key_usage(out, KU_DATA_ENCIPHERMENT));
    struct parts rsa = good_parts();
    rsa.spki = rsa_spki;
    extension_put_aki(&rsa.extensions, BYTES_LIT("a"));
    extension_put_key_usage(&rsa.extensions, KU_KEY_AGREEMENT);
    assert_broken(rsa, "4.2.1.3", "RSA key, keyUsage 0010");
    rsa = good_parts();
    rsa.spki = rsa_spki;
    extension_put_aki(&rsa.extensions, BYTES_LIT("a"));
    extension_put_key_usage(&rsa.extensions, KU_KEY_ENCIPHERMENT);
    assert_clean(rsa);
}

static struct parts with_san(const char *subject, const char *san_hex, bool critical)
{
    struct parts parts = with_good_extensions();
    parts.subject = subject;
    if (san_hex) {
        AUTO_BUF san = fixture_hex(san_hex);
        extension_put_san(&parts.extensions, buf_bytes(&san), critical);
    }
    return parts;
}

TEST(the_san_is_critical_just_when_the_subject_is_empty)
{
    assert_clean(with_san(CN_S, "3003820161", false));
    assert_clean(with_san("3000", "3003820161", true));
    assert_broken(with_san("3000", NULL, false), "4.1.2.6", "subject empty and subjectAltName absent");
    assert_broken(with_san("3000", "3003820161", false), "4.2.1.6",
                  "subject empty, subjectAltName not critical");
    assert_broken(with_san(CN_S, "3003820161", true), "4.2.1.6",
                  "subject not empty, subjectAltName critical");
}

TEST(hostile_names_do_not_get_into_a_san)
{
    assert_broken(with_san(CN_S,
                           "3005820361"
                           "00"
                           "62",
                           false),
                  "4.2.1.6", "a\\00b");
    assert_broken(with_san(CN_S, "30028200", false), "4.2.1.6", "dns");
    assert_broken(with_san(CN_S, "300587037f0000", false), "4.2.1.6", "3 octets, must be 4 or 16");
    assert_broken(with_san(CN_S, "3000", false), "4.1", "subjectAltName malformed");
    assert_broken(with_san(CN_S,
                           "3004a302"
                           "3000",
                           false),
                  "4.2.1.6", "not supported");
}

TEST(purposes_are_there_once_and_any_is_not_critical)
{
    const struct bytes twice[] = { oid_bytes(OID_KP_CLIENT_AUTH), oid_bytes(OID_KP_SERVER_AUTH),
                                   oid_bytes(OID_KP_CLIENT_AUTH) };
    PASSES(put_good_extensions(out); extension_put_eku(out, twice, 2));
    BREAKS("4.2.1.12", "clientAuth twice", put_good_extensions(out); extension_put_eku(out, twice, 3));
    BREAKS("4.2.1.12", "anyExtendedKeyUsage", put_good_extensions(out);
           extension_put(out, OID_EXT_EKU, true, BYTES_LIT("\x30\x06\x06\x04\x55\x1D\x25\x00")));
    PASSES(put_good_extensions(out);
           extension_put(out, OID_EXT_EKU, false, BYTES_LIT("\x30\x06\x06\x04\x55\x1D\x25\x00")));
    BREAKS("4.1", "extKeyUsage malformed", put_good_extensions(out); extension_put_eku(out, NULL, 0));
}

TEST(name_constraints_are_for_cas)
{
    BREAKS("4.2.1.10", "cA FALSE", put_good_extensions(out);
           extension_put(out, OID_EXT_NAME_CONSTRAINTS, true, der_null));
    PASSES(put_ca(out, KU_KEY_CERT_SIGN); extension_put_ski(out, BYTES_LIT("b"));
           extension_put(out, OID_EXT_NAME_CONSTRAINTS, true, der_null));
}

TEST(locations_are_absolute_uris)
{
    static const char *const good[] = { "http://a/b", "ldap:///CN=x" }, *const bad[] = { "http://a/b",
                                                                                         "a b" };
    PASSES(put_good_extensions(out); extension_put_cdp(out, good, 2);
           extension_put_aia(out, good, 1, good, 2));
    BREAKS("4.2.1.13", "absolute URIs", put_good_extensions(out); extension_put_cdp(out, bad, 2));
    BREAKS("4.2.1.13", "absolute URIs", put_good_extensions(out); extension_put_cdp(out, NULL, 0));
    BREAKS("4.2.1.13", "absolute URIs", put_good_extensions(out);
           extension_put(out, OID_EXT_CDP, false, der_null));
    BREAKS("4.2.1.13", "absolute URIs", put_good_extensions(out);
           extension_put(out, OID_EXT_CDP, false, BYTES_LIT("\x30\x00")));
    BREAKS("4.2.2.1", "absolute URIs", put_good_extensions(out); extension_put_aia(out, bad, 2, NULL, 0));
    BREAKS("4.2.2.1", "absolute URIs", put_good_extensions(out); extension_put_aia(out, NULL, 0, bad, 2));
    BREAKS("4.2.2.1", "absolute URIs", put_good_extensions(out); extension_put_aia(out, NULL, 0, NULL, 0));
    BREAKS("4.2.2.1", "absolute URIs", put_good_extensions(out);
           extension_put(out, OID_EXT_AIA, false,
                         BYTES_LIT("\x30\x0A\x30\x08\x06\x01\x2A\x86\x03"
                                   "a:b")));
}

RUN(T(a_good_certificate_passes), T(version_must_be_3), T(the_serial_must_be_positive_and_of_16_to_20_octets),
    T(sha1_signatures_are_not_issued), T(the_issuer_must_have_a_name),
    T(times_are_utc_time_until_2049_and_in_order), T(subject_strings_have_their_type_alphabet_and_length),
    T(a_common_name_has_64_characters_at_most), T(an_rdn_is_sorted_and_has_nothing_twice),
    T(the_public_key_is_rsa_or_ec), T(what_does_not_parse_is_broken_too),
    T(extensions_are_there_once_and_hold_der), T(critical_is_only_what_verifiers_know),
    T(key_usage_and_basic_constraints_are_critical), T(key_identifiers_are_there),
    T(a_ca_and_only_a_ca_signs_certificates), T(a_ca_has_a_subject), T(key_usage_makes_sense),
    T(key_usage_fits_the_key), T(the_san_is_critical_just_when_the_subject_is_empty),
    T(hostile_names_do_not_get_into_a_san), T(purposes_are_there_once_and_any_is_not_critical),
    T(name_constraints_are_for_cas), T(locations_are_absolute_uris))
