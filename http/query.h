/* SPDX-License-Identifier: Apache-2.0 */
/* Query parameters: `%`-decoded only, a literal + stays (macOS sends base64 unescaped; form decoding would break it). */
#pragma once
#include "base/bytes.h"
/* First parameter of that name (names compare exactly); false if absent. ERR-free: a bad %-escape makes it absent and
   sets *ret_malformed. Caller frees ret. */
bool query_get(struct bytes query, const char *name, struct buf *ret, bool *ret_malformed);
NODISCARD bool percent_decode(struct bytes text, struct buf *ret);
