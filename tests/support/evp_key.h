/* SPDX-License-Identifier: Apache-2.0 */
/* The test's twin of a private key (x509/key.h): any EVP_PKEY, unencrypted files, and a count of what it was asked. */
#pragma once
#include "x509/key.h"

#include <openssl/evp.h>

struct key *evp_key_new(EVP_PKEY *pkey);                     /* takes pkey */
struct key *evp_key_rsa(int bits);
struct key *evp_key_ec(const char *curve);                   /* "P-256" */
struct key *evp_key_load(const char *path);                  /* PEM; ends the program when it can't */
void evp_key_save(const struct key *key, const char *path);
EVP_PKEY *evp_key_pkey(const struct key *key);               /* borrowed */
unsigned evp_key_decrypts(const struct key *key);            /* private RSA decryptions, or agreements, so far */

/* A v3 certificate for `subject` of that key, with a key identifier, valid 2020 to 2049; issuer NULL: self-signed. */
struct test_cert {
    const char *subject;                                     /* "CN=device,O=Example" */
    struct bytes serial;                                     /* magnitude */
    uint16_t key_usage;
    const char *issuer; const struct key *issuer_key;
    bool no_ski;
};
struct buf test_cert_make(const struct key *key, const struct test_cert *wanted);
