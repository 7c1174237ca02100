/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP requests in paths: what is decoded is no longer than it can be, and is decoded from plain base64 to the same octets; and the request
   in it is read or refused. */
#include "fuzz/target.h"

#include "base/auto.h"
#include "base/encode.h"
#include "va/ocsp_path.h"
#include "va/route.h"
#include "x509/ocsp.h"

static void same_again(struct bytes der)
{
    AUTO_BUF rest = { 0 };
    AUTO_BUF again = { 0 };
    buf_append_byte(&rest, '/');
    base64_append(&rest, der);
    /* A slash in front is the URL's: only DER, whose base64 begins with another letter, comes through whole. */
    bool begins_with_slash = der.len && der.data[0] >= 0xFC;
    PROMISE(begins_with_slash || !der.len || ocsp_path_decode(buf_bytes(&rest), &again));
    PROMISE(begins_with_slash || bytes_equal(buf_bytes(&again), der));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes text = bytes_of(data, len), rest;
    struct ocsp_request request;
    struct why why;
    AUTO_BUF der = { 0 };
    if (route_is_ocsp(text, &rest))
        PROMISE(rest.len < len && (!rest.len || rest.data[0] == '/'));
    if (!ocsp_path_decode(text, &der))
        return 0;
    PROMISE(der.len <= len);
    if (der.len <= LIMIT_OCSP_REQUEST_BYTES)
        same_again(buf_bytes(&der));
    if (ocsp_request_parse(buf_bytes(&der), &request, &why) == OK)
        PROMISE(request.count >= 1 && request.count <= LIMIT_OCSP_REQUESTS);
    return 0;
}
