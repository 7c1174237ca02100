/* SPDX-License-Identifier: Apache-2.0 */
/* Each limit of the signer, at its bound and past it, whatever a captured ca asks. */
#include "tests/unit/signer/helper.h"
#include "x509/partition.h"

#include "signer/journal.h"

static int count;
static enum err count_entry(void *arg, uint64_t offset, const struct journal_entry *entry, struct why *why)
{
    (void)arg, (void)offset, (void)entry, (void)why;
    count++;
    return OK;
}

static int journalled(const struct site *site)
{
    struct why why;
    uint64_t torn;
    AUTO_STR path = site_file(site, "journal");
    count = 0;
    ASSERT_OK(journal_each(path, count_entry, NULL, &torn, &why), &why);
    assert_int_equal(torn, 0);
    return count;
}

static void accepted(const struct site *site, struct leaf *leaf)
{
    struct why why;
    AUTO_BUF tbs = { 0 };
    AUTO_BUF der = { 0 };
    struct cert cert;
    int before = journalled(site);
    leaf_tbs(leaf, &tbs);
    ASSERT_OK(seal_cert(site, buf_bytes(&tbs), &der, &why), &why);
    ASSERT_OK(cert_parse(buf_bytes(&der), &cert, &why), &why);
    ASSERT_OK(cert_verify(&cert, site->ca_key->public_half, &why), &why);
    ASSERT_BYTES(cert.tbs, buf_bytes(&tbs));
    assert_int_equal(journalled(site), before + 1);
}

/* The sentence must name the rule; nothing may be sealed or journalled. */
static void tbs_refused(const struct site *site, struct bytes tbs, enum err err, const char *part)
{
    struct why why = { 0 };
    AUTO_BUF der = { 0 };
    int before = journalled(site);
    ASSERT_ERR(err, seal_cert(site, tbs, &der, &why), &why);
    if (!strstr(why.text, part))
        fail_msg("\"%s\" lacks \"%s\"", why.text, part);
    assert_null(der.data);
    assert_int_equal(journalled(site), before);
}

static void refused(const struct site *site, struct leaf *leaf, const char *part)
{
    AUTO_BUF tbs = { 0 };
    leaf_tbs(leaf, &tbs);
    tbs_refused(site, buf_bytes(&tbs), ERR_SIGNER_LIMIT, part);
}

/* By our clock, so for now only: a device is told to come again. */
static void refused_by_the_clock(const struct site *site, struct leaf *leaf, const char *part)
{
    AUTO_BUF tbs = { 0 };
    leaf_tbs(leaf, &tbs);
    tbs_refused(site, buf_bytes(&tbs), ERR_UNAVAILABLE, part);
}

TEST(a_good_certificate_is_sealed)
{
    struct site site;
    struct leaf leaf;
    site_make(&site);
    site_open(&site);
    leaf_make(&site, &leaf);
    accepted(&site, &leaf);
    site_close(&site);
}

TEST(the_issuer_is_the_ca_byte_for_byte)
{
    struct site site;
    struct leaf leaf;
    struct why why;
    AUTO_BUF other = { 0 };
    AUTO_BUF order = { 0 };
    site_make(&site);
    site_open(&site);
    ASSERT_OK(name_from_text("CN=Issuing CA,O=Another", &other, &why), &why);
    ASSERT_OK(name_from_text("O=Example,CN=Issuing CA", &order, &why), &why);
    leaf_make(&site, &leaf);
    leaf.params.issuer = buf_bytes(&other);
    refused(&site, &leaf,
            "issuer is \"CN=Issuing CA,O=Another\", must be the CA's subject \"CN=Issuing CA,O=Example\"");
    leaf_make(&site, &leaf);
    leaf.params.issuer = buf_bytes(&order);
    refused(&site, &leaf, "issuer is \"O=Example,CN=Issuing CA\"");
    site_close(&site);
}

TEST(the_authority_key_identifier_is_the_cas)
{
    struct site site;
    struct leaf leaf;
    site_make(&site);
    site_open(&site);
    leaf_make(&site, &leaf);
    leaf.params.issuer_key_id = BYTES_LIT("01234567890123456789");
    refused(&site, &leaf,
            "authorityKeyIdentifier is 3031323334353637383930313233343536373839, must be the CA's");
    site_close(&site);
}

TEST(the_algorithm_is_the_keys)
{
    struct site site;
    struct leaf leaf;
    site_make(&site);
    site_open(&site);
    leaf_make(&site, &leaf);
    leaf.params.algorithm.digest = DIGEST_SHA384;
    refused(&site, &leaf,
            "signature algorithm is ECDSA with SHA-384, must be the CA key's ECDSA with SHA-256");
    leaf_make(&site, &leaf);
    leaf.params.algorithm.rsa = true;
    refused(&site, &leaf, "signature algorithm is RSA with SHA-256");
    site_close(&site);
}

TEST(nothing_that_could_issue_is_sealed)
{
    struct site site;
    struct leaf leaf;
    site_make(&site);
    site_open(&site);
    leaf_make(&site, &leaf);
    leaf.params.is_ca = true;
    leaf.params.path_len = 0;
    leaf.params.key_usage = KU_KEY_CERT_SIGN;
    refused(&site, &leaf, "basicConstraints has cA TRUE");
    leaf_make(&site, &leaf);
    leaf.params.key_usage = KU_DIGITAL_SIGNATURE | KU_CRL_SIGN;
    refused(&site, &leaf, "keyUsage is digitalSignature,cRLSign, must be without");
    site_close(&site);
}

TEST(purposes_are_among_the_allowed)
{
    struct site site;
    struct leaf leaf;
    AUTO_BUF smart_card = { 0 };
    site_make(&site);
    site_open(&site);
    assert_true(oid_from_dotted("1.3.6.1.4.1.311.20.2.2", &smart_card));
    leaf_make(&site, &leaf);
    leaf.eku[1] = oid_bytes(OID_KP_SERVER_AUTH);
    leaf.eku[2] = oid_bytes(OID_KP_EMAIL_PROTECTION);
    leaf.params.eku_count = 3;
    accepted(&site, &leaf);
    leaf_make(&site, &leaf);
    leaf.eku[1] = oid_bytes(OID_KP_CODE_SIGNING);
    leaf.params.eku_count = 2;
    refused(&site, &leaf, "extKeyUsage has 1.3.6.1.5.5.7.3.3, must be among the 5 of allowed_eku");
    leaf_make(&site, &leaf);
    leaf.eku[0] = oid_bytes(OID_KP_ANY);
    refused(&site, &leaf, "extKeyUsage has 2.5.29.37.0");
    leaf_make(&site, &leaf);
    leaf.params.eku_count = 0;
    refused(&site, &leaf, "extKeyUsage is absent");
    /* allowed by its dotted number, and others no longer */
    signer_free(TAKE(site.signer));
    site_config(&site, "allowed_eku = {\"1.3.6.1.4.1.311.20.2.2\"}");
    site_open(&site);
    leaf_make(&site, &leaf);
    leaf.eku[0] = buf_bytes(&smart_card);
    accepted(&site, &leaf);
    leaf_make(&site, &leaf);
    refused(&site, &leaf, "extKeyUsage has 1.3.6.1.5.5.7.3.2");
    site_close(&site);
}

static void put_application_policy(struct buf *out, struct bytes oid)
{
    AUTO_BUF value = { 0 };
    size_t outer = der_begin(&value, DER_SEQUENCE), inner = der_begin(&value, DER_SEQUENCE);
    der_put_oid(&value, oid);
    der_end(&value, inner);
    der_end(&value, outer);
    extension_put(out, OID_MS_APPLICATION_POLICIES, false, buf_bytes(&value));
}

TEST(application_policies_say_no_more_than_purposes)
{
    struct site site;
    struct leaf leaf;
    AUTO_BUF good = { 0 };
    AUTO_BUF bad = { 0 };
    AUTO_BUF odd = { 0 };
    site_make(&site);
    site_open(&site);
    put_application_policy(&good, oid_bytes(OID_KP_CLIENT_AUTH));
    put_application_policy(&bad, oid_bytes(OID_KP_CODE_SIGNING));
    extension_put(&odd, OID_MS_APPLICATION_POLICIES, false, BYTES_LIT("\x30\x02\x05\x00"));
    leaf_make(&site, &leaf);
    leaf.params.more_extensions = buf_bytes(&good);
    accepted(&site, &leaf);
    leaf_make(&site, &leaf);
    leaf.params.more_extensions = buf_bytes(&bad);
    refused(&site, &leaf, "application policies has 1.3.6.1.5.5.7.3.3");
    leaf_make(&site, &leaf);
    leaf.params.more_extensions = buf_bytes(&odd);
    refused(&site, &leaf, "application policies are malformed");
    site_close(&site);
}

/* The serial's INTEGER in a finished TBS, replaced. */
static void with_serial(const struct site *site, struct bytes content, struct buf *ret_tbs)
{
    AUTO_BUF tbs = { 0 };
    struct der_item item;
    good_tbs(site, &tbs);
    struct der_reader in = der_reader_over(buf_bytes(&tbs)), fields;
    assert_true(der_get_sequence(&in, &fields));
    size_t mark = der_begin(ret_tbs, DER_SEQUENCE);
    for (int i = 0; !der_at_end(&fields); i++) {
        assert_true(der_get_any(&fields, &item));
        if (i == 1)
            der_put(ret_tbs, DER_INTEGER, content);
        else
            der_put_raw(ret_tbs, item.whole);
    }
    der_end(ret_tbs, mark);
}

static enum err seal_serial(const struct site *site, struct bytes content, struct why *why)
{
    AUTO_BUF tbs = { 0 };
    AUTO_BUF der = { 0 };
    with_serial(site, content, &tbs);
    int before = journalled(site);
    enum err err = seal_cert(site, buf_bytes(&tbs), &der, why);
    assert_int_equal(journalled(site), before + (err == OK));
    return err;
}

TEST(serials_are_positive_and_of_sixteen_to_twenty_octets)
{
    struct site site;
    struct why why;
    uint8_t serial[22];
    memset(serial, 0x41, sizeof(serial));
    site_make(&site);
    site_open(&site);
    ASSERT_OK(seal_serial(&site, bytes_of(serial, 16), &why), &why);
    ASSERT_OK(seal_serial(&site, bytes_of(serial, 20), &why), &why);
    assert_int_not_equal(seal_serial(&site, bytes_of(serial, 15), &why), OK);
    assert_int_not_equal(seal_serial(&site, bytes_of(serial, 21), &why), OK);
    assert_int_not_equal(seal_serial(&site, BYTES_LIT("\x00"), &why), OK);
    serial[0] = 0x80; /* negative */
    assert_int_not_equal(seal_serial(&site, bytes_of(serial, 16), &why), OK);
    serial[0] = 0; /* a sign octet does not count as length */
    serial[1] = 0x80;
    assert_int_not_equal(seal_serial(&site, bytes_of(serial, 16), &why), OK);
    ASSERT_OK(seal_serial(&site, bytes_of(serial, 17), &why), &why);
    serial[1] = 0x41; /* not minimal: not DER */
    assert_int_not_equal(seal_serial(&site, bytes_of(serial, 17), &why), OK);
    site_close(&site);
}

TEST(validity_has_a_longest_span)
{
    struct site site;
    struct leaf leaf;
    site_make(&site);
    site_open(&site);
    leaf_make(&site, &leaf);
    leaf.params.not_after = leaf.params.not_before + 100 * DAY + 600;
    accepted(&site, &leaf);
    leaf_make(&site, &leaf);
    leaf.params.not_after = leaf.params.not_before + 100 * DAY + 601;
    refused(&site, &leaf, "validity is 8640601 s, must be at most validity_max + backdate = 8640600 s");
    site_close(&site);
}

TEST(no_certificate_outlives_the_ca)
{
    struct site site;
    struct leaf leaf;
    site_make(&site);
    site_open(&site);
    site.clock.held = NOW + 100 * DAY;
    leaf_make(&site, &leaf);
    leaf.params.not_after = NOW + 150 * DAY;
    accepted(&site, &leaf);
    leaf_make(&site, &leaf);
    leaf.params.not_after = NOW + 150 * DAY + 1;
    refused(&site, &leaf, "notAfter is beyond the CA's own: 2027-02-18T");
    site.clock.held = NOW + 150 * DAY + 1;
    leaf_make(&site, &leaf);
    leaf.params.not_after = NOW + 150 * DAY;
    refused_by_the_clock(&site, &leaf, "the CA's own certificate has expired");
    site_close(&site);
}

TEST(not_before_is_near_now)
{
    struct site site;
    struct leaf leaf;
    site_make(&site);
    site_open(&site);
    leaf_make(&site, &leaf);
    leaf.params.not_before = NOW + 300;
    accepted(&site, &leaf);
    leaf_make(&site, &leaf);
    leaf.params.not_before = NOW + 301;
    refused_by_the_clock(&site, &leaf, "notBefore is in the future");
    leaf_make(&site, &leaf);
    leaf.params.not_before = NOW - 600 - DAY;
    accepted(&site, &leaf);
    leaf_make(&site, &leaf);
    leaf.params.not_before = NOW - 600 - DAY - 1;
    refused_by_the_clock(&site, &leaf, "notBefore is too far back");
    site_close(&site);
}

TEST(what_lint_refuses_is_not_sealed)
{
    struct site site;
    struct leaf leaf;
    AUTO_BUF tbs = { 0 };
    AUTO_BUF critical = { 0 };
    site_make(&site);
    site_open(&site);
    extension_put(&critical, OID_MS_SID, true, BYTES_LIT("\x05\x00"));
    leaf_make(&site, &leaf);
    leaf.params.more_extensions = buf_bytes(&critical);
    leaf_tbs(&leaf, &tbs);
    tbs_refused(&site, buf_bytes(&tbs), ERR_LINT, "is critical");
    site_close(&site);
}

TEST(what_is_no_tbs_is_not_sealed)
{
    struct site site;
    AUTO_BUF tbs = { 0 };
    AUTO_BUF crl = { 0 };
    struct why why;
    site_make(&site);
    site_open(&site);
    good_tbs(&site, &tbs);
    buf_append_byte(&tbs, 0);
    tbs_refused(&site, buf_bytes(&tbs), ERR_MALFORMED, "");
    /* a bare digest, or anything else that would sign */
    tbs_refused(&site, BYTES_LIT("0123456789abcdef0123456789abcdef"), ERR_MALFORMED, "");
    const struct crl_params params = crl_good(&site, 1);
    crl_tbs(&params, &crl);
    tbs_refused(&site, buf_bytes(&crl), ERR_MALFORMED, "");
    AUTO_BUF der = { 0 };
    tbs.len--;
    assert_int_not_equal(seal_kind(&site, SEAL_CRL, buf_bytes(&tbs), &der, &why), OK);
    assert_int_equal(seal_kind(&site, (enum seal_kind)9, buf_bytes(&tbs), &der, &why), ERR_SIGNER_LIMIT);
    const struct seal_request stranger = { BYTES_LIT("other"), SEAL_CERTIFICATE, buf_bytes(&tbs) };
    ASSERT_ERR(ERR_SIGNER_LIMIT, signer_seal(site.signer, &stranger, &der, &why), &why);
    assert_string_equal(why.text, "CA \"other\" is not one of the 1 of this signer");
    site_close(&site);
}

/* A captured ca sends what it likes: whatever is sealed keeps every limit. */
TEST(mutated_tbs_are_refused_or_within_the_limits)
{
    struct site site;
    int sealed = 0;
    site_make(&site);
    site_open(&site);
    srandom(3);
    for (int round = 0; round < 3000; round++) {
        AUTO_BUF tbs = { 0 };
        AUTO_BUF der = { 0 };
        struct cert cert;
        struct why why = { 0 };
        good_tbs(&site, &tbs);
        for (long n = 1 + random() % 2; n; n--)
            tbs.data[random() % (long)tbs.len] = (uint8_t)random();
        if (seal_cert(&site, buf_bytes(&tbs), &der, &why) != OK) {
            assert_true(why.text[0]);
            continue;
        }
        sealed++;
        ASSERT_OK(cert_parse(buf_bytes(&der), &cert, &why), &why);
        assert_false(cert.is_ca || (cert.key_usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)));
        ASSERT_BYTES(cert.issuer, buf_bytes(&site.ca_name));
        ASSERT_BYTES(cert.eku, BYTES_LIT("\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x02"));
        assert_true(cert.not_after <= NOW + 150 * DAY && cert.not_after - cert.not_before <= 100 * DAY + 600);
    }
    assert_int_equal(journalled(&site), sealed);
    site_close(&site);
}

static enum err seal_crl_of(const struct site *site, struct crl_params params, struct why *why)
{
    AUTO_BUF tbs = { 0 };
    AUTO_BUF der = { 0 };
    struct crl crl;
    crl_tbs(&params, &tbs);
    enum seal_kind kind = params.is_delta ? SEAL_DELTA_CRL : SEAL_CRL;
    enum err err = seal_kind(site, kind, buf_bytes(&tbs), &der, why);
    if (err == OK) {
        ASSERT_OK(crl_parse(buf_bytes(&der), &crl, why), why);
        ASSERT_BYTES(crl.tbs, buf_bytes(&tbs));
    }
    return err;
}

TEST(crl_numbers_only_increase)
{
    struct site site;
    struct why why;
    site_make(&site);
    site_open(&site);
    ASSERT_OK(seal_crl_of(&site, crl_good(&site, 5), &why), &why);
    ASSERT_OK(seal_crl_of(&site, crl_good(&site, 6), &why), &why);
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_of(&site, crl_good(&site, 5), &why), &why);
    assert_string_equal(why.text, "cRLNumber is 5, must be greater than the last one, 6");
    struct crl_params other = crl_good(&site, 6);
    other.next_update -= 1;
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_of(&site, other, &why), &why);
    assert_non_null(strstr(why.text, "was sealed before, for another TBS"));
    ASSERT_OK(seal_crl_of(&site, crl_good(&site, 6), &why), &why); /* the very same again */
    assert_int_equal(journalled(&site), 2);
    /* and the journal remembers */
    site_reopen(&site);
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_of(&site, crl_good(&site, 5), &why), &why);
    ASSERT_OK(seal_crl_of(&site, crl_good(&site, 6), &why), &why);
    ASSERT_OK(seal_crl_of(&site, crl_good(&site, INT64_MAX), &why), &why);
    assert_int_equal(journalled(&site), 3);
    site_close(&site);
}

static struct crl_params delta_good(const struct site *site, int64_t base, int64_t number)
{
    struct crl_params params = crl_good(site, number);
    params.is_delta = true;
    params.base_number = base;
    return params;
}

/* RFC 5280 5.2.3: one sequence; a full CRL and a delta that are issued together have the same number. */
TEST(delta_numbers_only_increase_and_keep_to_the_full_ones)
{
    struct site site;
    struct why why;
    site_make(&site);
    site_open(&site);
    ASSERT_OK(seal_crl_of(&site, crl_good(&site, 5), &why), &why);
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_of(&site, delta_good(&site, 4, 4), &why), &why);
    ASSERT_OK(seal_crl_of(&site, delta_good(&site, 5, 5), &why), &why);
    ASSERT_OK(seal_crl_of(&site, delta_good(&site, 5, 5), &why), &why); /* the very same again */
    ASSERT_OK(seal_crl_of(&site, delta_good(&site, 5, 7), &why), &why);
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_of(&site, delta_good(&site, 5, 6), &why), &why);
    assert_non_null(strstr(why.text, "greater than the last delta's, 7"));
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_of(&site, crl_good(&site, 7), &why), &why);
    site_reopen(&site); /* and the journal remembers */
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_of(&site, delta_good(&site, 5, 6), &why), &why);
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_of(&site, crl_good(&site, 7), &why), &why);
    ASSERT_OK(seal_crl_of(&site, crl_good(&site, 8), &why), &why);
    ASSERT_OK(seal_crl_of(&site, delta_good(&site, 5, 8), &why), &why);
    assert_int_equal(journalled(&site), 5);
    site_close(&site);
}

TEST(a_delta_is_based_on_a_full_crl_that_there_is)
{
    struct site site;
    struct why why;
    site_make(&site);
    site_open(&site);
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_of(&site, delta_good(&site, 0, 1), &why), &why);
    ASSERT_OK(seal_crl_of(&site, crl_good(&site, 5), &why), &why);
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_of(&site, delta_good(&site, 6, 6), &why), &why);
    assert_non_null(strstr(why.text, "BaseCRLNumber is 6"));
    assert_int_equal(journalled(&site), 1);
    site_close(&site);
}

/* What is asked for as a full CRL is one: nobody takes what changed for all there is. */
TEST(a_delta_is_sealed_only_as_a_delta)
{
    struct site site;
    struct why why;
    AUTO_BUF full = { 0 }, delta = { 0 }, der = { 0 };
    site_make(&site);
    site_open(&site);
    struct crl_params params = crl_good(&site, 5);
    crl_tbs(&params, &full);
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_kind(&site, SEAL_DELTA_CRL, buf_bytes(&full), &der, &why), &why);
    ASSERT_OK(seal_kind(&site, SEAL_CRL, buf_bytes(&full), &der, &why), &why);
    buf_free(&der);
    params = delta_good(&site, 5, 6);
    crl_tbs(&params, &delta);
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_kind(&site, SEAL_CRL, buf_bytes(&delta), &der, &why), &why);
    ASSERT_OK(seal_kind(&site, SEAL_DELTA_CRL, buf_bytes(&delta), &der, &why), &why);
    site_close(&site);
}

/* --- partitions --- */

#define PARTS "crl_partitions = 4\ncdp_urls = {\"http://ca.example/i-%p.crl\"}"

static struct crl_urls urls_of(unsigned partition)
{
    static const char *const urls[] = { "http://ca.example/i-%p.crl" };
    return crl_partition_urls(&(struct crl_partitions){ 16, urls, 1 }, partition);
}

/* 0: without any. */
static enum err seal_leaf_naming(const struct site *site, unsigned partition, uint8_t serial_end,
                                 struct why *why)
{
    struct leaf leaf;
    AUTO_BUF tbs = { 0 }, der = { 0 };
    AUTO_VAL(crl_urls) urls = urls_of(partition ? partition : 1);
    leaf_make(site, &leaf);
    leaf.serial[SERIAL_BYTES - 1] = serial_end;
    leaf.params.cdp = (const char *const *)urls.list;
    leaf.params.cdp_count = partition ? urls.count : 0;
    leaf_tbs(&leaf, &tbs);
    return seal_cert(site, buf_bytes(&tbs), &der, why);
}

TEST(a_certificate_names_the_crl_of_its_serials_partition)
{
    struct site site;
    struct why why;
    site_make(&site);
    site_config(&site, PARTS);
    site_open(&site);
    ASSERT_OK(seal_leaf_naming(&site, 3, 0xA2, &why), &why);
    ASSERT_OK(seal_leaf_naming(&site, 1, 0xA0, &why), &why);
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_leaf_naming(&site, 2, 0xA2, &why), &why);
    assert_non_null(strstr(why.text, "partition 3 of 4"));
    assert_non_null(strstr(why.text, "http://ca.example/i-3.crl"));
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_leaf_naming(&site, 0, 0xA2, &why), &why);
    assert_int_equal(journalled(&site), 2);
    site_close(&site);
}

static enum err seal_crl_about(const struct site *site, unsigned partition, int64_t number, struct why *why)
{
    AUTO_VAL(crl_urls) urls = urls_of(partition ? partition : 1);
    struct crl_params params = crl_good(site, number);
    params.idp = (const char *const *)urls.list;
    params.idp_count = partition ? urls.count : 0;
    return seal_crl_of(site, params, why);
}

TEST(a_crl_is_about_one_partition_where_there_are_some_and_about_all_where_not)
{
    struct site site;
    struct why why;
    site_make(&site);
    site_open(&site);
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_about(&site, 1, 1, &why), &why);
    assert_non_null(strstr(why.text, "crl_partitions is 1"));
    site_config(&site, PARTS);
    site_reopen(&site);
    ASSERT_OK(seal_crl_about(&site, 4, 1, &why), &why);
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_about(&site, 5, 2, &why), &why);
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_about(&site, 0, 2, &why), &why);
    assert_non_null(strstr(why.text, "none of the 4 partitions"));
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_about(&site, 2, 1, &why), &why); /* one sequence for all of them */
    ASSERT_OK(seal_crl_about(&site, 2, 2, &why), &why);
    ASSERT_OK(seal_crl_about(&site, 2, 2, &why), &why); /* the very same again */
    assert_int_equal(journalled(&site), 2);
    site_close(&site);
}

TEST(crls_keep_the_limits)
{
    struct site site;
    struct why why;
    AUTO_BUF other = { 0 };
    site_make(&site);
    site_open(&site);
    ASSERT_OK(name_from_text("CN=Another CA", &other, &why), &why);
    struct crl_params bad = crl_good(&site, 1);
    bad.issuer = buf_bytes(&other);
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_of(&site, bad, &why), &why);
    bad = crl_good(&site, 1);
    bad.issuer_key_id = BYTES_LIT("01234567890123456789");
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_of(&site, bad, &why), &why);
    bad = crl_good(&site, 1);
    bad.algorithm.digest = DIGEST_SHA512;
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_of(&site, bad, &why), &why);
    bad = crl_good(&site, 1);
    bad.this_update = NOW + 301;
    ASSERT_ERR(ERR_UNAVAILABLE, seal_crl_of(&site, bad, &why), &why);
    assert_non_null(strstr(why.text, "thisUpdate is in the future"));
    bad = crl_good(&site, 1);
    bad.next_update = bad.this_update + (168 + 24) * 3600 + 1;
    ASSERT_ERR(ERR_SIGNER_LIMIT, seal_crl_of(&site, bad, &why), &why);
    assert_non_null(strstr(why.text, "nextUpdate is later than"));
    assert_int_equal(journalled(&site), 0);
    bad.next_update--;
    ASSERT_OK(seal_crl_of(&site, bad, &why), &why);
    site_close(&site);
}

/* thisUpdate does not go back with a clock that was set back a little; and it is then a little ahead. */
TEST(a_crl_may_be_as_far_ahead_as_the_clock_may_step_back)
{
    struct site site;
    struct why why;
    site_make(&site);
    site_open(&site);
    struct crl_params ahead = crl_good(&site, 1);
    ahead.this_update = NOW + 300;
    ASSERT_OK(seal_crl_of(&site, ahead, &why), &why);
    site_close(&site);
}

/* Else a start with a clock years ahead would date the journal so far ahead that nothing is sealed until then. */
TEST(an_expired_ca_seals_no_crl)
{
    struct site site;
    struct why why;
    site_make(&site);
    site_open(&site);
    site.clock.held = NOW + 150 * DAY + 1;
    ASSERT_ERR(ERR_UNAVAILABLE, seal_crl_of(&site, crl_good(&site, 1), &why), &why);
    assert_non_null(strstr(why.text, "expired"));
    assert_int_equal(journalled(&site), 0);
    site.clock.held = NOW;
    ASSERT_OK(seal_crl_of(&site, crl_good(&site, 1), &why), &why);
    site_close(&site);
}

TEST(a_clock_that_went_back_stops_the_signer)
{
    struct site site;
    struct why why;
    AUTO_BUF tbs = { 0 };
    AUTO_BUF der = { 0 };
    site_make(&site);
    site_open(&site);
    good_tbs(&site, &tbs);
    ASSERT_OK(seal_cert(&site, buf_bytes(&tbs), &der, &why), &why);
    site_reopen(&site);
    site.clock.held = NOW - 300;
    struct leaf leaf;
    leaf_make(&site, &leaf);
    accepted(&site, &leaf);
    site.clock.held = NOW - 301;
    leaf_make(&site, &leaf);
    AUTO_BUF late = { 0 };
    ASSERT_OK(tbs_build(&leaf.params, &late, &why), &why);
    /* retryable: devices come again, nothing is lost */
    tbs_refused(
        &site, buf_bytes(&late), ERR_UNAVAILABLE,
        "nothing is sealed before 2026-09-21T14:08:20Z. If the clock is wrong, set it; if it is right");
    ASSERT_ERR(ERR_UNAVAILABLE, signer_clock_check(site.signer, &why), &why);
    assert_non_null(strstr(why.text,
                           "the clock says 2026-09-21T14:08:19Z, and the journal's last entry is of "
                           "2026-09-21T14:13:20Z"));
    assert_non_null(strstr(why.text, "from a backup that is older than that entry"));
    site.clock.held = NOW - 300;
    ASSERT_OK(signer_clock_check(site.signer, &why), &why);
    buf_free(&leaf.subject);
    site_close(&site);
}

RUN(T(a_good_certificate_is_sealed), T(the_issuer_is_the_ca_byte_for_byte),
    T(the_authority_key_identifier_is_the_cas), T(the_algorithm_is_the_keys),
    T(nothing_that_could_issue_is_sealed), T(purposes_are_among_the_allowed),
    T(application_policies_say_no_more_than_purposes),
    T(serials_are_positive_and_of_sixteen_to_twenty_octets), T(validity_has_a_longest_span),
    T(no_certificate_outlives_the_ca), T(not_before_is_near_now), T(what_lint_refuses_is_not_sealed),
    T(what_is_no_tbs_is_not_sealed), T(mutated_tbs_are_refused_or_within_the_limits),
    T(crl_numbers_only_increase), T(delta_numbers_only_increase_and_keep_to_the_full_ones),
    T(a_delta_is_based_on_a_full_crl_that_there_is), T(a_delta_is_sealed_only_as_a_delta),
    T(a_certificate_names_the_crl_of_its_serials_partition),
    T(a_crl_is_about_one_partition_where_there_are_some_and_about_all_where_not), T(crls_keep_the_limits),
    T(a_crl_may_be_as_far_ahead_as_the_clock_may_step_back), T(an_expired_ca_seals_no_crl),
    T(a_clock_that_went_back_stops_the_signer))
