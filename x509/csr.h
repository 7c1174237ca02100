/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#10 certification requests (RFC 2986), read strictly; and written, for the client side and the tools. */
#pragma once
#include "x509/key.h"

struct csr {                                                 /* views into the DER handed to csr_parse */
    struct bytes der, info;                                  /* whole request; whole CertificationRequestInfo */
    struct bytes subject, spki;                              /* whole DER */
    struct signature_algorithm algorithm;
    struct bytes algorithm_der;                              /* whole AlgorithmIdentifier */
    struct bytes signature;
    struct bytes attributes;                                 /* content of the SET OF Attribute; empty when none */
    bool has_challenge; struct bytes challenge; uint8_t challenge_tag;  /* any DirectoryString type, ≤ LIMIT_CHALLENGE_BYTES */
    struct bytes extensions;                                 /* content of the requested Extensions; empty when none */
    uint16_t key_usage; bool has_key_usage;
    struct bytes san;                                        /* whole GeneralNames; empty when none */
    struct bytes eku;                                        /* content of ExtKeyUsageSyntax; empty when none */
};
/* Every byte consumed; version 0; each known attribute at most once with one value; extensionRequest and the Microsoft
   attribute not both. Unknown attributes are ignored. Subject and SAN passed name_check and san_check. The key is not
   looked into: public_key_parse(csr.spki) does. */
NODISCARD enum err csr_parse(struct bytes der, struct csr *ret, struct why *why);
/* SHA-1 under the request only if allow_sha1: ERR_BAD_ALG. */
NODISCARD enum err csr_hash_check(const struct csr *csr, bool allow_sha1, struct why *why);
/* Proof of possession (RFC 2986 4.2) by the CSR's own key; SHA-1 allowed only if allow_sha1. ERR_BAD_MESSAGE_CHECK. */
NODISCARD enum err csr_verify(const struct csr *csr, const struct public_key *key, bool allow_sha1, struct why *why);
/* The challenge as UTF-8 (BMP and T61 transcoded). false when absent, empty, not well-formed or with a NUL inside. */
NODISCARD bool csr_challenge_utf8(const struct csr *csr, struct buf *ret);

/* Value of a Microsoft enrollment name/value pair ("ValidityPeriod", any case) as UTF-8. false when there is none, or
   more than one of that name. What a device writes there is a wish: see spec interop.md, "Intune specifics". */
NODISCARD bool csr_enrollment_value(const struct csr *csr, const char *name, struct buf *ret);

struct csr_params { struct bytes subject;                    /* whole Name */
                    const char *challenge;                   /* NULL: none; PrintableString if it fits, else UTF8String */
                    struct bytes extensions;                 /* content of Extensions; empty: no extensionRequest */
                    struct bytes more_attributes; };         /* concatenated Attribute DER, as it is */
NODISCARD enum err csr_make(const struct csr_params *params, const struct key *key, struct buf *ret_der, struct why *why);
/* Signs any CertificationRequestInfo (whole DER): csr_make's second half, and how tests make hostile requests. */
NODISCARD enum err csr_sign(struct bytes info, const struct key *key, struct buf *ret_der, struct why *why);
