/* SPDX-License-Identifier: Apache-2.0 */
/* Something that lies ready to be sent, as often as it is asked for and without a copy: a CRL, a CA's certificate, an OCSP answer;
   with what caches need to know of it (RFC 5019 5 and 6.2). */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

struct document;
struct document_params {
    struct buf *whole;                                       /* taken; holds body */
    struct bytes body;                                       /* what is sent: a view into whole */
    const char *content_type, *log_note;                     /* static; log_note may be NULL */
    int64_t last_modified;
    int64_t expires;                                         /* 0: never */
    int64_t max_age_s;                                       /* at most so long a cache keeps it without asking again */
};
NODISCARD enum err document_new(const struct document_params *params, struct document **ret, struct why *why);
struct document *document_ref(struct document *document);    /* NULL stays NULL; from any thread */
void document_unref(struct document *document);              /* the last one frees it; NULL is fine */
static inline void document_free(struct document *document)  /* for AUTO() */
{
    document_unref(document);
}
AUTO_DECLARE(document)
struct bytes document_body(const struct document *document);
int64_t document_expires(const struct document *document);
int64_t document_last_modified(const struct document *document);

struct http_exchange;
/* 200 with it, or 304 where the client has it already. Takes the reference. */
void document_respond(struct document *taken, struct http_exchange *exchange, int64_t now);
