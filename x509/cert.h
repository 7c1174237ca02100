/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates (RFC 5280 4): read strictly, built as a TBSCertificate, linted, and put together with a signature. */
#pragma once
#include "x509/extension.h"
#include "x509/key.h"

struct cert {                                                /* views into the DER handed to cert_parse */
    struct bytes der, tbs;
    int version;                                             /* 1 or 3 */
    struct bytes serial;                                     /* content octets of the INTEGER */
    struct bytes issuer, subject, spki;                      /* whole DER */
    int64_t not_before, not_after;
    struct signature_algorithm algorithm;
    struct bytes algorithm_der;                              /* of the signature, whole */
    struct bytes signature;
    struct bytes extensions;                                 /* content of Extensions; empty when none */
    uint16_t key_usage; bool has_key_usage;
    bool is_ca; int path_len;                                /* path_len -1: none */
    struct bytes eku;                                        /* content of ExtKeyUsageSyntax; empty when none */
    struct bytes san;                                        /* whole GeneralNames; empty when none */
    struct bytes ski, aki;                                   /* key identifiers; empty when none */
};
/* For anybody's certificate: strict DER, LIMIT_CERT_BYTES, LIMIT_CERT_EXTENSIONS; serial and version as found in the
   field (a device's self-signed one may have serial 0 or 1, or be version 1). */
NODISCARD enum err cert_parse(struct bytes der, struct cert *ret, struct why *why);
NODISCARD enum err tbs_parse(struct bytes tbs, struct cert *ret, struct why *why);   /* der, signature stay empty */
NODISCARD enum err cert_verify(const struct cert *cert, const struct public_key *issuer_key, struct why *why);
bool cert_is_expired(const struct cert *cert, int64_t now);
bool cert_allows_eku(const struct cert *cert, enum oid purpose);    /* true when it has no EKU */
struct bytes serial_magnitude(struct bytes serial);                 /* without the sign octet */
void serial_append_text(struct buf *out, struct bytes serial);      /* upper-case hex, no separators, sign octet dropped */

struct tbs_params {
    struct bytes serial;                                     /* magnitude, 16 to 20 octets, < 2^159 */
    struct signature_algorithm algorithm;                    /* the issuer's */
    struct bytes issuer, subject, spki;                      /* whole DER; issuer byte-equal to the CA's subject */
    int64_t not_before, not_after;
    uint16_t key_usage;                                      /* 0: no extension */
    const struct bytes *eku; size_t eku_count;               /* OID contents */
    bool is_ca; int path_len;                                /* leaf: basicConstraints without cA is written */
    struct bytes san;                                        /* whole GeneralNames; critical if subject is empty */
    struct bytes issuer_key_id;                              /* AKI; empty for a root (then = SKI) */
    const char *const *cdp; size_t cdp_count;
    const char *const *aia_ca_issuers; size_t aia_ca_issuers_count;
    const char *const *aia_ocsp; size_t aia_ocsp_count;
    struct bytes more_extensions;                            /* concatenated Extension, already DER; empty: none */
};
NODISCARD enum err tbs_build(const struct tbs_params *params, struct buf *ret_tbs, struct why *why);
/* RFC 5280 profile over a finished TBS: version, serial form, times, key identifiers, duplicate or unknown critical
   extensions, cA and keyUsage against each other, name and SAN rules. ERR_LINT with the clause and both values. */
NODISCARD enum err tbs_lint(struct bytes tbs, struct why *why);
NODISCARD enum err tbs_lint_parsed(const struct cert *tbs, struct why *why);   /* as tbs_parse has just read it */
/* Of these the rules for a subject alone: string types, lengths, the order inside an RDN. */
NODISCARD enum err subject_lint(struct bytes subject, struct why *why);
/* Certificate or CertificateList from TBS, algorithm and signature octets. */
void signed_assemble(struct bytes tbs, struct signature_algorithm algorithm, struct bytes signature, struct buf *ret_der);
/* A serial as spec ca.md wants: positive, of one length, 112 random bits. In front of them the time, so that serials grow and
   a new one goes to the end of an index: with a million certificates each other place is another page to read and write. */
#define SERIAL_BYTES      19
#define SERIAL_TIME_BYTES 5
NODISCARD enum err serial_make(int64_t now, uint8_t ret[static SERIAL_BYTES], struct why *why);
