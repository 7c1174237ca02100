/* SPDX-License-Identifier: Apache-2.0 */
/* Universal types looked at one by one (X.690 8, 10, 11). */
#include "x509/strict.h"

static bool enumerated_is_good(struct bytes content)
{
    if (content.len < 2)
        return content.len == 1;
    return content.data[0] != (content.data[1] & 0x80 ? 0xFF : 0x00);
}

static bool bits_are_good(struct bytes content)
{
    if (content.len == 0 || content.data[0] > 7 || (content.len == 1 && content.data[0] != 0))
        return false;
    uint8_t unused = (uint8_t)((1u << content.data[0]) - 1);
    return content.len == 1 || (content.data[content.len - 1] & unused) == 0;
}

static bool content_is_good(const struct der_item *item)
{
    struct der_reader in = der_reader_over(item->whole);
    struct bytes bytes;
    bool boolean;
    switch (item->tag) {
    case DER_BOOLEAN:
        return der_get_boolean(&in, &boolean);
    case DER_INTEGER:
        return der_get_integer_bytes(&in, &bytes);
    case DER_ENUMERATED:
        return enumerated_is_good(item->content);
    case DER_BIT_STRING:
        return bits_are_good(item->content);
    case DER_NULL:
        return item->content.len == 0;
    case DER_OID:
        return der_get_oid(&in, &bytes);
    case DER_BMP_STRING:
        return item->content.len % 2 == 0;
    case DER_UNIVERSAL_STRING:
        return item->content.len % 4 == 0;
    default:
        return true;
    }
}

bool der_is_strict(struct bytes der)
{
    return der_is_valid_and(der, content_is_good);
}
