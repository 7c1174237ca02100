/* SPDX-License-Identifier: Apache-2.0 */
/* Hex, base64 and PEM: text forms of bytes. */
#pragma once
#include "base/bytes.h"

void hex_append(struct buf *out, struct bytes in);           /* lower case */
void hex_append_upper(struct buf *out, struct bytes in);     /* serials and thumbprints (design.md section 8) */
NODISCARD bool hex_decode_into(struct bytes text, uint8_t *out);   /* text.len / 2 octets; as hex_decode */
NODISCARD bool hex_decode(struct bytes text, struct buf *ret); /* either case, even length, nothing else */
void base64_append(struct buf *out, struct bytes in);        /* RFC 4648 section 4, padded, no line ends */
/* The plain alphabet only. Padding may be missing; spaces and line ends are refused unless `lenient`, which skips
   CR and LF (SCEP by GET: Cisco puts %0A inside). Every other byte, and non-zero trailing bits, refuse. */
NODISCARD bool base64_decode(struct bytes text, bool lenient, struct buf *ret);
void pem_append(struct buf *out, const char *label, struct bytes der);
/* The first PEM block of that label in text; *ret_rest (may be NULL) is what follows it. */
NODISCARD bool pem_decode(struct bytes text, const char *label, struct buf *ret, struct bytes *ret_rest);
