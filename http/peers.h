/* SPDX-License-Identifier: Apache-2.0 */
/* How many connections each address holds. IPv6 counts by /64, which one host has for itself; link-local by address. */
#pragma once
#include "base/auto.h"
#include "base/err.h"

struct sockaddr;
struct peers;
struct peer_count;
NODISCARD enum err peers_new(struct peers **ret, struct why *why);
void peers_free(struct peers *peers);
AUTO_DECLARE(peers)
/* NULL: the address holds `limit` already. Otherwise counted until peers_leave. */
struct peer_count *peers_enter(struct peers *peers, const struct sockaddr *address, size_t limit);
void peers_leave(struct peers *peers, struct peer_count *count);   /* NULL is fine */
