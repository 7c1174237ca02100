/* SPDX-License-Identifier: Apache-2.0 */
/* Strict DER (X.690 chapters 8, 10 and 11). */
#include "x509/der.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/limits.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* Reads tag and length; false unless the whole element is there and its length is minimal. */
static bool read_header(struct bytes in, uint8_t *ret_tag, size_t *ret_header, size_t *ret_content)
{
    if (in.len < 2 || (in.data[0] & 0x1F) == 0x1F) /* high tag numbers: none in our formats */
        return false;
    size_t header = 2, content = in.data[1];
    if (content & 0x80) {
        size_t octets = content & 0x7F;
        if (octets == 0 || octets > 4 || in.len < 2 + octets || in.data[2] == 0)
            return false; /* indefinite, absurd, cut off or not minimal */
        content = 0;
        for (size_t i = 0; i < octets; i++)
            content = content << 8 | in.data[2 + i];
        header += octets;
        if (!FAULT(der_minimal_length) && content < 0x80)
            return false;
    }
    if (content > in.len - header)
        return false;
    *ret_tag = in.data[0];
    *ret_header = header;
    *ret_content = content;
    return true;
}

bool der_next_is(const struct der_reader *in, uint8_t tag)
{
    return in->rest.len > 0 && in->rest.data[0] == tag;
}

bool der_get_any(struct der_reader *in, struct der_item *ret)
{
    uint8_t tag;
    size_t header, content;
    if (!read_header(in->rest, &tag, &header, &content))
        return false;
    ret->tag = tag;
    ret->content = bytes_of(in->rest.data + header, content);
    ret->whole = bytes_of(in->rest.data, header + content);
    in->rest.data += header + content;
    in->rest.len -= header + content;
    return true;
}

static bool get_item(struct der_reader *in, uint8_t tag, struct der_item *ret)
{
    return der_next_is(in, tag) && der_get_any(in, ret);
}

bool der_get(struct der_reader *in, uint8_t tag, struct bytes *ret_content)
{
    struct der_item item;
    if (!get_item(in, tag, &item))
        return false;
    *ret_content = item.content;
    return true;
}

bool der_get_whole(struct der_reader *in, uint8_t tag, struct bytes *ret_whole)
{
    struct der_item item;
    if (!get_item(in, tag, &item))
        return false;
    *ret_whole = item.whole;
    return true;
}

bool der_get_constructed(struct der_reader *in, uint8_t tag, struct der_reader *ret_inside)
{
    return der_get(in, tag, &ret_inside->rest);
}

bool der_get_sequence(struct der_reader *in, struct der_reader *ret_inside)
{
    return der_get_constructed(in, DER_SEQUENCE, ret_inside);
}

bool der_get_set(struct der_reader *in, struct der_reader *ret_inside)
{
    return der_get_constructed(in, DER_SET, ret_inside);
}

static bool integer_is_minimal(struct bytes content)
{
    if (content.len == 0)
        return false;
    if (content.len == 1)
        return true;
    uint8_t sign = content.data[1] & 0x80;
    return FAULT(der_minimal_integer) ||
           (!(content.data[0] == 0x00 && !sign) && !(content.data[0] == 0xFF && sign));
}

bool der_get_integer_bytes(struct der_reader *in, struct bytes *ret_content)
{
    struct der_reader at = *in;
    struct bytes content;
    if (!der_get(&at, DER_INTEGER, &content) || !integer_is_minimal(content))
        return false;
    *in = at;
    *ret_content = content;
    return true;
}

bool der_get_unsigned_bytes(struct der_reader *in, struct bytes *ret_magnitude)
{
    struct der_reader at = *in;
    struct bytes content;
    if (!der_get_integer_bytes(&at, &content) || content.data[0] & 0x80)
        return false;
    if (content.len > 1 && content.data[0] == 0)
        content = bytes_of(content.data + 1, content.len - 1);
    *in = at;
    *ret_magnitude = content;
    return true;
}

bool der_get_int64(struct der_reader *in, int64_t *ret)
{
    struct der_reader at = *in;
    struct bytes content;
    if (!der_get_integer_bytes(&at, &content) || content.len > 8)
        return false;
    uint64_t value = content.data[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < content.len; i++)
        value = value << 8 | content.data[i];
    *in = at;
    *ret = (int64_t)value;
    return true;
}

bool der_get_boolean(struct der_reader *in, bool *ret)
{
    struct der_reader at = *in;
    struct bytes content;
    if (!der_get(&at, DER_BOOLEAN, &content) || content.len != 1)
        return false;
    if (content.data[0] != 0x00 && content.data[0] != 0xFF)
        return false;
    *in = at;
    *ret = content.data[0] != 0;
    return true;
}

bool der_get_null(struct der_reader *in)
{
    struct der_reader at = *in;
    struct bytes content;
    if (!der_get(&at, DER_NULL, &content) || content.len != 0)
        return false;
    *in = at;
    return true;
}

/* X.690 8.19: base 128, the last octet of an arc has bit 8 clear, no arc begins with 80. */
static bool oid_is_valid(struct bytes content)
{
    if (content.len == 0 || content.len > LIMIT_OID_BYTES || content.data[content.len - 1] & 0x80)
        return false;
    size_t arcs = 1;
    bool first = true;
    for (size_t i = 0; i < content.len; i++) {
        if (!FAULT(oid_arc_form) && first && content.data[i] == 0x80)
            return false;
        first = !(content.data[i] & 0x80);
        arcs += first;
    }
    return FAULT(oid_arcs) || arcs <= LIMIT_OID_ARCS;
}

bool der_get_oid(struct der_reader *in, struct bytes *ret_content)
{
    struct der_reader at = *in;
    struct bytes content;
    if (!der_get(&at, DER_OID, &content) || !oid_is_valid(content))
        return false;
    *in = at;
    *ret_content = content;
    return true;
}

bool der_get_octets(struct der_reader *in, struct bytes *ret)
{
    return der_get(in, DER_OCTET_STRING, ret);
}

bool der_get_bits(struct der_reader *in, struct bytes *ret_octets)
{
    struct der_reader at = *in;
    struct bytes content;
    if (!der_get(&at, DER_BIT_STRING, &content) || content.len < 1 || content.data[0] != 0)
        return false;
    *in = at;
    *ret_octets = bytes_of(content.data + 1, content.len - 1);
    return true;
}

bool der_get_named_bits(struct der_reader *in, uint16_t *ret_bits)
{
    struct der_reader at = *in;
    struct bytes content;
    if (!der_get(&at, DER_BIT_STRING, &content) || content.len < 1 || content.len > 3 || content.data[0] > 7)
        return false;
    uint16_t bits = 0;
    size_t count = (content.len - 1) * 8;
    if (content.data[0] > count)
        return false;
    count -= content.data[0];
    for (size_t i = 0; i < (content.len - 1) * 8; i++) {
        bool set = content.data[1 + i / 8] >> (7 - i % 8) & 1;
        if (set && i >= count)
            return false; /* an unused bit that is set */
        bits |= (uint16_t)(set << i);
    }
    if (count && !(bits >> (count - 1) & 1))
        return false;
    *in = at;
    *ret_bits = bits;
    return true;
}

static bool digits(const uint8_t *text, size_t len, int *ret)
{
    int value = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - '0');
    }
    *ret = value;
    return true;
}

static int days_in(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

bool der_get_time(struct der_reader *in, int64_t *ret_utc)
{
    struct der_reader at = *in;
    struct der_item item;
    if (!der_get_any(&at, &item))
        return false;
    bool utc = item.tag == DER_UTC_TIME && item.content.len == 13;
    bool generalized = item.tag == DER_GENERALIZED_TIME && item.content.len == 15;
    if (!utc && !generalized)
        return false;
    const uint8_t *text = item.content.data;
    struct calendar when;
    if (!digits(text, utc ? 2 : 4, &when.year))
        return false;
    text += utc ? 2 : 4;
    if (utc)
        when.year += when.year < 50 ? 2000 : 1900;
    bool read = digits(text, 2, &when.month) && digits(text + 2, 2, &when.day) &&
                digits(text + 4, 2, &when.hour) && digits(text + 6, 2, &when.minute) &&
                digits(text + 8, 2, &when.second) && text[10] == 'Z';
    if (!read || when.month < 1 || when.month > 12 || when.day < 1 ||
        when.day > days_in(when.year, when.month))
        return false;
    if (when.hour > 23 || when.minute > 59 || when.second > 59)
        return false;
    *in = at;
    *ret_utc = calendar_utc(&when);
    return true;
}

bool der_get_utf8(struct der_reader *in, struct bytes *ret_text)
{
    struct der_reader at = *in;
    struct bytes text;
    if (!der_get(&at, DER_UTF8_STRING, &text) || !utf8_is_valid(text))
        return false;
    *in = at;
    *ret_text = text;
    return true;
}

/* X.690 10.2 and 8.1.5: of the universal types only SEQUENCE and SET are constructed, and they always are;
   tag 0 ends an indefinite length and has no place in DER. */
static bool tag_is_der(uint8_t tag)
{
    if (tag & 0xC0)
        return true;
    bool constructed = tag & 0x20;
    bool structure = (tag & 0x1F) == (DER_SEQUENCE & 0x1F) || (tag & 0x1F) == (DER_SET & 0x1F);
    return (tag & 0x1F) != 0 && constructed == structure;
}

bool der_is_valid(struct bytes der)
{
    return der_is_valid_and(der, NULL);
}

bool der_is_valid_and(struct bytes der, bool (*holds)(const struct der_item *item))
{
    struct der_reader levels[LIMIT_DER_DEPTH + 1] = { { der } };
    size_t depth = 0;
    size_t at_top = 0;
    for (;;) {
        if (der_at_end(&levels[depth])) {
            if (depth == 0)
                return FAULT(der_trailing) || at_top == 1;
            depth--;
            continue;
        }
        struct der_item item;
        if (depth == LIMIT_DER_DEPTH || !der_get_any(&levels[depth], &item) || !tag_is_der(item.tag))
            return false;
        at_top += depth == 0;
        if (item.tag & 0x20)
            levels[++depth] = der_reader_over(item.content);
        else if (holds && !holds(&item))
            return false;
    }
}

static size_t length_octets(size_t content)
{
    size_t octets = 1;
    if (content < 0x80)
        return octets;
    for (size_t rest = content; rest; rest >>= 8)
        octets++;
    return octets;
}

static void store_length(uint8_t *at, size_t content)
{
    size_t octets = length_octets(content);
    if (octets == 1) {
        at[0] = (uint8_t)content;
        return;
    }
    at[0] = (uint8_t)(0x80 | (octets - 1));
    for (size_t i = 1; i < octets; i++)
        at[i] = (uint8_t)(content >> 8 * (octets - 1 - i));
}

size_t der_begin(struct buf *out, uint8_t tag)
{
    return der_begin_expecting(out, tag, 0);
}

size_t der_begin_expecting(struct buf *out, uint8_t tag, size_t content_len)
{
    uint8_t octets = (uint8_t)length_octets(content_len);
    buf_append_byte(out, tag);
    for (size_t i = 0; i < octets; i++)
        buf_append_byte(out, octets); /* until der_end: how many they are */
    return out->len;
}

void der_end(struct buf *out, size_t mark)
{
    size_t content = out->len - mark, room = out->data[mark - 1], octets = length_octets(content);
    if (octets > room)
        buf_reserve(out, octets - room);
    if (octets != room)
        memmove(out->data + mark - room + octets, out->data + mark, content);
    out->len += octets - room;
    store_length(out->data + mark - room, content);
}

void der_put_header(struct buf *out, uint8_t tag, size_t content_len)
{
    size_t octets = length_octets(content_len);
    buf_reserve(out, 1 + octets);
    out->data[out->len] = tag;
    store_length(out->data + out->len + 1, content_len);
    out->len += 1 + octets;
}

void der_put(struct buf *out, uint8_t tag, struct bytes content)
{
    buf_reserve(out, DER_HEADER_BYTES_MAX + content.len);
    der_put_header(out, tag, content.len);
    buf_append(out, content);
}

void der_put_raw(struct buf *out, struct bytes der)
{
    buf_append(out, der);
}

void der_put_unsigned_bytes(struct buf *out, struct bytes magnitude)
{
    while (magnitude.len && magnitude.data[0] == 0)
        magnitude = bytes_of(magnitude.data + 1, magnitude.len - 1);
    bool pad = magnitude.len == 0 || magnitude.data[0] & 0x80;
    size_t mark = der_begin(out, DER_INTEGER);
    if (pad)
        buf_append_byte(out, 0);
    buf_append(out, magnitude);
    der_end(out, mark);
}

void der_put_int64(struct buf *out, int64_t value)
{
    uint8_t octets[8];
    for (int i = 0; i < 8; i++)
        octets[i] = (uint8_t)((uint64_t)value >> 8 * (7 - i));
    size_t skip = 0;
    while (skip < 7 && !integer_is_minimal(bytes_of(octets + skip, 8 - skip)))
        skip++;
    der_put(out, DER_INTEGER, bytes_of(octets + skip, 8 - skip));
}

void der_put_boolean(struct buf *out, bool value)
{
    const uint8_t octet = value ? 0xFF : 0x00;
    der_put(out, DER_BOOLEAN, bytes_of(&octet, 1));
}

void der_put_null(struct buf *out)
{
    der_put(out, DER_NULL, BYTES_NONE);
}

void der_put_oid(struct buf *out, struct bytes oid_content)
{
    der_put(out, DER_OID, oid_content);
}

void der_put_octets(struct buf *out, struct bytes octets)
{
    der_put(out, DER_OCTET_STRING, octets);
}

void der_put_bits(struct buf *out, struct bytes octets)
{
    size_t mark = der_begin(out, DER_BIT_STRING);
    buf_append_byte(out, 0);
    buf_append(out, octets);
    der_end(out, mark);
}

void der_put_named_bits(struct buf *out, uint16_t bits)
{
    uint8_t content[3] = { 0 };
    size_t count = 0;
    for (size_t i = 0; i < 16; i++) {
        if (!(bits >> i & 1))
            continue;
        content[1 + i / 8] |= (uint8_t)(0x80 >> i % 8);
        count = i + 1;
    }
    size_t octets = (count + 7) / 8;
    content[0] = (uint8_t)(octets * 8 - count);
    der_put(out, DER_BIT_STRING, bytes_of(content, 1 + octets));
}

void der_put_generalized_time(struct buf *out, int64_t utc)
{
    struct calendar c = calendar_of(utc);
    assert(c.year >= 0 && c.year <= 9999); /* four digits is all the type has */
    char text[80];
    int len = snprintf(text, sizeof(text), "%04d%02d%02d%02d%02d%02dZ", c.year, c.month, c.day, c.hour,
                       c.minute, c.second);
    der_put(out, DER_GENERALIZED_TIME, bytes_of(text, (size_t)len));
}

void der_put_time(struct buf *out, int64_t utc)
{
    struct calendar c = calendar_of(utc);
    if (c.year < 1950 || c.year > 2049) {
        der_put_generalized_time(out, utc);
        return;
    }
    char text[80];
    int len = snprintf(text, sizeof(text), "%02d%02d%02d%02d%02d%02dZ", c.year % 100, c.month, c.day, c.hour,
                       c.minute, c.second);
    der_put(out, DER_UTC_TIME, bytes_of(text, (size_t)len));
}

void der_put_utf8(struct buf *out, struct bytes text)
{
    der_put(out, DER_UTF8_STRING, text);
}

static int compare_elements(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

bool der_put_set_of(struct buf *out, uint8_t tag, struct bytes elements)
{
    struct bytes sorted[LIMIT_SAN_NAMES]; /* the largest set that anybody makes */
    size_t count = 0;
    struct der_reader in = der_reader_over(elements);
    while (!der_at_end(&in)) {
        struct der_item item;
        if (count == sizeof(sorted) / sizeof(*sorted) || !der_get_any(&in, &item))
            return false;
        sorted[count++] = item.whole;
    }
    qsort(sorted, count, sizeof(*sorted), compare_elements);
    size_t mark = der_begin(out, tag);
    for (size_t i = 0; i < count; i++)
        buf_append(out, sorted[i]);
    der_end(out, mark);
    return true;
}
