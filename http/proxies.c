/* SPDX-License-Identifier: Apache-2.0 */
/* X-Forwarded-For and Forwarded (RFC 7239), read from the right. */
#include "http/proxies.h"

#include "http/field.h"
#include <strings.h>

/* Trusted proxies in a row: more is a loop, or somebody who wants us to read. */
#define HOPS_MAX 16

struct proxies {
    enum proxy_header header;
    size_t count;
    struct network networks[];
};

enum err proxies_new(const char *const *networks, size_t count, enum proxy_header header,
                     struct proxies **ret, struct why *why)
{
    AUTO(proxies) proxies = xcalloc(1, sizeof(*proxies) + count * sizeof(*proxies->networks));
    proxies->header = header;
    for (size_t i = 0; i < count; i++) {
        if (!network_parse(networks[i], &proxies->networks[i]))
            return fail(why, ERR_CONFIG,
                        "trusted proxy \"%.80s\" is neither an address nor a network (192.0.2.0/24)",
                        networks[i]);
    }
    proxies->count = count;
    *ret = TAKE(proxies);
    return OK;
}

void proxies_free(struct proxies *proxies)
{
    free(proxies);
}

bool proxies_trust(const struct proxies *proxies, const struct address *address)
{
    for (size_t i = 0; proxies && i < proxies->count; i++) {
        if (network_contains(&proxies->networks[i], address))
            return true;
    }
    return false;
}

const char *proxies_header(const struct proxies *proxies)
{
    return proxies->header == PROXY_FORWARDED ? "forwarded" : "x-forwarded-for";
}

/* RFC 9110 5.6.4: an odd number of backslashes in front. */
static bool is_escaped(const uint8_t *text, size_t at)
{
    size_t slashes = 0;
    while (slashes < at && text[at - 1 - slashes] == '\\')
        slashes++;
    return slashes % 2 == 1;
}

/* The last element of a list that commas divide. From the right, because what the proxy wrote stands there: a quote
   that the client left open further left must not swallow it. */
static struct bytes last_take(struct bytes *list, bool quoting)
{
    bool quoted = false;
    size_t start = list->len;
    for (; start > 0; start--) {
        uint8_t c = list->data[start - 1];
        if (quoting && c == '"' && !is_escaped(list->data, start - 1))
            quoted = !quoted;
        else if (c == ',' && !quoted)
            break;
    }
    struct bytes last = bytes_of(list->data + start, list->len - start);
    list->len = start ? start - 1 : 0;
    return field_trim(last);
}

/* "192.0.2.7", "192.0.2.7:4711", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711" */
static bool node_parse(struct bytes node, struct address *ret)
{
    if (node.len && node.data[0] == '[') {
        const uint8_t *end = memchr(node.data, ']', node.len);
        return end && address_parse(bytes_of(node.data + 1, (size_t)(end - node.data) - 1), ret);
    }
    const uint8_t *colon = node.len ? memchr(node.data, ':', node.len) : NULL;
    bool has_port = colon && !memchr(colon + 1, ':', (size_t)(node.data + node.len - colon - 1));
    return address_parse(has_port ? bytes_of(node.data, (size_t)(colon - node.data)) : node, ret);
}

static struct bytes unquoted(struct bytes value)
{
    bool quoted = value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"';
    return quoted ? bytes_of(value.data + 1, value.len - 2) : value;
}

/* RFC 7239 4: pairs divided by semicolons; "for" names the client. An address needs no quoted pair. */
static struct bytes forwarded_for(struct bytes element)
{
    while (element.len) {
        const uint8_t *semicolon = memchr(element.data, ';', element.len);
        size_t len = semicolon ? (size_t)(semicolon - element.data) : element.len;
        struct bytes pair = field_trim(bytes_of(element.data, len));
        if (pair.len > 4 && strncasecmp((const char *)pair.data, "for=", 4) == 0)
            return unquoted(bytes_of(pair.data + 4, pair.len - 4));
        size_t used = len + (semicolon ? 1 : 0);
        element = bytes_of(element.data + used, element.len - used);
    }
    return BYTES_NONE;
}

struct address proxies_client(const struct proxies *proxies, const struct address *peer, struct bytes list)
{
    struct address client = *peer, named;
    bool forwarded = proxies->header == PROXY_FORWARDED;
    for (int hops = 0; hops < HOPS_MAX && list.len && proxies_trust(proxies, &client); hops++) {
        struct bytes element = last_take(&list, forwarded);
        if (!node_parse(forwarded ? forwarded_for(element) : element, &named))
            break;
        client = named;
    }
    return client;
}
