/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP responses written (RFC 6960 4.2.1). */
#include "x509/extension.h"
#include "x509/ocsp.h"

#include <assert.h>

#define KEY_ID_BYTES 20

static void put_enumerated(struct buf *out, int value)
{
    uint8_t octet = (uint8_t)value;
    der_put(out, DER_ENUMERATED, bytes_of(&octet, 1));
}

static void put_status(struct buf *out, const struct ocsp_single *single)
{
    if (single->status != OCSP_REVOKED) {
        der_put(out, (uint8_t)DER_CONTEXT(single->status == OCSP_GOOD ? 0 : 2), BYTES_NONE);
        return;
    }
    size_t info = der_begin(out, DER_CONTEXT_CONSTRUCTED(1));
    der_put_generalized_time(out, single->revoked_at);
    if (single->reason != CRL_UNSPECIFIED) {
        size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
        put_enumerated(out, (int)single->reason);
        der_end(out, tagged);
    }
    der_end(out, info);
}

static void put_single(struct buf *out, const struct ocsp_single *single)
{
    assert(single->this_update < single->next_update);
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_raw(out, single->cert_id);
    put_status(out, single);
    der_put_generalized_time(out, single->this_update);
    size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
    der_put_generalized_time(out, single->next_update);
    der_end(out, tagged);
    der_end(out, mark);
}

static void put_nonce(struct buf *out, struct bytes nonce)
{
    struct buf value = { 0 };
    size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(1)), list = der_begin(out, DER_SEQUENCE);
    der_put_octets(&value, nonce);
    extension_put(out, OID_OCSP_NONCE, false, buf_bytes(&value));
    buf_free(&value);
    der_end(out, list);
    der_end(out, tagged);
}

void ocsp_tbs_build(const struct ocsp_params *params, struct buf *ret_tbs)
{
    struct buf out = { 0 };
    assert(params->responder_key_id.len == KEY_ID_BYTES && params->count > 0);
    size_t mark = der_begin(&out, DER_SEQUENCE);
    size_t by_key = der_begin(&out, DER_CONTEXT_CONSTRUCTED(2));
    der_put_octets(&out, params->responder_key_id);
    der_end(&out, by_key);
    der_put_generalized_time(&out, params->produced_at);
    size_t list = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < params->count; i++)
        put_single(&out, &params->singles[i]);
    der_end(&out, list);
    if (params->nonce.len)
        put_nonce(&out, params->nonce);
    der_end(&out, mark);
    *ret_tbs = out;
}

static void put_basic(struct buf *out, struct bytes tbs, struct signature_algorithm algorithm,
                      struct bytes signature, struct bytes signer_cert)
{
    size_t basic = der_begin(out, DER_SEQUENCE);
    der_put_raw(out, tbs);
    signature_algorithm_put(out, algorithm);
    der_put_bits(out, signature);
    if (signer_cert.len) {
        size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(0)), list = der_begin(out, DER_SEQUENCE);
        der_put_raw(out, signer_cert);
        der_end(out, list);
        der_end(out, tagged);
    }
    der_end(out, basic);
}

void ocsp_response_assemble(struct bytes tbs, struct signature_algorithm algorithm, struct bytes signature,
                            struct bytes signer_cert, struct buf *ret_der)
{
    struct buf out = { 0 };
    buf_reserve(&out, tbs.len + signature.len + signer_cert.len + 128);
    size_t response = der_begin(&out, DER_SEQUENCE);
    put_enumerated(&out, OCSP_SUCCESSFUL);
    size_t tagged = der_begin(&out, DER_CONTEXT_CONSTRUCTED(0)), octets,
           bytes = der_begin(&out, DER_SEQUENCE);
    der_put_oid(&out, oid_bytes(OID_OCSP_BASIC));
    octets = der_begin(&out, DER_OCTET_STRING);
    put_basic(&out, tbs, algorithm, signature, signer_cert);
    der_end(&out, octets);
    der_end(&out, bytes);
    der_end(&out, tagged);
    der_end(&out, response);
    *ret_der = out;
}

void ocsp_error_put(struct buf *out, enum ocsp_response_status status)
{
    assert(status != OCSP_SUCCESSFUL);
    size_t mark = der_begin(out, DER_SEQUENCE);
    put_enumerated(out, (int)status);
    der_end(out, mark);
}
