/* SPDX-License-Identifier: Apache-2.0 */
/* Another SCEP server, as scep asks for it. */
#pragma once
#include "ipc/registration.h"
#include "tests/unit/ca/managed_ask.h"

struct server { struct world *world; const char *name, *transaction; };
/* The verb itself, as scep asks it. */
NODISCARD enum err server_verify(const struct server *server, const struct device *device, struct registration_answer *ret,
                                 struct why *why);
/* What the device's request carries; certificate NULL: none. */
struct told { const char *challenge; enum registration_disposition disposition; uint32_t hresult; const struct buf *certificate; };
NODISCARD enum err server_notify(const struct server *server, const struct told *told, struct why *why);
/* One that another CA has issued to this key. Caller frees. */
struct buf certificate_elsewhere(const struct key *key);
