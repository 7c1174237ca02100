/* SPDX-License-Identifier: Apache-2.0 */
/* The partitions of a CA's CRL: which serials each one is about, and the URLs that tie certificate and CRL together
   (RFC 5280 4.2.1.13, 5.2.5). Partitions are numbered from 1; 0 stands for the one complete CRL of a CA without them. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

struct crl_partitions {
    unsigned count;                                          /* 1: none, one complete CRL */
    const char *const *urls; size_t url_count;               /* cdp_urls, each with CRL_PARTITION_MARK when there are several */
};
static inline bool crl_is_partitioned(const struct crl_partitions *all) { return all->count > 1; }
/* From the end of the serial, which is random: its beginning is the time of issue (serial_make). Never changes for a count. */
unsigned crl_partition_of(unsigned count, struct bytes serial);

/* URLs that are owned: copies, or those of one partition. */
struct crl_urls { char **list; size_t count; };
struct crl_urls crl_urls_dup(const char *const *list, size_t count);
struct crl_urls crl_partition_urls(const struct crl_partitions *all, unsigned partition);
void crl_urls_free(struct crl_urls *urls);
/* Which partition a certificate's cRLDistributionPoints, or a CRL's issuingDistributionPoint (content of extnValue), names with
   exactly its URLs; 0: none. */
bool crl_partition_is_cdp(const struct crl_partitions *all, unsigned partition, struct bytes value);
unsigned crl_partition_by_idp(const struct crl_partitions *all, struct bytes value);
