/* SPDX-License-Identifier: Apache-2.0 */
/* The next generation of an RA set: new keys under the old names, certificates of ca, files; and the end of old ones. What is
   in memory stays as it is: the caller loads the set again. */
#pragma once
#include "base/clock.h"
#include "ipc/ca_client.h"
#include "scep/ra.h"

#define RA_KEPT_S (30 * 86400) /* how long after its end an old generation's key still decrypts */

struct ra_renewal {
    struct ca_client *ca;
    struct ra_source source;
    const char *issuer;                                      /* the ca section that issues for its endpoints */
    size_t spare;                                            /* generations that there must still be room for afterwards */
};
/* Both uses get the same number. An error or a crash in between leaves the set usable and due again, and the next renewal makes
   what is missing: what there is already is neither made anew nor overwritten. */
NODISCARD enum err ra_renew(const struct ra_renewal *renewal, const struct ra_set *set, int *ret_generation, struct why *why);
/* Removes the keys of generations that ended RA_KEPT_S ago, and of those that somebody else may have; the current one stays
   whatever it is. */
struct ra_forgetting {
    const struct ra_source *source;
    const struct ra_set *set;
    int64_t now;
    bool (*compromised)(void *arg, const struct ra_key *held); void *arg;
};
NODISCARD enum err ra_forget(const struct ra_forgetting *forgetting, size_t *ret_count, struct why *why);
bool ra_set_is_due(const struct ra_set *set, int64_t now, int64_t before_s);
