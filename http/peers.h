/* SPDX-License-Identifier: Apache-2.0 */
/* How many places each address holds: connections of its own, or requests through a proxy. */
#pragma once
#include "base/auto.h"
#include "base/network.h"

struct peers;
struct peer_count;
NODISCARD enum err peers_new(struct peers **ret, struct why *why);
void peers_free(struct peers *peers);
AUTO_DECLARE(peers)
/* NULL: the address (address_holder) holds `limit` already. Otherwise counted until peers_leave. */
struct peer_count *peers_enter(struct peers *peers, const struct address *address, size_t limit);
void peers_leave(struct peers *peers, struct peer_count *count);   /* NULL is fine */
