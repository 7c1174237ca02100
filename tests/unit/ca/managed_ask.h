/* SPDX-License-Identifier: Apache-2.0 */
/* A management service, the authority "mdm" of a managed world, and devices that ask by its challenges. */
#pragma once
#include "challenge/challenge.h"
#include "tests/unit/ca/fixture.h"

struct signing { struct key *key; struct buf der; struct cert cert; };   /* what an authority signs challenges with */
struct signing_of { const char *subject; const struct signing *by; enum key_kind kind; uint16_t key_usage; bool is_ca;
                    int64_t not_before, not_after; };        /* by NULL: itself; zeros: P-256, digitalSignature, now to a year */
struct signing signing_new(const struct signing_of *of);
void signing_free(struct signing *signing);
NODISCARD enum err signing_pin(struct world *world, const char *verb, const struct signing *signing, struct why *why);   /* authority_add or _set mdm */
/* As the peer that is this authority. */
NODISCARD enum err authority_call(struct world *world, const char *peer, const char *verb, const char *const *fields,
                                  struct buf *ret, struct why *why);

/* What one request asks for, in the words of tests: as the challenge wants it, unless a test says otherwise. san: "dns:a|dns:b". */
struct asked { const char *subject, *san, *eku; uint16_t key_usage; enum key_kind kind; };
struct managed_site {
    struct world *world;
    struct signing mdm;
    struct asked wants;                                      /* the challenge's */
    struct buf subject, san, eku;                            /* of it, as DER */
    struct challenge challenge;                              /* of a Windows device: EC P-256, two names, clientAuth */
};
/* A managed world, mdm pinned and with limits that let the challenge pass. */
void managed_site_begin(struct managed_site *site);
void managed_site_end(struct managed_site *site);
void managed_wants(struct managed_site *site, const struct asked *wants);   /* from the next challenge on */
/* A fresh id for the next one; sealed for the CRP's newest key by mdm. Caller frees. */
struct buf managed_challenge(struct managed_site *site);
struct buf managed_sealed(struct managed_site *site, const struct signing *by);   /* as the challenge is now */
struct device managed_device(const struct asked *asked, const char *challenge);
/* A device with a challenge of its own that asks for what it wants. */
struct device managed_device_new(struct managed_site *site);
/* The CRP log, read anew; caller frees. */
struct buf managed_log(const struct managed_site *site);
void managed_log_assert(const struct managed_site *site, const char *line);   /* somewhere in it */
