/* SPDX-License-Identifier: Apache-2.0 */
/* The DER reader: whatever it accepts as one tree must come out of the writer octet by octet the same. */
#include "fuzz/target.h"

#include "base/auto.h"
#include "base/limits.h"
#include "x509/der.h"

/* Every typed read on the same place: at most one may consume it, and none may look past the end. */
static void read_types(struct der_reader in)
{
    struct der_reader at;
    struct bytes bytes;
    int64_t number;
    uint16_t bits;
    bool truth;
    unsigned taken = 0;
    at = in, taken += der_get_integer_bytes(&at, &bytes);
    at = in, taken += der_get_boolean(&at, &truth);
    at = in, taken += der_get_null(&at);
    at = in, taken += der_get_oid(&at, &bytes);
    at = in, taken += der_get_octets(&at, &bytes);
    at = in, taken += der_get_time(&at, &number);
    at = in, taken += der_get_utf8(&at, &bytes);
    PROMISE(taken <= 1);
    at = in;
    if (!der_get_int64(&at, &number))
        PROMISE(at.rest.data == in.rest.data);
    at = in;
    if (!der_get_bits(&at, &bytes) && !der_get_named_bits(&at, &bits))
        PROMISE(at.rest.len == in.rest.len);
    at = in;
    if (der_get_unsigned_bytes(&at, &bytes)) {
        AUTO_BUF again = { 0 };
        der_put_unsigned_bytes(&again, bytes);
        PROMISE(bytes_equal(buf_bytes(&again), bytes_of(in.rest.data, again.len)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes der = bytes_of(data, len);
    struct der_reader levels[LIMIT_DER_DEPTH] = { der_reader_over(der) };
    size_t depth = 0;
    bool valid = der_is_valid(der);
    AUTO_BUF again = { 0 };
    size_t marks[LIMIT_DER_DEPTH];
    for (;;) {
        struct der_item item;
        read_types(levels[depth]);
        if (der_at_end(&levels[depth])) {
            if (depth == 0)
                break;
            der_end(&again, marks[depth--]);
        } else if (!der_get_any(&levels[depth], &item)) {
            PROMISE(!valid);
            return 0;
        } else if (item.tag & 0x20 && depth + 1 < LIMIT_DER_DEPTH) {
            levels[++depth] = der_reader_over(item.content);
            marks[depth] = der_begin(&again, item.tag);
        } else {
            der_put(&again, item.tag, item.content);
        }
    }
    PROMISE(bytes_equal(buf_bytes(&again), der));
    return 0;
}
