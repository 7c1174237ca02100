/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP requests that travel in a path (RFC 6960 A.1): {url}/{url-encoding of base64 of the DER request}. */
#pragma once
#include "base/bytes.h"

/* rest: what follows /ocsp in the raw path, still percent-encoded. Clients leave '+', '/' and '=' as they are or encode them, leave the
   padding out, and add a slash to a URL that ends in one. false: no base64, or longer than any request may be. Caller frees. */
NODISCARD bool ocsp_path_decode(struct bytes rest, struct buf *ret_der);
