/* SPDX-License-Identifier: Apache-2.0 */
/* From a request's path to the endpoint that answers it. */
#include "scep/route.h"

#include "http/path.h"
#include "scep/endpoint.h"

const char *const route_standard[ROUTE_STANDARD_COUNT] = {
    "/certsrv/mscep/mscep.dll",
    "/certsrv/mscep/mscep.dll/pkiclient.exe",
    "/certsrv/mscep",
    "/cgi-bin/pkiclient.exe",
    "/scep",
    "/scep/pkiclient.exe",
};

struct route route_find(const struct endpoint_set *set, struct bytes path)
{
    AUTO_STR clean = path_normalise(path);
    if (!clean)
        return (struct route){ ROUTE_NONE, NULL };
    if (strcmp(clean, "/certsrv/mscep_admin") == 0)
        return (struct route){ ROUTE_ADMIN, NULL };
    const struct endpoint *endpoint = endpoint_find(set, clean);
    return (struct route){ endpoint ? ROUTE_ENDPOINT : ROUTE_NONE, endpoint };
}
