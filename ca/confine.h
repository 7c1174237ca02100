/* SPDX-License-Identifier: Apache-2.0 */
/* What ca keeps when it enters its sandbox. */
#pragma once
#include "ipc/role.h"

NODISCARD enum err ca_confine(struct role *role, struct why *why);
