/* SPDX-License-Identifier: Apache-2.0 */
/* ASN.1 character strings: transcoding to UTF-8 and escaping (X.680 41, RFC 4514 2.4). */
#include "x509/text.h"

static void put_point(struct buf *out, uint32_t point)
{
    if (point < 0x80) {
        buf_append_byte(out, (uint8_t)point);
    } else if (point < 0x800) {
        buf_append_byte(out, (uint8_t)(0xC0 | point >> 6));
        buf_append_byte(out, (uint8_t)(0x80 | (point & 0x3F)));
    } else if (point < 0x10000) {
        buf_append_byte(out, (uint8_t)(0xE0 | point >> 12));
        buf_append_byte(out, (uint8_t)(0x80 | (point >> 6 & 0x3F)));
        buf_append_byte(out, (uint8_t)(0x80 | (point & 0x3F)));
    } else {
        buf_append_byte(out, (uint8_t)(0xF0 | point >> 18));
        buf_append_byte(out, (uint8_t)(0x80 | (point >> 12 & 0x3F)));
        buf_append_byte(out, (uint8_t)(0x80 | (point >> 6 & 0x3F)));
        buf_append_byte(out, (uint8_t)(0x80 | (point & 0x3F)));
    }
}

static bool is_surrogate(uint32_t point)
{
    return point >= 0xD800 && point <= 0xDFFF;
}

static uint32_t unit16(struct bytes value, size_t at)
{
    return (uint32_t)value.data[at] << 8 | value.data[at + 1];
}

/* Windows writes UTF-16 into BMPString, so pairs of surrogates are one character. */
static bool utf16_to_utf8(struct bytes value, struct buf *out)
{
    if (value.len % 2)
        return false;
    for (size_t at = 0; at < value.len; at += 2) {
        uint32_t point = unit16(value, at);
        if (is_surrogate(point)) {
            if (point > 0xDBFF || value.len - at < 4)
                return false;
            uint32_t low = unit16(value, at + 2);
            if (low < 0xDC00 || low > 0xDFFF)
                return false;
            point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
            at += 2;
        }
        put_point(out, point);
    }
    return true;
}

static bool utf32_to_utf8(struct bytes value, struct buf *out)
{
    if (value.len % 4)
        return false;
    for (size_t at = 0; at < value.len; at += 4) {
        uint32_t point = unit16(value, at) << 16 | unit16(value, at + 2);
        if (point > 0x10FFFF || is_surrogate(point))
            return false;
        put_point(out, point);
    }
    return true;
}

static bool utf8_or_nul(struct bytes value)
{
    size_t start = 0;
    for (size_t i = 0; i <= value.len; i++) { /* utf8_is_valid refuses NUL: look between them */
        if (i < value.len && value.data[i] != 0)
            continue;
        if (!utf8_is_valid(bytes_of(value.data + start, i - start)))
            return false;
        start = i + 1;
    }
    return true;
}

static bool append_utf8(uint8_t tag, struct bytes value, struct buf *out)
{
    switch (tag) {
    case DER_UTF8_STRING:
        if (value.len && !utf8_or_nul(value))
            return false;
        buf_append(out, value);
        return true;
    case DER_PRINTABLE_STRING:
    case DER_IA5_STRING:
        if (!text_is_ia5(value))
            return false;
        buf_append(out, value);
        return true;
    case DER_T61_STRING:
        for (size_t i = 0; i < value.len; i++)
            put_point(out, value.data[i]);
        return true;
    case DER_BMP_STRING:
        return utf16_to_utf8(value, out);
    case DER_UNIVERSAL_STRING:
        return utf32_to_utf8(value, out);
    default:
        return false;
    }
}

bool text_to_utf8(uint8_t tag, struct bytes value, struct buf *out)
{
    size_t mark = out->len;
    bool done = append_utf8(tag, value, out);
    if (!done)
        out->len = mark;
    return done;
}

bool text_is_clean(struct bytes utf8)
{
    if (!utf8_is_valid(utf8))
        return false;
    for (size_t i = 0; i < utf8.len; i++) {
        uint8_t octet = utf8.data[i];
        if (octet < 0x20 || octet == 0x7F)
            return false;
        if (octet == 0xC2 && utf8.data[i + 1] < 0xA0) /* U+0080..U+009F; a follower is there: well-formed */
            return false;
    }
    return true;
}

size_t text_length(struct bytes utf8)
{
    size_t count = 0;
    for (size_t i = 0; i < utf8.len; i++)
        count += (utf8.data[i] & 0xC0) != 0x80;
    return count;
}

static bool is_alphanumeric(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool text_is_printable_string(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_alphanumeric(text.data[i]) && (text.data[i] == 0 || !strchr(" '()+,-./:=?", text.data[i])))
            return false;
    return true;
}

bool text_is_ia5(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] > 0x7F)
            return false;
    return true;
}

void text_append_escaped(struct buf *out, struct bytes utf8, const char *specials)
{
    bool wellformed = text_is_clean(utf8);
    for (size_t i = 0; i < utf8.len; i++) {
        uint8_t octet = utf8.data[i];
        if (octet < 0x20 || octet == 0x7F || (octet > 0x7F && !wellformed)) {
            buf_printf(out, "\\%02X", octet);
            continue;
        }
        if (strchr(specials, octet))
            buf_append_byte(out, '\\');
        buf_append_byte(out, octet);
    }
}
