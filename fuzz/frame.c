/* SPDX-License-Identifier: Apache-2.0 */
/* What a captured peer sends between the roles: a stream of frames, and each body through every decoder of both sides. What
   decodes is what the encoder writes. A TBS goes on to the signer's judgement. */
#include "fuzz/target.h"

#include "base/auto.h"
#include "base/limits.h"
#include "ipc/enroll.h"
#include "ipc/record.h"
#include "ipc/seal.h"
#include "signer/limits.h"

#define NOW 1795000000 /* November 2026 */

static void expect_body(const struct buf *written, struct bytes body)
{
    PROMISE(bytes_equal(buf_bytes(written), body));
}

static void read_hello(struct bytes body)
{
    struct why why;
    struct hello hello;
    AUTO_BUF again = { 0 };
    if (hello_get(body, &hello, &why) != OK)
        return;
    PROMISE(hello.min >= 1 && hello.max >= hello.min && hello.principal.len > 0);
    hello_put(&again, &hello);
    expect_body(&again, body);
}

static void read_error(struct bytes body)
{
    struct why peer = { 0 };
    AUTO_BUF again = { 0 };
    if (frame_error_get(body, &peer) != OK)
        return;
    PROMISE(peer.err != OK && strnlen(peer.text, sizeof(peer.text)) < sizeof(peer.text));
    frame_error_put(&again, peer.err, peer.text); /* the text may have been cut */
    PROMISE(frame_error_get(buf_bytes(&again), NULL) == OK);
}

static void read_enroll(struct bytes body)
{
    struct why why;
    struct enroll_request request;
    struct enroll_poll poll;
    struct enroll_answer answer;
    AUTO_BUF again = { 0 };
    if (enroll_request_get(body, &request, &why) == OK) {
        enroll_request_put(&again, &request);
        expect_body(&again, body);
    }
    buf_clear(&again);
    if (enroll_poll_get(body, &poll, &why) == OK) {
        enroll_poll_put(&again, &poll);
        expect_body(&again, body);
    }
    buf_clear(&again);
    if (enroll_answer_get(body, &answer, &why) == OK) {
        PROMISE((answer.disposition == ENROLL_ISSUED) == (answer.certificate.len > 0));
        enroll_answer_put(&again, &answer);
        expect_body(&again, body);
    }
}

static void read_record(struct record record)
{
    static const char *const names[] = { "", "serial", "limit", "endpoint" };
    struct record_field field;
    struct bytes found;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        AUTO_STR text = record_str(&record, names[i]);
        PROMISE(record_find(&record, names[i], &found) == (text != NULL));
        (void)record_int(&record, names[i], -1);
    }
    while (record_next_field(&record, &field))
        PROMISE(utf8_is_valid(field.name) && utf8_is_valid(field.value));
    PROMISE(record.fields.len == 0);
}

static void read_records(struct bytes body)
{
    struct why why;
    struct record record;
    struct der_reader list;
    if (record_get(body, &record, &why) == OK)
        read_record(record);
    if (records_get(body, &list, &why) != OK)
        return;
    while (records_next(&list, &record))
        read_record(record);
    PROMISE(der_at_end(&list));
}

/* Limits of a CA that would let pass what the TBS itself says of issuer and key, so that the other rules are reached. */
static void judge(const struct seal_request *request)
{
    struct why why;
    struct cert cert;
    struct crl crl;
    struct ca_limits limits = { .ca_not_after = NOW + 5 * 365 * 86400LL,
                                .validity_max_s = 398 * 86400LL,
                                .backdate_s = 3600,
                                .crl_span_max_s = 30 * 86400LL };
    if (request->kind != SEAL_CERTIFICATE && crl_tbs_parse(request->tbs, &crl, &why) == OK) {
        limits.issuer = crl.issuer, limits.key_id = crl.aki, limits.algorithm = crl.algorithm;
        const struct crl_numbers last = { 1, 1 };
        PROMISE(ca_limits_check_crl(&limits, &crl, &last, NOW, &why) == OK || why.text[0]);
    }
    if (request->kind == SEAL_CERTIFICATE && tbs_parse(request->tbs, &cert, &why) == OK &&
        tbs_lint(request->tbs, &why) == OK) {
        limits.issuer = cert.issuer, limits.key_id = cert.aki, limits.algorithm = cert.algorithm;
        PROMISE(ca_limits_check_cert(&limits, &cert, NOW, &why) != OK || !cert.is_ca);
    }
}

static void read_seal(struct bytes body)
{
    struct why why;
    struct seal_request request;
    struct bytes der;
    AUTO_BUF again = { 0 };
    if (seal_answer_get(body, &der, &why) == OK) {
        seal_answer_put(&again, SEAL_CERTIFICATE, der);
        expect_body(&again, body);
    }
    if (seal_request_get(body, &request, &why) != OK)
        return;
    buf_clear(&again);
    seal_request_put(&again, &request);
    expect_body(&again, body);
    judge(&request);
}

static void read_frame(struct bytes der)
{
    struct why why;
    struct frame frame;
    AUTO_BUF again = { 0 };
    if (frame_get(der, &frame, &why) != OK)
        return;
    PROMISE(frame.version >= 1 && frame.id >= 0 && frame.verb.len > 0 && frame.verb.len <= FRAME_VERB_BYTES);
    frame_put(&again, &frame);
    PROMISE(frame_length(again.data) == der.len);
    PROMISE(bytes_equal(bytes_of(again.data + FRAME_PREFIX_BYTES, again.len - FRAME_PREFIX_BYTES), der));
    read_hello(frame.body);
    read_error(frame.body);
    read_enroll(frame.body);
    read_seal(frame.body);
    read_records(frame.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    while (len >= FRAME_PREFIX_BYTES) {
        size_t length = frame_length(data);
        data += FRAME_PREFIX_BYTES, len -= FRAME_PREFIX_BYTES;
        if (length == 0 || length > LIMIT_FRAME_BYTES)
            return 0;
        size_t here = length < len ? length : len; /* a cut frame must be refused, too */
        read_frame(bytes_of(data, here));
        data += here, len -= here;
    }
    return 0;
}
