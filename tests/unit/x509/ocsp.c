/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP as OpenSSL asks and reads it, and as nobody should ask. */
#include "x509/ocsp.h"

#include "tests/unit/x509/fixture.h"

#include <openssl/ocsp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#define DAY 86400

/* --- a CA and one certificate of it, ours and as OpenSSL has them --- */

struct world {
    struct key *ca_key, *responder_key;
    struct buf ca_name, ca, leaf_name, leaf;
    X509 *ca_x509, *leaf_x509;
    struct ocsp_issuer issuer;
    uint8_t responder_key_id[20];
};
static struct world world;

static X509 *as_x509(struct bytes der)
{
    const unsigned char *at = der.data;
    X509 *x509 = d2i_X509(NULL, &at, (long)der.len);
    assert_non_null(x509);
    return x509;
}

static int begin(void **state)
{
    (void)state;
    struct why why;
    world.ca_key = fixture_key(KEY_EC_P256);
    world.responder_key = fixture_key(KEY_RSA);
    world.ca_name = fixture_name("CN=CA");
    world.leaf_name = fixture_name("CN=device");
    struct tbs_params ca = fixture_ca(world.ca_key, buf_bytes(&world.ca_name));
    ca.issuer_key_id = BYTES_NONE;
    world.ca = fixture_certificate(&ca, world.ca_key);
    struct tbs_params leaf =
        fixture_leaf(world.ca_key, buf_bytes(&world.ca_name), buf_bytes(&world.leaf_name));
    world.leaf = fixture_certificate(&leaf, world.ca_key);
    world.ca_x509 = as_x509(buf_bytes(&world.ca));
    world.leaf_x509 = as_x509(buf_bytes(&world.leaf));
    ASSERT_OK(ocsp_issuer_make(buf_bytes(&world.ca_name), public_key_spki(world.ca_key->public_half),
                               &world.issuer, &why),
              &why);
    ASSERT_OK(spki_key_identifier(public_key_spki(world.ca_key->public_half), world.responder_key_id, &why),
              &why);
    return 0;
}

static int end(void **state)
{
    (void)state;
    X509_free(world.ca_x509);
    X509_free(world.leaf_x509);
    buf_free(&world.ca);
    buf_free(&world.leaf);
    buf_free(&world.ca_name);
    buf_free(&world.leaf_name);
    key_free(world.ca_key);
    key_free(world.responder_key);
    return 0;
}

/* --- requests --- */

struct asking {
    const EVP_MD *digest;
    int ids;
    size_t nonce; /* octets; 0: none */
};

static OCSP_REQUEST *asked(const struct asking *asking)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    for (int i = 0; i < asking->ids; i++)
        assert_non_null(
            OCSP_request_add0_id(request, OCSP_cert_to_id(asking->digest, world.leaf_x509, world.ca_x509)));
    if (asking->nonce) {
        unsigned char nonce[256];
        assert_true(asking->nonce <= sizeof(nonce));
        assert_int_equal(RAND_bytes(nonce, (int)asking->nonce), 1);
        assert_int_equal(OCSP_request_add1_nonce(request, nonce, (int)asking->nonce), 1);
    }
    return request;
}

static struct buf request_der(const struct asking *asking)
{
    OCSP_REQUEST *request = asked(asking);
    unsigned char *der = NULL;
    int len = i2d_OCSP_REQUEST(request, &der);
    assert_true(len > 0);
    struct buf copy = buf_dup(bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    OCSP_REQUEST_free(request);
    return copy;
}

static struct buf leaf_request(size_t nonce)
{
    return request_der(&(struct asking){ EVP_sha1(), 1, nonce });
}

TEST(what_openssl_asks_is_read)
{
    const EVP_MD *digests[] = { EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512() };
    struct cert leaf;
    struct why why;
    ASSERT_OK(cert_parse(buf_bytes(&world.leaf), &leaf, &why), &why);
    for (size_t i = 0; i < 4; i++) {
        AUTO_BUF der = request_der(&(struct asking){ digests[i], 1, 0 });
        struct ocsp_request request;
        ASSERT_OK(ocsp_request_parse(buf_bytes(&der), &request, &why), &why);
        assert_int_equal(request.count, 1);
        assert_int_equal(request.nonce.len, 0);
        assert_int_equal(leaf.serial.data[0], 0); /* its sign */
        ASSERT_BYTES(request.ids[0].serial, bytes_of(leaf.serial.data + 1, leaf.serial.len - 1));
        assert_true(ocsp_issuer_is(&world.issuer, &request.ids[0]));
    }
}

TEST(another_ca_or_digest_is_not_ours)
{
    struct ocsp_issuer other;
    struct ocsp_request request;
    struct why why;
    AUTO_BUF name = fixture_name("CN=another CA");
    AUTO_BUF der = leaf_request(0);
    AUTO_BUF md5 = request_der(&(struct asking){ EVP_md5(), 1, 0 });
    struct bytes spki = public_key_spki(world.ca_key->public_half);
    ASSERT_OK(ocsp_request_parse(buf_bytes(&der), &request, &why), &why);
    ASSERT_OK(ocsp_issuer_make(buf_bytes(&name), spki, &other, &why), &why);
    assert_false(ocsp_issuer_is(&other, &request.ids[0])); /* the same key */
    ASSERT_OK(ocsp_issuer_make(buf_bytes(&world.ca_name), public_key_spki(world.responder_key->public_half),
                               &other, &why),
              &why);
    assert_false(ocsp_issuer_is(&other, &request.ids[0])); /* the same name */
    request.ids[0].digest = DIGEST_SHA256;                 /* hashes of another length */
    assert_false(ocsp_issuer_is(&world.issuer, &request.ids[0]));
    ASSERT_OK(ocsp_request_parse(buf_bytes(&md5), &request, &why), &why);
    assert_int_equal(request.ids[0].digest, 0);
    assert_false(ocsp_issuer_is(&world.issuer, &request.ids[0]));
}

TEST(a_nonce_has_1_to_128_octets)
{
    static const size_t sizes[] = { 1, 16, 32, 127, 128 };
    struct ocsp_request request;
    struct why why;
    for (size_t i = 0; i < 5; i++) {
        AUTO_BUF der = leaf_request(sizes[i]);
        ASSERT_OK(ocsp_request_parse(buf_bytes(&der), &request, &why), &why);
        assert_int_equal(request.nonce.len, sizes[i]);
    }
    AUTO_BUF longer = leaf_request(129);
    ASSERT_ERR(ERR_MALFORMED, ocsp_request_parse(buf_bytes(&longer), &request, &why), &why);
    assert_non_null(strstr(why.text, "nonce of 129 octets, must be 1 to 128"));
}

TEST(as_many_certificates_as_the_limit_and_no_more)
{
    struct ocsp_request request;
    struct why why;
    AUTO_BUF most = request_der(&(struct asking){ EVP_sha256(), LIMIT_OCSP_REQUESTS, 0 });
    AUTO_BUF more = request_der(&(struct asking){ EVP_sha256(), LIMIT_OCSP_REQUESTS + 1, 0 });
    ASSERT_OK(ocsp_request_parse(buf_bytes(&most), &request, &why), &why);
    assert_int_equal(request.count, LIMIT_OCSP_REQUESTS);
    ASSERT_ERR(ERR_LIMIT, ocsp_request_parse(buf_bytes(&more), &request, &why), &why);
}

TEST(a_signed_request_is_read_as_one_without_signature)
{
    OCSP_REQUEST *signed_one = asked(&(struct asking){ EVP_sha1(), 1, 16 });
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *signer = X509_new();
    X509_set_pubkey(signer, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(signer), "CN", MBSTRING_ASC,
                               (const unsigned char *)"asker", -1, -1, 0);
    assert_int_equal(OCSP_request_sign(signed_one, signer, key, EVP_sha256(), NULL, OCSP_NOCERTS), 1);
    unsigned char *der = NULL;
    int len = i2d_OCSP_REQUEST(signed_one, &der);
    struct ocsp_request request;
    struct why why;
    ASSERT_OK(ocsp_request_parse(bytes_of(der, (size_t)len), &request, &why), &why);
    assert_int_equal(request.count, 1);
    assert_int_equal(request.nonce.len, 16);
    OPENSSL_free(der);
    X509_free(signer);
    EVP_PKEY_free(key);
    OCSP_REQUEST_free(signed_one);
}

TEST(what_is_no_request_is_refused)
{
    static const struct {
        const char *hex, *part;
    } rows[] = {
        { "", "is not DER" },
        { "0500", "is not DER" },
        { "3080", "is not DER" },
        { "3000", "is not DER" },
        { "30023000", "requestList absent or empty" },
        { "300430023000", "requestList absent or empty" },
        { "30063004300230000500", "is not DER" }, /* behind the end */
        { "300630003002300000", "is not DER" },
        { "3008300430023000"
          "3000",
          "something after its signature" },
        { "30083006300430023000", "CertID 1 malformed" },
        { "300630043000A200", "requestList absent or empty" },
        { "3007A003020100"
          "3000",
          "is not DER" }, /* a version where TBSRequest belongs */
        { "30093007A003020100"
          "3000",
          "requestList absent or empty" }, /* DEFAULT written out (X.690 11.5) */
    };
    struct ocsp_request request;
    struct why why;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF der = fixture_hex(rows[i].hex);
        why = (struct why){ 0 };
        if (ocsp_request_parse(buf_bytes(&der), &request, &why) != ERR_MALFORMED ||
            !strstr(why.text, rows[i].part))
            fail_msg("row %zu: %s, wanted \"%s\"", i, why.text, rows[i].part);
    }
}

TEST(no_octet_that_is_cut_off_or_changed_is_a_danger)
{
    AUTO_BUF der = leaf_request(32);
    struct ocsp_request request;
    for (size_t len = 0; len < der.len; len++)
        assert_int_not_equal(ocsp_request_parse(bytes_of(der.data, len), &request, NULL), OK);
    for (size_t i = 0; i < der.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            AUTO_BUF changed = buf_dup(buf_bytes(&der));
            changed.data[i] ^= (uint8_t)(1 << bit);
            if (ocsp_request_parse(buf_bytes(&changed), &request, NULL) == OK)
                assert_in_range(request.count, 1, LIMIT_OCSP_REQUESTS);
        }
    }
}

TEST(a_request_has_4096_octets_at_most)
{
    static uint8_t zeros[LIMIT_OCSP_REQUEST_BYTES + 1];
    struct ocsp_request request;
    struct why why;
    ASSERT_ERR(ERR_LIMIT, ocsp_request_parse(bytes_of(zeros, sizeof(zeros)), &request, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, ocsp_request_parse(bytes_of(zeros, sizeof(zeros) - 1), &request, &why), &why);
}

TEST(a_critical_extension_that_is_not_known_refuses)
{
    struct ocsp_request request;
    struct why why;
    for (int critical = 0; critical < 2; critical++) {
        OCSP_REQUEST *asking = asked(&(struct asking){ EVP_sha1(), 1, 0 });
        ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
        assert_int_equal(ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05\0", 2), 1);
        X509_EXTENSION *extension =
            X509_EXTENSION_create_by_NID(NULL, NID_id_pkix_OCSP_serviceLocator, critical, value);
        assert_int_equal(OCSP_REQUEST_add_ext(asking, extension, -1), 1);
        unsigned char *der = NULL;
        int len = i2d_OCSP_REQUEST(asking, &der);
        enum err err = ocsp_request_parse(bytes_of(der, (size_t)len), &request, &why);
        assert_int_equal(err, critical ? ERR_MALFORMED : OK);
        OPENSSL_free(der);
        X509_EXTENSION_free(extension);
        ASN1_OCTET_STRING_free(value);
        OCSP_REQUEST_free(asking);
    }
    assert_non_null(strstr(why.text, "critical extension 1.3.6.1.5.5.7.48.1.7"));
}

/* --- responses --- */

static struct buf answer_der(const struct ocsp_params *params, const struct key *key,
                             struct bytes signer_cert)
{
    struct buf tbs = { 0 }, signature = { 0 }, der = { 0 };
    struct why why;
    struct signature_algorithm algorithm = key_signature_algorithm(key);
    ocsp_tbs_build(params, &tbs);
    assert_true(der_is_valid(buf_bytes(&tbs)));
    ASSERT_OK(key_sign(key, algorithm.digest, buf_bytes(&tbs), &signature, &why), &why);
    ocsp_response_assemble(buf_bytes(&tbs), algorithm, buf_bytes(&signature), signer_cert, &der);
    assert_true(der_is_valid(buf_bytes(&der)));
    buf_free(&tbs);
    buf_free(&signature);
    return der;
}

static OCSP_BASICRESP *basic_of(const struct buf *der)
{
    const unsigned char *at = der->data;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)der->len);
    assert_non_null(response);
    assert_ptr_equal(at, der->data + der->len);
    assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_SUCCESSFUL);
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    assert_non_null(basic);
    OCSP_RESPONSE_free(response);
    return basic;
}

static void assert_verifies(OCSP_BASICRESP *basic)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_add_cert(store, world.ca_x509);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), FIXTURE_NOW);
    STACK_OF(X509) *certs = sk_X509_new_null();
    sk_X509_push(certs, world.ca_x509);
    assert_int_equal(OCSP_basic_verify(basic, certs, store, 0), 1);
    sk_X509_free(certs);
    X509_STORE_free(store);
}

static int64_t seconds_of(const ASN1_GENERALIZEDTIME *time)
{
    struct tm tm = { 0 };
    assert_int_equal(ASN1_TIME_to_tm(time, &tm), 1);
    return (int64_t)timegm(&tm);
}

TEST(openssl_reads_each_status_and_verifies_the_answer)
{
    static const struct {
        enum ocsp_cert_status status;
        enum crl_reason reason;
        int openssl_status, openssl_reason;
    } rows[] = {
        { OCSP_GOOD, CRL_UNSPECIFIED, V_OCSP_CERTSTATUS_GOOD, -1 },
        { OCSP_REVOKED, CRL_UNSPECIFIED, V_OCSP_CERTSTATUS_REVOKED, -1 },
        { OCSP_REVOKED, CRL_KEY_COMPROMISE, V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED_STATUS_KEYCOMPROMISE },
        { OCSP_REVOKED, CRL_CERTIFICATE_HOLD, V_OCSP_CERTSTATUS_REVOKED,
          OCSP_REVOKED_STATUS_CERTIFICATEHOLD },
        { OCSP_UNKNOWN, CRL_UNSPECIFIED, V_OCSP_CERTSTATUS_UNKNOWN, -1 },
    };
    AUTO_BUF asking = leaf_request(0);
    struct ocsp_request request;
    struct why why;
    ASSERT_OK(ocsp_request_parse(buf_bytes(&asking), &request, &why), &why);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct ocsp_single single = { request.ids[0].der, rows[i].status,   FIXTURE_NOW - DAY,
                                            rows[i].reason,     FIXTURE_NOW - 60, FIXTURE_NOW + DAY };
        const struct ocsp_params params = { .responder_key_id = BYTES_ARR(world.responder_key_id),
                                            .produced_at = FIXTURE_NOW,
                                            .singles = &single,
                                            .count = 1 };
        AUTO_BUF der = answer_der(&params, world.ca_key, BYTES_NONE);
        OCSP_BASICRESP *basic = basic_of(&der);
        OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), world.leaf_x509, world.ca_x509);
        int status = -1, reason = -2;
        ASN1_GENERALIZEDTIME *revoked = NULL, *this_update = NULL, *next_update = NULL;
        assert_verifies(basic);
        assert_int_equal(
            OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &this_update, &next_update), 1);
        assert_int_equal(status, rows[i].openssl_status);
        if (status == V_OCSP_CERTSTATUS_REVOKED) {
            assert_int_equal(reason, rows[i].openssl_reason);
            assert_int_equal(seconds_of(revoked), FIXTURE_NOW - DAY);
        }
        assert_int_equal(seconds_of(this_update), FIXTURE_NOW - 60);
        assert_int_equal(seconds_of(next_update), FIXTURE_NOW + DAY);
        assert_int_equal(seconds_of(OCSP_resp_get0_produced_at(basic)), FIXTURE_NOW);
        OCSP_CERTID_free(id);
        OCSP_BASICRESP_free(basic);
    }
}

/* RFC 6960 4.2.2.2: by a certificate of the CA for nothing else. */
TEST(openssl_accepts_a_delegated_responder_and_its_nonce)
{
    OCSP_REQUEST *asking = asked(&(struct asking){ EVP_sha256(), 2, 32 });
    unsigned char *request_octets = NULL;
    int request_len = i2d_OCSP_REQUEST(asking, &request_octets);
    struct ocsp_request request;
    struct why why;
    ASSERT_OK(ocsp_request_parse(bytes_of(request_octets, (size_t)request_len), &request, &why), &why);
    AUTO_BUF name = fixture_name("CN=OCSP");
    struct tbs_params params = fixture_leaf(world.responder_key, buf_bytes(&world.ca_name), buf_bytes(&name));
    const struct bytes eku[] = { oid_bytes(OID_KP_OCSP_SIGNING) };
    uint8_t key_id[20];
    struct cert ca;
    params.eku = eku;
    params.eku_count = 1;
    ASSERT_OK(cert_parse(buf_bytes(&world.ca), &ca, &why), &why);
    params.issuer_key_id = ca.ski;
    AUTO_BUF responder = fixture_certificate(&params, world.ca_key);
    ASSERT_OK(spki_key_identifier(params.spki, key_id, &why), &why);
    const struct ocsp_single singles[] = {
        { request.ids[0].der, OCSP_GOOD, 0, CRL_UNSPECIFIED, FIXTURE_NOW - 60, FIXTURE_NOW + DAY },
        { request.ids[1].der, OCSP_GOOD, 0, CRL_UNSPECIFIED, FIXTURE_NOW - 60, FIXTURE_NOW + DAY },
    };
    const struct ocsp_params answer = { .responder_key_id = BYTES_ARR(key_id),
                                        .produced_at = FIXTURE_NOW,
                                        .singles = singles,
                                        .count = 2,
                                        .nonce = request.nonce };
    AUTO_BUF der = answer_der(&answer, world.responder_key, buf_bytes(&responder));
    OCSP_BASICRESP *basic = basic_of(&der);
    assert_verifies(basic);
    assert_int_equal(OCSP_check_nonce(asking, basic), 1);
    assert_int_equal(OCSP_resp_count(basic), 2);
    OCSP_BASICRESP_free(basic);
    OPENSSL_free(request_octets);
    OCSP_REQUEST_free(asking);
}

TEST(an_error_is_five_octets)
{
    AUTO_BUF der = { 0 };
    ocsp_error_put(&der, OCSP_TRY_LATER);
    ASSERT_BYTES(buf_bytes(&der), BYTES_LIT("\x30\x03\x0A\x01\x03"));
    buf_clear(&der);
    ocsp_error_put(&der, OCSP_UNAUTHORIZED);
    ASSERT_BYTES(buf_bytes(&der), BYTES_LIT("\x30\x03\x0A\x01\x06"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { T(what_openssl_asks_is_read),
                                        T(another_ca_or_digest_is_not_ours),
                                        T(a_nonce_has_1_to_128_octets),
                                        T(as_many_certificates_as_the_limit_and_no_more),
                                        T(a_signed_request_is_read_as_one_without_signature),
                                        T(what_is_no_request_is_refused),
                                        T(no_octet_that_is_cut_off_or_changed_is_a_danger),
                                        T(a_request_has_4096_octets_at_most),
                                        T(a_critical_extension_that_is_not_known_refuses),
                                        T(openssl_reads_each_status_and_verifies_the_answer),
                                        T(openssl_accepts_a_delegated_responder_and_its_nonce),
                                        T(an_error_is_five_octets) };
    TEST_FILTER();
    return cmocka_run_group_tests(tests, begin, end);
}
