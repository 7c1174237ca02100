/* SPDX-License-Identifier: Apache-2.0 */
/* The device CA: whom it certifies, as what, and what it takes for one of its own. */
#include "mdm/device_ca.h"

#include "tests/support/evp_key.h"
#include "tests/unit/test.h"
#include "x509/csr.h"
#include "x509/name.h"
#include "x509/san.h"
#include <sys/stat.h>

#define NOW    1790000000
#define DAY    86400LL
#define DEVICE "22222222-2222-4222-8222-222222222222"

static struct place {
    char folder[64];
    char *keys, *certs;
    struct secret unlock;
    struct device_ca *ca;
} place;

static void started_at(int64_t now, const char *site)
{
    const struct kept_key_source source = { place.keys, place.certs, &place.unlock, NULL };
    struct why why = { 0 };
    device_ca_free(TAKE(place.ca));
    ASSERT_OK(device_ca_open(&source, site, now, &place.ca, &why), &why);
}

static int begin(void **state)
{
    (void)state;
    struct why why = { 0 };
    place = (struct place){ 0 };
    snprintf(place.folder, sizeof(place.folder), "/tmp/chancery-device-XXXXXX");
    assert_non_null(mkdtemp(place.folder));
    place.keys = xasprintf("%s/keys", place.folder);
    place.certs = xasprintf("%s/certs", place.folder);
    assert_int_equal(0, mkdir(place.keys, 0700));
    assert_int_equal(0, mkdir(place.certs, 0700));
    ASSERT_OK(secret_random(32, &place.unlock, &why), &why);
    started_at(NOW, "lab");
    return 0;
}

static int end(void **state)
{
    (void)state;
    AUTO_STR command = xasprintf("rm -rf %s", place.folder);
    device_ca_free(place.ca);
    assert_int_equal(0, system(command));
    secret_free(&place.unlock);
    free(place.keys);
    free(place.certs);
    return 0;
}

/* A request by that key; asking for more than a device gets. */
static struct buf request_of(const struct key *key)
{
    AUTO_BUF name = { 0 };
    struct buf der = { 0 };
    struct why why = { 0 };
    ASSERT_OK(name_from_text("CN=somebody else,O=Example", &name, &why), &why);
    const struct csr_params params = { .subject = buf_bytes(&name) };
    ASSERT_OK(csr_make(&params, key, &der, &why), &why);
    return der;
}

static enum err issue(const struct key *key, int64_t now, struct device_certificate *ret, struct why *why)
{
    AUTO_BUF csr = request_of(key);
    return device_ca_issue(place.ca, buf_bytes(&csr), DEVICE, now, ret, why);
}

static void issued(int64_t now, struct device_certificate *ret)
{
    AUTO(key) key = evp_key_ec("P-256");
    struct why why = { 0 };
    ASSERT_OK(issue(key, now, ret, &why), &why);
}

TEST(a_device_s_certificate_names_it_and_is_for_tls_clients_alone)
{
    AUTO_VAL(device_certificate) made = { 0 };
    AUTO(key) key = evp_key_ec("P-256");
    AUTO(public_key) issuer_key = NULL;
    AUTO_BUF subject = { 0 };
    AUTO_BUF san = { 0 };
    struct why why = { 0 };
    struct cert cert, issuer;
    ASSERT_OK(issue(key, NOW, &made, &why), &why);
    ASSERT_OK(cert_parse(buf_bytes(&made.der), &cert, &why), &why);
    ASSERT_OK(cert_parse(buf_bytes(&made.issuer), &issuer, &why), &why);
    ASSERT_OK(public_key_parse(issuer.spki, &issuer_key, &why), &why);
    ASSERT_OK(cert_verify(&cert, issuer_key, &why), &why);
    name_append_text(&subject, cert.subject);
    san_append_text(&san, cert.san);
    assert_string_equal("CN=" DEVICE, buf_text(&subject));
    assert_string_equal("uri:chancery://lab/device/" DEVICE, buf_text(&san));
    assert_int_equal(KU_DIGITAL_SIGNATURE, cert.key_usage);
    assert_true(cert.eku.len && cert_allows_eku(&cert, OID_KP_CLIENT_AUTH));
    assert_false(cert_allows_eku(&cert, OID_KP_SERVER_AUTH));
    assert_false(cert.is_ca);
    assert_int_equal(NOW + 365 * DAY, cert.not_after);
    ASSERT_BYTES(public_key_spki(key->public_half), cert.spki);
    assert_true(issuer.is_ca && issuer.path_len == 0);
    assert_int_equal(KU_KEY_CERT_SIGN, issuer.key_usage);
}

TEST(a_request_has_to_prove_its_key_and_the_key_has_to_be_strong)
{
    struct why why = { 0 };
    AUTO_VAL(device_certificate) made = { 0 };
    AUTO(key) good = evp_key_rsa(2048);
    AUTO(key) weak = evp_key_rsa(1024);
    AUTO(key) other = evp_key_ec("P-384");
    ASSERT_OK(issue(good, NOW, &made, &why), &why);
    device_certificate_free(&made);
    ASSERT_ERR(ERR_WEAK_KEY, issue(weak, NOW, &made, &why), &why);
    ASSERT_ERR(ERR_BAD_ALG, issue(other, NOW, &made, &why), &why);
    AUTO_BUF csr = request_of(good);
    csr.data[csr.len - 1] ^= 1;
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, device_ca_issue(place.ca, buf_bytes(&csr), DEVICE, NOW, &made, &why),
               &why);
    ASSERT_ERR(ERR_MALFORMED, device_ca_issue(place.ca, BYTES_LIT("0"), DEVICE, NOW, &made, &why), &why);
}

TEST(serials_are_not_given_twice)
{
    AUTO_VAL(device_certificate) one = { 0 };
    AUTO_VAL(device_certificate) two = { 0 };
    issued(NOW, &one);
    issued(NOW, &two);
    assert_string_not_equal(one.serial, two.serial);
}

TEST(what_a_certificate_says_is_read_back_until_it_ends)
{
    AUTO_VAL(device_certificate) made = { 0 };
    struct device_identity identity;
    struct why why = { 0 };
    issued(NOW, &made);
    ASSERT_OK(device_identity_read(place.ca, buf_bytes(&made.der), NOW, &identity, &why), &why);
    assert_string_equal(DEVICE, identity.device);
    assert_string_equal(made.serial, identity.serial);
    assert_int_equal(made.not_after, identity.not_after);
    ASSERT_OK(device_identity_read(place.ca, buf_bytes(&made.der), made.not_after, &identity, &why), &why);
    ASSERT_ERR(ERR_EXPIRED,
               device_identity_read(place.ca, buf_bytes(&made.der), made.not_after + 1, &identity, &why),
               &why);
}

TEST(a_certificate_of_another_site_or_kind_names_no_device)
{
    AUTO_VAL(device_certificate) made = { 0 };
    struct device_identity identity;
    struct why why = { 0 };
    issued(NOW, &made);
    started_at(NOW, "lab2");
    ASSERT_ERR(ERR_NOT_AUTHORISED, device_identity_read(place.ca, buf_bytes(&made.der), NOW, &identity, &why),
               &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED,
               device_identity_read(place.ca, buf_bytes(&made.issuer), NOW, &identity, &why), &why);
}

static size_t anchor_count(void)
{
    AUTO_BUF anchors = { 0 };
    size_t count = 0;
    struct der_reader in, anchor;
    device_ca_anchors(place.ca, &anchors);
    in = der_reader_over(buf_bytes(&anchors));
    while (!der_at_end(&in)) {
        assert_true(der_get_sequence(&in, &anchor));
        count++;
    }
    return count;
}

static bool minute(int64_t now)
{
    struct why why = { 0 };
    bool changed;
    ASSERT_OK(device_ca_keep(place.ca, now, &changed, &why), &why);
    return changed;
}

TEST(a_ca_is_renewed_while_the_old_one_is_still_trusted)
{
    int64_t end_of_first = NOW + 3650 * DAY, due = end_of_first - 730 * DAY;
    AUTO_VAL(device_certificate) old = { 0 };
    AUTO_VAL(device_certificate) fresh = { 0 };
    assert_false(minute(due));
    issued(due, &old);
    assert_int_equal(1, anchor_count());
    assert_true(minute(due + 1));
    assert_int_equal(2, anchor_count());
    issued(due + 1, &fresh);
    assert_true(old.not_after < end_of_first);
    assert_false(bytes_equal(buf_bytes(&old.issuer), buf_bytes(&fresh.issuer)));
    assert_false(minute(end_of_first - 1));
    assert_true(minute(end_of_first));
    assert_int_equal(1, anchor_count());
}

#define C(name) cmocka_unit_test_setup_teardown(name, begin, end)
RUN(C(a_device_s_certificate_names_it_and_is_for_tls_clients_alone),
    C(a_request_has_to_prove_its_key_and_the_key_has_to_be_strong), C(serials_are_not_given_twice),
    C(what_a_certificate_says_is_read_back_until_it_ends),
    C(a_certificate_of_another_site_or_kind_names_no_device),
    C(a_ca_is_renewed_while_the_old_one_is_still_trusted))
