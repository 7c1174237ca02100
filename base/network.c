/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses from text and sockets, and the networks that contain them. */
#include "base/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#define IPV4_AT 12 /* octets in front of an IPv4 address in its mapped form */

static const uint8_t mapped[IPV4_AT] = { [10] = 0xFF, [11] = 0xFF };

static bool is_mapped(const struct address *address)
{
    return memcmp(address->octets, mapped, sizeof(mapped)) == 0;
}

static bool number_parse(struct bytes digits, uint32_t *ret)
{
    uint32_t number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9' || number > (UINT32_MAX - 9) / 10)
            return false;
        number = number * 10 + (digits.data[i] - '0');
    }
    *ret = number;
    return digits.len > 0;
}

bool address_parse(struct bytes text, struct address *ret)
{
    const uint8_t *percent = text.len ? memchr(text.data, '%', text.len) : NULL;
    size_t len = percent ? (size_t)(percent - text.data) : text.len;
    char plain[INET6_ADDRSTRLEN];
    struct address address = { 0 };
    if (len == 0 || len >= sizeof(plain) || memchr(text.data, '\0', len))
        return false;
    memcpy(plain, text.data, len);
    plain[len] = '\0';
    if (percent && !number_parse(bytes_of(percent + 1, text.len - len - 1), &address.scope))
        return false;
    if (inet_pton(AF_INET6, plain, address.octets) != 1) {
        if (percent || inet_pton(AF_INET, plain, address.octets + IPV4_AT) != 1)
            return false;
        memcpy(address.octets, mapped, sizeof(mapped));
    }
    *ret = address;
    return true;
}

struct address address_of(const struct sockaddr *from)
{
    struct address address = { 0 };
    if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
        memcpy(address.octets, &in6->sin6_addr, sizeof(address.octets));
        address.scope = in6->sin6_scope_id;
    } else if (from->sa_family == AF_INET) {
        memcpy(address.octets, mapped, sizeof(mapped));
        memcpy(address.octets + IPV4_AT, &((const struct sockaddr_in *)from)->sin_addr, 4);
    }
    return address;
}

struct address address_holder(struct address address)
{
    struct in6_addr in6;
    memcpy(&in6, address.octets, sizeof(in6));
    if (IN6_IS_ADDR_LINKLOCAL(&in6))
        return address;
    address.scope = 0;
    if (!is_mapped(&address) && !IN6_IS_ADDR_LOOPBACK(&in6))
        memset(address.octets + 8, 0, 8);
    return address;
}

uint64_t address_hash(const struct address *address, uint64_t seed)
{
    uint64_t hash = seed ^ address->scope;
    for (size_t i = 0; i < sizeof(address->octets); i++) {
        hash = (hash ^ address->octets[i]) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    return hash;
}

void address_format(const struct address *address, char ret[static ADDRESS_TEXT_BYTES])
{
    if (is_mapped(address)) {
        inet_ntop(AF_INET, address->octets + IPV4_AT, ret, ADDRESS_TEXT_BYTES);
        return;
    }
    inet_ntop(AF_INET6, address->octets, ret, ADDRESS_TEXT_BYTES);
    size_t len = strlen(ret);
    if (address->scope) /* the number, as the guides' log lines show it */
        snprintf(ret + len, ADDRESS_TEXT_BYTES - len, "%%%u", (unsigned)address->scope);
}

/* Are all bits from `bits` on zero? */
static bool is_network(const struct address *address, unsigned bits)
{
    for (unsigned i = bits; i < 128; i++) {
        if (address->octets[i / 8] & (0x80u >> (i % 8)))
            return false;
    }
    return true;
}

bool network_parse(const char *text, struct network *ret)
{
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    struct network network = { .bits = 128 };
    if (!address_parse(bytes_of(text, len), &network.first) || network.first.scope)
        return false;
    uint32_t prefix, family_bits = is_mapped(&network.first) ? 32 : 128;
    if (slash) {
        if (strlen(slash + 1) > 3 || !number_parse(bytes_str(slash + 1), &prefix) || prefix > family_bits)
            return false;
        network.bits = 128 - family_bits + prefix;
    }
    if (!is_network(&network.first, network.bits))
        return false;
    *ret = network;
    return true;
}

bool network_contains(const struct network *network, const struct address *address)
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    if (memcmp(network->first.octets, address->octets, whole) != 0)
        return false;
    return rest == 0 || (network->first.octets[whole] ^ address->octets[whole]) >> (8 - rest) == 0;
}
