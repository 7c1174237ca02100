/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the RA certificates of the running role: looks every minute, renews what is due, shows and renews on request. */
#pragma once
#include "base/auto.h"
#include "ipc/server.h"

struct role;
struct scep;
struct ra_keeper;
struct ra_keeper_config {
    struct role *role;
    struct scep *scep;
    int64_t before_s;                                        /* how long before its end a set is renewed; 0: never by itself */
    /* Takes what is in the files now into service. From any thread. */
    enum err (*reload)(void *arg, struct why *why); void *arg;
};
NODISCARD enum err ra_keeper_new(const struct ra_keeper_config *config, struct ra_keeper **ret, struct why *why);
void ra_keeper_free(struct ra_keeper *keeper);               /* after the pool */
AUTO_DECLARE(ra_keeper)

/* How a set is: "serving", or what is wrong with its current certificates. From any thread. */
struct ra_set;
const char *ra_keeper_state(struct ra_keeper *keeper, const struct ra_set *set);
/* ra_show: a record for each certificate. ra_renew {set, now}: set empty: every one; now "yes": also what is not due yet. */
NODISCARD enum err ra_keeper_show(struct ra_keeper *keeper, struct buf *ret, struct why *why);
NODISCARD enum err ra_keeper_renew(struct ra_keeper *keeper, struct bytes body, struct buf *ret, struct why *why);
