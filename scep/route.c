/* SPDX-License-Identifier: Apache-2.0 */
/* From a request's path to the endpoint that answers it. */
#include "scep/route.h"

#include "http/query.h"
#include "scep/endpoint.h"

const char *const route_standard[ROUTE_STANDARD_COUNT] = {
    "/certsrv/mscep/mscep.dll",
    "/certsrv/mscep/mscep.dll/pkiclient.exe",
    "/certsrv/mscep",
    "/cgi-bin/pkiclient.exe",
    "/scep",
    "/scep/pkiclient.exe",
};

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
}

char *route_normalise(struct bytes path)
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

struct route route_find(const struct endpoint_set *set, struct bytes path)
{
    AUTO_STR clean = route_normalise(path);
    if (!clean)
        return (struct route){ ROUTE_NONE, NULL };
    if (strcmp(clean, "/certsrv/mscep_admin") == 0)
        return (struct route){ ROUTE_ADMIN, NULL };
    const struct endpoint *endpoint = endpoint_find(set, clean);
    return (struct route){ endpoint ? ROUTE_ENDPOINT : ROUTE_NONE, endpoint };
}
