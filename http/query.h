/* SPDX-License-Identifier: Apache-2.0 */
/* Query parameters: `%`-decoded only, a literal + stays (macOS sends base64 unescaped; form decoding would break it). */
#pragma once
#include "base/bytes.h"
struct parameter { struct bytes name, value; bool has_value; };   /* raw views; has_value: there was a '=' */
/* Takes the next parameter off *rest; false at the end. */
bool query_next(struct bytes *rest, struct parameter *ret);
/* First parameter of that name (names compare exactly); false if absent. ERR-free: a bad %-escape makes it absent and
   sets *ret_malformed. Caller frees ret. */
bool query_get(struct bytes query, const char *name, struct buf *ret, bool *ret_malformed);
/* false: a bad escape; ret is untouched then. Caller frees ret. */
NODISCARD bool percent_decode(struct bytes text, struct buf *ret);
