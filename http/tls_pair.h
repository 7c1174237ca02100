/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a role's HTTPS listeners serve from: keys/tls-N.key.pem of the highest N, and certs/tls-N.crt.pem; where that is not there,
   certs/tls.crt.pem, as sites of earlier versions and administrators with a certificate of their own have it. */
#pragma once
#include "config/config.h"
#include "x509/cert.h"

#define TLS_PREFIX "tls"

struct tls_pair { int generation; char *key_path, *cert_path; };
void tls_pair_free(struct tls_pair *pair);                   /* held by value */
/* ERR_CONFIG: there is no key. */
NODISCARD enum err tls_pair_find(const struct config *config, const char *role, struct tls_pair *ret, struct why *why);
NODISCARD enum err tls_pair_of(const char *keys_dir, const char *certs_dir, struct tls_pair *ret, struct why *why);
/* The files of one generation, whether they are there or not. */
struct tls_pair tls_pair_at(const char *keys_dir, const char *certs_dir, int generation);
/* The first certificate of its file; *ret views into ret_der. */
NODISCARD enum err tls_pair_cert(const struct tls_pair *pair, struct buf *ret_der, struct cert *ret, struct why *why);
