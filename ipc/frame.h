/* SPDX-License-Identifier: Apache-2.0 */
/* A frame between roles: four octets of length (big endian), then one DER SEQUENCE { version INTEGER, id INTEGER,
   verb UTF8String, body ANY DEFINED BY verb }. An answer has the request's id and the verb "ok" or "error". */
#pragma once
#include "x509/der.h"

#define FRAME_VERSION        1                               /* N; N-1 is spoken too */
#define FRAME_VERSION_LEAST  1                               /* there is no 0 yet */
#define FRAME_PREFIX_BYTES   4
#define FRAME_OVERHEAD_BYTES 128                             /* of everything around a body: prefix, header, version, id, verb */
#define FRAME_VERB_BYTES     32
struct frame { int version; int64_t id; struct bytes verb; struct bytes body; };   /* views; body: one whole element */
void frame_put(struct buf *out, const struct frame *frame);  /* length prefix included; an empty body becomes NULL */
/* The same with this body, which is emptied: a large one becomes the frame, with no second buffer beside it. */
void frame_put_taking(struct buf *out, const struct frame *frame, struct buf *body);
size_t frame_length(const uint8_t prefix[static FRAME_PREFIX_BYTES]);
NODISCARD enum err frame_get(struct bytes der, struct frame *ret, struct why *why);   /* without the length prefix */
void frame_error_put(struct buf *body, enum err err, const char *text);               /* body of "error" */
NODISCARD enum err frame_error_get(struct bytes body, struct why *ret_why);           /* OK: ret_why->err is the peer's */

/* The first frame both ways, verb "hello": the versions a client speaks and who it is; the server answers with the version it
   picks as both bounds, and with the principal that it takes the client for (by the socket, never by this frame). */
struct hello { int min, max; struct bytes principal; };
void hello_put(struct buf *body, const struct hello *hello);
NODISCARD enum err hello_get(struct bytes body, struct hello *ret, struct why *why);
