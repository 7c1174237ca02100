/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an answer, and the plain pages for statuses that come without one. */
#include "http/date.h"
#include "http/internal.h"

#include "base/encode.h"
#include "base/log.h"
#include "base/secret.h"

static const char *status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 204, "No Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 417, "Expectation Failed" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (texts[i].status == status)
            return texts[i].text;
    }
    return status < 400 ? "OK" : "Error";
}

void answer_head(const struct http_exchange *exchange, bool close, struct buf *ret)
{
    const struct http_answer *answer = &exchange->answer;
    buf_printf(ret, "HTTP/1.1 %d %s\r\n", answer->status, status_text(answer->status));
    buf_append_str(ret, "Date: ");
    http_date_append(ret, clock_now(&clock_system));
    buf_append_str(ret, "\r\n");
    if (answer->content_type)
        buf_printf(ret, "Content-Type: %s\r\n", answer->content_type);
    /* RFC 9110 8.6: of a 304 it would be the length of what is not sent; a 204 must have none. */
    if (answer->status != 304 && answer->status != 204)
        buf_printf(ret, "Content-Length: %zu\r\n", answer->body.len);
    if (close)
        buf_append_str(ret, "Connection: close\r\n");
    else if (exchange->is_1_0)
        buf_append_str(ret, "Connection: keep-alive\r\n");
    if (answer->extra_headers)
        buf_append_str(ret, answer->extra_headers);
    buf_append_str(ret, "\r\n");
}

/* One id in the page, the error log and the access log: what a user reports leads to the entry. */
static void id_make(struct http_exchange *exchange, char ret_id[static 17])
{
    uint8_t random[8] = { 0 };
    struct why why;
    if (random_fill(random, sizeof(random), &why) != OK)
        log_error(NULL, "%s", why.text);
    AUTO_BUF hex = { 0 };
    hex_append(&hex, BYTES_ARR(random));
    snprintf(ret_id, 17, "%s", buf_text(&hex));
    const char *note = exchange->log_note;
    char *both = xasprintf("%s%sid=%s", note ? note : "", note && *note ? "&" : "", ret_id);
    free(exchange->log_note);
    exchange->log_note = both;
    exchange->answer.log_note = both;
    log_error(NULL, "answered %d id=%s peer=%s path=%.*s", exchange->answer.status, ret_id, exchange->peer,
              (int)(exchange->request.path.len < 200 ? exchange->request.path.len : 200),
              exchange->request.path.len ? (const char *)exchange->request.path.data : "");
}

void answer_complete(struct http_exchange *exchange)
{
    struct http_answer *answer = &exchange->answer;
    if (answer->status < 400 || answer->body.len || answer->content_type)
        return;
    char id[17] = "";
    if (answer->status == 500)
        id_make(exchange, id);
    const char *text = status_text(answer->status);
    buf_printf(&exchange->body,
               "<!DOCTYPE html>\n<html lang=\"en\"><head><title>%d %s</title></head>\n<body><h1>%d %s</h1>\n",
               answer->status, text, answer->status, text);
    if (*id)
        buf_printf(&exchange->body, "<p>The server's log names this error by the id %s.</p>\n", id);
    buf_append_str(&exchange->body, "</body></html>\n");
    answer->body = buf_bytes(&exchange->body);
    answer->content_type = "text/html";
}
