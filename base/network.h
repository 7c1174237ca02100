/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses as values: one form for both families, and who counts as one client. */
#pragma once
#include "base/bytes.h"

struct sockaddr;
struct address { uint8_t octets[16]; uint32_t scope; };      /* IPv4 as ::ffff:a.b.c.d; no padding: compare with memcmp */
/* Numbers alone, with an IPv6 zone ("%13") or without; a zone that is no number is refused. */
NODISCARD bool address_parse(struct bytes text, struct address *ret);
#define ADDRESS_TEXT_BYTES 80                                /* an IPv6 address, its zone, and room to spare */
/* As logs show it: an IPv4 address plain, an IPv6 zone by its number. */
void address_format(const struct address *address, char ret[static ADDRESS_TEXT_BYTES]);
struct address address_of(const struct sockaddr *from);      /* all zero for what is neither IPv4 nor IPv6 */
/* Whom limits count: an IPv4 address; an IPv6 /64, which one host has for itself; link-local (with its zone) and loopback
   as they are. */
struct address address_holder(struct address address);
static inline bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}
/* Under a secret seed nobody can aim at one bucket. */
uint64_t address_hash(const struct address *address, uint64_t seed);

struct network { struct address first; unsigned bits; };     /* bits of 128 */
/* "192.0.2.7", "192.0.2.0/24", "2001:db8::/32"; bits set past the prefix are refused. */
NODISCARD bool network_parse(const char *text, struct network *ret);
bool network_contains(const struct network *network, const struct address *address);
