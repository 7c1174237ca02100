/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, strictly. */
#include "base/utf8.h"

size_t utf8_sequence(struct bytes text, uint32_t *ret_point)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (text.len == 0)
        return 0;
    uint8_t lead = text.data[0];
    size_t len = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (len == 0 || len > text.len)
        return 0;
    uint32_t point = len == 1 ? lead : lead & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((text.data[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (text.data[i] & 0x3F);
    }
    if (point < least[len] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return 0;
    *ret_point = point;
    return len;
}

bool utf8_is_valid(struct bytes text)
{
    while (text.len) {
        uint32_t point;
        size_t len = utf8_sequence(text, &point);
        if (len == 0 || point == 0)
            return false;
        text = bytes_of(text.data + len, text.len - len);
    }
    return true;
}
