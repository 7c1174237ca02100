/* SPDX-License-Identifier: Apache-2.0 */
/* Quoting that a device left inside a value, undone. */
#pragma once
#include "base/bytes.h"

/* Both are given the folded UTF-8 of a value, whole, and read it as the text of one value. False when it is not one, or when
   nothing in it needed quoting: it then stands for itself alone. docs/decisions/017. */
NODISCARD bool unquote_windows(struct bytes text, struct buf *ret);    /* as CertStrToName: "a, b", and "" for a quote */
NODISCARD bool unquote_rfc4514(struct bytes text, struct buf *ret);    /* a\, b, also between quotes (RFC 2253 3) */
