/* SPDX-License-Identifier: Apache-2.0 */
/* Hex, base64 and PEM. */
#include "base/encode.h"

#include "base/auto.h"

static void hex_append_digits(struct buf *out, struct bytes in, const char *digits)
{
    buf_reserve(out, in.len * 2);
    for (size_t i = 0; i < in.len; i++) {
        out->data[out->len++] = (uint8_t)digits[in.data[i] >> 4];
        out->data[out->len++] = (uint8_t)digits[in.data[i] & 15];
    }
}

void hex_append(struct buf *out, struct bytes in)
{
    hex_append_digits(out, in, "0123456789abcdef");
}

void hex_append_upper(struct buf *out, struct bytes in)
{
    hex_append_digits(out, in, "0123456789ABCDEF");
}

/* One more than a digit's value, 0 for what is none: digits are random, and branches over them would be guessed wrong. */
static const uint8_t hex_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

bool hex_decode_into(struct bytes text, uint8_t *out)
{
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        int high = hex_values[text.data[i]], low = hex_values[text.data[i + 1]];
        if (!high || !low)
            return false;
        *out++ = (uint8_t)((high - 1) << 4 | (low - 1));
    }
    return text.len % 2 == 0;
}

bool hex_decode(struct bytes text, struct buf *ret)
{
    AUTO_BUF out = { 0 };
    buf_reserve(&out, text.len / 2);
    if (!hex_decode_into(text, out.data))
        return false;
    out.len = text.len / 2;
    *ret = TAKE_BUF(out);
    return true;
}

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_append(struct buf *out, struct bytes in)
{
    buf_reserve(out, (in.len + 2) / 3 * 4);
    for (size_t i = 0; i < in.len; i += 3) {
        size_t left = in.len - i;
        uint32_t group = (uint32_t)in.data[i] << 16 | (left > 1 ? (uint32_t)in.data[i + 1] << 8 : 0) |
                         (left > 2 ? in.data[i + 2] : 0);
        out->data[out->len++] = (uint8_t)base64_alphabet[group >> 18];
        out->data[out->len++] = (uint8_t)base64_alphabet[group >> 12 & 63];
        out->data[out->len++] = left > 1 ? (uint8_t)base64_alphabet[group >> 6 & 63] : '=';
        out->data[out->len++] = left > 2 ? (uint8_t)base64_alphabet[group & 63] : '=';
    }
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

bool base64_decode(struct bytes text, bool lenient, struct buf *ret)
{
    AUTO_BUF out = { 0 };
    buf_reserve(&out, text.len / 4 * 3 + 3);
    uint32_t group = 0;
    size_t digits = 0, padding = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (lenient && (c == '\r' || c == '\n'))
            continue;
        if (c == '=') {
            padding++;
            continue;
        }
        int value = base64_value(c);
        if (value < 0 || padding)
            return false;
        group = group << 6 | (uint32_t)value;
        if (++digits % 4 == 0) {
            const uint8_t three[] = { (uint8_t)(group >> 16), (uint8_t)(group >> 8), (uint8_t)group };
            buf_append(&out, BYTES_ARR(three));
            group = 0;
        }
    }
    size_t tail = digits % 4;
    if (tail == 1 || (padding && (tail == 0 || padding != 4 - tail)))
        return false;
    if (tail) {
        group <<= 6 * (4 - tail);
        const uint8_t two[] = { (uint8_t)(group >> 16), (uint8_t)(group >> 8) };
        if (tail == 2 ? group & 0xFFFF : group & 0xFF)
            return false; /* bits that no byte holds: another text for the same bytes */
        buf_append(&out, bytes_of(two, tail - 1));
    }
    *ret = TAKE_BUF(out);
    return true;
}

void pem_append(struct buf *out, const char *label, struct bytes der)
{
    AUTO_BUF text = { 0 };
    base64_append(&text, der);
    buf_printf(out, "-----BEGIN %s-----\n", label);
    for (size_t i = 0; i < text.len; i += 64) {
        buf_append(out, bytes_of(text.data + i, text.len - i < 64 ? text.len - i : 64));
        buf_append_byte(out, '\n');
    }
    buf_printf(out, "-----END %s-----\n", label);
}

static const uint8_t *find(struct bytes in, const char *text)
{
    return in.len ? memmem(in.data, in.len, text, strlen(text)) : NULL;
}

bool pem_decode(struct bytes text, const char *label, struct buf *ret, struct bytes *ret_rest)
{
    AUTO_STR begin = xasprintf("-----BEGIN %s-----", label);
    AUTO_STR end = xasprintf("-----END %s-----", label);
    const uint8_t *body = find(text, begin);
    if (!body)
        return false;
    body += strlen(begin);
    struct bytes after = bytes_of(body, text.len - (size_t)(body - text.data));
    const uint8_t *stop = find(after, end);
    if (!stop || !base64_decode(bytes_of(body, (size_t)(stop - body)), true, ret))
        return false;
    if (ret_rest) {
        stop += strlen(end);
        *ret_rest = bytes_of(stop, text.len - (size_t)(stop - text.data));
    }
    return true;
}
