/* SPDX-License-Identifier: Apache-2.0 */
/* Documents, counted by who still sends them. */
#include "va/document.h"

#include "base/encode.h"
#include "http/date.h"
#include "http/server.h"
#include "x509/algorithm.h"
#include <stdatomic.h>
#include <stdio.h>

#define SHA1_BYTES 20

struct document {
    atomic_uint references;
    struct buf whole;
    struct bytes body;
    const char *content_type, *log_note;
    int64_t last_modified, expires, max_age_s;
    char etag[2 * SHA1_BYTES + 3]; /* with its quotes */
    struct buf headers;            /* all but the number of seconds that end them */
};

/* RFC 5019 6.2: the entity tag is the SHA-1 of the response in hexadecimal. */
static enum err etag_make(struct document *document, struct why *why)
{
    uint8_t hash[DIGEST_MAX_BYTES];
    AUTO_BUF hex = { 0 };
    TRY(digest_compute(DIGEST_SHA1, document->body, hash, why));
    hex_append_upper(&hex, bytes_of(hash, SHA1_BYTES));
    snprintf(document->etag, sizeof(document->etag), "\"%s\"", buf_text(&hex));
    return OK;
}

static void headers_make(struct document *document)
{
    struct buf *out = &document->headers;
    buf_append_str(out, "Last-Modified: ");
    http_date_append(out, document->last_modified);
    if (document->expires) {
        buf_append_str(out, "\r\nExpires: ");
        http_date_append(out, document->expires);
    }
    buf_printf(out, "\r\nETag: %s\r\nCache-Control: public, no-transform, must-revalidate, max-age=",
               document->etag);
}

enum err document_new(const struct document_params *params, struct document **ret, struct why *why)
{
    AUTO(document) document = xcalloc(1, sizeof(*document));
    atomic_init(&document->references, 1);
    document->whole = TAKE_BUF(*params->whole);
    document->body = params->body;
    document->content_type = params->content_type;
    document->log_note = params->log_note;
    document->last_modified = params->last_modified;
    document->expires = params->expires;
    document->max_age_s = params->max_age_s;
    TRY(etag_make(document, why));
    headers_make(document);
    *ret = TAKE(document);
    return OK;
}

struct document *document_ref(struct document *document)
{
    if (document)
        atomic_fetch_add(&document->references, 1);
    return document;
}

void document_unref(struct document *document)
{
    if (!document || atomic_fetch_sub(&document->references, 1) != 1)
        return;
    buf_free(&document->whole);
    buf_free(&document->headers);
    free(document);
}

struct bytes document_body(const struct document *document)
{
    return document->body;
}

int64_t document_expires(const struct document *document)
{
    return document->expires;
}

int64_t document_last_modified(const struct document *document)
{
    return document->last_modified;
}

/* --- sending --- */

/* What one answer has of its own: the seconds that are left. */
struct sending {
    struct document *document;
    char headers[];
};

static void sending_end(void *arg)
{
    struct sending *sending = arg;
    document_unref(sending->document);
    free(sending);
}

static int64_t max_age(const struct document *document, int64_t now)
{
    int64_t left = document->expires ? document->expires - now : document->max_age_s;
    left = left < document->max_age_s ? left : document->max_age_s;
    return left > 0 ? left : 0;
}

void document_respond(struct document *taken, struct http_exchange *exchange, int64_t now)
{
    size_t room = taken->headers.len + 32;
    struct sending *sending = xmalloc(sizeof(*sending) + room);
    sending->document = taken;
    snprintf(sending->headers, room, "%.*s%lld\r\n", (int)taken->headers.len,
             (const char *)taken->headers.data, (long long)max_age(taken, now));
    struct http_answer answer = { .status = 304,
                                  .extra_headers = sending->headers,
                                  .log_note = taken->log_note,
                                  .release = sending_end,
                                  .release_arg = sending };
    if (!http_client_has_it(exchange, bytes_str(taken->etag), taken->last_modified)) {
        answer.status = 200;
        answer.content_type = taken->content_type;
        answer.body = taken->body;
    }
    http_respond(exchange, &answer);
}
