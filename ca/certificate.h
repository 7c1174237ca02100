/* SPDX-License-Identifier: Apache-2.0 */
/* Issued certificates in the store. */
#pragma once
#include "ca/ca.h"

/* Upper-case hex without separators, as stored and shown; takes either case, with or without colons or leading zeros.
   ERR_USAGE for anything else. Caller frees. */
/* As tools print it: hexadecimal in either case, with or without 0x, colons, spaces. */
NODISCARD enum err serial_from_text(const char *text, char **ret, struct why *why);
/* ERR_NOT_FOUND: no such serial, or it was never handed out. */
NODISCARD enum err certificate_der(struct ca *ca, const struct issuer *issuer, const char *serial, struct buf *ret,
                                   struct why *why);
