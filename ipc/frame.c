/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, and the two bodies that every connection knows: hello and error. */
#include "ipc/frame.h"

#include "base/auto.h"
#include "base/limits.h"
#include <stdio.h>

/* From here a body is moved inside its buffer, instead of being copied into another. */
#define LARGE_BYTES (1 << 20)

size_t frame_length(const uint8_t prefix[static FRAME_PREFIX_BYTES])
{
    return (size_t)prefix[0] << 24 | (size_t)prefix[1] << 16 | (size_t)prefix[2] << 8 | prefix[3];
}

/* All that comes before a body. */
static void begin_put(struct buf *out, const struct frame *frame, size_t body_len)
{
    AUTO_BUF fields = { 0 };
    size_t start = out->len;
    der_put_int64(&fields, frame->version);
    der_put_int64(&fields, frame->id);
    der_put_utf8(&fields, frame->verb);
    buf_append(out, bytes_of("\0\0\0\0", FRAME_PREFIX_BYTES));
    der_put_header(out, DER_SEQUENCE, fields.len + body_len);
    buf_append(out, buf_bytes(&fields));
    size_t len = out->len - start - FRAME_PREFIX_BYTES + body_len;
    if (len > UINT32_MAX)
        die("frame of %zu bytes", len);
    for (size_t i = 0; i < FRAME_PREFIX_BYTES; i++)
        out->data[start + i] = (uint8_t)(len >> (24 - 8 * i));
}

void frame_put(struct buf *out, const struct frame *frame)
{
    struct bytes body = frame->body.len ? frame->body : BYTES_LIT("\x05\x00"); /* NULL */
    buf_reserve(out, FRAME_OVERHEAD_BYTES + body.len);
    begin_put(out, frame, body.len);
    buf_append(out, body);
}

void frame_put_taking(struct buf *out, const struct frame *frame, struct buf *body)
{
    AUTO_BUF begin = { 0 };
    if (out->len || body->len < LARGE_BYTES) {
        struct frame whole = *frame;
        whole.body = buf_bytes(body);
        frame_put(out, &whole);
        buf_free(body);
        return;
    }
    begin_put(&begin, frame, body->len);
    buf_reserve(body, begin.len);
    memmove(body->data + begin.len, body->data, body->len);
    memcpy(body->data, begin.data, begin.len);
    body->len += begin.len;
    buf_free(out);
    *out = TAKE_BUF(*body);
}

/* A verb ends in a log line and is compared with a table: plain letters only. */
static bool verb_is_valid(struct bytes verb)
{
    if (verb.len == 0 || verb.len > FRAME_VERB_BYTES)
        return false;
    for (size_t i = 0; i < verb.len; i++) {
        uint8_t c = verb.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
        if (!plain)
            return false;
    }
    return true;
}

enum err frame_get(struct bytes der, struct frame *ret, struct why *why)
{
    struct der_reader in = der_reader_over(der), seq;
    int64_t version, id;
    struct bytes verb;
    struct der_item body;
    if (!der_get_sequence(&in, &seq) || !der_at_end(&in))
        return fail(why, ERR_MALFORMED, "frame of %zu bytes is not one SEQUENCE", der.len);
    if (!der_get_int64(&seq, &version) || !der_get_int64(&seq, &id) || !der_get_utf8(&seq, &verb))
        return fail(why, ERR_MALFORMED, "frame of %zu bytes does not begin with version, id and verb",
                    der.len);
    if (version < 1 || version > 1000000 || id < 0)
        return fail(why, ERR_MALFORMED, "frame has version %lld and id %lld", (long long)version,
                    (long long)id);
    if (!verb_is_valid(verb))
        return fail(why, ERR_MALFORMED,
                    "frame has a verb of %zu bytes; allowed are 1 to %d of a-z, 0-9, '.', '_', '-'", verb.len,
                    FRAME_VERB_BYTES);
    if (!der_get_any(&seq, &body) || !der_at_end(&seq))
        return fail(why, ERR_MALFORMED, "frame %.*s has no body of exactly one element", (int)verb.len,
                    (const char *)verb.data);
    *ret = (struct frame){ .version = (int)version, .id = id, .verb = verb, .body = body.whole };
    return OK;
}

void frame_error_put(struct buf *body, enum err err, const char *text)
{
    struct bytes utf8 = bytes_str(text);
    AUTO_BUF plain = { 0 };
    if (!utf8_is_valid(utf8)) { /* cut inside a character, or bytes that a peer sent */
        for (size_t i = 0; i < utf8.len; i++)
            buf_append_byte(&plain, utf8.data[i] < 0x80 ? utf8.data[i] : '?');
        utf8 = buf_bytes(&plain);
    }
    size_t mark = der_begin(body, DER_SEQUENCE);
    der_put_utf8(body, bytes_str(err_row(err == OK ? ERR_INTERNAL : err)->name));
    der_put_utf8(body, utf8);
    der_end(body, mark);
}

enum err frame_error_get(struct bytes body, struct why *ret_why)
{
    struct der_reader in = der_reader_over(body), seq;
    struct bytes name, text;
    if (!der_get_sequence(&in, &seq) || !der_at_end(&in) || !der_get_utf8(&seq, &name) ||
        !der_get_utf8(&seq, &text) || !der_at_end(&seq))
        return ERR_MALFORMED;
    enum err err = err_by_name((const char *)name.data, name.len);
    if (err == OK)
        return ERR_MALFORMED; /* an error that says success */
    if (ret_why)
        (void)fail(ret_why, err, "%.*s",
                   (int)(text.len < sizeof(ret_why->text) ? text.len : sizeof(ret_why->text)),
                   (const char *)text.data);
    return OK;
}

void hello_put(struct buf *body, const struct hello *hello)
{
    size_t mark = der_begin(body, DER_SEQUENCE);
    der_put_int64(body, hello->min);
    der_put_int64(body, hello->max);
    der_put_utf8(body, hello->principal);
    der_end(body, mark);
}

enum err hello_get(struct bytes body, struct hello *ret, struct why *why)
{
    struct der_reader in = der_reader_over(body), seq;
    int64_t min, max;
    struct bytes principal;
    if (!der_get_sequence(&in, &seq) || !der_at_end(&in) || !der_get_int64(&seq, &min) ||
        !der_get_int64(&seq, &max) || !der_get_utf8(&seq, &principal) || !der_at_end(&seq))
        return fail(why, ERR_MALFORMED, "hello is not versions and a principal");
    if (min < 1 || max < min || max > 1000000)
        return fail(why, ERR_MALFORMED, "hello has versions %lld to %lld", (long long)min, (long long)max);
    if (principal.len == 0 || principal.len > LIMIT_NAME_BYTES)
        return fail(why, ERR_MALFORMED, "hello has a principal of %zu bytes; allowed are 1 to %d",
                    principal.len, LIMIT_NAME_BYTES);
    *ret = (struct hello){ .min = (int)min, .max = (int)max, .principal = principal };
    return OK;
}
