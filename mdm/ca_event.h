/* SPDX-License-Identifier: Apache-2.0 */
/* What ca tells of requests, heeded: rows of its outbox are leased, move deployments, and are acknowledged. A row that comes twice counts once. */
#pragma once
#include "mdm/mdm.h"

/* Leases until nothing is left. On a worker, one at a time. */
NODISCARD enum err ca_events_run(struct mdm *mdm, struct why *why);
/* For every minute: numbers that ca has forgotten long ago. */
NODISCARD enum err ca_events_forget(struct store_tx *tx, int64_t now, struct why *why);
