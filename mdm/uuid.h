/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of the directory: random UUIDs (RFC 9562, version 4), in lower case. */
#pragma once
#include "base/bytes.h"

#define UUID_TEXT 37                                         /* with its NUL */
NODISCARD enum err uuid_make(char ret[static UUID_TEXT], struct why *why);
bool uuid_is(struct bytes text);                             /* 8-4-4-4-12 hexadecimal digits, in either case */
