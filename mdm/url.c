/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/url.h"

#include "base/network.h"
#include "x509/san_rule.h"
#include <strings.h>

/* Labels as a dNSName has them (an IPv4 address has that form too); no wildcard. */
static bool host_is_labels(struct bytes host)
{
    struct san_name name = { .kind = SAN_DNS, .value = host, .whole = host };
    struct why why;
    return host.len && host.data[0] != '*' && san_rule_check(&name, &why) == OK;
}

bool host_is_qualified(struct bytes host)
{
    struct address address;
    return host_is_labels(host) && memchr(host.data, '.', host.len) && !address_parse(host, &address);
}

/* 1 to 65535. */
static bool port_is_good(struct bytes port)
{
    uint32_t number = 0;
    if (port.len == 0 || port.len > 5)
        return false;
    for (size_t i = 0; i < port.len; i++) {
        if (port.data[i] < '0' || port.data[i] > '9')
            return false;
        number = number * 10 + (uint32_t)(port.data[i] - '0');
    }
    return number > 0 && number <= 65535;
}

/* host, host:port, [IPv6] or [IPv6]:port */
static bool authority_is_good(struct bytes authority)
{
    const uint8_t *bracket =
        authority.len && authority.data[0] == '[' ? memchr(authority.data, ']', authority.len) : NULL;
    const uint8_t *from = bracket ? bracket + 1 : authority.data;
    size_t left = authority.len - (size_t)(from - authority.data);
    const uint8_t *colon = left ? memchr(from, ':', left) : NULL;
    size_t host_len = colon ? (size_t)(colon - authority.data) : authority.len;
    struct address address;
    if (colon && !port_is_good(bytes_of(colon + 1, authority.len - host_len - 1)))
        return false;
    if (!bracket)
        return host_is_labels(bytes_of(authority.data, host_len));
    struct bytes inside = bytes_of(authority.data + 1, (size_t)(bracket - authority.data) - 1);
    return host_len == (size_t)(bracket - authority.data) + 1 && memchr(inside.data, ':', inside.len) &&
           address_parse(inside, &address);
}

const char *url_rule_broken(struct bytes url)
{
    static const char *const schemes[] = { "http://", "https://" };
    size_t start = 0;
    for (size_t i = 0; i < 2; i++)
        if (url.len >= strlen(schemes[i]) &&
            strncasecmp((const char *)url.data, schemes[i], strlen(schemes[i])) == 0)
            start = strlen(schemes[i]);
    if (!start)
        return "must be absolute, and begin with http:// or https://";
    if (!san_rule_uri(url))
        return "must have the characters of a URL alone (RFC 3986 2)";
    if (memchr(url.data, '?', url.len) || memchr(url.data, '#', url.len))
        return "must have no query or fragment: the device adds its own (RFC 8894 4.1)";
    if (memchr(url.data, ';', url.len))
        return "must have no ';', which stands between URLs for Windows";
    const uint8_t *path = memchr(url.data + start, '/', url.len - start);
    size_t end = path ? (size_t)(path - url.data) : url.len;
    if (memchr(url.data + start, '@', end - start))
        return "must have no user name or password";
    if (!authority_is_good(bytes_of(url.data + start, end - start)))
        return "must have a host name or address, and a port from 1 to 65535 if any";
    return NULL;
}
