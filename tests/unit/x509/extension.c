/* SPDX-License-Identifier: Apache-2.0 */
/* Extensions. */
#include "base/limits.h"
#include "tests/unit/x509/fixture.h"

static void assert_hex(const struct buf *got, const char *hex)
{
    AUTO_BUF wanted = fixture_hex(hex);
    ASSERT_BYTES(buf_bytes(got), buf_bytes(&wanted));
}

TEST(each_extension_is_written_as_rfc_5280_has_it)
{
    static const char *const url[] = { "http://a", "ldap://b" };
    const struct bytes purposes[] = { oid_bytes(OID_KP_CLIENT_AUTH), oid_bytes(OID_KP_ANY) };
    AUTO_BUF out = { 0 };
    extension_put_key_usage(&out, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    assert_hex(&out, "300e0603551d0f0101ff0404030205a0");
    buf_clear(&out);
    extension_put_key_usage(&out, KU_DECIPHER_ONLY | KU_KEY_AGREEMENT);
    assert_hex(&out, "300f0603551d0f0101ff04050303070880");
    buf_clear(&out);
    extension_put_basic_constraints(&out, true, 0);
    assert_hex(&out, "30120603551d130101ff040830060101ff020100");
    buf_clear(&out);
    extension_put_basic_constraints(&out, true, -1);
    assert_hex(&out, "300f0603551d130101ff040530030101ff");
    buf_clear(&out);
    extension_put_basic_constraints(&out, false, 3);
    assert_hex(&out, "300c0603551d130101ff04023000");
    buf_clear(&out);
    extension_put_eku(&out, purposes, 2);
    assert_hex(&out, "30190603551d2504123010"
                     "06082b06010505070302"
                     "0604551d2500");
    buf_clear(&out);
    extension_put_ski(&out, BYTES_LIT("\1\2"));
    assert_hex(&out, "300b0603551d0e040404020102");
    buf_clear(&out);
    extension_put_aki(&out, BYTES_LIT("\1\2"));
    assert_hex(&out, "300d0603551d230406300480020102");
    buf_clear(&out);
    extension_put_san(&out, BYTES_LIT("\x30\x03\x82\x01\x61"), true);
    assert_hex(&out, "300f0603551d110101ff04053003820161");
    buf_clear(&out);
    extension_put_cdp(&out, url, 2);
    assert_hex(&out, "30230603551d1f041c301a3018a016a0148608687474703a2f2f6186086c6461"
                     "703a2f2f62");
    buf_clear(&out);
    extension_put_aia(&out, url, 1, url + 1, 1);
    assert_hex(&out, "303a06082b06010505070101042e302c301406082b0601050507300186086874"
                     "74703a2f2f61301406082b0601050507300286086c6461703a2f2f62");
}

TEST(crl_numbers_are_written_minimal)
{
    AUTO_BUF out = { 0 };
    extension_put_crl_number(&out, 128);
    assert_hex(&out, "300b0603551d14040402020080");
}

TEST(extensions_are_found_and_walked)
{
    AUTO_BUF list = { 0 };
    struct extension found;
    struct why why = { 0 };
    extension_put_key_usage(&list, KU_CRL_SIGN);
    extension_put_ski(&list, BYTES_LIT("x"));
    ASSERT_OK(extensions_check(buf_bytes(&list), &why), &why);
    assert_true(extension_find(buf_bytes(&list), OID_EXT_SKI, &found));
    assert_false(found.critical);
    ASSERT_BYTES(found.value, BYTES_LIT("\x04\x01x"));
    assert_true(extension_find(buf_bytes(&list), OID_EXT_KEY_USAGE, &found));
    assert_true(found.critical);
    assert_false(extension_find(buf_bytes(&list), OID_EXT_SAN, &found));
}

TEST(malformed_extensions_are_refused)
{
    static const char *const rows[] = {
        "", /* none at all */
        "3000",
        "300506012a0500",       /* value is no OCTET STRING */
        "300806012a0101000400", /* FALSE written out */
        "300806012a0101010400", /* TRUE is FF */
        "300706012a04000500",   /* something behind the value */
        "300506012a040000",     /* something behind the extension */
        "310506012a0400",
        "30040601800400",
        "300406000400",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF list = fixture_hex(rows[i]);
        struct why why = { 0 };
        if (extensions_check(buf_bytes(&list), &why) != ERR_MALFORMED)
            fail_msg("row %zu was not refused", i);
    }
}

TEST(an_extension_is_there_once)
{
    AUTO_BUF list = { 0 };
    struct why why = { 0 };
    extension_put_ski(&list, BYTES_LIT("x"));
    extension_put_key_usage(&list, KU_CRL_SIGN);
    extension_put(&list, OID_EXT_SKI, true, BYTES_LIT("\x04\x01y"));
    ASSERT_ERR(ERR_MALFORMED, extensions_check(buf_bytes(&list), &why), &why);
    assert_non_null(strstr(why.text, "2.5.29.14"));
}

TEST(there_are_20_extensions_at_most)
{
    AUTO_BUF list = { 0 };
    struct why why = { 0 };
    for (uint8_t i = 0; i < LIMIT_CERT_EXTENSIONS + 1; i++) {
        const uint8_t oid[] = { 0x2A, i };
        if (i == LIMIT_CERT_EXTENSIONS)
            ASSERT_OK(extensions_check(buf_bytes(&list), &why), &why);
        size_t mark = der_begin(&list, DER_SEQUENCE);
        der_put_oid(&list, BYTES_ARR(oid));
        der_put_octets(&list, BYTES_NONE);
        der_end(&list, mark);
    }
    ASSERT_ERR(ERR_LIMIT, extensions_check(buf_bytes(&list), &why), &why);
}

TEST(key_usages_have_names)
{
    uint16_t bit = 0;
    AUTO_BUF text = { 0 };
    key_usage_append_text(&text, 0x1FF);
    assert_string_equal(buf_text(&text),
                        "digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment,keyAgreement,"
                        "keyCertSign,cRLSign,encipherOnly,decipherOnly");
    assert_true(key_usage_by_name("KEYencipherment", &bit));
    assert_int_equal(bit, KU_KEY_ENCIPHERMENT);
    assert_true(key_usage_by_name("contentCommitment", &bit));
    assert_int_equal(bit, KU_NON_REPUDIATION);
    assert_false(key_usage_by_name("keyEnciphermen", &bit));
    assert_false(key_usage_by_name("", &bit));
    buf_clear(&text);
    key_usage_append_text(&text, 0);
    assert_int_equal(text.len, 0);
}

RUN(T(each_extension_is_written_as_rfc_5280_has_it), T(crl_numbers_are_written_minimal),
    T(extensions_are_found_and_walked), T(malformed_extensions_are_refused), T(an_extension_is_there_once),
    T(there_are_20_extensions_at_most), T(key_usages_have_names))
