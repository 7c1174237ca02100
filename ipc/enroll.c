/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies between scep and ca. Each field has its limit, which ca checks again although scep checked it
 * before. */
#include "ipc/enroll.h"

#include "base/limits.h"

#define PEER_BYTES 96 /* an address as text, with a zone */

static bool get_name(struct der_reader *in, struct bytes *ret)
{
    return der_get_utf8(in, ret) && ret->len > 0 && ret->len <= LIMIT_NAME_BYTES;
}

static bool get_octets(struct der_reader *in, size_t min, size_t max, struct bytes *ret)
{
    return der_get_octets(in, ret) && ret->len >= min && ret->len <= max;
}

void enroll_request_put(struct buf *out, const struct enroll_request *request)
{
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_utf8(out, request->endpoint);
    der_put_octets(out, request->csr);
    der_put_octets(out, request->transaction_id);
    der_put_octets(out, request->signer_cert);
    der_put_utf8(out, request->peer);
    der_end(out, mark);
}

enum err enroll_request_get(struct bytes body, struct enroll_request *ret, struct why *why)
{
    struct der_reader in = der_reader_over(body), seq;
    struct enroll_request request;
    if (!der_get_sequence(&in, &seq) || !der_at_end(&in) || !get_name(&seq, &request.endpoint) ||
        !get_octets(&seq, 1, LIMIT_CSR_BYTES, &request.csr) ||
        !get_octets(&seq, 1, LIMIT_TRANSACTION_ID_BYTES, &request.transaction_id) ||
        !get_octets(&seq, 1, LIMIT_CERT_BYTES, &request.signer_cert) || !der_get_utf8(&seq, &request.peer) ||
        request.peer.len > PEER_BYTES || !der_at_end(&seq))
        return fail(why, ERR_MALFORMED, "malformed request of %zu bytes, or a field past its limit",
                    body.len);
    *ret = request;
    return OK;
}

void enroll_poll_put(struct buf *out, const struct enroll_poll *poll)
{
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_utf8(out, poll->endpoint);
    der_put_octets(out, poll->transaction_id);
    der_put_octets(out, poll->issuer);
    der_put_octets(out, poll->subject);
    der_put_octets(out, poll->signer_cert);
    der_end(out, mark);
}

enum err enroll_poll_get(struct bytes body, struct enroll_poll *ret, struct why *why)
{
    struct der_reader in = der_reader_over(body), seq;
    struct enroll_poll poll;
    if (!der_get_sequence(&in, &seq) || !der_at_end(&in) || !get_name(&seq, &poll.endpoint) ||
        !get_octets(&seq, 1, LIMIT_TRANSACTION_ID_BYTES, &poll.transaction_id) ||
        !get_octets(&seq, 1, LIMIT_CERT_BYTES, &poll.issuer) ||
        !get_octets(&seq, 1, LIMIT_CERT_BYTES, &poll.subject) ||
        !get_octets(&seq, 1, LIMIT_CERT_BYTES, &poll.signer_cert) || !der_at_end(&seq))
        return fail(why, ERR_MALFORMED, "malformed poll of %zu bytes, or a field past its limit", body.len);
    *ret = poll;
    return OK;
}

void enroll_answer_put(struct buf *out, const struct enroll_answer *answer)
{
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_int64(out, answer->disposition);
    der_put_int64(out, answer->request_id);
    der_put_octets(out, answer->certificate);
    der_end(out, mark);
}

/* A certificate exactly when it is issued. */
enum err enroll_answer_get(struct bytes body, struct enroll_answer *ret, struct why *why)
{
    struct der_reader in = der_reader_over(body), seq;
    int64_t disposition, request_id;
    struct bytes certificate;
    if (!der_get_sequence(&in, &seq) || !der_at_end(&in) || !der_get_int64(&seq, &disposition) ||
        !der_get_int64(&seq, &request_id) || !get_octets(&seq, 0, LIMIT_CERT_BYTES, &certificate) ||
        !der_at_end(&seq) || request_id < 0)
        return fail(why, ERR_PROTOCOL, "malformed answer of %zu bytes to a request", body.len);
    bool issued = disposition == ENROLL_ISSUED && certificate.len > 0;
    bool pending = disposition == ENROLL_PENDING && certificate.len == 0;
    if (!issued && !pending)
        return fail(why, ERR_PROTOCOL, "answer has disposition %lld and a certificate of %zu bytes",
                    (long long)disposition, certificate.len);
    *ret = (struct enroll_answer){ issued ? ENROLL_ISSUED : ENROLL_PENDING, request_id, certificate };
    return OK;
}
