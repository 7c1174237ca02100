/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates put into the order of their chain. Whether its end is trusted is not asked here. */
#pragma once
#include "base/limits.h"
#include "x509/cert.h"

/* Writes the indices of the chain that starts at `leaf` to ret_order (room for `count`), each certificate followed by the one
   that issued it: same name, and a key that verifies (RFC 5280 6.1). Ends with a self-issued one, or where the issuer is
   missing. Returns how many they are, at least 1. */
size_t chain_order(const struct cert *certs, size_t count, size_t leaf, size_t *ret_order);
