/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and bodies: both directions, limits, and bytes that nobody of ours wrote. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "base/limits.h"
#include "ipc/enroll.h"
#include "ipc/record.h"
#include "ipc/seal.h"
#include <stdlib.h>

static struct bytes without_prefix(const struct buf *frame)
{
    return bytes_of(frame->data + FRAME_PREFIX_BYTES, frame->len - FRAME_PREFIX_BYTES);
}

TEST(a_frame_comes_back_as_it_went)
{
    AUTO_BUF body = { 0 };
    AUTO_BUF out = { 0 };
    struct frame got;
    struct why why;
    der_put_int64(&body, 77);
    const struct frame sent = { 1, INT64_MAX, BYTES_LIT("request"), buf_bytes(&body) };
    frame_put(&out, &sent);
    assert_int_equal(frame_length(out.data), out.len - FRAME_PREFIX_BYTES);
    ASSERT_OK(frame_get(without_prefix(&out), &got, &why), &why);
    assert_int_equal(got.version, 1);
    assert_true(got.id == INT64_MAX);
    ASSERT_BYTES(got.verb, BYTES_LIT("request"));
    ASSERT_BYTES(got.body, buf_bytes(&body));
}

TEST(an_empty_body_is_null)
{
    AUTO_BUF out = { 0 };
    struct frame got;
    struct why why;
    frame_put(&out, &(struct frame){ 1, 0, BYTES_LIT("x"), BYTES_NONE });
    ASSERT_OK(frame_get(without_prefix(&out), &got, &why), &why);
    ASSERT_BYTES(got.body, BYTES_LIT("\x05\x00"));
}

static enum err get_made(int64_t version, int64_t id, const char *verb, const char *body, struct why *why)
{
    AUTO_BUF der = { 0 };
    struct frame got;
    size_t mark = der_begin(&der, DER_SEQUENCE);
    der_put_int64(&der, version);
    der_put_int64(&der, id);
    der_put_utf8(&der, bytes_str(verb));
    AUTO_BUF raw = { 0 };
    assert_true(hex_decode(bytes_str(body), &raw));
    der_put_raw(&der, buf_bytes(&raw));
    der_end(&der, mark);
    return frame_get(buf_bytes(&der), &got, why);
}

TEST(each_part_of_a_frame_is_judged)
{
    struct why why;
    ASSERT_OK(get_made(1, 0, "cert.list_x-9", "0500", &why), &why);
    ASSERT_ERR(ERR_MALFORMED, get_made(0, 0, "x", "0500", &why), &why);
    ASSERT_ERR(ERR_MALFORMED, get_made(1000001, 0, "x", "0500", &why), &why);
    ASSERT_ERR(ERR_MALFORMED, get_made(1, -1, "x", "0500", &why), &why);
    ASSERT_ERR(ERR_MALFORMED, get_made(1, 0, "", "0500", &why), &why);
    ASSERT_ERR(ERR_MALFORMED, get_made(1, 0, "Upper", "0500", &why), &why);
    ASSERT_ERR(ERR_MALFORMED, get_made(1, 0, "a b", "0500", &why), &why);
    ASSERT_ERR(ERR_MALFORMED, get_made(1, 0, "a\nb", "0500", &why), &why);
    ASSERT_ERR(ERR_MALFORMED, get_made(1, 0, "x", "", &why), &why);
    ASSERT_ERR(ERR_MALFORMED, get_made(1, 0, "x", "05000500", &why), &why);
    ASSERT_ERR(ERR_MALFORMED, get_made(1, 0, "x", "0501", &why), &why);
    ASSERT_ERR(ERR_MALFORMED, get_made(1, 0, "x", "3080", &why), &why);
    char verb[FRAME_VERB_BYTES + 2];
    memset(verb, 'v', sizeof(verb));
    verb[FRAME_VERB_BYTES] = '\0';
    ASSERT_OK(get_made(1, 0, verb, "0500", &why), &why);
    verb[FRAME_VERB_BYTES] = 'v';
    verb[FRAME_VERB_BYTES + 1] = '\0';
    ASSERT_ERR(ERR_MALFORMED, get_made(1, 0, verb, "0500", &why), &why);
}

TEST(a_frame_has_no_trailing_bytes_and_no_missing_ones)
{
    AUTO_BUF out = { 0 };
    struct frame got;
    struct why why;
    frame_put(&out, &(struct frame){ 1, 300, BYTES_LIT("echo"),
                                     BYTES_LIT("\x04\x03"
                                               "abc") });
    struct bytes whole = without_prefix(&out);
    for (size_t len = 0; len < whole.len; len++)
        ASSERT_ERR(ERR_MALFORMED, frame_get(bytes_of(whole.data, len), &got, &why), &why);
    buf_append_byte(&out, 0);
    ASSERT_ERR(ERR_MALFORMED, frame_get(without_prefix(&out), &got, &why), &why);
}

TEST(an_error_keeps_its_name_and_its_sentence)
{
    for (int err = 1; err < ERR_COUNT; err++) {
        AUTO_BUF body = { 0 };
        struct why why = { 0 };
        frame_error_put(&body, (enum err)err, "key has 1024 bits, template wants 2048");
        assert_int_equal(frame_error_get(buf_bytes(&body), &why), OK);
        assert_int_equal(why.err, err);
        assert_string_equal(why.text, "key has 1024 bits, template wants 2048");
    }
}

TEST(an_error_survives_text_that_is_cut_and_names_that_are_new)
{
    AUTO_BUF cut = { 0 };
    struct why why = { 0 };
    frame_error_put(&cut, ERR_LINT, "caf\xC3");
    assert_int_equal(frame_error_get(buf_bytes(&cut), &why), OK);
    assert_string_equal(why.text, "caf?");
    AUTO_BUF none = { 0 };
    frame_error_put(&none, ERR_LINT, NULL);
    assert_int_equal(frame_error_get(buf_bytes(&none), &why), OK);
    assert_string_equal(why.text, "");
    /* a peer of a newer release */
    AUTO_BUF newer = { 0 };
    size_t mark = der_begin(&newer, DER_SEQUENCE);
    der_put_utf8(&newer, BYTES_LIT("ERR_OF_TOMORROW"));
    der_put_utf8(&newer, BYTES_LIT("text"));
    der_end(&newer, mark);
    assert_int_equal(frame_error_get(buf_bytes(&newer), &why), OK);
    assert_int_equal(why.err, ERR_INTERNAL);
}

TEST(an_error_never_says_success)
{
    AUTO_BUF ours = { 0 };
    struct why why = { 0 };
    frame_error_put(&ours, OK, "");
    assert_int_equal(frame_error_get(buf_bytes(&ours), &why), OK);
    assert_int_equal(why.err, ERR_INTERNAL);
    AUTO_BUF forged = { 0 };
    size_t mark = der_begin(&forged, DER_SEQUENCE);
    der_put_utf8(&forged, BYTES_LIT("OK"));
    der_put_utf8(&forged, BYTES_LIT(""));
    der_end(&forged, mark);
    assert_int_equal(frame_error_get(buf_bytes(&forged), &why), ERR_MALFORMED);
    assert_int_equal(frame_error_get(BYTES_NONE, &why), ERR_MALFORMED);
    buf_append_byte(&ours, 5);
    assert_int_equal(frame_error_get(buf_bytes(&ours), &why), ERR_MALFORMED);
}

static enum err hello_made(int min, int max, size_t principal, struct why *why)
{
    char name[LIMIT_NAME_BYTES + 2];
    memset(name, 'p', sizeof(name));
    AUTO_BUF body = { 0 };
    struct hello got;
    const struct hello hello = { min, max, bytes_of(name, principal) };
    hello_put(&body, &hello);
    return hello_get(buf_bytes(&body), &got, why);
}

TEST(hello_has_versions_in_order_and_a_principal)
{
    struct why why;
    ASSERT_OK(hello_made(1, 1, 1, &why), &why);
    ASSERT_OK(hello_made(1, 9, LIMIT_NAME_BYTES, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, hello_made(1, 9, LIMIT_NAME_BYTES + 1, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, hello_made(1, 9, 0, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, hello_made(0, 9, 4, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, hello_made(3, 2, 4, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, hello_made(1, 1000001, 4, &why), &why);
}

/* A block of zeros as long as the longest thing we send here. */
static const uint8_t zeros[LIMIT_CSR_BYTES + 1];
static struct bytes zero(size_t len)
{
    return bytes_of(zeros, len);
}

static enum err request_made(struct enroll_request request, struct why *why)
{
    AUTO_BUF body = { 0 };
    struct enroll_request got;
    enroll_request_put(&body, &request);
    enum err err = enroll_request_get(buf_bytes(&body), &got, why);
    if (err == OK) {
        ASSERT_BYTES(got.endpoint, request.endpoint);
        ASSERT_BYTES(got.csr, request.csr);
        ASSERT_BYTES(got.transaction_id, request.transaction_id);
        ASSERT_BYTES(got.signer_cert, request.signer_cert);
        ASSERT_BYTES(got.peer, request.peer);
    }
    return err;
}

TEST(each_field_of_a_request_has_its_limit)
{
    const struct enroll_request good = { BYTES_LIT("default"), zero(LIMIT_CSR_BYTES),
                                         zero(LIMIT_TRANSACTION_ID_BYTES), zero(LIMIT_CERT_BYTES),
                                         BYTES_LIT("192.0.2.7") };
    struct why why;
    ASSERT_OK(request_made(good, &why), &why);
    struct enroll_request bad = good;
    bad.csr = zero(LIMIT_CSR_BYTES + 1);
    ASSERT_ERR(ERR_MALFORMED, request_made(bad, &why), &why);
    bad = good;
    bad.csr = BYTES_NONE;
    ASSERT_ERR(ERR_MALFORMED, request_made(bad, &why), &why);
    bad = good;
    bad.transaction_id = zero(LIMIT_TRANSACTION_ID_BYTES + 1);
    ASSERT_ERR(ERR_MALFORMED, request_made(bad, &why), &why);
    bad = good;
    bad.signer_cert = zero(LIMIT_CERT_BYTES + 1);
    ASSERT_ERR(ERR_MALFORMED, request_made(bad, &why), &why);
    bad = good;
    bad.endpoint = BYTES_NONE;
    ASSERT_ERR(ERR_MALFORMED, request_made(bad, &why), &why);
    bad = good;
    char name[LIMIT_NAME_BYTES + 40];
    memset(name, 'n', sizeof(name));
    bad.endpoint = bytes_of(name, LIMIT_NAME_BYTES);
    ASSERT_OK(request_made(bad, &why), &why);
    bad.endpoint = bytes_of(name, LIMIT_NAME_BYTES + 1);
    ASSERT_ERR(ERR_MALFORMED, request_made(bad, &why), &why);
    bad = good;
    bad.peer = bytes_of(name, 96);
    ASSERT_OK(request_made(bad, &why), &why);
    bad.peer = bytes_of(name, 97);
    ASSERT_ERR(ERR_MALFORMED, request_made(bad, &why), &why);
}

TEST(a_poll_comes_back_as_it_went)
{
    const struct enroll_poll poll = { BYTES_LIT("default"), BYTES_LIT("tx"), BYTES_LIT("issuer"),
                                      BYTES_LIT("subject"), BYTES_LIT("cert") };
    AUTO_BUF body = { 0 };
    struct enroll_poll got;
    struct why why;
    enroll_poll_put(&body, &poll);
    ASSERT_OK(enroll_poll_get(buf_bytes(&body), &got, &why), &why);
    ASSERT_BYTES(got.transaction_id, poll.transaction_id);
    ASSERT_BYTES(got.issuer, poll.issuer);
    ASSERT_BYTES(got.subject, poll.subject);
    ASSERT_BYTES(got.signer_cert, poll.signer_cert);
    for (size_t len = 0; len < body.len; len++)
        ASSERT_ERR(ERR_MALFORMED, enroll_poll_get(bytes_of(body.data, len), &got, &why), &why);
    buf_append_byte(&body, 0);
    ASSERT_ERR(ERR_MALFORMED, enroll_poll_get(buf_bytes(&body), &got, &why), &why);
}

static enum err answer_made(int disposition, int64_t id, size_t certificate, struct why *why)
{
    AUTO_BUF body = { 0 };
    struct enroll_answer got;
    const struct enroll_answer answer = { (enum enroll_disposition)disposition, id, zero(certificate) };
    enroll_answer_put(&body, &answer);
    return enroll_answer_get(buf_bytes(&body), &got, why);
}

TEST(an_answer_has_a_certificate_exactly_when_it_is_issued)
{
    struct why why;
    ASSERT_OK(answer_made(ENROLL_ISSUED, 1, LIMIT_CERT_BYTES, &why), &why);
    ASSERT_OK(answer_made(ENROLL_PENDING, 1, 0, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, answer_made(ENROLL_ISSUED, 1, 0, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, answer_made(ENROLL_PENDING, 1, 5, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, answer_made(2, 1, 5, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, answer_made(ENROLL_ISSUED, -1, 5, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, answer_made(ENROLL_ISSUED, 1, LIMIT_CERT_BYTES + 1, &why), &why);
}

static enum err seal_made(size_t ca, int kind, size_t tbs, struct why *why)
{
    char name[LIMIT_NAME_BYTES + 1];
    memset(name, 'c', sizeof(name));
    AUTO_BUF body = { 0 };
    struct seal_request got;
    const struct seal_request request = { bytes_of(name, ca), (enum seal_kind)kind, zero(tbs) };
    seal_request_put(&body, &request);
    return seal_request_get(buf_bytes(&body), &got, why);
}

TEST(a_seal_request_names_a_ca_and_a_kind_and_has_a_tbs)
{
    struct why why;
    ASSERT_OK(seal_made(7, SEAL_CERTIFICATE, LIMIT_CERT_BYTES, &why), &why);
    ASSERT_ERR(ERR_LIMIT, seal_made(7, SEAL_CERTIFICATE, LIMIT_CERT_BYTES + 1, &why), &why);
    ASSERT_OK(seal_made(7, SEAL_CRL, LIMIT_CERT_BYTES + 1, &why), &why);
    ASSERT_ERR(ERR_LIMIT, seal_made(7, SEAL_CERTIFICATE, 0, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, seal_made(7, 0, 9, &why), &why);
    ASSERT_OK(seal_made(7, SEAL_DELTA_CRL, LIMIT_CERT_BYTES + 1, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, seal_made(7, 4, 9, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, seal_made(0, SEAL_CRL, 9, &why), &why);
    ASSERT_OK(seal_made(LIMIT_NAME_BYTES, SEAL_CRL, 9, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, seal_made(LIMIT_NAME_BYTES + 1, SEAL_CRL, 9, &why), &why);
}

TEST(a_seal_answer_is_one_octet_string)
{
    AUTO_BUF body = { 0 };
    struct bytes der;
    struct why why;
    seal_answer_put(&body, SEAL_CERTIFICATE, BYTES_LIT("certificate"));
    ASSERT_OK(seal_answer_get(buf_bytes(&body), &der, &why), &why);
    ASSERT_BYTES(der, BYTES_LIT("certificate"));
    buf_append_byte(&body, 0);
    ASSERT_ERR(ERR_PROTOCOL, seal_answer_get(buf_bytes(&body), &der, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, seal_answer_get(BYTES_LIT("\x04\x00"), &der, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, seal_answer_get(BYTES_LIT("\x05\x00"), &der, &why), &why);
}

TEST(of_a_crl_only_what_follows_its_tbs_comes_back)
{
    static const uint8_t crl[] = { 0x30, 0x09, 0x30, 0x02, 0x05, 0x00, 0x30, 0x00, 0x03, 0x01, 0x00 };
    const struct seal_request request = { BYTES_LIT("issuing"), SEAL_DELTA_CRL, bytes_of(crl + 2, 4) };
    AUTO_BUF body = { 0 }, whole = { 0 };
    struct bytes sealed;
    struct why why;
    seal_answer_put(&body, SEAL_DELTA_CRL, BYTES_ARR(crl));
    ASSERT_OK(seal_answer_get(buf_bytes(&body), &sealed, &why), &why);
    ASSERT_BYTES(sealed, bytes_of(crl + 6, 5));
    seal_answer_join(&request, sealed, &whole);
    ASSERT_BYTES(buf_bytes(&whole), BYTES_ARR(crl));
}

/* Whatever arrives, each reader either takes it or says why not. */
TEST(mutated_bodies_are_taken_or_refused)
{
    AUTO_BUF seed = { 0 };
    AUTO_BUF body = { 0 };
    const struct enroll_request request = { BYTES_LIT("default"), BYTES_LIT("csr"), BYTES_LIT("tx"),
                                            BYTES_LIT("cert"), BYTES_LIT("::1") };
    enroll_request_put(&body, &request);
    frame_put(&seed, &(struct frame){ 1, 9, BYTES_LIT("request"), buf_bytes(&body) });
    srandom(11);
    for (int round = 0; round < 20000; round++) {
        AUTO_BUF der = buf_dup(without_prefix(&seed));
        for (long n = 1 + random() % 4; n; n--)
            der.data[random() % (long)der.len] = (uint8_t)random();
        der.len -= (size_t)(random() % 3 == 0 ? random() % (long)der.len : 0);
        struct frame frame;
        struct why why = { 0 };
        if (frame_get(buf_bytes(&der), &frame, &why) != OK) {
            assert_true(why.text[0]);
            continue;
        }
        struct enroll_request got_request;
        struct enroll_poll got_poll;
        struct seal_request got_seal;
        struct hello got_hello;
        struct record record;
        (void)!enroll_request_get(frame.body, &got_request, &why);
        (void)!enroll_poll_get(frame.body, &got_poll, &why);
        (void)!seal_request_get(frame.body, &got_seal, &why);
        (void)!hello_get(frame.body, &got_hello, &why);
        (void)!frame_error_get(frame.body, &why);
        (void)!record_get(frame.body, &record, &why);
    }
}

RUN(T(a_frame_comes_back_as_it_went), T(an_empty_body_is_null), T(each_part_of_a_frame_is_judged),
    T(a_frame_has_no_trailing_bytes_and_no_missing_ones), T(an_error_keeps_its_name_and_its_sentence),
    T(an_error_survives_text_that_is_cut_and_names_that_are_new), T(an_error_never_says_success),
    T(hello_has_versions_in_order_and_a_principal), T(each_field_of_a_request_has_its_limit),
    T(a_poll_comes_back_as_it_went), T(an_answer_has_a_certificate_exactly_when_it_is_issued),
    T(a_seal_request_names_a_ca_and_a_kind_and_has_a_tbs), T(a_seal_answer_is_one_octet_string),
    T(of_a_crl_only_what_follows_its_tbs_comes_back), T(mutated_bodies_are_taken_or_refused))
