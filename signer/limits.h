/* SPDX-License-Identifier: Apache-2.0 */
/* What the signer seals for one CA, whatever ca asks: the last line against a captured ca. */
#pragma once
#include "config/config.h"
#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/partition.h"

struct ca_limits {
    struct bytes issuer;                                     /* whole Name: the subject of the CA's certificate */
    struct bytes key_id;                                     /* its SKI */
    struct signature_algorithm algorithm;                    /* what its key signs with */
    int64_t ca_not_after;
    int64_t validity_max_s, backdate_s, crl_span_max_s;
    struct buf *ekus; size_t eku_count;                      /* contents of the allowed OIDs */
    struct crl_urls cdp;                                     /* as configured */
    struct crl_partitions partitions;                        /* whose urls those are */
};
/* The configured half; the caller fills in what the CA certificate says. */
NODISCARD enum err ca_limits_read(const struct config *config, const struct config_section *ca, struct ca_limits *ret,
                                  struct why *why);
void ca_limits_clear(struct ca_limits *limits);
/* ERR_SIGNER_LIMIT with the rule and both values. tbs comes from tbs_parse and has passed tbs_lint. */
NODISCARD enum err ca_limits_check_cert(const struct ca_limits *limits, const struct cert *tbs, int64_t now, struct why *why);
struct crl_numbers { int64_t full, delta; };                 /* of the last that were sealed, -1: none yet */
NODISCARD enum err ca_limits_check_crl(const struct ca_limits *limits, const struct crl *tbs, const struct crl_numbers *last,
                                       int64_t now, struct why *why);
