/* SPDX-License-Identifier: Apache-2.0 */
/* The scep role's one context: what its main makes and every request is handed. */
#pragma once
#include "base/clock.h"
#include "ipc/ca_client.h"
#include "scep/budget.h"
#include "scep/endpoint.h"
#include <pthread.h>
#include <stdatomic.h>

#define REFUSAL_LINES_WINDOW_MS 60000
#define REFUSAL_LINES_ALL       10                            /* lines of all addresses: so many times those of one */

struct log_file;
struct pool;
struct tally;
struct scep_counters { atomic_ullong issued, pending, answered, refused, unavailable, unreadable; };
struct scep {
    const struct clock *clock;
    struct pool *pool;
    struct ca_client *ca;
    struct budget *budget;
    struct log_file *plugin_log;                             /* borrowed; NULL: it is not written */
    struct tally *refusals;                                  /* of each address, for scep_may_log */
    unsigned refusal_lines;
    unsigned lines; int64_t lines_since_ms;                  /* of all, in this window; under lock */
    struct scep_counters counters;
    atomic_llong expired_said_ms;                            /* when the log last said that an RA certificate expired */
    pthread_mutex_t lock;
    struct endpoint_set *endpoints;                          /* under lock */
};

struct scep_config {
    const struct clock *clock;
    struct pool *pool;
    struct ca_client *ca;                                    /* taken, also when scep_new fails; so are the endpoints */
    struct endpoint_set *endpoints;
    struct budget_limits budget;
    unsigned refusal_lines;                                  /* of one address in a minute */
    struct log_file *plugin_log;                             /* borrowed; may be NULL */
};
NODISCARD enum err scep_new(const struct scep_config *config, struct scep **ret, struct why *why);
void scep_free(struct scep *scep);
AUTO_DECLARE(scep)
/* Has another refusal of this address its line in the log? A flood must neither fill the disk nor hide what others are
   refused for; the access log has every one. Says once a minute that more are left out. */
bool scep_may_log(struct scep *scep, const char *peer);
struct endpoint_set *scep_endpoints(struct scep *scep);      /* with a reference of the caller's own */
void scep_endpoints_replace(struct scep *scep, struct endpoint_set *taken);
