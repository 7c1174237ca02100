/* SPDX-License-Identifier: Apache-2.0 */
/* What a role gives up before it serves. Bodies: sandbox-linux.c. */
#pragma once
#include "base/err.h"

/* Not dumpable, no core files, no new privileges: holds for every role, in both modes. */
NODISCARD enum err sandbox_harden(struct why *why);
