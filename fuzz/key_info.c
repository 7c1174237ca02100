/* SPDX-License-Identifier: Apache-2.0 */
/* What is inside a key file: PrivateKeyInfo. What reads as a key is written as the same key again. (The encryption around it
   is under a key derivation that may take seconds by design; unit tests hold its parser to account.) */
#include "fuzz/target.h"

#include "base/auto.h"
#include "x509/key_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct why why;
    AUTO_VAL(pkey) key = { 0 };
    AUTO_VAL(pkey) again = { 0 };
    AUTO_WIPE info = { 0 }, twice = { 0 }, spki = { 0 };
    if (key_info_parse(bytes_of(data, len), &key, &why) != OK)
        return 0;
    if (key_info_build(key.handle, &info, &why) != OK)
        return 0;
    PROMISE(key_info_parse(buf_bytes(&info), &again, &why) == OK);
    PROMISE(key_info_build(again.handle, &twice, &why) == OK);
    PROMISE(bytes_equal(buf_bytes(&info), buf_bytes(&twice)));
    PROMISE(spki_build(key.handle, &spki, &why) == OK && der_is_valid(buf_bytes(&spki)));
    return 0;
}
