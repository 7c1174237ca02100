/* SPDX-License-Identifier: Apache-2.0 */
/* Dates of HTTP (RFC 9110 5.6.7), and whether a client has what we would send (RFC 9110 13). */
#pragma once
#include "base/bytes.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT"; our own names, so that no locale changes them. */
void http_date_append(struct buf *out, int64_t utc);
/* That form alone: the two obsolete ones count as no date, and the client gets the whole answer. */
NODISCARD bool http_date_parse(struct bytes text, int64_t *ret_utc);

/* Does If-None-Match name the entity tag (weak comparison), or "*"? etag: with its quotes. */
bool http_etag_is_named(struct bytes if_none_match, struct bytes etag);
struct http_exchange;
/* May a GET or HEAD be answered with 304? If-None-Match counts alone where it is there (RFC 9110 13.2.2). */
bool http_client_has_it(const struct http_exchange *exchange, struct bytes etag, int64_t last_modified);
