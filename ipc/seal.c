/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies between ca and signer. */
#include "ipc/seal.h"

#include "base/auto.h"
#include "base/fault.h"
#include "base/limits.h"

/* What a request has beside its TBS, at most; its frame adds more. */
#define REQUEST_MORE_BYTES (LIMIT_NAME_BYTES + 64)

void seal_request_put(struct buf *out, const struct seal_request *request)
{
    buf_reserve(out, request->tbs.len + REQUEST_MORE_BYTES + FRAME_OVERHEAD_BYTES);
    size_t mark = der_begin_expecting(out, DER_SEQUENCE, request->tbs.len);
    der_put_utf8(out, request->ca);
    der_put_int64(out, request->kind);
    der_put_octets(out, request->tbs);
    der_end(out, mark);
}

enum err seal_request_get(struct bytes body, struct seal_request *ret, struct why *why)
{
    struct der_reader in = der_reader_over(body), seq;
    struct bytes ca, tbs;
    int64_t kind;
    if (!der_get_sequence(&in, &seq) || !der_at_end(&in) || !der_get_utf8(&seq, &ca) ||
        !der_get_int64(&seq, &kind) || !der_get_octets(&seq, &tbs) || !der_at_end(&seq))
        return fail(why, ERR_MALFORMED, "malformed seal request of %zu bytes", body.len);
    if (ca.len == 0 || ca.len > LIMIT_NAME_BYTES)
        return fail(why, ERR_MALFORMED, "seal request names a CA of %zu bytes; allowed are 1 to %d", ca.len,
                    LIMIT_NAME_BYTES);
    if (kind < SEAL_CERTIFICATE || kind > SEAL_DELTA_CRL)
        return fail(why, ERR_MALFORMED, "seal request has kind %lld; allowed are %d to %d", (long long)kind,
                    SEAL_CERTIFICATE, SEAL_DELTA_CRL);
    size_t max = kind == SEAL_CERTIFICATE ? LIMIT_CERT_BYTES : LIMIT_CRL_FRAME_BYTES;
    if (!FAULT(seal_size) && (tbs.len == 0 || tbs.len > max))
        return fail(why, ERR_LIMIT, "seal request has a TBS of %zu bytes; allowed are 1 to %zu", tbs.len,
                    max);
    *ret = (struct seal_request){ ca, (enum seal_kind)kind, tbs };
    return OK;
}

void seal_answer_put(struct buf *out, enum seal_kind kind, struct bytes der)
{
    struct der_reader in = der_reader_over(der), inside;
    struct bytes tbs;
    if (kind == SEAL_CERTIFICATE || !der_get_sequence(&in, &inside) ||
        !der_get_whole(&inside, DER_SEQUENCE, &tbs)) {
        der_put_octets(out, der);
        return;
    }
    const uint8_t *rest = tbs.data + tbs.len;
    der_put_octets(out, bytes_of(rest, (size_t)(der.data + der.len - rest)));
}

enum err seal_answer_get(struct bytes body, struct bytes *ret_sealed, struct why *why)
{
    struct der_reader in = der_reader_over(body);
    struct bytes sealed;
    if (!der_get_octets(&in, &sealed) || !der_at_end(&in) || sealed.len == 0)
        return fail(why, ERR_PROTOCOL, "malformed answer of %zu bytes to a seal request", body.len);
    *ret_sealed = sealed;
    return OK;
}

void seal_answer_join(const struct seal_request *request, struct bytes sealed, struct buf *ret_der)
{
    AUTO_BUF whole = { 0 };
    if (request->kind == SEAL_CERTIFICATE) {
        *ret_der = buf_dup(sealed);
        return;
    }
    size_t len = request->tbs.len + sealed.len;
    buf_reserve(&whole, DER_HEADER_BYTES_MAX + len);
    der_put_header(&whole, DER_SEQUENCE, len);
    buf_append(&whole, request->tbs);
    buf_append(&whole, sealed);
    *ret_der = TAKE_BUF(whole);
}
