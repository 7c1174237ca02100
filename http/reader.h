/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP request reader by itself: bytes in, a checked request head or a status out. No sockets, no libevent: the
   fuzzer and the corpus test drive it directly. Strict where RFC 9112 lets a server choose: CRLF only, no obs-fold, one
   Content-Length, no Transfer-Encoding, no body on GET, HEAD and DELETE. */
#pragma once
#include "http/server.h"

enum http_progress { HTTP_MORE, HTTP_HEAD_DONE, HTTP_DONE, HTTP_REFUSED };
struct http_reader;
struct http_reader *http_reader_new(const struct http_limits *limits);
void http_reader_free(struct http_reader *reader);
AUTO_DECLARE(http_reader)
/* Consumes up to data.len bytes, tells how many. HTTP_HEAD_DONE once, when the head is whole and a body follows (so that
   100-continue can be sent); HTTP_DONE when the request is whole; HTTP_REFUSED with http_reader_status. */
enum http_progress http_reader_feed(struct http_reader *reader, struct bytes data, size_t *ret_used);
int http_reader_status(const struct http_reader *reader, struct why *why);   /* after HTTP_REFUSED */
/* After HTTP_DONE: method, target, path, query, body, user_agent, referer; the caller fills the rest. After HTTP_REFUSED:
   what was understood until then, for the access log. */
void http_reader_request(const struct http_reader *reader, struct http_request *ret);
/* How many lines of that name there are; *ret is the first one's value. */
size_t http_reader_lines(const struct http_reader *reader, const char *name, struct bytes *ret);
bool http_reader_header(const struct http_reader *reader, const char *name, struct bytes *ret);
/* All lines of that name as one list (RFC 9110 5.3); nothing unless the head was read whole. */
void http_reader_list(const struct http_reader *reader, const char *name, struct buf *ret);
bool http_reader_expects_continue(const struct http_reader *reader);
bool http_reader_keep_alive(const struct http_reader *reader);   /* HTTP/1.0: only when asked */
bool http_reader_is_1_0(const struct http_reader *reader);       /* HTTP/1.0, or no version read yet */
struct bytes http_reader_method(const struct http_reader *reader); /* as sent; empty before its space is read */
bool http_reader_started(const struct http_reader *reader);      /* a request's first byte is in */
void http_reader_reset(struct http_reader *reader);              /* for the next request on the connection */
