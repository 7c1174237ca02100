/* SPDX-License-Identifier: Apache-2.0 */
/* The reader's limits at their edge and one past, and what it hands over. */
#include "http/reader.h"

#include "tests/unit/test.h"

static const struct http_limits limits = { .url_bytes = 65534,
                                           .query_bytes = 65534,
                                           .field_bytes = 16384,
                                           .fields = 64,
                                           .head_bytes = 81918,
                                           .body_bytes = 65536 };

/* Feeds all of data; the status (200: a whole request, 0: unfinished). */
static int status_of(struct http_reader *reader, struct bytes data, struct why *why)
{
    enum http_progress progress = HTTP_MORE;
    while (data.len && progress != HTTP_DONE) {
        size_t used;
        progress = http_reader_feed(reader, data, &used);
        if (progress == HTTP_REFUSED)
            return http_reader_status(reader, why);
        data = bytes_of(data.data + used, data.len - used);
    }
    return progress == HTTP_DONE ? 200 : 0;
}

static int judge(const struct http_limits *use, const struct buf *data)
{
    AUTO(http_reader) reader = http_reader_new(use);
    struct why why = { 0 };
    int status = status_of(reader, buf_bytes(data), &why);
    if (status > 200)
        assert_int_equal(status, err_row(why.err)->http_status);
    return status;
}

static void fill(struct buf *out, char c, size_t count)
{
    buf_reserve(out, count);
    memset(out->data + out->len, c, count);
    out->len += count;
}

static int judge_url(const struct http_limits *use, size_t path, size_t query)
{
    AUTO_BUF data = { 0 };
    buf_append_str(&data, "GET /");
    fill(&data, 'p', path - 1);
    if (query) {
        buf_append_byte(&data, '?');
        fill(&data, 'q', query);
    }
    buf_append_str(&data, " HTTP/1.1\r\nHost: a\r\n\r\n");
    return judge(use, &data);
}

TEST(url_of_65534_bytes_passes_and_one_more_is_414)
{
    assert_int_equal(200, judge_url(&limits, 65534, 0));
    assert_int_equal(414, judge_url(&limits, 65535, 0));
    assert_int_equal(414, judge_url(&limits, 65536, 0));
    assert_int_equal(200, judge_url(&limits, 5, 65534 - 6));
    assert_int_equal(414, judge_url(&limits, 5, 65534 - 5));
}

TEST(query_has_its_own_limit)
{
    struct http_limits use = limits;
    use.query_bytes = 100;
    assert_int_equal(200, judge_url(&use, 5, 100));
    assert_int_equal(414, judge_url(&use, 5, 101));
    assert_int_equal(200, judge_url(&use, 500, 0));
}

static int judge_field(const struct http_limits *use, size_t line, size_t lines)
{
    AUTO_BUF data = { 0 };
    buf_append_str(&data, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (size_t i = 0; i < lines; i++) {
        buf_append_str(&data, "X: ");
        fill(&data, 'v', line - 3);
        buf_append_str(&data, "\r\n");
    }
    buf_append_str(&data, "\r\n");
    return judge(use, &data);
}

TEST(header_line_at_its_limit_passes_and_one_more_is_431)
{
    assert_int_equal(200, judge_field(&limits, 16384, 1));
    assert_int_equal(431, judge_field(&limits, 16385, 1));
}

TEST(header_lines_at_their_limit_pass_and_one_more_is_431)
{
    assert_int_equal(200, judge_field(&limits, 10, 63)); /* and Host */
    assert_int_equal(431, judge_field(&limits, 10, 64));
    assert_int_equal(431, judge_field(&limits, 10, 10000));
}

TEST(head_at_its_limit_passes_and_one_more_is_431)
{
    /* "GET / HTTP/1.1\r\n" 16, "Host: a\r\n" 9, the last CRLF 2, the line's own CRLF 2. */
    struct http_limits use = limits;
    use.head_bytes = 16 + 9 + 2 + 2 + 100;
    assert_int_equal(200, judge_field(&use, 100, 1));
    assert_int_equal(431, judge_field(&use, 101, 1));
    assert_int_equal(431, judge_field(&limits, 16384, 5));
}

TEST(head_limit_also_ends_an_endless_request_line)
{
    struct http_limits use = limits;
    use.head_bytes = 50;
    assert_int_equal(431, judge_url(&use, 50, 0));
}

static int judge_body(size_t announced, size_t sent)
{
    AUTO_BUF data = { 0 };
    buf_printf(&data, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", announced);
    fill(&data, 'b', sent);
    return judge(&limits, &data);
}

TEST(body_at_its_limit_passes_and_one_more_is_413)
{
    assert_int_equal(200, judge_body(65536, 65536));
    assert_int_equal(0, judge_body(65536, 65535));
    assert_int_equal(413, judge_body(65537, 0));
    assert_int_equal(413, judge_body(1u << 30, 0));
}

TEST(limits_are_the_same_byte_by_byte)
{
    AUTO_BUF data = { 0 };
    buf_append_str(&data, "GET /");
    fill(&data, 'p', 65534);
    AUTO(http_reader) reader = http_reader_new(&limits);
    size_t used, at = 0;
    enum http_progress progress = HTTP_MORE;
    while (at < data.len && progress == HTTP_MORE)
        progress = http_reader_feed(reader, bytes_of(data.data + at++, 1), &used);
    assert_int_equal(HTTP_REFUSED, progress);
    assert_int_equal(data.len, at);
    assert_int_equal(414, http_reader_status(reader, NULL));
}

TEST(request_is_handed_over_whole)
{
    AUTO(http_reader) reader = http_reader_new(&limits);
    struct why why;
    assert_false(http_reader_started(reader));
    assert_int_equal(
        200, status_of(reader,
                       BYTES_LIT("POST /scep/pkiclient.exe?operation=PKIOperation HTTP/1.1\r\nHOST: a\r\n"
                                 "User-Agent: \t sscep \r\nReferer: http://b/\r\nContent-Length: 3\r\n"
                                 "X: first\r\nx: second\r\n\r\nabc"),
                       &why));
    assert_true(http_reader_started(reader));
    assert_true(http_reader_keep_alive(reader));
    struct http_request request;
    http_reader_request(reader, &request);
    assert_int_equal(HTTP_POST, request.method);
    ASSERT_BYTES(BYTES_LIT("/scep/pkiclient.exe?operation=PKIOperation"), request.target);
    ASSERT_BYTES(BYTES_LIT("/scep/pkiclient.exe"), request.path);
    ASSERT_BYTES(BYTES_LIT("operation=PKIOperation"), request.query);
    assert_true(request.has_query);
    ASSERT_BYTES(BYTES_LIT("abc"), request.body);
    ASSERT_BYTES(BYTES_LIT("sscep"), request.user_agent);
    ASSERT_BYTES(BYTES_LIT("http://b/"), request.referer);
    struct bytes value;
    assert_true(http_reader_header(reader, "x", &value));
    ASSERT_BYTES(BYTES_LIT("first"), value);
    assert_false(http_reader_header(reader, "y", &value));
    ASSERT_BYTES(BYTES_LIT("POST"), http_reader_method(reader));
    http_reader_reset(reader);
    assert_false(http_reader_started(reader));
    assert_false(http_reader_header(reader, "x", &value));
}

static int asked_with(bool changes, const char *text, enum http_method *ret)
{
    struct http_limits use = limits;
    use.changes = changes;
    AUTO(http_reader) reader = http_reader_new(&use);
    struct http_request request;
    struct why why;
    int status = status_of(reader, bytes_str(text), &why);
    http_reader_request(reader, &request);
    *ret = request.method;
    return status;
}

TEST(changing_methods_are_served_where_they_are_wanted_and_nowhere_else)
{
    static const struct {
        const char *text;
        enum http_method method;
    } rows[] = { { "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab", HTTP_PUT },
                 { "PATCH / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab", HTTP_PATCH },
                 { "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_DELETE } };
    enum http_method method;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_int_equal(405, asked_with(false, rows[i].text, &method));
        assert_int_equal(200, asked_with(true, rows[i].text, &method));
        assert_int_equal(rows[i].method, method);
    }
    assert_int_equal(405, asked_with(true, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", &method));
    assert_int_equal(405, asked_with(true, "patch / HTTP/1.1\r\nHost: a\r\n\r\n", &method));
    assert_int_equal(411, asked_with(true, "PATCH / HTTP/1.1\r\nHost: a\r\n\r\n", &method));
    assert_int_equal(411, asked_with(true, "PUT / HTTP/1.1\r\nHost: a\r\n\r\n", &method));
    assert_int_equal(
        400, asked_with(true, "DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab", &method));
}

TEST(absolute_form_gives_path_and_query)
{
    AUTO(http_reader) reader = http_reader_new(&limits);
    struct why why;
    struct http_request request;
    assert_int_equal(200,
                     status_of(reader, BYTES_LIT("GET http://a:80?b=c HTTP/1.1\r\nHost: a\r\n\r\n"), &why));
    http_reader_request(reader, &request);
    ASSERT_BYTES(BYTES_LIT("/"), request.path);
    ASSERT_BYTES(BYTES_LIT("b=c"), request.query);
    http_reader_reset(reader);
    assert_int_equal(200, status_of(reader, BYTES_LIT("GET https://a/x HTTP/1.1\r\nHost: a\r\n\r\n"), &why));
    http_reader_request(reader, &request);
    ASSERT_BYTES(BYTES_LIT("/x"), request.path);
    assert_false(request.has_query);
}

TEST(head_done_comes_once_before_a_body_and_tells_of_continue)
{
    AUTO(http_reader) reader = http_reader_new(&limits);
    struct bytes data =
        BYTES_LIT("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\nab");
    size_t used;
    assert_int_equal(HTTP_HEAD_DONE, http_reader_feed(reader, data, &used));
    assert_int_equal(data.len - 2, used);
    assert_true(http_reader_expects_continue(reader));
    assert_int_equal(HTTP_MORE, http_reader_feed(reader, BYTES_LIT("a"), &used));
    assert_int_equal(HTTP_DONE, http_reader_feed(reader, BYTES_LIT("bGET"), &used));
    assert_int_equal(1, used);
    assert_int_equal(HTTP_DONE, http_reader_feed(reader, BYTES_LIT("GET"), &used));
    assert_int_equal(0, used);
}

TEST(refused_stays_refused_and_keeps_what_it_understood)
{
    AUTO(http_reader) reader = http_reader_new(&limits);
    struct why why;
    assert_int_equal(405, status_of(reader, BYTES_LIT("PUT /x?y HTTP/1.1\r\n"), &why));
    assert_int_equal(ERR_HTTP_METHOD, why.err);
    assert_non_null(strstr(why.text, "PUT"));
    size_t used;
    assert_int_equal(HTTP_REFUSED, http_reader_feed(reader, BYTES_LIT("Host: a\r\n\r\n"), &used));
    assert_int_equal(0, used);
    struct http_request request;
    http_reader_request(reader, &request);
    ASSERT_BYTES(BYTES_LIT("/x"), request.path);
    assert_false(http_reader_keep_alive(reader));
}

TEST(an_empty_line_alone_does_not_start_a_request)
{
    AUTO(http_reader) reader = http_reader_new(&limits);
    size_t used;
    assert_int_equal(HTTP_MORE, http_reader_feed(reader, BYTES_LIT("\r\n"), &used));
    assert_false(http_reader_started(reader));
    assert_int_equal(HTTP_MORE, http_reader_feed(reader, BYTES_LIT("G"), &used));
    assert_true(http_reader_started(reader));
}

RUN(T(url_of_65534_bytes_passes_and_one_more_is_414), T(query_has_its_own_limit),
    T(header_line_at_its_limit_passes_and_one_more_is_431),
    T(header_lines_at_their_limit_pass_and_one_more_is_431), T(head_at_its_limit_passes_and_one_more_is_431),
    T(head_limit_also_ends_an_endless_request_line), T(body_at_its_limit_passes_and_one_more_is_413),
    T(limits_are_the_same_byte_by_byte), T(request_is_handed_over_whole),
    T(changing_methods_are_served_where_they_are_wanted_and_nowhere_else),
    T(absolute_form_gives_path_and_query), T(head_done_comes_once_before_a_body_and_tells_of_continue),
    T(refused_stays_refused_and_keeps_what_it_understood), T(an_empty_line_alone_does_not_start_a_request))
