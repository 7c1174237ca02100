/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes travel through Chancery as one value: a view (struct bytes) or an owner (struct buf). */
#pragma once
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes { const uint8_t *data; size_t len; };     /* a view: never freed                    */
struct buf   { uint8_t *data; size_t len, cap; };      /* an owner: starts as { 0 }, buf_free()d */

#define BYTES_NONE    ((struct bytes){ NULL, 0 })
#define BYTES_LIT(s)  ((struct bytes){ (const uint8_t *)(s), sizeof(s) - 1 })
#define BYTES_ARR(a)  ((struct bytes){ (a), sizeof(a) })

static inline struct bytes bytes_of(const void *data, size_t len)
{
    return (struct bytes){ data, len };
}
static inline struct bytes bytes_str(const char *text)      /* without the final NUL; NULL is empty */
{
    return (struct bytes){ (const uint8_t *)text, text ? strlen(text) : 0 };
}
static inline struct bytes buf_bytes(const struct buf *buf)  /* valid until buf changes */
{
    return (struct bytes){ buf->data, buf->len };
}

/* Ordinary comparisons: never on secrets (base/secret.h has the constant-time one). */
bool bytes_equal(struct bytes a, struct bytes b);
int  bytes_compare(struct bytes a, struct bytes b);          /* memcmp order, a prefix sorts first */

/* Growing never fails: out of memory on small objects ends the role in good order (house rule). */
void buf_append(struct buf *buf, struct bytes more);
void buf_append_byte(struct buf *buf, uint8_t byte);
void buf_append_str(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_reserve(struct buf *buf, size_t more);              /* room for `more` bytes past len */
void buf_clear(struct buf *buf);                             /* len = 0, memory kept            */
void buf_free(struct buf *buf);                              /* {0} afterwards; NULL is fine    */
void buf_wipe(struct buf *buf);                              /* zeroed, then freed: held a secret */
const char *buf_text(struct buf *buf);                       /* NUL-terminated view; NUL not counted in len */
struct buf buf_dup(struct bytes from);                       /* caller owns */

/* The whole of malloc for small objects: they end the process when memory is gone (err.h: die). */
void *xcalloc(size_t count, size_t size);
void *xmalloc(size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
