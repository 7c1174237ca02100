/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 in a path, as clients write it. */
#include "va/ocsp_path.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/limits.h"
#include "http/query.h"

/* Each octet of base64 may be written as three, and every four of them are three of DER. */
#define REST_BYTES_MAX ((size_t)LIMIT_OCSP_REQUEST_BYTES * 4)

/* What proxies and libraries make of the alphabet: a space was a '+', '-' and '_' are base64url's (RFC 4648 5). */
static uint8_t plain(uint8_t byte)
{
    switch (byte) {
    case ' ':
    case '-':
        return '+';
    case '_':
        return '/';
    default:
        return byte;
    }
}

bool ocsp_path_decode(struct bytes rest, struct buf *ret_der)
{
    AUTO_BUF text = { 0 };
    if (rest.len > REST_BYTES_MAX || !percent_decode(rest, &text))
        return false;
    size_t start = 0;
    /* DER begins with 0x30, and so its base64 with 'M': a slash in front is the URL's. */
    while (start < text.len && text.data[start] == '/')
        start++;
    for (size_t i = start; i < text.len; i++)
        text.data[i] = plain(text.data[i]);
    return start < text.len && base64_decode(bytes_of(text.data + start, text.len - start), true, ret_der);
}
