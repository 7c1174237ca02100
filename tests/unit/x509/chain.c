/* SPDX-License-Identifier: Apache-2.0 */
/* Chains put in order, read from certs-only messages, and sealed with their key into PKCS#12. */
#include "tests/unit/x509/fixture.h"

#include "x509/chain.h"
#include "x509/cms_content.h"
#include "x509/pfx.h"
#include <openssl/pkcs12.h>

static struct why why;

/* root > middle > leaf, and another root of the same name as the first but with another key. */
enum { ROOT, MIDDLE, LEAF, OTHER, CERTS };
struct pile {
    struct key *keys[CERTS];
    struct buf ders[CERTS];
    struct cert certs[CERTS];
};

static struct pile *pile;

static void pile_certificate(int which, int issuer, const char *const *names)
{
    AUTO_BUF subject = fixture_name(names[which]);
    AUTO_BUF issuer_name = fixture_name(names[issuer]);
    struct tbs_params params = which == LEAF
                                   ? fixture_leaf(pile->keys[which], BYTES_NONE, buf_bytes(&subject))
                                   : fixture_ca(pile->keys[which], buf_bytes(&subject));
    params.issuer = buf_bytes(&issuer_name);
    if (which == MIDDLE)
        params.issuer_key_id = pile->certs[ROOT].ski;
    pile->ders[which] = fixture_certificate(&params, pile->keys[issuer]);
    ASSERT_OK(cert_parse(buf_bytes(&pile->ders[which]), &pile->certs[which], &why), &why);
}

static int pile_make(void **state)
{
    (void)state;
    static const char *const names[CERTS] = { "CN=Root", "CN=Middle", "CN=leaf", "CN=Root" };
    static const int issuers[CERTS] = { ROOT, ROOT, MIDDLE, OTHER };
    pile = xcalloc(1, sizeof(*pile));
    for (int i = 0; i < CERTS; i++)
        pile->keys[i] = fixture_key(KEY_EC_P256);
    for (int i = 0; i < CERTS; i++)
        pile_certificate(i, issuers[i], names);
    return 0;
}

static int pile_drop(void **state)
{
    (void)state;
    for (int i = 0; i < CERTS; i++) {
        key_free(pile->keys[i]);
        buf_free(&pile->ders[i]);
    }
    free(pile);
    return 0;
}

static void in_order(const char *given, const char *expected)
{
    struct cert certs[CERTS];
    size_t order[CERTS], count = strlen(given), leaf = (size_t)(strchr(given, expected[0]) - given);
    char got[CERTS + 1] = "";
    for (size_t i = 0; i < count; i++)
        certs[i] = pile->certs[given[i] - '0'];
    size_t length = chain_order(certs, count, leaf, order);
    for (size_t i = 0; i < length; i++)
        got[i] = given[order[i]];
    assert_string_equal(got, expected);
}

TEST(a_chain_is_found_in_any_order)
{
    in_order("012", "210");
    in_order("120", "210");
    in_order("21", "21");
    in_order("20", "2");
    in_order("0", "0");
}

TEST(a_name_alone_makes_no_issuer)
{
    in_order("123", "21");
    in_order("3210", "210");
    in_order("30", "3");
}

TEST(a_certs_only_message_is_read_in_its_order)
{
    const struct bytes ders[] = { buf_bytes(&pile->ders[LEAF]), buf_bytes(&pile->ders[ROOT]) };
    AUTO_BUF message = { 0 }, storage = { 0 };
    struct bytes certs[2];
    size_t count = 0;
    ASSERT_OK(cms_certs_encode(ders, 2, &message, &why), &why);
    ASSERT_OK(cms_certs_decode(buf_bytes(&message), &storage, certs, 2, &count, &why), &why);
    assert_int_equal(count, 2);
    ASSERT_BYTES(certs[0], ders[0]);
    ASSERT_BYTES(certs[1], ders[1]);
}

/* What certutil and some CAs add: a [1] of CRLs, empty or not (RFC 5652 5.1). */
TEST(crls_beside_the_certificates_do_not_matter)
{
    const struct bytes leaf = buf_bytes(&pile->ders[LEAF]),
                       crls[] = { BYTES_NONE, buf_bytes(&pile->ders[ROOT]) };
    for (size_t i = 0; i < 2; i++) {
        AUTO_BUF message = { 0 }, storage = { 0 };
        struct bytes certs[1];
        size_t count = 0;
        struct cms_content_marks marks = cms_content_begin(&message, OID_SIGNED_DATA);
        der_put_int64(&message, 1);
        der_put(&message, DER_SET, BYTES_NONE);
        size_t content = der_begin(&message, DER_SEQUENCE);
        der_put_oid(&message, oid_bytes(OID_DATA));
        der_end(&message, content);
        der_put(&message, DER_CONTEXT_CONSTRUCTED(0), leaf);
        der_put(&message, DER_CONTEXT_CONSTRUCTED(1), crls[i]);
        der_put(&message, DER_SET, BYTES_NONE);
        cms_content_end(&message, &marks);
        ASSERT_OK(cms_certs_decode(buf_bytes(&message), &storage, certs, 1, &count, &why), &why);
        assert_int_equal(count, 1);
        ASSERT_BYTES(certs[0], leaf);
    }
}

TEST(other_messages_are_no_certificates)
{
    const struct bytes ders[] = { buf_bytes(&pile->ders[LEAF]), buf_bytes(&pile->ders[ROOT]) };
    AUTO_BUF message = { 0 }, storage = { 0 }, crl = { 0 };
    struct bytes certs[2];
    size_t count;
    ASSERT_OK(cms_certs_encode(ders, 2, &message, &why), &why);
    ASSERT_ERR(ERR_LIMIT, cms_certs_decode(buf_bytes(&message), &storage, certs, 1, &count, &why), &why);
    for (size_t len = 0; len < message.len; len++)
        ASSERT_ERR(ERR_MALFORMED,
                   cms_certs_decode(bytes_of(message.data, len), &storage, certs, 2, &count, &why), &why);
    buf_append_byte(&message, 0);
    ASSERT_ERR(ERR_MALFORMED, cms_certs_decode(buf_bytes(&message), &storage, certs, 2, &count, &why), &why);
    ASSERT_OK(cms_crl_encode(buf_bytes(&pile->ders[ROOT]), &crl, &why), &why); /* any SEQUENCE */
    ASSERT_ERR(ERR_MALFORMED, cms_certs_decode(buf_bytes(&crl), &storage, certs, 2, &count, &why), &why);
}

static enum err seal(struct bytes password, struct buf *ret)
{
    const struct bytes ders[] = { buf_bytes(&pile->ders[LEAF]), buf_bytes(&pile->ders[MIDDLE]) };
    const struct pfx_params params = { .key = pile->keys[LEAF], .certs = ders, .count = 2 };
    AUTO_VAL(secret) secret = secret_dup(password);
    return pfx_make(&params, &secret, ret, &why);
}

TEST(a_pfx_opens_with_its_password_alone)
{
    AUTO_BUF der = { 0 };
    ASSERT_OK(seal(BYTES_LIT("w\xC3\xB6rd"), &der), &why);
    const uint8_t *at = der.data;
    PKCS12 *pfx = d2i_PKCS12(NULL, &at, (long)der.len);
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    STACK_OF(X509) *chain = NULL;
    assert_non_null(pfx);
    assert_int_equal(PKCS12_parse(pfx, "word", &key, &cert, &chain), 0);
    assert_int_equal(PKCS12_parse(pfx, "w\xC3\xB6rd", &key, &cert, &chain), 1);
    assert_int_equal(X509_check_private_key(cert, key), 1);
    assert_int_equal(sk_X509_num(chain), 1);
    uint8_t *middle = NULL;
    int len = i2d_X509(sk_X509_value(chain, 0), &middle);
    ASSERT_BYTES(bytes_of(middle, (size_t)len), buf_bytes(&pile->ders[MIDDLE]));
    OPENSSL_free(middle);
    sk_X509_pop_free(chain, X509_free);
    X509_free(cert);
    EVP_PKEY_free(key);
    PKCS12_free(pfx);
}

TEST(a_pfx_needs_a_password_that_a_dialogue_can_take)
{
    AUTO_BUF der = { 0 };
    ASSERT_ERR(ERR_USAGE, seal(BYTES_LIT(""), &der), &why);
    ASSERT_ERR(ERR_USAGE, seal(BYTES_LIT("a\0b"), &der), &why);
    ASSERT_ERR(ERR_USAGE, seal(BYTES_LIT("a\xFF"), &der), &why);
}

TEST(a_pfx_of_another_keys_certificate_is_not_made)
{
    const struct bytes der = buf_bytes(&pile->ders[MIDDLE]);
    const struct pfx_params params = { .key = pile->keys[LEAF], .certs = &der, .count = 1 };
    AUTO_VAL(secret) secret = secret_dup(BYTES_LIT("word"));
    AUTO_BUF out = { 0 };
    ASSERT_ERR(ERR_KEY, pfx_make(&params, &secret, &out, &why), &why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_chain_is_found_in_any_order),
        T(a_name_alone_makes_no_issuer),
        T(a_certs_only_message_is_read_in_its_order),
        T(crls_beside_the_certificates_do_not_matter),
        T(other_messages_are_no_certificates),
        T(a_pfx_opens_with_its_password_alone),
        T(a_pfx_needs_a_password_that_a_dialogue_can_take),
        T(a_pfx_of_another_keys_certificate_is_not_made),
    };
    TEST_FILTER();
    return cmocka_run_group_tests(tests, pile_make, pile_drop);
}
