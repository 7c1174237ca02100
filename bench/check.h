/* SPDX-License-Identifier: Apache-2.0 */
/* What the answers of a run turned out to be. */
#pragma once
#include "bench/work.h"
#include "x509/cert.h"

struct issuers { struct cert *certs; size_t count; };        /* of the CA; views */

struct verdict {                                             /* of one answer */
    char status;                                             /* pkiStatus: '0', '2', '3' */
    char fail_info;                                          /* '0' to '4'; 0: none */
    struct buf certificate;                                  /* SUCCESS */
    char problem[256];                                       /* empty: nothing is wrong with the answer */
};
struct checked {
    const struct work *work;
    struct attempt *attempts; struct verdict *verdicts; size_t count;
};
/* Prints the line of JSON and writes certs_out (may be NULL); returns 0 when nothing is wrong. */
int check_report(struct checked *checked, const char *certs_out);
