/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the CA still stands by the RA certificates: devices ask nobody about them before they send their passwords. */
#pragma once
#include "base/auto.h"
#include "ipc/ca_client.h"
#include "scep/ra.h"

enum ra_standing {
    RA_STANDS,                                               /* as far as is known */
    RA_HELD,                                                 /* certificateHold: may be released */
    RA_REVOKED,
    RA_COMPROMISED,                                          /* keyCompromise, cACompromise: somebody else may have the key */
};
struct ra_standings;
struct ra_standings *ra_standings_new(void);
void ra_standings_free(struct ra_standings *standings);
AUTO_DECLARE(ra_standings)
/* Asks ca about each certificate of a set that has not ended; what it does not answer stays as it was. What is new is logged,
   revocations as an alarm. One at a time. */
struct ra_standing_ask { struct ca_client *ca; const char *issuer; const struct ra_set *set; int64_t now; };
NODISCARD enum err ra_standings_ask(struct ra_standings *standings, const struct ra_standing_ask *ask, struct why *why);
/* From any thread. */
enum ra_standing ra_standing_of(struct ra_standings *standings, const struct ra_key *held);
/* The worst of the two that GetCACert shows. */
enum ra_standing ra_standing_of_set(struct ra_standings *standings, const struct ra_set *set);
