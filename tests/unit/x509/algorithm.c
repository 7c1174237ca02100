/* SPDX-License-Identifier: Apache-2.0 */
/* AlgorithmIdentifiers: what is on the list, in which form, and that nothing else is. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "x509/algorithm.h"
#include <openssl/asn1t.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static struct buf der_of(const char *hex)
{
    struct buf der = { 0 };
    assert_true(hex_decode(bytes_str(hex), &der));
    if (!der_is_valid(buf_bytes(&der))) /* what a case is refused for must be what it says */
        fail_msg("the test's own DER is broken: %s", hex);
    return der;
}

#define SHA1_OID   "06052b0e03021a"
#define SHA256_OID "0609608648016503040201"
#define MD5_OID    "06082a864886f70d0205"
#define RSA_OID    "06092a864886f70d010101"
#define RSA256_OID "06092a864886f70d01010b"
#define EC256_OID  "06082a8648ce3d040302"
#define OAEP_OID   "06092a864886f70d010107"
#define MGF1_OID   "06092a864886f70d010108"
#define LABEL_OID  "06092a864886f70d010109"

static bool reads_digest(const char *hex, enum digest *ret)
{
    AUTO_BUF der = der_of(hex);
    struct der_reader in = der_reader_over(buf_bytes(&der));
    bool read = digest_get(&in, ret);
    assert_true(read ? der_at_end(&in) : in.rest.len == der.len);
    return read;
}

static bool reads_cipher(const char *hex)
{
    AUTO_BUF der = der_of(hex);
    struct der_reader in = der_reader_over(buf_bytes(&der));
    enum cipher cipher;
    struct bytes iv;
    bool read = cipher_get(&in, &cipher, &iv);
    assert_true(read ? iv.len == cipher_block_size(cipher) : in.rest.len == der.len);
    return read;
}

static bool reads_transport(const char *hex, enum transport *ret, struct oaep *ret_oaep)
{
    AUTO_BUF der = der_of(hex);
    struct der_reader in = der_reader_over(buf_bytes(&der));
    bool read = transport_get(&in, ret, ret_oaep);
    assert_true(read ? der_at_end(&in) : in.rest.len == der.len);
    return read;
}

static bool reads_signature(const char *hex, struct signature_algorithm *ret)
{
    AUTO_BUF der = der_of(hex);
    struct der_reader in = der_reader_over(buf_bytes(&der));
    bool read = signature_algorithm_get(&in, ret);
    assert_true(read ? der_at_end(&in) : in.rest.len == der.len);
    return read;
}

TEST(digests_go_both_ways)
{
    for (enum digest d = DIGEST_SHA1; d <= DIGEST_SHA512; d++) {
        AUTO_BUF der = { 0 };
        enum digest back;
        digest_put(&der, d);
        struct der_reader in = der_reader_over(buf_bytes(&der));
        assert_true(digest_get(&in, &back));
        assert_int_equal(d, back);
        assert_true(der_at_end(&in));
    }
}

TEST(digest_parameters_are_null_or_absent)
{
    enum digest digest;
    assert_true(reads_digest("3009" SHA1_OID "0500", &digest));
    assert_int_equal(DIGEST_SHA1, digest);
    assert_true(reads_digest("3007" SHA1_OID, &digest));
    assert_true(reads_digest("300d" SHA256_OID "0500", &digest));
    assert_int_equal(DIGEST_SHA256, digest);
    assert_false(reads_digest("300d" SHA256_OID "0400", &digest));
    assert_false(reads_digest("300f" SHA256_OID "05000500", &digest));
    assert_false(reads_digest("300e" SHA256_OID "050100", &digest)); /* NULL with content */
}

TEST(digests_off_the_list_are_refused)
{
    enum digest digest;
    assert_false(reads_digest("300c" MD5_OID "0500", &digest));
    assert_false(reads_digest("300b0609608648016503040204", &digest)); /* SHA-224 */
    assert_false(reads_digest("3000", &digest));
    assert_false(reads_digest("300d" RSA256_OID "0500", &digest));
}

TEST(sha1_is_written_with_null_and_sha2_without)
{
    AUTO_BUF sha1 = { 0 }, sha256 = { 0 };
    AUTO_BUF want1 = der_of("3009" SHA1_OID "0500"), want256 = der_of("300b" SHA256_OID);
    digest_put(&sha1, DIGEST_SHA1);
    digest_put(&sha256, DIGEST_SHA256);
    ASSERT_BYTES(buf_bytes(&sha1), buf_bytes(&want1));
    ASSERT_BYTES(buf_bytes(&sha256), buf_bytes(&want256));
}

TEST(ciphers_go_both_ways)
{
    uint8_t iv[16] = { 1, 2, 3 };
    for (enum cipher c = CIPHER_DES_EDE3_CBC; c <= CIPHER_AES256_CBC; c++) {
        AUTO_BUF der = { 0 };
        enum cipher back;
        struct bytes iv_back, iv_put = bytes_of(iv, cipher_block_size(c));
        cipher_put(&der, c, iv_put);
        struct der_reader in = der_reader_over(buf_bytes(&der));
        assert_true(cipher_get(&in, &back, &iv_back));
        assert_int_equal(c, back);
        ASSERT_BYTES(iv_put, iv_back);
    }
}

TEST(an_iv_has_exactly_a_block)
{
    assert_true(reads_cipher("301d"
                             "060960864801650304012a"
                             "041000112233445566778899aabbccddeeff"));
    assert_false(reads_cipher("301c"
                              "060960864801650304012a"
                              "040f00112233445566778899aabbccddee"));
    assert_false(reads_cipher("301e"
                              "060960864801650304012a"
                              "041100112233445566778899aabbccddeeff00"));
    assert_false(reads_cipher("300d"
                              "060960864801650304012a"
                              "0400"));
    assert_false(reads_cipher("300b"
                              "060960864801650304012a"));
    assert_false(reads_cipher("300d"
                              "060960864801650304012a"
                              "0500"));
    assert_false(reads_cipher("301f"
                              "060960864801650304012a"
                              "041000112233445566778899aabbccddeeff"
                              "0500"));
}

TEST(ciphers_off_the_list_are_refused)
{
    assert_true(reads_cipher("3014"
                             "06082a864886f70d0307"
                             "04080011223344556677"));
    /* Single DES is read; which endpoint takes it is its own setting (docs/decisions/005). */
    assert_true(reads_cipher("3011"
                             "06052b0e030207"
                             "04080011223344556677"));
    assert_false(reads_cipher("3014"
                              "06082a864886f70d0302"
                              "04080011223344556677")); /* RC2 without version */
    assert_false(reads_cipher("301d"
                              "060960864801650304012e"
                              "041000112233445566778899aabbccddeeff")); /* GCM */
}

TEST(pkcs1_transport_goes_both_ways)
{
    enum transport transport;
    struct oaep oaep;
    AUTO_BUF der = { 0 }, want = der_of("300d" RSA_OID "0500");
    transport_put(&der, TRANSPORT_PKCS1_V15, NULL);
    ASSERT_BYTES(buf_bytes(&der), buf_bytes(&want));
    assert_true(reads_transport("300d" RSA_OID "0500", &transport, &oaep));
    assert_int_equal(TRANSPORT_PKCS1_V15, transport);
    assert_true(reads_transport("300b" RSA_OID, &transport, &oaep));
    assert_false(reads_transport("300f" RSA_OID "05000500", &transport, &oaep));
    assert_false(reads_transport("300d" RSA_OID "3000", &transport, &oaep));
    assert_false(reads_transport("300d" RSA256_OID "0500", &transport, &oaep));
}

TEST(oaep_goes_both_ways_for_every_pair_of_hashes)
{
    for (enum digest d = DIGEST_SHA1; d <= DIGEST_SHA512; d++) {
        for (enum digest m = DIGEST_SHA1; m <= DIGEST_SHA512; m++) {
            AUTO_BUF der = { 0 };
            enum transport transport;
            struct oaep back;
            transport_put(&der, TRANSPORT_OAEP, &(struct oaep){ d, m });
            struct der_reader in = der_reader_over(buf_bytes(&der));
            assert_true(transport_get(&in, &transport, &back));
            assert_int_equal(TRANSPORT_OAEP, transport);
            assert_int_equal(d, back.digest);
            assert_int_equal(m, back.mgf_digest);
            assert_true(der_is_valid(buf_bytes(&der)));
        }
    }
}

/* What is written is what OpenSSL's own template reads, with the same hashes. */
TEST(oaep_parameters_are_read_by_openssl)
{
    AUTO_BUF der = { 0 };
    transport_put(&der, TRANSPORT_OAEP, &(struct oaep){ DIGEST_SHA512, DIGEST_SHA256 });
    const uint8_t *at = der.data;
    X509_ALGOR *algorithm = d2i_X509_ALGOR(NULL, &at, (long)der.len);
    assert_non_null(algorithm);
    const void *value;
    int type;
    X509_ALGOR_get0(NULL, &type, &value, algorithm);
    assert_int_equal(V_ASN1_SEQUENCE, type);
    RSA_OAEP_PARAMS *params = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_OAEP_PARAMS));
    assert_non_null(params);
    assert_int_equal(NID_sha512, OBJ_obj2nid(params->hashFunc->algorithm));
    X509_ALGOR *mgf_hash =
        ASN1_item_unpack(params->maskGenFunc->parameter->value.sequence, ASN1_ITEM_rptr(X509_ALGOR));
    assert_non_null(mgf_hash);
    assert_int_equal(NID_sha256, OBJ_obj2nid(mgf_hash->algorithm));
    assert_null(params->pSourceFunc);
    X509_ALGOR_free(mgf_hash);
    RSA_OAEP_PARAMS_free(params);
    X509_ALGOR_free(algorithm);
}

TEST(oaep_parameters_are_always_written_and_defaults_left_out)
{
    AUTO_BUF der = { 0 }, want = der_of("300d" OAEP_OID "3000");
    transport_put(&der, TRANSPORT_OAEP, &(struct oaep){ DIGEST_SHA1, DIGEST_SHA1 });
    ASSERT_BYTES(buf_bytes(&der), buf_bytes(&want));
}

TEST(oaep_defaults_are_sha1)
{
    enum transport transport;
    struct oaep oaep = { 0 };
    assert_true(reads_transport("300d" OAEP_OID "3000", &transport, &oaep));
    assert_int_equal(TRANSPORT_OAEP, transport);
    assert_int_equal(DIGEST_SHA1, oaep.digest);
    assert_int_equal(DIGEST_SHA1, oaep.mgf_digest);
    oaep = (struct oaep){ 0 };
    assert_true(reads_transport("300b" OAEP_OID, &transport, &oaep));
    assert_int_equal(DIGEST_SHA1, oaep.digest);
    /* only the hash given: MGF1 keeps SHA-1 */
    assert_true(reads_transport("301c" OAEP_OID "300f"
                                "a00d"
                                "300b" SHA256_OID,
                                &transport, &oaep));
    assert_int_equal(DIGEST_SHA256, oaep.digest);
    assert_int_equal(DIGEST_SHA1, oaep.mgf_digest);
}

/* With an explicit empty label, as Windows writes it. */
TEST(oaep_takes_an_explicit_empty_label)
{
    enum transport transport;
    struct oaep oaep;
    assert_true(reads_transport("301e" OAEP_OID "3011"
                                "a20f"
                                "300d" LABEL_OID "0400",
                                &transport, &oaep));
}

TEST(oaep_refuses_labels_other_functions_and_disorder)
{
    enum transport transport;
    struct oaep oaep;
    static const char *const cases[] = {
        "301f" OAEP_OID "3012"
        "a210"
        "300e" LABEL_OID "040141", /* a label */
        "301c" OAEP_OID "300f"
        "a20d"
        "300b" LABEL_OID, /* CVE-2026-28390: no label parameter */
        "301e" OAEP_OID "3011"
        "a20f"
        "300d" LABEL_OID "0500", /* a label of another type */
        "301e" OAEP_OID "3011"
        "a20f"
        "300d" MGF1_OID "0400", /* not pSpecified */
        "301c" OAEP_OID "300f"
        "a10d"
        "300b" MGF1_OID, /* MGF1 without a hash */
        "301b" OAEP_OID "300e"
        "a00c"
        "300a" MD5_OID,             /* MD5 */
        "300d" OAEP_OID "0500",     /* NULL */
        "300f" OAEP_OID "30000500", /* trailing */
        "3011" OAEP_OID "3004"
        "a300"
        "a000", /* unknown field */
        "302d" OAEP_OID "3020"
        "a20f"
        "300d" LABEL_OID "0400"
        "a00d"
        "300b" SHA256_OID, /* order */
        "301e" OAEP_OID "3011"
        "a00f"
        "300b" SHA256_OID "0500", /* trailing inside [0] */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (reads_transport(cases[i], &transport, &oaep))
            fail_msg("OAEP case %zu was taken", i);
    }
}

TEST(signature_algorithms_go_both_ways)
{
    for (int rsa = 0; rsa < 2; rsa++) {
        for (enum digest d = DIGEST_SHA1; d <= DIGEST_SHA512; d++) {
            AUTO_BUF der = { 0 };
            struct signature_algorithm back;
            signature_algorithm_put(&der, (struct signature_algorithm){ rsa, d });
            struct der_reader in = der_reader_over(buf_bytes(&der));
            assert_true(signature_algorithm_get(&in, &back));
            assert_int_equal(rsa, back.rsa);
            assert_int_equal(d, back.digest);
        }
    }
}

TEST(rsa_signatures_are_written_with_null_and_ecdsa_without)
{
    AUTO_BUF rsa = { 0 }, ec = { 0 };
    AUTO_BUF want_rsa = der_of("300d" RSA256_OID "0500"), want_ec = der_of("300a" EC256_OID);
    signature_algorithm_put(&rsa, (struct signature_algorithm){ true, DIGEST_SHA256 });
    signature_algorithm_put(&ec, (struct signature_algorithm){ false, DIGEST_SHA256 });
    ASSERT_BYTES(buf_bytes(&rsa), buf_bytes(&want_rsa));
    ASSERT_BYTES(buf_bytes(&ec), buf_bytes(&want_ec));
}

TEST(signature_parameters_are_strict)
{
    struct signature_algorithm algorithm;
    assert_true(reads_signature("300b" RSA256_OID, &algorithm));
    assert_false(reads_signature("300d" RSA256_OID "3000", &algorithm));
    assert_false(reads_signature("300c" EC256_OID "0500", &algorithm)); /* RFC 5758 3.2: absent */
    assert_false(reads_signature("300f" RSA256_OID "05000500", &algorithm));
}

TEST(signatures_off_the_list_are_refused)
{
    struct signature_algorithm algorithm;
    assert_false(reads_signature("300d"
                                 "06092a864886f70d01010a"
                                 "3000",
                                 &algorithm)); /* PSS */
    assert_false(reads_signature("300d"
                                 "06092a864886f70d010104"
                                 "0500",
                                 &algorithm)); /* MD5 */
    assert_false(reads_signature("3005"
                                 "06032b6570",
                                 &algorithm)); /* Ed25519 */
    assert_false(reads_signature("300d" RSA_OID "0500", &algorithm));
    assert_false(reads_signature("300b"
                                 "06092a864886f70d01010e",
                                 &algorithm)); /* SHA-224 */
}

static bool reads_signer(const char *hex, enum digest digest, struct signature_algorithm *ret)
{
    AUTO_BUF der = der_of(hex);
    struct der_reader in = der_reader_over(buf_bytes(&der));
    return signature_algorithm_get_signer(&in, digest, ret);
}

TEST(a_signer_may_say_plain_rsa_but_not_another_digest)
{
    struct signature_algorithm algorithm = { 0 };
    assert_true(reads_signer("300d" RSA_OID "0500", DIGEST_SHA512, &algorithm));
    assert_true(algorithm.rsa);
    assert_int_equal(DIGEST_SHA512, algorithm.digest);
    assert_true(reads_signer("300d" RSA256_OID "0500", DIGEST_SHA256, &algorithm));
    assert_false(reads_signer("300d" RSA256_OID "0500", DIGEST_SHA512, &algorithm));
    assert_true(reads_signer("300a" EC256_OID, DIGEST_SHA256, &algorithm));
    assert_false(algorithm.rsa);
    assert_false(reads_signer("300a" EC256_OID, DIGEST_SHA1, &algorithm));
    assert_false(reads_signer("300d" RSA_OID "3000", DIGEST_SHA256, &algorithm));
}

TEST(sizes_and_names_are_the_standards)
{
    assert_int_equal(20, digest_size(DIGEST_SHA1));
    assert_int_equal(64, digest_size(DIGEST_SHA512));
    assert_string_equal("SHA-256", digest_name(DIGEST_SHA256));
    assert_int_equal(24, cipher_key_size(CIPHER_DES_EDE3_CBC));
    assert_int_equal(8, cipher_block_size(CIPHER_DES_EDE3_CBC));
    assert_int_equal(16, cipher_key_size(CIPHER_AES128_CBC));
    assert_string_equal("AES-128-CBC", cipher_name(CIPHER_AES128_CBC));
    assert_string_equal("P-256", key_kind_name(KEY_EC_P256));
    assert_string_equal("unknown", key_kind_name((enum key_kind)77));
}

static void assert_hex(const char *want, struct bytes got)
{
    AUTO_BUF text = { 0 };
    hex_append(&text, got);
    assert_string_equal(want, buf_text(&text));
}

TEST(hashes_match_published_values)
{
    struct why why = { 0 };
    uint8_t value[DIGEST_MAX_BYTES];
    ASSERT_OK(digest_compute(DIGEST_SHA1, BYTES_LIT("abc"), value, &why), &why);
    assert_hex("a9993e364706816aba3e25717850c26c9cd0d89d", bytes_of(value, 20));
    ASSERT_OK(digest_compute(DIGEST_SHA256, BYTES_NONE, value, &why), &why);
    assert_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", bytes_of(value, 32));
    struct bytes parts[] = { BYTES_LIT("a"), BYTES_NONE, BYTES_LIT("bc") };
    ASSERT_OK(sha256_parts(parts, 3, value, &why), &why);
    assert_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", bytes_of(value, 32));
    ASSERT_OK(sha256_parts(NULL, 0, value, &why), &why);
    assert_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", bytes_of(value, 32));
}

/* RFC 4231 test case 2, and the empty key. */
/* FIPS 180-2 appendix B, as fingerprints are written. */
TEST(fingerprints_are_lower_case)
{
    struct why why = { 0 };
    char text[2 * DIGEST_MAX_BYTES + 1];
    ASSERT_OK(digest_hex(DIGEST_SHA1, BYTES_LIT("abc"), text, &why), &why);
    assert_string_equal("a9993e364706816aba3e25717850c26c9cd0d89d", text);
    ASSERT_OK(digest_hex(DIGEST_SHA256, BYTES_LIT("abc"), text, &why), &why);
    assert_string_equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", text);
}

TEST(hmac_matches_published_values)
{
    struct why why = { 0 };
    uint8_t value[32];
    ASSERT_OK(hmac_sha256(BYTES_LIT("Jefe"), BYTES_LIT("what do ya want for nothing?"), value, &why), &why);
    assert_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", BYTES_ARR(value));
    ASSERT_OK(hmac_sha256(BYTES_NONE, BYTES_NONE, value, &why), &why);
    assert_hex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", BYTES_ARR(value));
}

RUN(T(digests_go_both_ways), T(digest_parameters_are_null_or_absent), T(digests_off_the_list_are_refused),
    T(sha1_is_written_with_null_and_sha2_without), T(ciphers_go_both_ways), T(an_iv_has_exactly_a_block),
    T(ciphers_off_the_list_are_refused), T(pkcs1_transport_goes_both_ways),
    T(oaep_goes_both_ways_for_every_pair_of_hashes), T(oaep_parameters_are_read_by_openssl),
    T(oaep_parameters_are_always_written_and_defaults_left_out), T(oaep_defaults_are_sha1),
    T(oaep_takes_an_explicit_empty_label), T(oaep_refuses_labels_other_functions_and_disorder),
    T(signature_algorithms_go_both_ways), T(rsa_signatures_are_written_with_null_and_ecdsa_without),
    T(signature_parameters_are_strict), T(signatures_off_the_list_are_refused),
    T(a_signer_may_say_plain_rsa_but_not_another_digest), T(sizes_and_names_are_the_standards),
    T(hashes_match_published_values), T(fingerprints_are_lower_case), T(hmac_matches_published_values))
