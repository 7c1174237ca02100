/* SPDX-License-Identifier: Apache-2.0 */
/* From an HTTP request to an OCSP answer or a download. The two paths are compared as IIS does, without regard to case. */
#pragma once
#include "va/va.h"

struct http_exchange;
void route_handle(struct http_exchange *exchange, void *va); /* an http_handler */

/* The raw path after `/ocsp`, empty or beginning with a slash. false: it is another path. */
bool route_is_ocsp(struct bytes path, struct bytes *ret_rest);
/* The document at a raw path. ERR_HTTP_PATH: there is none; ERR_UNAVAILABLE: there will be, ca has not given it yet. */
NODISCARD enum err route_document(struct va *va, struct bytes path, struct document **ret);
