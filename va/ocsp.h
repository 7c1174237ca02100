/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP (RFC 6960 in the profile of RFC 5019): from a request to its answer. What is in the cache is given on the loop thread; what has to
   be signed, or asked of ca, by a worker. */
#pragma once
#include "va/va.h"

#define VA_RETRY_AFTER "Retry-After: 5\r\n"              /* of a 503 */
struct http_exchange;
/* der: the OCSPRequest, copied where it has to outlive this call; NULL data: none could be read. Loop thread. */
void ocsp_handle(struct va *va, struct http_exchange *exchange, struct bytes der);

/* One answer made now, by whoever may wait: statuses from the cache or from ca, then a signature. *ret_document: an answer that may be
   kept and has been; NULL where it may not: then *ret_der is what to send. ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_BUSY and ERR_STORE: later;
   everything else is a failure of ours. */
struct ocsp_made { struct document *document; struct buf der; const char *note; };
NODISCARD enum err ocsp_make(struct va *va, const struct ocsp_request *request, struct ocsp_made *ret, struct why *why);
