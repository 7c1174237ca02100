/* SPDX-License-Identifier: Apache-2.0 */
/* Growing buffers and the allocators for small objects. */
#include "base/bytes.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LARGE_BYTES (4 << 20) /* buffers from here on grow by a quarter: a CRL's double would be wasted */

void *xmalloc(size_t size)
{
    void *block = malloc(size ? size : 1);
    if (!block)
        die("out of memory: %zu bytes", size);
    return block;
}

void *xcalloc(size_t count, size_t size)
{
    void *block = calloc(count ? count : 1, size ? size : 1);
    if (!block)
        die("out of memory: %zu times %zu bytes", count, size);
    return block;
}

char *xstrndup(const char *text, size_t len)
{
    char *copy = xmalloc(len + 1);
    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *xstrdup(const char *text)
{
    return xstrndup(text, strlen(text));
}

char *xasprintf(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        die("out of memory: formatting text");
    return text;
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

/* A fault for each 4 kB of a CRL of forty megabytes would cost more than filling it does. Where the kernel has no larger pages, nothing changes. */
static void large_pages(uint8_t *data, size_t size)
{
    const uintptr_t page = 2 << 20;
    uintptr_t begin = ((uintptr_t)data + page - 1) & ~(page - 1),
              end = ((uintptr_t)data + size) & ~(page - 1);
    if (end > begin)
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
}

void buf_reserve(struct buf *buf, size_t more)
{
    if (more > SIZE_MAX / 2 - buf->len)
        die("out of memory: buffer of %zu bytes and %zu more", buf->len, more);
    size_t need = buf->len + more;
    if (need <= buf->cap)
        return;
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap < need && need < LARGE_BYTES)
        cap *= 2;
    if (cap < need)
        cap = buf->cap ? need + need / 4 : need;
    /* Not realloc: it could leave a copy of a secret behind (buf_wipe). */
    uint8_t *data = xmalloc(cap);
    if (cap >= LARGE_BYTES)
        large_pages(data, cap);
    if (buf->len)
        memcpy(data, buf->data, buf->len);
    if (buf->data)
        OPENSSL_cleanse(buf->data, buf->cap); /* past len, too: buf_clear leaves what was there */
    free(buf->data);
    buf->data = data;
    buf->cap = cap;
}

void buf_append(struct buf *buf, struct bytes more)
{
    if (more.len == 0)
        return;
    buf_reserve(buf, more.len);
    memcpy(buf->data + buf->len, more.data, more.len);
    buf->len += more.len;
}

void buf_append_byte(struct buf *buf, uint8_t byte)
{
    buf_append(buf, bytes_of(&byte, 1));
}

void buf_append_str(struct buf *buf, const char *text)
{
    buf_append(buf, bytes_str(text));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    buf_reserve(buf, 128);
    size_t room = buf->cap - buf->len;
    int len = vsnprintf((char *)buf->data + buf->len, room, format, args);
    va_end(args);
    if (len < 0)
        die("formatting failed");
    if ((size_t)len >= room) {
        buf_reserve(buf, (size_t)len + 1);
        vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, format, again);
    }
    va_end(again);
    buf->len += (size_t)len;
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
}

void buf_free(struct buf *buf)
{
    if (!buf)
        return;
    free(buf->data);
    *buf = (struct buf){ 0 };
}

void buf_wipe(struct buf *buf)
{
    if (!buf)
        return;
    if (buf->data)
        OPENSSL_cleanse(buf->data, buf->cap);
    buf_free(buf);
}

const char *buf_text(struct buf *buf)
{
    buf_reserve(buf, 1);
    buf->data[buf->len] = '\0';
    return (const char *)buf->data;
}

struct buf buf_dup(struct bytes from)
{
    struct buf copy = { 0 };
    buf_append(&copy, from);
    return copy;
}
