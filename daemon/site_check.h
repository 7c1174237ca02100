/* SPDX-License-Identifier: Apache-2.0 */
/* What chanceryd -t judges beside the file itself: what would keep a role from starting, as far as it can be seen from outside. */
#pragma once
#include "config/config.h"

/* Each role of this host has the one that it starts and ends with. */
NODISCARD enum err roles_check(const struct config *config, struct why *why);
/* Each role has the roles that it needs, and its keys, secrets and certificates are there, its own and nobody else's to read. No
   secret is read. What is in the files, the store and the ports are for the start itself. */
NODISCARD enum err site_check(const struct config *config, struct why *why);
