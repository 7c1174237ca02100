/* SPDX-License-Identifier: Apache-2.0 */
/* Query strings as SCEP clients write them: only % is special. */
#include "http/query.h"

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool percent_decode(struct bytes text, struct buf *ret)
{
    struct buf out = { 0 };
    buf_reserve(&out, text.len);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '%') {
            buf_append_byte(&out, text.data[i]);
            continue;
        }
        int high = text.len - i > 2 ? hex_value(text.data[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text.data[i + 2]) : -1;
        if (low < 0) {
            buf_free(&out);
            return false;
        }
        buf_append_byte(&out, (uint8_t)(high << 4 | low));
        i += 2;
    }
    *ret = out;
    return true;
}

bool query_next(struct bytes *rest, struct parameter *ret)
{
    if (!rest->len)
        return false;
    const uint8_t *amp = memchr(rest->data, '&', rest->len);
    size_t len = amp ? (size_t)(amp - rest->data) : rest->len;
    const uint8_t *equals = len ? memchr(rest->data, '=', len) : NULL;
    size_t name_len = equals ? (size_t)(equals - rest->data) : len;
    ret->name = bytes_of(rest->data, name_len);
    ret->has_value = equals != NULL;
    ret->value = equals ? bytes_of(equals + 1, len - name_len - 1) : BYTES_NONE;
    size_t used = amp ? len + 1 : len;
    *rest = bytes_of(rest->data + used, rest->len - used);
    return true;
}

bool query_get(struct bytes query, const char *name, struct buf *ret, bool *ret_malformed)
{
    *ret_malformed = false;
    struct parameter parameter;
    while (query_next(&query, &parameter)) {
        if (!bytes_equal(parameter.name, bytes_str(name)))
            continue;
        *ret_malformed = !percent_decode(parameter.value, ret);
        return !*ret_malformed;
    }
    return false;
}
