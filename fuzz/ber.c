/* SPDX-License-Identifier: Apache-2.0 */
/* The BER converter: what it gives is DER, no longer than the input, and stays as it is when converted again; DER comes
   back unchanged. */
#include "fuzz/target.h"

#include "base/auto.h"
#include "base/limits.h"
#include "x509/ber.h"

static void convert(struct bytes in, enum ber_layer layer)
{
    struct why why;
    AUTO_BUF der = { 0 }, again = { 0 };
    bool valid = layer == BER_SIGNED && in.len <= LIMIT_PKI_MESSAGE_BYTES && der_is_valid(in);
    if (ber_to_der(in, layer, &der, &why) != OK) {
        PROMISE(der.data == NULL && !valid);
        return;
    }
    PROMISE(!valid || bytes_equal(buf_bytes(&der), in));
    PROMISE(der.len <= in.len);
    PROMISE(der_is_valid(buf_bytes(&der)));
    PROMISE(ber_to_der(buf_bytes(&der), layer, &again, &why) == OK);
    PROMISE(bytes_equal(buf_bytes(&der), buf_bytes(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    convert(bytes_of(data, len), BER_SIGNED);
    convert(bytes_of(data, len), BER_ENVELOPED);
    return 0;
}
