/* SPDX-License-Identifier: Apache-2.0 */
/* A whole PKIOperation in memory: what is issued, what is refused with which failInfo, what is 503, and that
   the answer mirrors the request. */
#include "ipc/enroll.h"
#include "ipc/record.h"
#include "tests/unit/scep/support.h"
#include "tests/unit/test.h"
#include "x509/name.h"

#define VERDICT(site, ...) site_verdict(site, &(struct device_message){ __VA_ARGS__ }, (char[16]){ 0 })
#define OPTIONS(...)       (&(struct site_options){ __VA_ARGS__ })

TEST(a_device_gets_its_certificate_and_nothing_else)
{
    struct site *site = site_new(OPTIONS(0));
    AUTO_BUF message = { 0 };
    device_write(site, &(struct device_message){ .transaction = "0F 1E=" }, &message);
    struct pki_answer answer = site_run(site, buf_bytes(&message));
    assert_int_equal(answer.status, 200);
    assert_false(answer.held);
    assert_string_equal(answer.transaction_id, "0F_1E=");
    struct reply reply;
    reply_read(site, &site->device, buf_bytes(&answer.message), &reply);
    assert_true(openssl_certrep_verifies(buf_bytes(&answer.message), buf_bytes(&site->signature.der)));
    assert_string_equal(reply.status, "0");
    ASSERT_BYTES(reply.transaction_id, BYTES_LIT("0F 1E="));
    assert_int_equal(reply.recipient_nonce.len, 16);
    assert_int_equal(reply.recipient_nonce.data[0], 0xA5);
    assert_int_equal(openssl_cert_count(buf_bytes(&reply.payload)), 1);
    struct buf leaf = openssl_cert_at(buf_bytes(&reply.payload), 0);
    struct cert cert;
    struct why why = { 0 };
    ASSERT_OK(cert_parse(buf_bytes(&leaf), &cert, &why), &why);
    ASSERT_BYTES(cert.spki, site->device.cert.spki);
    ASSERT_OK(cert_verify(&cert, site->ca.key->public_half, &why), &why);
    assert_int_equal(atomic_load(&site->scep->counters.issued), 1);
    buf_free(&leaf);
    reply_free(&reply);
    pki_answer_free(&answer);
}

TEST(ca_gets_the_request_as_the_device_made_it)
{
    struct site *site = site_new(OPTIONS(0));
    assert_string_equal(VERDICT(site, .transaction = "tx-9"), "0/");
    struct enroll_request request;
    struct why why = { 0 };
    assert_string_equal(site->fake.verb, "request");
    ASSERT_OK(enroll_request_get(buf_bytes(&site->fake.body), &request, &why), &why);
    ASSERT_BYTES(request.endpoint, BYTES_LIT("default"));
    ASSERT_BYTES(request.transaction_id, BYTES_LIT("tx-9"));
    ASSERT_BYTES(request.peer, BYTES_LIT(SITE_PEER));
    ASSERT_BYTES(request.signer_cert, buf_bytes(&site->device.der));
    struct csr csr;
    ASSERT_OK(csr_parse(request.csr, &csr, &why), &why);
    ASSERT_BYTES(csr.challenge, BYTES_LIT("secret"));
}

TEST(the_nonce_comes_back_at_its_own_length_or_not_at_all)
{
    struct site *site = site_new(OPTIONS(0));
    for (size_t len = 0; len <= 24; len += 8) {
        AUTO_BUF message = { 0 };
        device_write(site, &(struct device_message){ .nonce_len = len, .no_nonce = len == 0 }, &message);
        struct pki_answer answer = site_run(site, buf_bytes(&message));
        struct reply reply;
        reply_read(site, &site->device, buf_bytes(&answer.message), &reply);
        assert_int_equal(reply.has_recipient_nonce, len > 0);
        assert_int_equal(reply.recipient_nonce.len, len);
        assert_int_equal(reply.sender_nonce.len, 16);
        reply_free(&reply);
        pki_answer_free(&answer);
    }
}

TEST(the_certificates_of_a_certrep_are_the_endpoints_choice)
{
    static const size_t counts[] = { [CERTREP_LEAF] = 1, [CERTREP_CA] = 2, [CERTREP_CHAIN] = 3 };
    for (int choice = CERTREP_LEAF; choice <= CERTREP_CHAIN; choice++) {
        struct site *site = site_new(OPTIONS(.certrep = (enum certrep_certificates)choice));
        AUTO_BUF message = { 0 };
        device_write(site, &(struct device_message){ 0 }, &message);
        struct pki_answer answer = site_run(site, buf_bytes(&message));
        struct reply reply;
        reply_read(site, &site->device, buf_bytes(&answer.message), &reply);
        assert_int_equal(openssl_cert_count(buf_bytes(&reply.payload)), counts[choice]);
        struct buf first = openssl_cert_at(buf_bytes(&reply.payload), 0);
        struct cert cert;
        assert_int_equal(cert_parse(buf_bytes(&first), &cert, NULL), OK);
        ASSERT_BYTES(cert.spki, site->device.cert.spki);
        buf_free(&first);
        reply_free(&reply);
        pki_answer_free(&answer);
    }
}

static void expect_mirror(struct site *site, const struct device_message *from)
{
    AUTO_BUF message = { 0 };
    device_write(site, from, &message);
    struct pki_answer answer = site_run(site, buf_bytes(&message));
    assert_int_equal(answer.status, 200);
    struct reply reply;
    reply_read(site, &site->device, buf_bytes(&answer.message), &reply);
    assert_string_equal(reply.status, "0");
    assert_int_equal(reply.cms.digest, from->digest);
    assert_int_equal(reply.envelope.cipher, from->cipher);
    assert_int_equal(reply.envelope.transport, from->transport);
    if (from->transport == TRANSPORT_OAEP) {
        assert_int_equal(reply.envelope.oaep.digest, from->oaep.digest);
        assert_int_equal(reply.envelope.oaep.mgf_digest, from->oaep.mgf_digest);
    }
    reply_free(&reply);
    pki_answer_free(&answer);
}

TEST(the_answer_mirrors_digest_cipher_and_transport)
{
    struct site *site = site_new(OPTIONS(.allow_3des = true, .allow_sha1 = true));
    static const enum digest digests[] = { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };
    static const enum cipher ciphers[] = { CIPHER_DES_EDE3_CBC, CIPHER_AES128_CBC, CIPHER_AES256_CBC };
    static const struct oaep oaeps[] = { { DIGEST_SHA1, DIGEST_SHA1 },
                                         { DIGEST_SHA256, DIGEST_SHA256 },
                                         { DIGEST_SHA256, DIGEST_SHA1 },
                                         { DIGEST_SHA512, DIGEST_SHA512 } };
    for (size_t d = 0; d < 4; d++) {
        for (size_t c = 0; c < 3; c++) {
            struct device_message message = { .digest = digests[d],
                                              .cipher = ciphers[c],
                                              .transport = TRANSPORT_PKCS1_V15 };
            expect_mirror(site, &message);
            message.transport = TRANSPORT_OAEP;
            for (size_t o = 0; o < 4; o++) {
                message.oaep = oaeps[o];
                expect_mirror(site, &message);
            }
        }
    }
}

TEST(an_old_ra_generation_still_decrypts_and_the_current_one_signs)
{
    struct site *site = site_new(OPTIONS(0));
    assert_string_equal(VERDICT(site, .recipient = &site->encryption[0]), "0/");
    assert_string_equal(VERDICT(site, .recipient = &site->encryption[1]), "0/");
    assert_string_equal(VERDICT(site, .recipient = &site->signature), "2/1");
}

TEST(a_combined_ra_certificate_does_both)
{
    struct site *site = site_new(OPTIONS(.combined = true));
    assert_string_equal(VERDICT(site, .recipient = &site->combined), "0/");
    assert_string_equal(VERDICT(site, .recipient = &site->encryption[1]), "2/1");
}

TEST(algorithms_the_endpoint_does_not_allow_are_bad_alg_and_cost_no_decryption)
{
    struct site *site = site_new(OPTIONS(0));
    assert_string_equal(VERDICT(site, .digest = DIGEST_SHA1), "2/0");
    assert_string_equal(VERDICT(site, .cipher = CIPHER_DES_EDE3_CBC), "2/0");
    assert_string_equal(VERDICT(site, .cipher = CIPHER_AES192_CBC), "2/0");
    assert_int_equal(atomic_load(&site->fake.calls), 0);
    site = site_new(OPTIONS(.allow_3des = true));
    assert_string_equal(VERDICT(site, .cipher = CIPHER_DES_EDE3_CBC), "0/");
    assert_string_equal(VERDICT(site, .digest = DIGEST_SHA1), "2/0");
    site = site_new(OPTIONS(.allow_sha1 = true));
    assert_string_equal(VERDICT(site, .digest = DIGEST_SHA1), "0/");
    assert_string_equal(VERDICT(site, .cipher = CIPHER_DES_EDE3_CBC), "2/0");
}

TEST(a_refusal_of_sha1_is_itself_signed_with_sha256)
{
    struct site *site = site_new(OPTIONS(0));
    AUTO_BUF message = { 0 };
    device_write(site, &(struct device_message){ .digest = DIGEST_SHA1 }, &message);
    struct pki_answer answer = site_run(site, buf_bytes(&message));
    struct reply reply;
    reply_read(site, &site->device, buf_bytes(&answer.message), &reply);
    assert_int_equal(reply.cms.digest, DIGEST_SHA256);
    reply_free(&reply);
    pki_answer_free(&answer);
}

TEST(a_signer_that_cannot_receive_the_answer_is_refused_before_anything_is_issued)
{
    struct site *site = site_new(OPTIONS(0));
    struct identity ec, small;
    struct key *key = openssl_rsa_key(1024);
    identity_make(&(struct identity_params){ .subject = DEVICE_NAME, .kind = KEY_EC_P256 }, &ec);
    identity_make(&(struct identity_params){ .subject = DEVICE_NAME, .key = key }, &small);
    AUTO_BUF csr = { 0 };
    device_csr(&site->device, "secret", &csr);
    assert_string_equal(VERDICT(site, .signer = &ec, .content = buf_bytes(&csr)), "2/0");
    assert_string_equal(VERDICT(site, .signer = &small, .transport = TRANSPORT_OAEP,
                                .oaep = { DIGEST_SHA512, DIGEST_SHA512 }),
                        "2/0");
    assert_int_equal(atomic_load(&site->fake.calls), 0);
    AUTO_BUF own = { 0 }, message = { 0 };
    device_csr(&small, "secret", &own);
    device_write(
        site,
        &(struct device_message){ .signer = &small, .content = buf_bytes(&own), .transport = TRANSPORT_OAEP },
        &message);
    struct pki_answer answer = site_run(site, buf_bytes(&message));
    assert_int_equal(answer.status, 200); /* SHA-256 fits: 2 * 32 + 2 + 16 of 128 octets */
    assert_int_equal(atomic_load(&site->scep->counters.issued), 1);
    pki_answer_free(&answer);
    identity_free(&ec);
    identity_free(&small);
    key_free(key);
}

TEST(an_unknown_message_type_is_bad_request_and_reaches_nobody)
{
    struct site *site = site_new(OPTIONS(0));
    static const char *const types[] = { "18", "3", "0", "23", "019", "19 ", "" };
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        assert_string_equal(VERDICT(site, .type = types[i]), "2/2");
    assert_string_equal(VERDICT(site, .no_type = true), "2/2");
    assert_string_equal(VERDICT(site, .type_tag = DER_UTF8_STRING), "2/2");
    assert_int_equal(atomic_load(&site->fake.calls), 0);
}

TEST(without_transaction_or_readable_cms_there_is_only_http_400)
{
    struct site *site = site_new(OPTIONS(0));
    assert_string_equal(VERDICT(site, .no_transaction = true), "http 400");
    assert_string_equal(VERDICT(site, .transaction = ""), "http 400");
    struct pki_answer answer = site_run(site, BYTES_LIT("hello"));
    assert_int_equal(answer.status, 400);
    assert_int_equal(answer.message.len, 0);
    answer = site_run(site, BYTES_NONE);
    assert_int_equal(answer.status, 400);
    assert_int_equal(atomic_load(&site->fake.calls), 0);
    assert_int_equal(atomic_load(&site->scep->counters.unreadable), 4);
}

TEST(a_message_without_content_is_bad_request)
{
    struct site *site = site_new(OPTIONS(0));
    assert_string_equal(VERDICT(site, .no_content = true), "2/2");
}

TEST(a_broken_cms_signature_is_bad_message_check_before_any_decryption)
{
    struct site *site = site_new(OPTIONS(0));
    AUTO_BUF message = { 0 };
    device_write(site, &(struct device_message){ 0 }, &message);
    message.data[message.len - 3] ^= 1;
    struct pki_answer answer = site_run(site, buf_bytes(&message));
    struct reply reply;
    reply_read(site, &site->device, buf_bytes(&answer.message), &reply);
    assert_string_equal(reply.fail_info, "1");
    assert_true(answer.held);
    assert_int_equal(budget_spent(site->scep->budget, clock_mono_ms()), 0);
    assert_int_equal(atomic_load(&site->fake.calls), 0);
    reply_free(&reply);
    pki_answer_free(&answer);
}

TEST(pending_and_issued_later)
{
    struct site *site = site_new(OPTIONS(0));
    site->fake.mode = FAKE_PENDING;
    assert_string_equal(VERDICT(site, 0), "3/");
    AUTO_BUF poll = { 0 };
    device_issuer_and(&site->ca, true, site->device.cert.subject, &poll);
    assert_string_equal(VERDICT(site, .type = "20", .content = buf_bytes(&poll)), "3/");
    assert_string_equal(site->fake.verb, "poll");
    struct enroll_poll asked;
    struct why why = { 0 };
    ASSERT_OK(enroll_poll_get(buf_bytes(&site->fake.body), &asked, &why), &why);
    ASSERT_BYTES(asked.subject, site->device.cert.subject);
    ASSERT_BYTES(asked.signer_cert, buf_bytes(&site->device.der));
    site->fake.mode = FAKE_ISSUE;
    assert_string_equal(VERDICT(site, .type = "20", .content = buf_bytes(&poll)), "0/");
    AUTO_BUF by_root = { 0 };
    device_issuer_and(&site->root, true, site->device.cert.subject, &by_root);
    assert_string_equal(VERDICT(site, .type = "20", .content = buf_bytes(&by_root)), "0/");
}

/* As strongSwan's pki polls. */
TEST(a_poll_may_name_an_ra_certificate_as_the_issuer)
{
    struct site *site = site_new(OPTIONS(0));
    const struct identity *shown[] = { &site->encryption[0], &site->encryption[1], &site->signature };
    site->fake.mode = FAKE_PENDING;
    assert_string_equal(VERDICT(site, 0), "3/");
    for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
        AUTO_BUF poll = { 0 };
        device_issuer_and(shown[i], true, site->device.cert.subject, &poll);
        assert_string_equal(VERDICT(site, .type = "20", .content = buf_bytes(&poll)), "3/");
        assert_string_equal(site->fake.verb, "poll");
        AUTO_BUF query = { 0 }; /* what is asked by issuer and serial number stays the CA's */
        device_issuer_and(shown[i], false, BYTES_LIT("\x01"), &query);
        assert_string_equal(VERDICT(site, .type = "21", .content = buf_bytes(&query)), "2/1");
    }
}

TEST(a_renewal_is_asked_of_ca_only_with_a_certificate_of_this_ca)
{
    struct site *site = site_new(OPTIONS(0));
    AUTO_BUF csr = { 0 };
    device_csr(&site->device, NULL, &csr);
    assert_string_equal(VERDICT(site, .type = "17", .signer = &site->stranger, .content = buf_bytes(&csr)),
                        "2/1");
    assert_int_equal(atomic_load(&site->fake.calls), 0);
    assert_string_equal(VERDICT(site, .type = "17", .signer = &site->enrolled, .content = buf_bytes(&csr)),
                        "0/");
    assert_string_equal(VERDICT(site, .type = "19", .signer = &site->enrolled, .content = buf_bytes(&csr)),
                        "0/");
    assert_int_equal(atomic_load(&site->fake.calls), 2);
}

TEST(a_look_alike_of_our_issuer_is_not_our_certificate)
{
    struct site *site = site_new(OPTIONS(0));
    struct identity fake_issuer, look_alike;
    identity_make(&(struct identity_params){ .subject = "CN=Example Issuing CA,O=Example",
                                             .kind = KEY_EC_P256,
                                             .is_ca = true },
                  &fake_issuer);
    identity_make(&(struct identity_params){ .subject = DEVICE_NAME,
                                             .issuer = &fake_issuer,
                                             .key = site->stranger.key },
                  &look_alike);
    AUTO_BUF csr = { 0 };
    device_csr(&site->device, NULL, &csr);
    assert_string_equal(VERDICT(site, .signer = &look_alike, .content = buf_bytes(&csr)), "2/1");
    assert_int_equal(atomic_load(&site->fake.calls), 0);
    identity_free(&look_alike);
    identity_free(&fake_issuer);
}

TEST(what_ca_refuses_is_a_failure_with_the_tables_fail_info)
{
    static const struct {
        enum err err;
        const char *verdict;
    } rows[] = {
        { ERR_BAD_ALG, "2/0" },           { ERR_WEAK_KEY, "2/0" },       { ERR_BAD_MESSAGE_CHECK, "2/1" },
        { ERR_CHALLENGE_WRONG, "2/2" },   { ERR_CHALLENGE_USED, "2/2" }, { ERR_CHALLENGE_EXPIRED, "2/2" },
        { ERR_CHALLENGE_MISSING, "2/2" }, { ERR_TEMPLATE_SAN, "2/2" },   { ERR_DENIED, "2/2" },
        { ERR_BAD_TIME, "2/3" },          { ERR_NOT_FOUND, "2/4" },      { ERR_USAGE, "2/2" },
    };
    struct site *site = site_new(OPTIONS(0));
    site->fake.mode = FAKE_FAIL;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        site->fake.err = rows[i].err;
        assert_string_equal(VERDICT(site, 0), rows[i].verdict);
    }
    assert_int_equal(atomic_load(&site->scep->counters.refused), sizeof(rows) / sizeof(*rows));
}

TEST(what_may_work_later_is_never_a_failure)
{
    struct site *site = site_new(OPTIONS(0));
    site->fake.mode = FAKE_FAIL;
    size_t seen = 0;
    for (int err = 1; err < ERR_COUNT; err++) {
        if (!err_row((enum err)err)->retryable)
            continue;
        char status[16];
        snprintf(status, sizeof(status), "http %d", err_row((enum err)err)->http_status);
        site->fake.err = (enum err)err;
        assert_string_equal(VERDICT(site, 0), status);
        seen++;
    }
    assert_true(seen > 5);
    assert_int_equal(atomic_load(&site->scep->counters.unavailable), seen);
    site->fake.err = ERR_UNAVAILABLE;
    assert_string_equal(VERDICT(site, 0), "http 503");
}

TEST(an_answer_of_ca_that_cannot_be_right_is_503_and_reaches_no_device)
{
    struct site *site = site_new(OPTIONS(0));
    static const enum fake_mode modes[] = { FAKE_GARBAGE, FAKE_OTHER_KEY, FAKE_OTHER_ISSUER };
    for (size_t i = 0; i < 3; i++) {
        site->fake.mode = modes[i];
        assert_string_equal(VERDICT(site, 0), "http 503");
    }
    AUTO_BUF query = { 0 };
    device_issuer_and(&site->ca, false, BYTES_LIT("\x12\x34"), &query);
    site->fake.mode = FAKE_GARBAGE;
    assert_string_equal(VERDICT(site, .type = "21", .content = buf_bytes(&query)), "http 503");
    assert_string_equal(VERDICT(site, .type = "22", .content = buf_bytes(&query)), "http 503");
    site->fake.mode = FAKE_OTHER_ISSUER;
    assert_string_equal(VERDICT(site, .type = "21", .content = buf_bytes(&query)), "http 503");
}

TEST(get_cert_and_get_crl_answer_what_ca_has)
{
    struct site *site = site_new(OPTIONS(0));
    AUTO_BUF query = { 0 };
    device_issuer_and(&site->ca, false, BYTES_LIT("\x0A\x1B"), &query);
    assert_string_equal(VERDICT(site, .type = "21", .content = buf_bytes(&query)), "0/");
    assert_string_equal(site->fake.verb, "get_cert");
    struct record record;
    struct bytes value;
    assert_int_equal(record_get(buf_bytes(&site->fake.body), &record, NULL), OK);
    assert_true(record_find(&record, "serial", &value));
    ASSERT_BYTES(value, BYTES_LIT("0A1B"));
    assert_true(record_find(&record, "endpoint", &value));
    ASSERT_BYTES(value, BYTES_LIT("default"));
    assert_string_equal(VERDICT(site, .type = "22", .signer = &site->stranger, .content = buf_bytes(&query)),
                        "0/");
    assert_string_equal(site->fake.verb, "get_crl");
    assert_int_equal(atomic_load(&site->scep->counters.answered), 2);
    site->fake.mode = FAKE_FAIL;
    site->fake.err = ERR_NOT_FOUND;
    assert_string_equal(VERDICT(site, .type = "21", .content = buf_bytes(&query)), "2/4");
}

TEST(a_query_that_does_not_name_our_ca_is_not_asked)
{
    struct site *site = site_new(OPTIONS(0));
    AUTO_BUF other = { 0 }, by_root = { 0 }, long_serial = { 0 }, poll = { 0 };
    uint8_t serial[LIMIT_SERIAL_BYTES_MAX + 1];
    memset(serial, 0x11, sizeof(serial));
    device_issuer_and(&site->other_ca, false, BYTES_LIT("\x01"), &other);
    device_issuer_and(&site->root, false, BYTES_LIT("\x01"), &by_root);
    device_issuer_and(&site->ca, false, BYTES_ARR(serial), &long_serial);
    device_issuer_and(&site->other_ca, true, site->device.cert.subject, &poll);
    assert_string_equal(VERDICT(site, .type = "21", .content = buf_bytes(&other)), "2/1");
    assert_string_equal(VERDICT(site, .type = "22", .content = buf_bytes(&by_root)), "2/1");
    assert_string_equal(VERDICT(site, .type = "21", .content = buf_bytes(&long_serial)), "2/1");
    assert_string_equal(VERDICT(site, .type = "20", .content = buf_bytes(&poll)), "2/1");
    assert_int_equal(atomic_load(&site->fake.calls), 0);
}

TEST(fail_info_text_is_there_only_where_the_endpoint_says_so)
{
    for (int on = 0; on < 2; on++) {
        struct site *site = site_new(OPTIONS(.fail_info_text = on));
        site->fake.mode = FAKE_FAIL;
        site->fake.err = ERR_CHALLENGE_WRONG;
        AUTO_BUF message = { 0 };
        device_write(site, &(struct device_message){ 0 }, &message);
        struct pki_answer answer = site_run(site, buf_bytes(&message));
        struct reply reply;
        reply_read(site, &site->device, buf_bytes(&answer.message), &reply);
        assert_string_equal(reply.status, "2");
        assert_int_equal(reply.has_fail_text, on);
        reply_free(&reply);
        pki_answer_free(&answer);
    }
}

TEST(the_end)
{
    site_end();
}

RUN(T(a_device_gets_its_certificate_and_nothing_else), T(ca_gets_the_request_as_the_device_made_it),
    T(the_nonce_comes_back_at_its_own_length_or_not_at_all),
    T(the_certificates_of_a_certrep_are_the_endpoints_choice),
    T(the_answer_mirrors_digest_cipher_and_transport),
    T(an_old_ra_generation_still_decrypts_and_the_current_one_signs), T(a_combined_ra_certificate_does_both),
    T(algorithms_the_endpoint_does_not_allow_are_bad_alg_and_cost_no_decryption),
    T(a_refusal_of_sha1_is_itself_signed_with_sha256),
    T(a_signer_that_cannot_receive_the_answer_is_refused_before_anything_is_issued),
    T(an_unknown_message_type_is_bad_request_and_reaches_nobody),
    T(without_transaction_or_readable_cms_there_is_only_http_400),
    T(a_message_without_content_is_bad_request),
    T(a_broken_cms_signature_is_bad_message_check_before_any_decryption), T(pending_and_issued_later),
    T(a_poll_may_name_an_ra_certificate_as_the_issuer),
    T(a_renewal_is_asked_of_ca_only_with_a_certificate_of_this_ca),
    T(a_look_alike_of_our_issuer_is_not_our_certificate),
    T(what_ca_refuses_is_a_failure_with_the_tables_fail_info), T(what_may_work_later_is_never_a_failure),
    T(an_answer_of_ca_that_cannot_be_right_is_503_and_reaches_no_device),
    T(get_cert_and_get_crl_answer_what_ca_has), T(a_query_that_does_not_name_our_ca_is_not_asked),
    T(fail_info_text_is_there_only_where_the_endpoint_says_so), T(the_end))
