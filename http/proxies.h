/* SPDX-License-Identifier: Apache-2.0 */
/* Reverse proxies that are trusted to name the client: only what comes from their addresses is believed (spec
   security.md D4), and only the one header that they are known to write. */
#pragma once
#include "base/auto.h"
#include "base/network.h"

enum proxy_header { PROXY_X_FORWARDED_FOR, PROXY_FORWARDED };   /* the other one is the client's own invention */
struct proxies;
/* Each text an address or network; ERR_CONFIG names the one that is neither. */
NODISCARD enum err proxies_new(const char *const *networks, size_t count, enum proxy_header header, struct proxies **ret,
                               struct why *why);
void proxies_free(struct proxies *proxies);
AUTO_DECLARE(proxies)
bool proxies_trust(const struct proxies *proxies, const struct address *address);   /* NULL trusts nobody */
const char *proxies_header(const struct proxies *proxies);   /* its lower-case name */
/* Who asked, by the header's lines joined with commas, as RFC 9110 5.3 joins them: from the right, past the proxies we
   trust, the first that is none. What stands to the left of it anybody can have written. Where an entry is no address
   ("unknown", RFC 7239 6.2) nothing further is believed: *ret is the proxy that wrote it. */
struct address proxies_client(const struct proxies *proxies, const struct address *peer, struct bytes list);
