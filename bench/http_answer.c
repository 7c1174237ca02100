/* SPDX-License-Identifier: Apache-2.0 */
/* Content-Length, chunks (Go's servers send them), or until the connection ends. */
#include "bench/http_answer.h"

#include <stdlib.h>
#include <strings.h>

static bool field(const char *head, const char *name, const char **ret_value)
{
    size_t len = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':') {
            *ret_value = line + 2 + len + 1 + strspn(line + 2 + len + 1, " ");
            return true;
        }
    }
    return false;
}

/* The parts are moved to the front only when the last one is there, so that reading can begin anew. */
static enum http_answer_state read_chunks(char *body, size_t len, struct bytes *ret)
{
    for (int move = 0; move <= 1; move++) {
        size_t at = 0, out = 0;
        for (;;) {
            char *line_end = memmem(body + at, len - at, "\r\n", 2);
            if (!line_end)
                return ANSWER_MORE;
            size_t size = strtoul(body + at, NULL, 16);
            size_t data = (size_t)(line_end + 2 - body);
            if (size > len - data || len - data - size < 2)
                return ANSWER_MORE;
            if (size == 0)
                break;
            if (move)
                memmove(body + out, body + data, size);
            out += size;
            at = data + size + 2;
        }
        *ret = bytes_of(body, out);
    }
    return ANSWER_WHOLE;
}

enum http_answer_state http_answer_read(struct buf *in, bool closed, struct http_answer_read *ret)
{
    const char *value, *found = strstr(buf_text(in), "\r\n\r\n"); /* a head has no NUL */
    if (!found)
        return closed ? ANSWER_BROKEN : ANSWER_MORE;
    char *text = (char *)in->data, *end = text + (found - text);
    if (strncmp(text, "HTTP/1.", 7) != 0)
        return ANSWER_BROKEN;
    char *body = end + 4;
    size_t len = in->len - (size_t)(body - text);
    end[2] = '\0'; /* the head is a text of its own while it is looked through */
    ret->status = atoi(text + 9);
    ret->keep_alive = !(field(text, "Connection", &value) && strncasecmp(value, "close", 5) == 0);
    bool chunked = field(text, "Transfer-Encoding", &value) && strncasecmp(value, "chunked", 7) == 0;
    bool sized = field(text, "Content-Length", &value);
    size_t size = sized ? strtoul(value, NULL, 10) : 0;
    end[2] = '\r';
    if (chunked) {
        enum http_answer_state state = read_chunks(body, len, &ret->body);
        return state == ANSWER_MORE && closed ? ANSWER_BROKEN : state;
    }
    ret->body = bytes_of(body, sized ? size : len);
    ret->keep_alive = ret->keep_alive && sized;
    if (sized ? len >= size : closed)
        return ANSWER_WHOLE;
    return closed ? ANSWER_BROKEN : ANSWER_MORE;
}
