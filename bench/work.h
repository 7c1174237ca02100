/* SPDX-License-Identifier: Apache-2.0 */
/* What `prepare` writes and `run` and `check` read: the messages, the primes of their keys and the certificates they are
   for; and the answers that `run` writes. */
#pragma once
#include "bench/prime_pool.h"
#include <stdio.h>

/* First record: SEQUENCE { version, SEQUENCE OF certificate, SEQUENCE OF prime INTEGER }.
   Then one a message: SEQUENCE { p, q, OCTET STRING message }, where p and q are indexes of primes. */
struct work_item { struct prime_pair pair; struct bytes message; };
struct work {
    struct buf storage;
    struct bytes certs[8]; size_t cert_count;                /* of GetCACert, whole DER */
    struct prime_pool pool;
    struct work_item *items; size_t count;
};
void work_write(const char *path, const struct work *work);
void work_read(const char *path, struct work *ret);          /* ends the program when the file is no such one */
void work_free(struct work *work);

/* One attempt at a message, one record of ANSWERS: SEQUENCE of these, in this order. */
struct attempt {
    int64_t item, number;                                    /* which message; 0: its first attempt */
    int64_t status;                                          /* HTTP status; 0: no whole answer came */
    int64_t at_us, latency_us;                               /* since the run began; until the answer was whole */
    struct bytes body;
};
void attempt_put(FILE *file, const struct attempt *attempt);
bool attempt_next(struct bytes *rest, struct attempt *ret);
