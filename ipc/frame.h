/* SPDX-License-Identifier: Apache-2.0 */
/* A frame between roles: four octets of length (big endian), then one DER SEQUENCE { version INTEGER, id INTEGER,
   verb UTF8String, body ANY DEFINED BY verb }. An answer has the request's id and the verb "ok" or "error". */
#pragma once
#include "x509/der.h"

#define FRAME_VERSION 1                                      /* N; N-1 is spoken too */
struct frame { int version; int64_t id; struct bytes verb; struct bytes body; };   /* views; body: one whole element */
void frame_put(struct buf *out, const struct frame *frame);  /* length prefix included */
NODISCARD enum err frame_get(struct bytes der, struct frame *ret, struct why *why);   /* without the length prefix */
void frame_error_put(struct buf *body, enum err err, const char *text);               /* body of "error" */
NODISCARD enum err frame_error_get(struct bytes body, struct why *ret_why);
