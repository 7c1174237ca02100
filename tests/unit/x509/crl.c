/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs: written in one stream, read strictly. */
#include "x509/crl.h"
#include "tests/unit/x509/fixture.h"
#include "x509/partition.h"

static const uint8_t key_id[20] = { 7, 7 };

static struct crl_params params_for(struct bytes issuer, struct signature_algorithm algorithm)
{
    return (struct crl_params){ .algorithm = algorithm,
                                .issuer = issuer,
                                .issuer_key_id = BYTES_ARR(key_id),
                                .this_update = FIXTURE_NOW,
                                .next_update = FIXTURE_NOW + 604800,
                                .number = 300 };
}

static struct buf build(const struct crl_params *params, const struct crl_entry *entries, size_t count)
{
    struct crl_builder builder;
    struct buf tbs = { 0 };
    crl_begin(&builder, params);
    for (size_t i = 0; i < count; i++)
        crl_add(&builder, &entries[i]);
    crl_end(&builder, &tbs);
    return tbs;
}

static const struct crl_entry all_reasons[] = {
    { BYTES_LIT("\x01"), FIXTURE_NOW, CRL_UNSPECIFIED },
    { BYTES_LIT("\x80"), FIXTURE_NOW - 1, CRL_KEY_COMPROMISE },
    { BYTES_LIT("\x7F\1\2\3\4\5\6\7\x8\x9\xA\xB\xC\xD\xE\xF\x10\x11\x12\x13"), 0, CRL_CA_COMPROMISE },
    { BYTES_LIT("\xFF\1\2\3\4\5\6\7\x8\x9\xA\xB\xC\xD\xE\xF\x10\x11\x12\x13"), 2524607999,
      CRL_AFFILIATION_CHANGED },
    { BYTES_LIT("\2"), 2524608000, CRL_SUPERSEDED },
    { BYTES_LIT("\3"), 253402300799, CRL_CESSATION_OF_OPERATION },
    { BYTES_LIT("\4"), -631152000, CRL_CERTIFICATE_HOLD },
    { BYTES_LIT("\5"), -631152001, CRL_REMOVE_FROM_CRL },
    { BYTES_LIT("\6"), FIXTURE_NOW, CRL_PRIVILEGE_WITHDRAWN },
    { BYTES_LIT("\7"), FIXTURE_NOW, CRL_AA_COMPROMISE },
};
#define ALL_REASONS (sizeof(all_reasons) / sizeof(*all_reasons))

TEST(what_is_built_is_read_again)
{
    static const enum key_kind kinds[] = { KEY_RSA, KEY_EC_P256, KEY_EC_P384, KEY_EC_P521 };
    AUTO_BUF issuer = fixture_name("CN=Issuing CA");
    for (size_t k = 0; k < 4; k++) {
        AUTO(key) key = fixture_key(kinds[k]);
        struct crl_params params = params_for(buf_bytes(&issuer), key_signature_algorithm(key));
        params.is_delta = true; /* or removeFromCRL had no place in it */
        params.base_number = 299;
        AUTO_BUF tbs = build(&params, all_reasons, ALL_REASONS), der = fixture_sign(buf_bytes(&tbs), key);
        struct why why = { 0 };
        struct crl crl;
        ASSERT_OK(crl_parse(buf_bytes(&der), &crl, &why), &why);
        ASSERT_OK(crl_verify(&crl, key->public_half, &why), &why);
        ASSERT_BYTES(crl.issuer, buf_bytes(&issuer));
        ASSERT_BYTES(crl.aki, BYTES_ARR(key_id));
        assert_true(crl.this_update == FIXTURE_NOW && crl.next_update == FIXTURE_NOW + 604800 &&
                    crl.number == 300);
        assert_true(crl.is_delta && crl.base_number == 299);
        struct der_reader entries = der_reader_over(crl.entries);
        struct crl_entry entry;
        for (size_t i = 0; i < ALL_REASONS; i++) {
            assert_true(crl_next(&entries, &entry));
            ASSERT_BYTES(entry.serial, all_reasons[i].serial);
            assert_true(entry.revoked_at == all_reasons[i].revoked_at &&
                        entry.reason == all_reasons[i].reason);
        }
        assert_false(crl_next(&entries, &entry));
    }
}

TEST(entries_are_written_byte_for_byte_as_planned)
{
    static const struct crl_entry entries[] = { { BYTES_LIT("\0\0\x80"), 1767225600, CRL_UNSPECIFIED },
                                                { BYTES_LIT("\x12"), 2524608000, CRL_KEY_COMPROMISE } };
    AUTO_BUF issuer = fixture_name("CN=I");
    struct crl_params params =
        params_for(buf_bytes(&issuer), (struct signature_algorithm){ false, DIGEST_SHA256 });
    params.issuer_key_id = BYTES_LIT("a");
    AUTO_BUF tbs = build(&params, entries, 2);
    AUTO_BUF wanted =
        fixture_hex("308195020101300a06082a8648ce3d040302300c310a300806035504030c0149170d32363039"
                    "32313134313332305a170d3236303932383134313332305a3039301302020080170d32363031"
                    "30313030303030305a3022020112180f32303530303130313030303030305a300c300a060355"
                    "1d1504030a0101a01d301b300c0603551d2304053003800161300b0603551d1404040202012c");
    ASSERT_BYTES(buf_bytes(&tbs), buf_bytes(&wanted));
}

TEST(an_empty_crl_has_no_list)
{
    AUTO_BUF issuer = fixture_name("CN=I");
    struct crl_params params =
        params_for(buf_bytes(&issuer), (struct signature_algorithm){ false, DIGEST_SHA256 });
    params.issuer_key_id = BYTES_LIT("a");
    params.number = 0;
    AUTO_BUF tbs = build(&params, NULL, 0);
    AUTO_BUF wanted =
        fixture_hex("3059020101300a06082a8648ce3d040302300c310a300806035504030c0149170d3236303932"
                    "313134313332305a170d3236303932383134313332305aa01c301a300c0603551d2304053003"
                    "800161300a0603551d140403020100");
    ASSERT_BYTES(buf_bytes(&tbs), buf_bytes(&wanted));
    struct crl crl;
    struct why why = { 0 };
    ASSERT_OK(crl_tbs_parse(buf_bytes(&tbs), &crl, &why), &why);
    assert_int_equal(crl.entries.len, 0);
    struct der_reader entries = der_reader_over(crl.entries);
    struct crl_entry entry;
    assert_false(crl_next(&entries, &entry));
}

TEST(a_delta_names_its_base_and_a_full_crl_where_its_deltas_are)
{
    static const char *const urls[] = { "http://ca.example/i+.crl" };
    AUTO_BUF issuer = fixture_name("CN=I");
    struct crl_params params =
        params_for(buf_bytes(&issuer), (struct signature_algorithm){ false, DIGEST_SHA256 });
    struct crl crl;
    struct why why = { 0 };
    params.freshest = urls;
    params.freshest_count = 1;
    AUTO_BUF full = build(&params, all_reasons, 3);
    ASSERT_OK(crl_tbs_parse(buf_bytes(&full), &crl, &why), &why);
    assert_false(crl.is_delta);
    assert_non_null(memmem(full.data, full.len, urls[0], strlen(urls[0])));
    params.is_delta = true;
    params.base_number = params.number; /* of the full one that is issued beside it */
    AUTO_BUF delta = build(&params, &all_reasons[7], 1);
    ASSERT_OK(crl_tbs_parse(buf_bytes(&delta), &crl, &why), &why);
    assert_true(crl.is_delta && crl.base_number == 300);
    assert_null(memmem(delta.data, delta.len, urls[0], strlen(urls[0])));
}

TEST(the_crl_of_a_partition_names_its_place)
{
    static const char *const urls[] = { "http://a.example/i-%p.crl", "http://b.example/%p/i-%p.crl" };
    const struct crl_partitions all = { 12, urls, 2 };
    AUTO_BUF issuer = fixture_name("CN=I");
    struct crl_params params =
        params_for(buf_bytes(&issuer), (struct signature_algorithm){ false, DIGEST_SHA256 });
    AUTO_VAL(crl_urls) place = crl_partition_urls(&all, 11);
    struct crl crl;
    struct why why = { 0 };
    assert_string_equal(place.list[0], "http://a.example/i-11.crl");
    assert_string_equal(place.list[1], "http://b.example/11/i-11.crl");
    params.idp = (const char *const *)place.list;
    params.idp_count = place.count;
    AUTO_BUF tbs = build(&params, all_reasons, 3);
    ASSERT_OK(crl_tbs_parse(buf_bytes(&tbs), &crl, &why), &why);
    assert_int_equal(crl_partition_by_idp(&all, crl.idp), 11);
    const struct crl_partitions fewer = { 10, urls, 2 }, one_url = { 12, urls, 1 }, none = { 1, urls, 2 };
    assert_int_equal(crl_partition_by_idp(&fewer, crl.idp), 0);
    assert_int_equal(crl_partition_by_idp(&one_url, crl.idp), 0);
    assert_int_equal(crl_partition_by_idp(&none, crl.idp), 0);
    assert_int_equal(crl_partition_by_idp(&all, BYTES_NONE), 0);
}

TEST(a_large_list_is_whole)
{
    enum { MANY = 20000 };
    AUTO_BUF issuer = fixture_name("CN=I");
    struct crl_params params =
        params_for(buf_bytes(&issuer), (struct signature_algorithm){ true, DIGEST_SHA256 });
    struct crl_builder builder;
    AUTO_BUF tbs = { 0 };
    crl_begin(&builder, &params);
    for (uint32_t i = 0; i < MANY; i++) {
        const uint8_t serial[4] = { 1, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
        crl_add(&builder, &(struct crl_entry){ BYTES_ARR(serial), FIXTURE_NOW + i,
                                               i % 7 == 0 ? CRL_SUPERSEDED : CRL_UNSPECIFIED });
    }
    crl_end(&builder, &tbs);
    struct crl crl;
    struct why why = { 0 };
    ASSERT_OK(crl_tbs_parse(buf_bytes(&tbs), &crl, &why), &why);
    struct der_reader entries = der_reader_over(crl.entries);
    struct crl_entry entry;
    uint32_t count = 0;
    for (; crl_next(&entries, &entry); count++) {
        assert_true(entry.revoked_at == FIXTURE_NOW + count);
        assert_int_equal(entry.serial.data[2] << 8 | entry.serial.data[3], count & 0xFFFF);
    }
    assert_int_equal(count, MANY);
}

/* --- malformed lists ------------------------------------------------------------------------------------------------ */
#define AKI    "300c0603551d2304053003800161"
#define NUMBER "300a0603551d140403020105"
struct parts {
    const char *version, *algorithm, *issuer, *times, *entries, *extensions;
};
static const struct parts good_parts = { "020101",
                                         "300a06082a8648ce3d040302",
                                         "300c310a300806035504030c0149",
                                         "170d3236303130313030303030305a170d3236303130323030303030305a",
                                         "",
                                         AKI NUMBER };

static enum err parse_parts(const struct parts *parts, bool with_extensions, struct why *why)
{
    AUTO_BUF tbs = { 0 };
    const char *const all[] = { parts->version, parts->algorithm, parts->issuer, parts->times,
                                parts->entries };
    size_t mark = der_begin(&tbs, DER_SEQUENCE);
    for (size_t i = 0; i < 5; i++) {
        AUTO_BUF part = fixture_hex(all[i]);
        buf_append(&tbs, buf_bytes(&part));
    }
    if (with_extensions) {
        AUTO_BUF part = fixture_hex(parts->extensions);
        size_t tagged = der_begin(&tbs, DER_CONTEXT_CONSTRUCTED(0));
        der_put(&tbs, DER_SEQUENCE, buf_bytes(&part));
        der_end(&tbs, tagged);
    }
    der_end(&tbs, mark);
    struct crl crl;
    return crl_tbs_parse(buf_bytes(&tbs), &crl, why);
}

static const struct {
    size_t part;
    const char *hex;
    enum err err;
} bad_fields[] = {
    { 0, "", ERR_MALFORMED }, /* version 1 */
    { 0, "020100", ERR_MALFORMED },
    { 1, "300506032b6570", ERR_BAD_ALG },
    { 1, "3000", ERR_MALFORMED },
    { 2, "3000", ERR_MALFORMED }, /* issuer empty */
    { 2, "30023100", ERR_MALFORMED },
    { 2, "3100", ERR_MALFORMED },
    { 3, "170d3236303130313030303030305a", ERR_MALFORMED },                               /* no nextUpdate */
    { 3, "170d3236303130313030303030305a170d3236303130313030303030305a", ERR_MALFORMED }, /* both the same */
    { 3,
      "1711323630313031303030303030"
      "2b30303030170d3236303130323030303030305a",
      ERR_MALFORMED },
    { 4, "3000", ERR_MALFORMED }, /* empty list */
    { 4, "0500", ERR_MALFORMED },
    { 4, "30023000", ERR_MALFORMED },
    { 4, "30053003020101", ERR_MALFORMED },                                   /* entry without time */
    { 4, "301430120201ff170d3236303130313030303030305a", ERR_MALFORMED },     /* negative serial */
    { 4, "30163014020101170d3236303130313030303030305a3000", ERR_MALFORMED }, /* empty extensions */
    { 4, "30163014020101170d3236303130313030303030305a0500", ERR_MALFORMED },
    { 4,
      "3022"
      "3020"
      "020101170d3236303130313030303030305a"
      "300c300a0603551d1504030a0107",
      ERR_MALFORMED },
    { 4,
      "3022"
      "3020"
      "020101170d3236303130313030303030305a"
      "300c300a0603551d1504030a010b",
      ERR_MALFORMED },
    { 4,
      "3022"
      "3020"
      "020101170d3236303130313030303030305a"
      "300c300a0603551d150403020101",
      ERR_MALFORMED },
    { 4,
      "3025"
      "3023"
      "020101170d3236303130313030303030305a"
      "300f300d0603551d150101ff04030a0101",
      ERR_MALFORMED },
    { 5, AKI, ERR_MALFORMED },    /* no number */
    { 5, NUMBER, ERR_MALFORMED }, /* no AKI */
    { 5, AKI NUMBER NUMBER, ERR_MALFORMED },
    { 5, AKI "300a0603551d1404030201ff", ERR_MALFORMED },                 /* negative number */
    { 5, AKI "30120603551d14040b0209010000000000000000", ERR_MALFORMED }, /* past 2^63 */
    { 5, "30090603551d2304023000" NUMBER, ERR_MALFORMED },
    { 5, AKI NUMBER "300a0603551d1b0403020101", ERR_MALFORMED },       /* a delta, not critical */
    { 5, AKI NUMBER "300d0603551d1b0101ff0403020106", ERR_MALFORMED }, /* based on a later one */
    { 5, AKI NUMBER "300d0603551d1b0101ff04030201ff", ERR_MALFORMED },
    { 5, AKI NUMBER "300d0603551d1b0101ff0403010101", ERR_MALFORMED },
    { 4,
      "3022"
      "3020"
      "020101170d3236303130313030303030305a"
      "300c300a0603551d1504030a0108",
      ERR_MALFORMED },                                               /* removeFromCRL, but no delta */
    { 5, AKI NUMBER "300c0603551d1c0101ff04023000", ERR_MALFORMED }, /* an IDP that says nothing */
    { 5, AKI NUMBER "30120603551d1c040b3009a007a0058603613a2f", ERR_MALFORMED }, /* not critical */
    { 5, AKI NUMBER "300f0603551d1c0101ff040530038101ff", ERR_MALFORMED },       /* users' alone */
    { 5, AKI NUMBER "30180603551d1c0101ff040e300ca007a0058603613a2f8101ff", ERR_MALFORMED }, /* and a place */
    { 5, AKI NUMBER "30100603551d1c0101ff04063004a002a000", ERR_MALFORMED },                 /* no name */
    { 5, AKI NUMBER "30150603551d1c0101ff040b3009a007a0058203613a2f", ERR_MALFORMED },       /* no URL */
};

TEST(fields_that_are_not_as_rfc_5280_has_them_are_refused)
{
    struct why why = { 0 };
    ASSERT_OK(parse_parts(&good_parts, true, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, parse_parts(&good_parts, false, &why), &why);
    for (size_t i = 0; i < sizeof(bad_fields) / sizeof(*bad_fields); i++) {
        struct parts parts = good_parts;
        const char **all[] = { &parts.version, &parts.algorithm, &parts.issuer,
                               &parts.times,   &parts.entries,   &parts.extensions };
        *all[bad_fields[i].part] = bad_fields[i].hex;
        enum err err = parse_parts(&parts, true, &why);
        if (err != bad_fields[i].err)
            fail_msg("row %zu gave %s: %s", i, err_row(err)->name, why.text);
    }
}

TEST(entries_may_carry_what_says_nothing_to_us)
{
    struct parts parts = good_parts;
    struct why why = { 0 };
    parts.entries = "30143012020101170d3236303130313030303030305a";
    ASSERT_OK(parse_parts(&parts, true, &why), &why);
    /* invalidityDate */
    parts.entries = "3030302e020101170d3236303130313030303030305a"
                    "301a30180603551d180411180f32303236303130313030303030305a";
    ASSERT_OK(parse_parts(&parts, true, &why), &why);
    /* unspecified, written out: SHOULD NOT, so other CAs may */
    parts.entries = "30223020020101170d3236303130313030303030305a"
                    "300c300a0603551d1504030a0100";
    ASSERT_OK(parse_parts(&parts, true, &why), &why);
    parts.extensions = AKI NUMBER "300706022a03040105"; /* an unknown extension that is not critical */
    ASSERT_OK(parse_parts(&parts, true, &why), &why);
    parts.extensions = AKI NUMBER "300d0603551d1b0101ff0403020105"; /* a delta, based on its own number */
    ASSERT_OK(parse_parts(&parts, true, &why), &why);
    parts.extensions = AKI NUMBER "30150603551d1c0101ff040b3009a007a0058603613a2f"; /* a partition, "a:/" */
    ASSERT_OK(parse_parts(&parts, true, &why), &why);
}

TEST(every_byte_is_consumed_and_the_signature_counts)
{
    AUTO(key) key = fixture_key(KEY_EC_P256);
    AUTO(key) other = fixture_key(KEY_EC_P256);
    AUTO_BUF issuer = fixture_name("CN=I");
    struct crl_params params = params_for(buf_bytes(&issuer), key_signature_algorithm(key));
    AUTO_BUF tbs = build(&params, all_reasons, 3), der = fixture_sign(buf_bytes(&tbs), key), mixed = { 0 };
    struct why why = { 0 };
    struct crl crl;
    for (size_t len = 0; len < der.len; len++)
        if (crl_parse(bytes_of(der.data, len), &crl, &why) == OK)
            fail_msg("%zu of %zu octets were taken", len, der.len);
    ASSERT_OK(crl_parse(buf_bytes(&der), &crl, &why), &why);
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, crl_verify(&crl, other->public_half, &why), &why);
    signed_assemble(crl.tbs, (struct signature_algorithm){ false, DIGEST_SHA512 }, crl.signature, &mixed);
    ASSERT_ERR(ERR_MALFORMED, crl_parse(buf_bytes(&mixed), &crl, &why), &why);
    buf_append_byte(&der, 0);
    ASSERT_ERR(ERR_MALFORMED, crl_parse(buf_bytes(&der), &crl, &why), &why);
}

TEST(reasons_have_names)
{
    enum crl_reason reason;
    assert_true(crl_reason_by_name("KEYCOMPROMISE", &reason));
    assert_int_equal(reason, CRL_KEY_COMPROMISE);
    assert_false(crl_reason_by_name("", &reason));
    assert_false(crl_reason_by_name("7", &reason));
    assert_string_equal(crl_reason_name(CRL_CERTIFICATE_HOLD), "certificateHold");
    assert_null(crl_reason_name((enum crl_reason)7));
    assert_null(crl_reason_name((enum crl_reason)11));
}

RUN(T(what_is_built_is_read_again), T(entries_are_written_byte_for_byte_as_planned),
    T(an_empty_crl_has_no_list), T(a_delta_names_its_base_and_a_full_crl_where_its_deltas_are),
    T(the_crl_of_a_partition_names_its_place), T(a_large_list_is_whole),
    T(fields_that_are_not_as_rfc_5280_has_them_are_refused), T(entries_may_carry_what_says_nothing_to_us),
    T(every_byte_is_consumed_and_the_signature_counts), T(reasons_have_names))
