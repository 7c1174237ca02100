/* SPDX-License-Identifier: Apache-2.0 */
/* The dynamic challenge (spec challenge.md): what the management service says about one request that a device will make. Sealed,
   it goes through the device and the SCEP service untouched: `ca` alone can read it, and nobody but the service can have made
   it. */
#pragma once
#include "x509/csr.h"

/* What the request has to ask for; the certificate is made from it. */
struct challenge_expectation {
    struct bytes subject;                                    /* whole Name */
    struct bytes san;                                        /* whole GeneralNames; empty: none */
    struct bytes eku;                                        /* content of ExtKeyUsageSyntax; not empty */
    uint16_t key_usage;
    enum key_kind key_kind; int rsa_bits;                    /* rsa_bits: exactly so many; 0 for EC */
    int64_t validity_s;                                      /* 0: the template's; never more than that */
    bool is_bound; uint8_t key_digest[32];                   /* SHA-256 of the SubjectPublicKeyInfo, where the device named its key */
};
struct challenge {
    uint8_t id[16];                                          /* random; used once */
    struct bytes profile; int64_t profile_version;           /* ids are UUIDs as text, lower case */
    struct bytes device, user;                               /* user is empty where the device has none */
    int64_t not_before, expires;
    struct challenge_expectation expects;
};
