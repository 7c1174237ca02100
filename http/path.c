/* SPDX-License-Identifier: Apache-2.0 */
/* Paths brought into the one form in which they are compared. */
#include "http/path.h"

#include "base/auto.h"
#include "http/query.h"

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
}

char *path_normalise(struct bytes path)
{
    AUTO_BUF clean = { 0 };
    if (!percent_decode(path, &clean) || clean.len == 0 || clean.data[0] != '/')
        return NULL;
    for (size_t i = 0; i < clean.len; i++) {
        if (clean.data[i] < 0x20 || clean.data[i] == 0x7F)
            return NULL;
        clean.data[i] = lower(clean.data[i]);
    }
    size_t len = clean.len > 1 && clean.data[clean.len - 1] == '/' ? clean.len - 1 : clean.len;
    return xstrndup((const char *)clean.data, len);
}
