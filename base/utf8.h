/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF. */
#pragma once
#include "base/bytes.h"

/* Length of the well-formed sequence at the start of text, 1 to 4, and its code point; 0 when there is none. */
size_t utf8_sequence(struct bytes text, uint32_t *ret_point);
bool utf8_is_valid(struct bytes text);                       /* the whole of it, without NUL */
