/* SPDX-License-Identifier: Apache-2.0 */
/* Reads an HTTP/1.1 answer as far as it has come. */
#pragma once
#include "base/bytes.h"

enum http_answer_state { ANSWER_MORE, ANSWER_WHOLE, ANSWER_BROKEN };
struct http_answer_read { int status; struct bytes body; bool keep_alive; };
/* in: all octets of the answer so far; chunks are put together in place. closed: nothing more will come. */
enum http_answer_state http_answer_read(struct buf *in, bool closed, struct http_answer_read *ret);
