/* SPDX-License-Identifier: Apache-2.0 */
/* A P-256 key that a role makes for itself, with a certificate by itself, and renews in time: in generations, keys/PREFIX-N.key.pem and
   certs/PREFIX-N.crt.pem. */
#pragma once
#include "base/generation.h"
#include "x509/cert.h"
#include <stdatomic.h>

struct kept_key_kind {
    const char *prefix, *subject;                            /* of the files; as name_from_text */
    const char *name;                                        /* for messages: "CRP key" */
    uint16_t key_usage;
    bool is_ca;                                              /* it signs certificates, and none that sign others */
    bool vouches;                                            /* each generation's certificate is signed by the key before it, whose
                                                                name it has; the first by its own */
    int64_t validity_s;
    int64_t renew_before_s;                                  /* that long there are two */
    int64_t kept_s;                                          /* how long after its end an old one is still there */
};
struct kept_key;
struct kept_key_source { const char *keys_dir, *certs_dir; const struct secret *unlock; struct key_gate *gate; };   /* borrowed */
/* What is there; the first generation where there is none. A key that cannot be used is logged and passed over, unless there is
   no other: then somebody has to look, and no new one is made in its place. kind: borrowed. */
NODISCARD enum err kept_key_open(const struct kept_key_kind *kind, const struct kept_key_source *source, int64_t now,
                                 struct kept_key **ret, struct why *why);
void kept_key_free(struct kept_key *kept);
AUTO_DECLARE(kept_key)
/* For every minute: the next generation when it is time, and the end of those that are over. On failure what is in use stays. */
NODISCARD enum err kept_key_keep(struct kept_key *kept, int64_t now, struct why *why);

/* The keys as they are now, the newest first; held until they are given back, whatever kept_key_keep does meanwhile. */
struct kept_generation { int generation; struct key *key; struct buf der; struct cert cert; };
struct kept_generations { atomic_int holders; struct kept_generation of[GENERATIONS_MAX]; size_t count; };
struct kept_generations *kept_key_hold(struct kept_key *kept);
void kept_generations_free(struct kept_generations *keys);   /* gives them back; NULL is fine */
AUTO_DECLARE(kept_generations)
