/* SPDX-License-Identifier: Apache-2.0 */
/* A SCEP service in memory for the fuzz targets: a CA, RA certificates whose keys give back (give_back.h), one endpoint, and a
   ca that checks what it is asked and answers as the target wants. Its names are always the same, its EC key is not. */
#pragma once
#include "scep/transaction.h"

#define SITE_NOW 1790000000                                  /* 2026-09-21 */
struct fuzz_site {
    struct clock clock;
    struct key *ca_key;
    struct buf ca_der, device_der, enrolled_der;             /* device: self-signed; enrolled: issued by the CA to it */
    struct scep *scep;
    struct ra_set *ra;                                       /* of the endpoint */
    const struct endpoint *endpoint;
    struct bytes answer; bool has_answer;                    /* of ca; without one it issues for the key that asks */
    enum err refusal;                                        /* of ca; OK: it answers */
    unsigned calls;                                          /* to ca, in this run */
};
struct fuzz_site *fuzz_site(void);                           /* one for the program, made at the first call */
void fuzz_site_fresh(struct fuzz_site *site);                /* before each input: budget, answer and counters as new */
