/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates as CAs hand them out: PEM or DER, one or several, or a certs-only PKCS#7 of either form. */
#pragma once
#include "base/limits.h"
#include "x509/cert.h"

struct cert_file {
    struct buf ders[LIMIT_CHAIN_CERTS];
    struct cert certs[LIMIT_CHAIN_CERTS];                    /* views into ders */
    size_t count;                                            /* at least 1 once read */
};
/* ERR_MALFORMED names the file; ERR_LIMIT past LIMIT_CHAIN_CERTS. */
NODISCARD enum err cert_file_read(const char *path, struct cert_file *ret, struct why *why);
void cert_file_free(struct cert_file *file);
