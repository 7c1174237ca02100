/* SPDX-License-Identifier: Apache-2.0 */
/* The request reader: one pass over the bytes as they come, every limit checked before the byte over it is
 * kept. */
#include "http/reader.h"

#include "base/fault.h"
#include "http/field.h"

/* Longest method we know is four letters; a longer word than this is noise, not a method to answer 405 to. */
#define METHOD_BYTES_MAX 32
/* "HTTP/1.1" */
#define VERSION_BYTES 8

enum part { IN_START, IN_METHOD, IN_TARGET, IN_VERSION, IN_LINE, IN_BODY, IN_END, IN_REFUSAL };

struct span {
    size_t at, len;
}; /* in head: offsets survive its growth */
struct header_line {
    struct span name, value;
};

struct http_reader {
    struct http_limits limits;
    enum part part;
    struct buf head, body;
    size_t line;     /* where the current line or word starts in head */
    size_t query_at; /* offset of '?' + 1 in head, 0: none yet */
    bool saw_cr, skipped_crlf, saw_start, head_whole;
    struct span method, target;
    enum http_method method_id;
    bool is_1_0, keep_alive, expects_continue, has_length;
    size_t length; /* Content-Length */
    struct header_line *headers;
    size_t header_count, header_cap;
    int status;
    struct why why;
};

struct http_reader *http_reader_new(const struct http_limits *limits)
{
    struct http_reader *reader = xcalloc(1, sizeof(*reader));
    reader->limits = *limits;
    reader->is_1_0 = true;
    return reader;
}

void http_reader_free(struct http_reader *reader)
{
    if (!reader)
        return;
    buf_free(&reader->head);
    buf_free(&reader->body);
    free(reader->headers);
    free(reader);
}

void http_reader_reset(struct http_reader *reader)
{
    buf_free(&reader->head);
    buf_free(&reader->body);
    free(reader->headers);
    *reader = (struct http_reader){ .limits = reader->limits, .is_1_0 = true };
}

static struct bytes span_view(const struct http_reader *reader, struct span span)
{
    return span.len ? bytes_of(reader->head.data + span.at, span.len) : BYTES_NONE;
}

/* Every refusal passes here; the error's HTTP status is the answer's. */
static enum http_progress refuse(struct http_reader *reader, enum err err)
{
    reader->status = err_row(err)->http_status;
    reader->part = IN_REFUSAL;
    return HTTP_REFUSED;
}

static size_t line_len(const struct http_reader *reader)
{
    return reader->head.len - reader->line;
}

static enum err keep(struct http_reader *reader, uint8_t byte)
{
    if (!FAULT(head_limit) && reader->head.len >= reader->limits.head_bytes)
        return fail(&reader->why, ERR_HTTP_FIELDS, "request line and headers above %zu bytes",
                    reader->limits.head_bytes);
    buf_append_byte(&reader->head, byte);
    return OK;
}

/* RFC 9112 2.2: one empty line before the request line is tolerated, not more. */
static enum err take_start(struct http_reader *reader, uint8_t byte)
{
    if (byte == '\r' && !reader->saw_cr && !reader->skipped_crlf) {
        reader->saw_cr = true;
        return OK;
    }
    if (byte == '\n' && reader->saw_cr) {
        reader->saw_cr = false;
        reader->skipped_crlf = true;
        return OK;
    }
    if (reader->saw_cr || !field_is_token_char(byte))
        return fail(&reader->why, ERR_HTTP_BAD, "request starts with byte 0x%02X (RFC 9112 3)", byte);
    reader->saw_start = true;
    reader->part = IN_METHOD;
    return keep(reader, byte);
}

static enum err take_method(struct http_reader *reader, uint8_t byte)
{
    if (byte == ' ') {
        reader->method = (struct span){ 0, reader->head.len };
        reader->part = IN_TARGET;
        TRY(keep(reader, byte));
        reader->line = reader->head.len;
        return OK;
    }
    if (!field_is_token_char(byte))
        return fail(&reader->why, ERR_HTTP_BAD, "method contains byte 0x%02X (RFC 9110 9.1)", byte);
    if (reader->head.len >= METHOD_BYTES_MAX)
        return fail(&reader->why, ERR_HTTP_BAD, "method longer than %d bytes", METHOD_BYTES_MAX);
    return keep(reader, byte);
}

static enum err take_target(struct http_reader *reader, uint8_t byte)
{
    if (byte == ' ') {
        reader->target = (struct span){ reader->line, line_len(reader) };
        reader->part = IN_VERSION;
        TRY(keep(reader, byte));
        reader->line = reader->head.len;
        return OK;
    }
    /* A CR here would be HTTP/0.9: "GET /" and nothing else. */
    if (byte <= 0x20 || byte >= 0x7F)
        return fail(&reader->why, ERR_HTTP_BAD, "request target contains byte 0x%02X (RFC 9112 3.2)", byte);
    if (!FAULT(url_limit) && line_len(reader) >= reader->limits.url_bytes)
        return fail(&reader->why, ERR_HTTP_URL, "URL above %zu bytes", reader->limits.url_bytes);
    if (!FAULT(query_limit) && reader->query_at &&
        reader->head.len - reader->query_at >= reader->limits.query_bytes)
        return fail(&reader->why, ERR_HTTP_URL, "query above %zu bytes", reader->limits.query_bytes);
    TRY(keep(reader, byte));
    if (byte == '?' && !reader->query_at)
        reader->query_at = reader->head.len;
    return OK;
}

static enum err method_check(struct http_reader *reader)
{
    static const struct {
        const char *name;
        enum http_method id;
        bool changes;
    } methods[] = {
        { "GET", HTTP_GET, false }, { "HEAD", HTTP_HEAD, false },  { "POST", HTTP_POST, false },
        { "PUT", HTTP_PUT, true },  { "PATCH", HTTP_PATCH, true }, { "DELETE", HTTP_DELETE, true }
    };
    bool changes = reader->limits.changes;
    struct bytes method = span_view(reader, reader->method);
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        bool served = changes || FAULT(method_changes) || !methods[i].changes;
        if (served && bytes_equal(method, bytes_str(methods[i].name))) {
            reader->method_id = methods[i].id;
            return OK;
        }
    }
    return fail(&reader->why, ERR_HTTP_METHOD, "method %.*s, served are GET, HEAD%s", (int)method.len,
                (const char *)method.data, changes ? ", POST, PUT, PATCH and DELETE" : " and POST");
}

/* The line's CRLF is not in `version`. RFC 9112 2.3: HTTP-name is case-sensitive, one digit each side of the
 * dot. */
static enum err request_line_done(struct http_reader *reader, struct bytes version)
{
    const uint8_t *v = version.data;
    if (version.len != VERSION_BYTES || memcmp(v, "HTTP/", 5) != 0 || v[5] < '0' || v[5] > '9' ||
        v[6] != '.' || v[7] < '0' || v[7] > '9')
        return fail(&reader->why, ERR_HTTP_BAD, "HTTP version malformed (RFC 9112 2.3)");
    if (v[5] != '1' || v[7] > '1')
        return fail(&reader->why, ERR_HTTP_VERSION, "HTTP version %c.%c, served are 1.0 and 1.1", v[5], v[7]);
    reader->is_1_0 = v[7] == '0';
    TRY(method_check(reader));
    struct target split;
    if (!target_split(span_view(reader, reader->target), &split))
        return fail(&reader->why, ERR_HTTP_BAD, "request target is not in origin-form (RFC 9112 3.2)");
    return OK;
}

/* Keeps bytes up to CRLF; *ret_whole when the line is complete, without its CRLF from `line` on. A CR is kept
   only with its LF: neither alone ends a line (RFC 9112 2.2 leaves bare LF to the server: refused). */
static enum err take_line_byte(struct http_reader *reader, uint8_t byte, bool *ret_whole)
{
    *ret_whole = byte == '\n' && reader->saw_cr;
    if (*ret_whole) {
        reader->saw_cr = false;
        return OK;
    }
    if (!FAULT(bare_line_ends) && (reader->saw_cr || byte == '\n'))
        return fail(&reader->why, ERR_HTTP_BAD, "bare %s in the request head (RFC 9112 2.2)",
                    reader->saw_cr ? "CR" : "LF");
    if (byte == '\r') {
        reader->saw_cr = true;
        return OK;
    }
    if (!FAULT(head_control_characters) && !field_is_value_char(byte))
        return fail(&reader->why, ERR_HTTP_BAD, "control character 0x%02X in the request head (RFC 9110 5.5)",
                    byte);
    return keep(reader, byte);
}

static enum err line_end(struct http_reader *reader)
{
    TRY(keep(reader, '\r'));
    TRY(keep(reader, '\n'));
    reader->line = reader->head.len;
    return OK;
}

static enum err take_version(struct http_reader *reader, uint8_t byte)
{
    bool whole;
    TRY(take_line_byte(reader, byte, &whole));
    if (!whole) {
        if (line_len(reader) > VERSION_BYTES)
            return fail(&reader->why, ERR_HTTP_BAD, "request line has more than three parts (RFC 9112 3)");
        return OK;
    }
    TRY(request_line_done(reader, bytes_of(reader->head.data + reader->line, line_len(reader))));
    reader->part = IN_LINE;
    return line_end(reader);
}

static void header_push(struct http_reader *reader, struct header_line line)
{
    if (reader->header_count == reader->header_cap) {
        size_t cap = reader->header_cap ? reader->header_cap * 2 : 8;
        struct header_line *grown = xcalloc(cap, sizeof(*grown));
        if (reader->header_count)
            memcpy(grown, reader->headers, reader->header_count * sizeof(*grown));
        free(reader->headers);
        reader->headers = grown;
        reader->header_cap = cap;
    }
    reader->headers[reader->header_count++] = line;
}

static enum err header_line_done(struct http_reader *reader)
{
    uint8_t *line = reader->head.data + reader->line;
    size_t len = line_len(reader), name_len = 0;
    if (!FAULT(field_count) && reader->header_count >= reader->limits.fields)
        return fail(&reader->why, ERR_HTTP_FIELDS, "more than %zu header lines", reader->limits.fields);
    while (name_len < len && field_is_token_char(line[name_len]))
        name_len++;
    /* Also refuses obs-fold, and whitespace before the colon (RFC 9112 5.1, 5.2). */
    if (name_len == len || (!FAULT(field_name) && (name_len == 0 || line[name_len] != ':')))
        return fail(&reader->why, ERR_HTTP_BAD, "header line %zu has no valid name (RFC 9112 5)",
                    reader->header_count + 1);
    for (size_t i = 0; i < name_len; i++)
        line[i] |= line[i] >= 'A' && line[i] <= 'Z' ? 0x20 : 0;
    struct bytes value = field_trim(bytes_of(line + name_len + 1, len - name_len - 1));
    size_t value_at = value.len ? (size_t)(value.data - reader->head.data) : 0;
    header_push(reader,
                (struct header_line){ .name = { reader->line, name_len }, .value = { value_at, value.len } });
    return OK;
}

size_t http_reader_lines(const struct http_reader *reader, const char *name, struct bytes *ret_value)
{
    size_t count = 0;
    for (size_t i = 0; i < reader->header_count; i++) {
        if (!bytes_equal(span_view(reader, reader->headers[i].name), bytes_str(name)))
            continue;
        if (count++ == 0)
            *ret_value = span_view(reader, reader->headers[i].value);
    }
    return count;
}

static enum err host_check(struct http_reader *reader)
{
    struct bytes host = BYTES_NONE;
    size_t count = http_reader_lines(reader, "host", &host);
    if (!FAULT(one_host) && count > 1)
        return fail(&reader->why, ERR_HTTP_BAD, "%zu Host headers (RFC 9112 3.2)", count);
    if (!reader->is_1_0 && count == 0)
        return fail(&reader->why, ERR_HTTP_BAD, "HTTP/1.1 without Host (RFC 9112 3.2)");
    bool absent = reader->is_1_0 && host.len == 0; /* Cisco and Check Point send none */
    if (!absent && !field_is_host(host))
        return fail(&reader->why, ERR_HTTP_BAD, "Host is not a host (RFC 9112 3.2)");
    return OK;
}

static enum err connection_check(struct http_reader *reader)
{
    bool close = false, keep_alive = false;
    for (size_t i = 0; i < reader->header_count; i++) {
        if (!bytes_equal(span_view(reader, reader->headers[i].name), BYTES_LIT("connection")))
            continue;
        struct bytes value = span_view(reader, reader->headers[i].value);
        close = close || field_has_member(value, "close");
        keep_alive = keep_alive || field_has_member(value, "keep-alive");
    }
    reader->keep_alive = !close && (!reader->is_1_0 || keep_alive);
    struct bytes expect;
    size_t count = http_reader_lines(reader, "expect", &expect);
    if (count > 1 || (count == 1 && !field_equals(expect, "100-continue")))
        return fail(&reader->why, ERR_HTTP_EXPECT, "Expect other than 100-continue (RFC 9110 10.1.1)");
    reader->expects_continue = count == 1 && !reader->is_1_0;
    return OK;
}

static bool method_has_body(enum http_method method)
{
    return method == HTTP_POST || method == HTTP_PUT || method == HTTP_PATCH;
}

static enum err length_check(struct http_reader *reader)
{
    struct bytes value;
    if (!FAULT(transfer_encoding) && http_reader_lines(reader, "transfer-encoding", &value))
        return fail(&reader->why, ERR_HTTP_LENGTH, "Transfer-Encoding; a body needs Content-Length here");
    size_t count = http_reader_lines(reader, "content-length", &value);
    if (!FAULT(one_content_length) && count > 1)
        return fail(&reader->why, ERR_HTTP_BAD, "%zu Content-Length headers (RFC 9112 6.3)", count);
    reader->has_length = count == 1;
    if (reader->has_length && !field_length(value, &reader->length))
        return fail(&reader->why, ERR_HTTP_BAD, "Content-Length is not a number (RFC 9110 8.6)");
    struct bytes method = span_view(reader, reader->method);
    if (method_has_body(reader->method_id) && !reader->has_length)
        return fail(&reader->why, ERR_HTTP_LENGTH, "%.*s without Content-Length", (int)method.len,
                    (const char *)method.data);
    if (!FAULT(get_body) && !method_has_body(reader->method_id) && reader->length)
        return fail(&reader->why, ERR_HTTP_BAD, "%.*s with a body of %zu bytes", (int)method.len,
                    (const char *)method.data, reader->length);
    if (!FAULT(body_limit) && reader->length > reader->limits.body_bytes)
        return fail(&reader->why, ERR_HTTP_BODY, "body of %zu bytes, limit %zu", reader->length,
                    reader->limits.body_bytes);
    return OK;
}

static enum err head_done(struct http_reader *reader)
{
    reader->head_whole = true;
    TRY(host_check(reader));
    TRY(length_check(reader));
    TRY(connection_check(reader));
    reader->part = reader->length ? IN_BODY : IN_END;
    return OK;
}

static enum err take_line(struct http_reader *reader, uint8_t byte)
{
    bool whole;
    /* The line's own length, CRLF apart: checked before the byte is kept. */
    if (!FAULT(field_limit) && byte != '\r' && byte != '\n' && line_len(reader) >= reader->limits.field_bytes)
        return fail(&reader->why, ERR_HTTP_FIELDS, "header line above %zu bytes", reader->limits.field_bytes);
    TRY(take_line_byte(reader, byte, &whole));
    if (!whole)
        return OK;
    bool empty = line_len(reader) == 0;
    if (!empty)
        TRY(header_line_done(reader));
    TRY(line_end(reader));
    return empty ? head_done(reader) : OK;
}

static enum err take_head_byte(struct http_reader *reader, uint8_t byte)
{
    switch (reader->part) {
    case IN_START:
        return take_start(reader, byte);
    case IN_METHOD:
        return take_method(reader, byte);
    case IN_TARGET:
        return take_target(reader, byte);
    case IN_VERSION:
        return take_version(reader, byte);
    case IN_LINE:
        return take_line(reader, byte);
    case IN_BODY:
    case IN_END:
    case IN_REFUSAL:
        break;
    }
    return fail(&reader->why, ERR_INTERNAL, "request reader in part %d", (int)reader->part);
}

/* The bytes from data on that are sure to pass take_target or take_line: no limit is near, nothing ends. Only
   speed: the two take whatever is left, one by one. */
static size_t run_len(const struct http_reader *reader, struct bytes data)
{
    bool in_target = reader->part == IN_TARGET;
    if ((!in_target && reader->part != IN_LINE) || reader->saw_cr)
        return 0;
    size_t room = reader->limits.head_bytes - reader->head.len;
    size_t line_limit = in_target ? reader->limits.url_bytes : reader->limits.field_bytes;
    room = line_limit - line_len(reader) < room ? line_limit - line_len(reader) : room;
    if (in_target && reader->query_at) {
        size_t query_room = reader->limits.query_bytes - (reader->head.len - reader->query_at);
        room = query_room < room ? query_room : room;
    }
    room = data.len < room ? data.len : room;
    size_t len = 0;
    while (len < room && data.data[len] > 0x20 && data.data[len] < 0x7F && data.data[len] != '?')
        len++;
    return len;
}

static enum http_progress take_body(struct http_reader *reader, struct bytes data, size_t *ret_used)
{
    size_t missing = reader->length - reader->body.len;
    size_t used = data.len < missing ? data.len : missing;
    buf_append(&reader->body, bytes_of(data.data, used));
    *ret_used = used;
    if (used < missing)
        return HTTP_MORE;
    reader->part = IN_END;
    return HTTP_DONE;
}

enum http_progress http_reader_feed(struct http_reader *reader, struct bytes data, size_t *ret_used)
{
    *ret_used = 0;
    if (reader->part == IN_REFUSAL)
        return HTTP_REFUSED;
    if (reader->part == IN_END)
        return HTTP_DONE;
    if (reader->part == IN_BODY)
        return take_body(reader, data, ret_used);
    for (size_t i = 0; i < data.len; i++) {
        size_t run = run_len(reader, bytes_of(data.data + i, data.len - i));
        buf_append(&reader->head, bytes_of(data.data + i, run));
        i += run;
        *ret_used = i;
        if (i == data.len)
            break;
        enum err err = take_head_byte(reader, data.data[i]);
        *ret_used = i + 1;
        if (err != OK)
            return refuse(reader, err);
        if (reader->part == IN_BODY)
            return HTTP_HEAD_DONE;
        if (reader->part == IN_END)
            return HTTP_DONE;
    }
    return HTTP_MORE;
}

int http_reader_status(const struct http_reader *reader, struct why *why)
{
    if (why)
        *why = reader->why;
    return reader->status;
}

bool http_reader_header(const struct http_reader *reader, const char *name, struct bytes *ret)
{
    return http_reader_lines(reader, name, ret) > 0;
}

void http_reader_list(const struct http_reader *reader, const char *name, struct buf *ret)
{
    for (size_t i = 0; reader->head_whole && i < reader->header_count; i++) {
        if (!bytes_equal(span_view(reader, reader->headers[i].name), bytes_str(name)))
            continue;
        if (ret->len)
            buf_append_byte(ret, ',');
        buf_append(ret, span_view(reader, reader->headers[i].value));
    }
}

void http_reader_request(const struct http_reader *reader, struct http_request *ret)
{
    struct http_request request = { .method = reader->method_id,
                                    .target = span_view(reader, reader->target),
                                    .body = buf_bytes(&reader->body) };
    struct target split;
    if (target_split(request.target, &split)) {
        request.path = split.path;
        request.query = split.query;
        request.has_query = split.has_query;
    }
    http_reader_header(reader, "user-agent", &request.user_agent);
    http_reader_header(reader, "referer", &request.referer);
    *ret = request;
}

bool http_reader_expects_continue(const struct http_reader *reader)
{
    return reader->expects_continue;
}

bool http_reader_keep_alive(const struct http_reader *reader)
{
    return reader->keep_alive;
}

bool http_reader_is_1_0(const struct http_reader *reader)
{
    return reader->is_1_0;
}

struct bytes http_reader_method(const struct http_reader *reader)
{
    return span_view(reader, reader->method);
}

bool http_reader_started(const struct http_reader *reader)
{
    return reader->saw_start;
}
