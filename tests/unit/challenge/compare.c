/* SPDX-License-Identifier: Apache-2.0 */
/* Phase 3: one challenge, and a request that differs from it in one thing. */
#include "tests/unit/challenge/fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
/* What a device asks for. */
struct wish {
    struct bytes subject, san, eku;
    uint16_t key_usage;
    bool no_key_usage;
    const struct key *key;
};

static struct buf wish_csr(const struct wish *wish)
{
    struct why why;
    struct buf der = { 0 };
    AUTO_BUF extensions = { 0 };
    if (!wish->no_key_usage)
        extension_put_key_usage(&extensions, wish->key_usage);
    if (wish->eku.len) {
        AUTO_BUF value = { 0 };
        der_put(&value, DER_SEQUENCE, wish->eku);
        extension_put(&extensions, OID_EXT_EKU, false, buf_bytes(&value));
    }
    if (wish->san.len)
        extension_put_san(&extensions, wish->san, false);
    const struct csr_params params = { .subject = wish->subject, .extensions = buf_bytes(&extensions) };
    ASSERT_OK(csr_make(&params, wish->key, &der, &why), &why);
    return der;
}

/* Challenge against such a request, made and parsed anew. */
static enum err compare_wish(const struct challenge *challenge, const struct wish *wish, struct why *why)
{
    struct csr csr;
    AUTO_BUF der = wish_csr(wish);
    AUTO(public_key) key = NULL;
    TRY(csr_parse(buf_bytes(&der), &csr, why));
    TRY(public_key_parse(csr.spki, &key, why));
    return challenge_compare(challenge, &csr, key, why);
}

static struct why why;
static struct site site;
static struct key *rsa_2048, *rsa_2048_other, *rsa_3072, *p256, *p256_other, *p384;
static struct wish good;

static int make(void **state)
{
    (void)state;
    site_init(&site);
    rsa_2048 = evp_key_rsa(2048);
    rsa_2048_other = evp_key_rsa(2048);
    rsa_3072 = evp_key_rsa(3072);
    p256 = evp_key_ec("P-256");
    p256_other = evp_key_ec("P-256");
    p384 = evp_key_ec("P-384");
    good = (struct wish){ .subject = buf_bytes(&site.subject),
                          .san = buf_bytes(&site.san),
                          .eku = buf_bytes(&site.eku),
                          .key_usage = site.challenge.expects.key_usage,
                          .key = rsa_2048 };
    return 0;
}

static int drop(void **state)
{
    (void)state;
    struct key *const keys[] = { rsa_2048, rsa_2048_other, rsa_3072, p256, p256_other, p384 };
    for (size_t i = 0; i < COUNT(keys); i++)
        key_free(keys[i]);
    site_free(&site);
    return 0;
}

static void says(const char *wanted)
{
    if (!strstr(why.text, wanted))
        fail_msg("\"%s\" does not say \"%s\"", why.text, wanted);
}

TEST(a_request_for_exactly_this_passes)
{
    ASSERT_OK(compare_wish(&site.challenge, &good, &why), &why);
}

/* --- subject --- */

static void expect_subject(enum err err, const char *subject, const char *sentence)
{
    struct wish wish = good;
    AUTO_BUF name = name_der(subject);
    wish.subject = buf_bytes(&name);
    ASSERT_ERR(err, compare_wish(&site.challenge, &wish, &why), &why);
    if (err != OK)
        says(sentence);
}

TEST(each_change_of_the_subject_is_refused_with_both_values)
{
    static const struct {
        const char *subject, *sentence;
    } rows[] = {
        { "CN=device-2,OU=Sales+OU=West,O=Example",
          "CSR <CN=device-2> and challenge <CN=device-1> do not match (RDN 1)" },
        { "CN=Device-1,OU=Sales+OU=West,O=Example", "CSR <CN=Device-1>" },
        { "CN=device-1,OU=Sales+OU=East,O=Example",
          "<OU=East+OU=Sales> and challenge <OU=West+OU=Sales> do not match (RDN 2)" },
        { "CN=device-1,OU=Sales+OU=West,O=Example.",
          "CSR <O=Example.> and challenge <O=Example> do not match (RDN 3)" },
        { "UID=device-1,OU=Sales+OU=West,O=Example", "CSR <UID=device-1> and challenge <CN=device-1>" },
        { "OU=Sales+OU=West,O=Example", "and challenge <CN=device-1> do not match (RDN 1)" },
        { "CN=device-1,O=Example", "CSR <O=Example> and challenge <OU=West+OU=Sales> do not match (RDN 2)" },
        { "CN=device-1,OU=Sales+OU=West", "CSR <> and challenge <O=Example> do not match (RDN 3)" },
        { "CN=device-1,OU=Sales+OU=West,O=Example,C=CH", "CSR <C=CH> and challenge <> do not match (RDN 4)" },
        { "CN=device-1,CN=device-1,OU=Sales+OU=West,O=Example", "(RDN 2)" },
        { "O=Example,OU=Sales+OU=West,CN=device-1", "CSR <O=Example> and challenge <CN=device-1>" },
        { "CN=device-1,OU=Sales,OU=West,O=Example", "CSR <OU=Sales> and challenge <OU=West+OU=Sales>" },
        { "CN=device-1,OU=Sales+OU=West+OU=North,O=Example", "(RDN 2)" },
        { "CN=device-1,OU=Sales+OU=Sales,O=Example", "(RDN 2)" },
        { "CN=device-1,OU=Sales,O=Example",
          "CSR <OU=Sales> and challenge <OU=West+OU=Sales> do not match (RDN 2)" },
        { "CN=device-1+OU=Sales+OU=West,O=Example", "(RDN 1)" },
        { "CN=d\xC3\xA9vice-1,OU=Sales+OU=West,O=Example", "CSR <CN=d\xC3\xA9vice-1>" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_subject(ERR_SUBJECT_MISMATCH, rows[i].subject, rows[i].sentence);
}

TEST(spaces_are_folded_and_an_rdn_has_no_order)
{
    expect_subject(OK, "CN=\\ device-1,OU=West+OU=Sales,O=Example\\ ", NULL);
    expect_subject(ERR_SUBJECT_MISMATCH, "CN=device -1,OU=West+OU=Sales,O=Example", "CSR <CN=device -1>");
}

TEST(a_subject_in_other_string_types_is_the_same)
{
    static const uint8_t bmp[] = { 0, 'd', 0, 'e', 0, 'v', 0xE4, 0x01 };
    AUTO_BUF expected = name_der("CN=dev\xEE\x90\x81"), got = { 0 };
    size_t name = der_begin(&got, DER_SEQUENCE), set = der_begin(&got, DER_SET),
           pair = der_begin(&got, DER_SEQUENCE);
    der_put_oid(&got, oid_bytes(OID_CN));
    der_put(&got, DER_BMP_STRING, BYTES_ARR(bmp));
    der_end(&got, pair);
    der_end(&got, set);
    der_end(&got, name);
    struct challenge challenge = site.challenge;
    struct wish wish = good;
    challenge.expects.subject = buf_bytes(&expected);
    wish.subject = buf_bytes(&got);
    ASSERT_OK(compare_wish(&challenge, &wish, &why), &why);
    got.data[got.len - 1]++;
    ASSERT_ERR(ERR_SUBJECT_MISMATCH, compare_wish(&challenge, &wish, &why), &why);
}

TEST(a_missing_subject_has_its_own_error)
{
    expect_subject(ERR_SUBJECT_MISSING, "", "challenge <CN=device-1,OU=West+OU=Sales,O=Example>");
}

TEST(no_subject_is_expected_only_where_there_is_none)
{
    struct challenge challenge = site.challenge;
    struct wish wish = good;
    challenge.expects.subject = wish.subject = BYTES_LIT("\x30\x00");
    ASSERT_OK(compare_wish(&challenge, &wish, &why), &why);
    wish.subject = buf_bytes(&site.subject);
    ASSERT_ERR(ERR_SUBJECT_MISMATCH, compare_wish(&challenge, &wish, &why), &why);
    says("CSR <CN=device-1> and challenge <>");
}

TEST(a_long_value_is_shown_from_where_it_differs)
{
    char expected[900], got[900];
    memset(expected, 'x', sizeof(expected));
    memcpy(expected, "CN=", 3);
    expected[sizeof(expected) - 1] = '\0';
    memcpy(got, expected, sizeof(got));
    memcpy(got + 700, "here", 4);
    AUTO_BUF wanted = name_der(expected), found = name_der(got);
    struct challenge challenge = site.challenge;
    struct wish wish = good;
    challenge.expects.subject = buf_bytes(&wanted);
    wish.subject = buf_bytes(&found);
    ASSERT_ERR(ERR_SUBJECT_MISMATCH, compare_wish(&challenge, &wish, &why), &why);
    says("CSR <...xxxxxxxxxxxxxxxxxxxxxxxxherexxxx");
    says("challenge <...xxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    says("...> do not match (RDN 1)");
}

TEST(what_a_device_sends_cannot_forge_a_line)
{
    expect_subject(ERR_SUBJECT_MISMATCH,
                   "CN=a\xE2\x80\xAE"
                   "b\\> and challenge \\<CN=device-1",
                   "CSR <CN=a\\xE2\\x80\\xAEb\\> and");
}

/* --- subject alternative names --- */

static void expect_san(enum err err, const char *names, const char *sentence)
{
    struct wish wish = good;
    AUTO_BUF san = san_der(names);
    wish.san = buf_bytes(&san);
    ASSERT_ERR(err, compare_wish(&site.challenge, &wish, &why), &why);
    if (err != OK)
        says(sentence);
}

TEST(each_change_of_the_alternative_names_is_refused_with_what_differs)
{
    expect_san(ERR_SAN_MISSING, "", "is missing, challenge <dns:device-1.example, upn:anna@example.org>");
    static const struct {
        const char *names, *sentence;
    } rows[] = {
        { "dns:device-1.example", "only CSR <>, only challenge <upn:anna@example.org>" },
        { "upn:anna@example.org", "only CSR <>, only challenge <dns:device-1.example>" },
        { "dns:device-2.example upn:anna@example.org",
          "only CSR <dns:device-2.example>, only challenge <dns:device-1.example>" },
        { "dns:device-1.example upn:Anna@example.org", "only CSR <upn:Anna@example.org>" },
        { "dns:DEVICE-1.example upn:anna@example.org", "only CSR <dns:DEVICE-1.example>" },
        { "uri:dns:device-1.example upn:anna@example.org", "only CSR <uri:dns:device-1.example>" },
        { "dns:device-1.example email:anna@example.org",
          "only CSR <email:anna@example.org>, only challenge <upn:anna@example.org>" },
        { "dns:device-1.example upn:anna@example.org dns:a.example",
          "only CSR <dns:a.example>, only challenge <>" },
        { "dns:device-1.example upn:anna@example.org upn:ben@example.org", "only CSR <upn:ben@example.org>" },
        { "dns:device-1.example upn:anna@example.org email:a@b.example", "only CSR <email:a@b.example>" },
        { "dns:device-1.example upn:anna@example.org uri:urn:x:y", "only CSR <uri:urn:x:y>" },
        { "dns:device-1.example upn:anna@example.org ip:192.0.2.7", "only CSR <ip:192.0.2.7>" },
        { "dns:device-1.example upn:anna@example.org ip:2001:db8::7", "only CSR <ip:2001:db8::7>" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_san(ERR_SAN_MISMATCH, rows[i].names, rows[i].sentence);
}

TEST(alternative_names_are_a_set)
{
    expect_san(OK, "upn:anna@example.org dns:device-1.example", NULL);
    expect_san(OK, "upn:anna@example.org dns:device-1.example upn:anna@example.org", NULL);
}

TEST(alternative_names_that_nobody_expects_are_refused)
{
    struct challenge challenge = site.challenge;
    struct wish wish = good;
    challenge.expects.san = BYTES_NONE;
    ASSERT_ERR(ERR_SAN_MISMATCH, compare_wish(&challenge, &wish, &why), &why);
    says("only CSR <dns:device-1.example, upn:anna@example.org>, only challenge <>");
    wish.san = BYTES_NONE;
    ASSERT_OK(compare_wish(&challenge, &wish, &why), &why);
}

/* --- usages --- */

static void expect_eku(enum err err, const char *names, const char *sentence)
{
    struct wish wish = good;
    AUTO_BUF eku = eku_der(names);
    wish.eku = buf_bytes(&eku);
    AUTO_BUF expected = eku_der("clientAuth emailProtection");
    struct challenge challenge = site.challenge;
    challenge.expects.eku = buf_bytes(&expected);
    ASSERT_ERR(err, compare_wish(&challenge, &wish, &why), &why);
    if (err != OK)
        says(sentence);
}

TEST(each_change_of_the_extended_key_usage_is_refused)
{
    expect_eku(OK, "clientAuth emailProtection", NULL);
    expect_eku(OK, "emailProtection clientAuth", NULL);
    expect_eku(ERR_EKU_MISMATCH, "clientAuth", "only CSR <>, only challenge <1.3.6.1.5.5.7.3.4>");
    expect_eku(ERR_EKU_MISMATCH, "clientAuth emailProtection serverAuth",
               "only CSR <1.3.6.1.5.5.7.3.1>, only challenge <>");
    expect_eku(ERR_EKU_MISMATCH, "clientAuth emailProtection anyExtendedKeyUsage", "only CSR <2.5.29.37.0>");
    expect_eku(ERR_EKU_MISMATCH, "clientAuth serverAuth",
               "only CSR <1.3.6.1.5.5.7.3.1>, only challenge <1.3.6.1.5.5.7.3.4>");
    expect_eku(ERR_EKU_MISMATCH, "anyExtendedKeyUsage", "<2.5.29.37.0>");
    struct wish wish = good;
    wish.eku = BYTES_NONE;
    ASSERT_ERR(ERR_EKU_MISSING, compare_wish(&site.challenge, &wish, &why), &why);
    says("is missing, challenge <1.3.6.1.5.5.7.3.2>");
}

TEST(each_bit_of_the_key_usage_counts)
{
    struct wish wish = good;
    for (int bit = 0; bit < 9; bit++) {
        wish.key_usage = good.key_usage ^ (uint16_t)(1 << bit);
        ASSERT_ERR(ERR_KEY_USAGE_MISMATCH, compare_wish(&site.challenge, &wish, &why), &why);
    }
    wish.key_usage = KU_DIGITAL_SIGNATURE;
    ASSERT_ERR(ERR_KEY_USAGE_MISMATCH, compare_wish(&site.challenge, &wish, &why), &why);
    says("Key Usage in CSR <digitalSignature> and challenge <digitalSignature,keyEncipherment> do not match");
    wish = good;
    wish.no_key_usage = true;
    ASSERT_ERR(ERR_KEY_USAGE_MISMATCH, compare_wish(&site.challenge, &wish, &why), &why);
    says("CSR <> and challenge <digitalSignature,keyEncipherment>");
}

/* --- the key --- */

TEST(the_key_is_of_the_kind_and_length_expected)
{
    struct wish wish = good;
    wish.key = rsa_3072;
    ASSERT_ERR(ERR_KEY_LENGTH_MISMATCH, compare_wish(&site.challenge, &wish, &why), &why);
    says("Key in CSR <RSA 3072> and challenge <RSA 2048> do not match");
    wish.key = p256;
    ASSERT_ERR(ERR_KEY_LENGTH_MISMATCH, compare_wish(&site.challenge, &wish, &why), &why);
    says("Key in CSR <P-256> and challenge <RSA 2048>");
    struct challenge challenge = site.challenge;
    challenge.expects.key_kind = KEY_EC_P256;
    challenge.expects.rsa_bits = 0;
    ASSERT_OK(compare_wish(&challenge, &wish, &why), &why);
    wish.key = p384;
    ASSERT_ERR(ERR_KEY_LENGTH_MISMATCH, compare_wish(&challenge, &wish, &why), &why);
    says("Key in CSR <P-384> and challenge <P-256>");
    wish.key = rsa_2048;
    ASSERT_ERR(ERR_KEY_LENGTH_MISMATCH, compare_wish(&challenge, &wish, &why), &why);
}

static void bind(struct challenge *challenge, const struct key *key)
{
    struct bytes spki = public_key_spki(key->public_half);
    challenge->expects.is_bound = true;
    ASSERT_OK(sha256_parts(&spki, 1, challenge->expects.key_digest, &why), &why);
}

TEST(a_registered_key_is_the_only_one)
{
    struct challenge challenge = site.challenge;
    struct wish wish = good;
    bind(&challenge, rsa_2048);
    ASSERT_OK(compare_wish(&challenge, &wish, &why), &why);
    wish.key = rsa_2048_other;
    ASSERT_ERR(ERR_REGISTERED_KEY, compare_wish(&challenge, &wish, &why), &why);
    says("SHA-256");
    ASSERT_OK(compare_wish(&site.challenge, &wish, &why), &why); /* where none is registered */
    challenge.expects.key_kind = KEY_EC_P256;
    challenge.expects.rsa_bits = 0;
    bind(&challenge, p256);
    wish.key = p256_other;
    ASSERT_ERR(ERR_REGISTERED_KEY, compare_wish(&challenge, &wish, &why), &why);
    wish.key = p256;
    ASSERT_OK(compare_wish(&challenge, &wish, &why), &why);
}

TEST(a_key_that_is_not_the_requests_is_our_own_fault)
{
    const struct csr csr = { .spki = public_key_spki(p256->public_half) };
    ASSERT_ERR(ERR_INTERNAL, challenge_compare(&site.challenge, &csr, p256_other->public_half, &why), &why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_request_for_exactly_this_passes),
        T(each_change_of_the_subject_is_refused_with_both_values),
        T(spaces_are_folded_and_an_rdn_has_no_order),
        T(a_subject_in_other_string_types_is_the_same),
        T(a_missing_subject_has_its_own_error),
        T(no_subject_is_expected_only_where_there_is_none),
        T(a_long_value_is_shown_from_where_it_differs),
        T(what_a_device_sends_cannot_forge_a_line),
        T(each_change_of_the_alternative_names_is_refused_with_what_differs),
        T(alternative_names_are_a_set),
        T(alternative_names_that_nobody_expects_are_refused),
        T(each_change_of_the_extended_key_usage_is_refused),
        T(each_bit_of_the_key_usage_counts),
        T(the_key_is_of_the_kind_and_length_expected),
        T(a_registered_key_is_the_only_one),
        T(a_key_that_is_not_the_requests_is_our_own_fault),
    };
    TEST_FILTER();
    return cmocka_run_group_tests(tests, make, drop);
}
