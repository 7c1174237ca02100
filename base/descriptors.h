/* SPDX-License-Identifier: Apache-2.0 */
/* Open files: a process says at its start how many it will need, instead of failing when it needs them. */
#pragma once
#include "base/err.h"
#include <stddef.h>

/* Raises the soft limit (RLIMIT_NOFILE) to `count` where it is lower. ERR_CONFIG with both figures when the hard limit is
   lower still; what: "max_connections of 12000". */
NODISCARD enum err descriptors_reserve(size_t count, const char *what, struct why *why);
