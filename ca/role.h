/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the running role, put together and taken apart. */
#pragma once
#include "ca/ca.h"
#include "ipc/role.h"

struct ca_role;
/* Store, secrets, endpoints, the channel to signer and the listeners. Refuses a half-configured endpoint. */
NODISCARD enum err ca_role_new(struct role *role, struct ca_role **ret, struct why *why);
int ca_role_serve(struct ca_role *serving);                  /* until stopped, or signer is lost; the exit status */
void ca_role_free(struct ca_role *serving);
AUTO_DECLARE(ca_role)
