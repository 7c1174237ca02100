/* SPDX-License-Identifier: Apache-2.0 */
/* What is posted: one message for ever, or many, each until it has its certificate. */
#include "tests/support/flood.h"

void posts_begin(struct flood *flood)
{
    const struct flood_options *options = &flood->options;
    flood->ring_size = options->work.count * (options->paths ? options->paths : 1);
    flood->ring = xcalloc(flood->ring_size + 1, sizeof(*flood->ring));
    for (size_t i = 0; i < flood->ring_size; i++)
        flood->ring[i] = (uint32_t)i;
    flood->ring_head = options->skip < flood->ring_size ? options->skip : flood->ring_size;
    flood->ring_count = flood->ring_size - flood->ring_head;
}

static void request_make(const struct flood *flood, struct line *line, struct bytes message)
{
    size_t count = flood->options.work.count;
    buf_clear(&line->request);
    buf_append_str(&line->request, "POST /scep");
    if (flood->options.paths)
        buf_printf(&line->request, "/e%zu", line->item / count);
    buf_printf(&line->request,
               "?operation=PKIOperation HTTP/1.1\r\nHost: flood\r\nContent-Length: %zu\r\n"
               "Connection: close\r\n\r\n",
               message.len);
    buf_append(&line->request, message);
}

bool post_next(struct flood *flood, struct line *line)
{
    if (flood->ring_size == 0) {
        request_make(flood, line, buf_bytes(&flood->options.post));
        return true;
    }
    if (flood->ring_count == 0)
        return false;
    line->item = flood->ring[flood->ring_head];
    flood->ring_head = (flood->ring_head + 1) % flood->ring_size;
    flood->ring_count--;
    request_make(flood, line, flood->options.work.items[line->item % flood->options.work.count].message);
    return true;
}

void post_again(struct flood *flood, const struct line *line)
{
    if (flood->ring_size)
        flood->ring[(flood->ring_head + flood->ring_count++) % flood->ring_size] = line->item;
}
