/* SPDX-License-Identifier: Apache-2.0 */
/* One CA as va knows it: who it is, what of it lies ready for download, who signs OCSP answers for it. Made from the configuration;
   its certificate comes from ca once, the rest is replaced whenever ca has something newer. */
#pragma once
#include "va/document.h"
#include "va/responder.h"
#include "x509/partition.h"

enum download { DOWNLOAD_CERT, DOWNLOAD_CRL, DOWNLOAD_DELTA, DOWNLOAD_COUNT };

struct authority;
struct authority_params {
    const char *name;
    bool has_ocsp;                                           /* the CA may issue OCSP certificates */
    struct crl_partitions partitions;                        /* copied; count 0: 1 */
};
struct authority *authority_new(const struct authority_params *params, unsigned index);   /* index: its number in the cache */
void authority_free(struct authority *authority);
AUTO_DECLARE(authority)
const char *authority_name(const struct authority *authority);
unsigned authority_index(const struct authority *authority);
bool authority_has_ocsp(const struct authority *authority);

/* Its certificate (DER; copied), once. Until then it is not known, and nothing can be said of it. */
NODISCARD enum err authority_learn(struct authority *authority, struct bytes certificate, int64_t now, struct why *why);
bool authority_is_known(const struct authority *authority);  /* from any thread; what follows needs it to be true */
const struct cert *authority_cert(const struct authority *authority);
const struct public_key *authority_key(const struct authority *authority);
bool authority_is(const struct authority *authority, const struct ocsp_cert_id *id);

unsigned authority_partitions(const struct authority *authority);   /* 0: one complete CRL */

/* From any thread; with a reference for the caller, NULL when there is none. */
struct document *authority_document(struct authority *authority, enum download which);
struct document *authority_partition(struct authority *authority, unsigned partition);   /* 1 to authority_partitions */
struct responder *authority_responder(struct authority *authority);
void authority_set_responder(struct authority *authority, struct responder *taken);
/* A CRL that ca gave: it must be this CA's, verify, be newer than what is served, and about a partition where there are some
   (which is then DOWNLOAD_CRL). Takes *whole, in which der lies. */
NODISCARD enum err authority_set_crl(struct authority *authority, enum download which, struct buf *whole, struct bytes der,
                                     struct why *why);
int64_t authority_crl_number(struct authority *authority, enum download which);   /* 0: none; of partitions the last one's */
int64_t authority_crl_ends(struct authority *authority, enum download which);   /* when the first of them does; 0: one is lacking */
