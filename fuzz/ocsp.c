/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP: a request that parses can be matched with a CA, and answered in DER, whatever it asks about. */
#include "fuzz/target.h"

#include "base/auto.h"
#include "x509/ocsp.h"

static void answer(const struct ocsp_request *request)
{
    static const uint8_t key_id[20] = { 1 };
    struct ocsp_single singles[LIMIT_OCSP_REQUESTS];
    AUTO_BUF tbs = { 0 };
    AUTO_BUF der = { 0 };
    for (size_t i = 0; i < request->count; i++)
        singles[i] = (struct ocsp_single){
            request->ids[i].der, (enum ocsp_cert_status)(i % 3), 1, CRL_SUPERSEDED, 2, 3
        };
    const struct ocsp_params params = { BYTES_ARR(key_id), 4, singles, request->count, request->nonce };
    ocsp_tbs_build(&params, &tbs);
    PROMISE(der_is_valid(buf_bytes(&tbs)));
    ocsp_response_assemble(buf_bytes(&tbs), (struct signature_algorithm){ true, DIGEST_SHA256 },
                           BYTES_ARR(key_id), BYTES_NONE, &der);
    PROMISE(der_is_valid(buf_bytes(&der)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct ocsp_issuer issuer;
    struct why why;
    struct ocsp_request request;
    if (ocsp_request_parse(bytes_of(data, len), &request, &why) != OK)
        return 0;
    PROMISE(len <= LIMIT_OCSP_REQUEST_BYTES && request.count >= 1 && request.count <= LIMIT_OCSP_REQUESTS);
    PROMISE(request.nonce.len <= 128);
    for (size_t i = 0; i < request.count; i++)
        PROMISE(request.ids[i].digest || !ocsp_issuer_is(&issuer, &request.ids[i]));
    answer(&request);
    return 0;
}
