/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/uuid.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/secret.h"
#include <ctype.h>
#include <stdio.h>

enum err uuid_make(char ret[static UUID_TEXT], struct why *why)
{
    uint8_t raw[16];
    AUTO_BUF hex = { 0 };
    TRY(random_fill(raw, sizeof(raw), why));
    raw[6] = (raw[6] & 0x0F) | 0x40;
    raw[8] = (raw[8] & 0x3F) | 0x80;
    hex_append(&hex, BYTES_ARR(raw));
    const char *digits = buf_text(&hex);
    snprintf(ret, UUID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12, digits + 16,
             digits + 20);
    return OK;
}

bool uuid_is(struct bytes text)
{
    if (text.len != UUID_TEXT - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text.data[i] != '-' : !isxdigit(text.data[i]))
            return false;
    }
    return true;
}
