/* SPDX-License-Identifier: Apache-2.0 */
/* The next generation of a role's TLS certificate: a new key of the same kind, the same names, a certificate of ca, files; and the end of
   old ones. What is served stays as it is: the caller has the listeners read the files again. */
#pragma once
#include "http/tls_pair.h"
#include "ipc/ca_client.h"

struct tls_store { const char *keys_dir, *certs_dir; const struct secret *unlock; struct key_gate *gate; };   /* borrowed */
/* The later of two thirds of its life and 30 days before its end: a year's certificate has a month to be renewed in, a short one a third. */
int64_t tls_renewal_due(const struct cert *cert);
/* A crash anywhere leaves what is served usable; the next try takes up the key that is there, for which ca has one certificate. ERR_NOT_FOUND,
   ERR_NOT_AUTHORISED: the certificate is none that ca renews for this role. */
NODISCARD enum err tls_renew(const struct tls_store *store, struct ca_client *ca, int *ret_generation, struct why *why);
/* What the current generation followed: the one before it once that has ended, those before that at once. Certificates for another name are
   somebody's own, and stay. *ret_count: how many generations went. */
NODISCARD enum err tls_forget(const struct tls_store *store, int64_t now, size_t *ret_count, struct why *why);
