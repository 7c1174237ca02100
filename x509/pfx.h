/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#12 (RFC 7292): a key and its chain in one file under a password, as Windows and most others import it. Written only. */
#pragma once
#include "base/limits.h"
#include "x509/cert.h"

struct pfx_params {
    const struct key *key;                                   /* of a file; others cannot leave their place */
    const struct bytes *certs; size_t count;                 /* DER, the key's own first; 1..LIMIT_CHAIN_CERTS */
    const char *friendly_name;                               /* UTF-8; NULL: none */
};
/* PBES2 with AES-256-CBC and HMAC-SHA-256, MAC with SHA-256. The password is UTF-8 without NUL, and not empty. */
NODISCARD enum err pfx_make(const struct pfx_params *params, const struct secret *password, struct buf *ret_der,
                            struct why *why);
