/* SPDX-License-Identifier: Apache-2.0 */
/* What a run of scep-load is, and what came of it. */
#pragma once
#include "bench/work.h"

#include <netinet/in.h>

struct run {
    const struct work *work;
    struct sockaddr_in to;
    const char *host, *path;                                 /* host: as in the Host field */
    size_t clients, sources, first, last;                    /* last: one behind the last message */
    bool keep, together;
    int64_t duration_us, retry_us, timeout_us;               /* 0: no end; no retry */
    double rate;                                             /* 0: closed loop */
    FILE *answers;
};
#define STATUSES_MAX 16
struct outcome {
    size_t sent, answered, retries, reconnects;              /* messages, whole last answers, further attempts, … */
    size_t next;                                             /* the first message that was not begun */
    int64_t elapsed_us;                                      /* until the last answer */
    uint32_t *latency_us; size_t latencies;                  /* of each answered message, in order of their ends */
    struct { int status; size_t count; } statuses[STATUSES_MAX];   /* of the last attempt at each message */
};
/* Ends the program when no socket can be made. The caller frees latency_us. */
void run_clients(const struct run *run, struct outcome *ret);
