/* SPDX-License-Identifier: Apache-2.0 */
/* The request reader: any bytes, in one piece and byte by byte, must come to the same end. */
#include "base/bytes.h"
#include "http/query.h"
#include "http/reader.h"
#include <stdlib.h>

static const struct http_limits limits = {
    .url_bytes = 200, .query_bytes = 100, .field_bytes = 100, .fields = 8, .head_bytes = 600, .body_bytes = 64
};

struct verdict {
    int status;
    size_t requests, used, query, body;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void look(const struct http_reader *reader, struct verdict *verdict)
{
    struct http_request request;
    struct bytes value;
    http_reader_request(reader, &request);
    AUTO_BUF message = { 0 };
    bool malformed;
    query_get(request.query, "message", &message, &malformed);
    if (request.path.len == 0 || request.path.data[0] != '/' || request.target.len > limits.url_bytes ||
        request.query.len > limits.query_bytes || request.body.len > limits.body_bytes)
        abort();
    if (http_reader_header(reader, "transfer-encoding", &value))
        abort();
    verdict->query += message.len;
    verdict->body += request.body.len;
    verdict->requests++;
}

static struct verdict judge(struct bytes data, size_t piece)
{
    AUTO(http_reader) reader = http_reader_new(&limits);
    struct verdict verdict = { 0 };
    while (data.len) {
        size_t used, take = data.len < piece ? data.len : piece;
        enum http_progress progress = http_reader_feed(reader, bytes_of(data.data, take), &used);
        verdict.used += used;
        data = bytes_of(data.data + used, data.len - used);
        if (progress == HTTP_REFUSED) {
            verdict.status = http_reader_status(reader, NULL);
            break;
        }
        if (progress != HTTP_DONE)
            continue;
        look(reader, &verdict);
        if (!http_reader_keep_alive(reader))
            break;
        http_reader_reset(reader);
    }
    return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct verdict whole = judge(bytes_of(data, len), SIZE_MAX), bytewise = judge(bytes_of(data, len), 1);
    if (whole.status != bytewise.status || whole.requests != bytewise.requests ||
        whole.used != bytewise.used || whole.query != bytewise.query || whole.body != bytewise.body)
        abort();
    return 0;
}
