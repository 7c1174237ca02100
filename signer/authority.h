/* SPDX-License-Identifier: Apache-2.0 */
/* One CA as the signer has it: key, certificate, limits. */
#pragma once
#include "base/secret.h"
#include "signer/limits.h"
#include <pthread.h>

struct authority {
    char *name;
    struct buf der;                                          /* of its certificate; cert and limits point into it */
    struct cert cert;
    struct key *key;
    struct ca_limits limits;
    pthread_mutex_t crl_lock;                                /* one CRL at a time; the two below */
    struct crl_numbers crl_last;
    uint64_t crl_offset, delta_offset;                       /* in the journal, of the last ones */
};
/* Fills in *ret, which stays where it is from then on. */
struct authority_source { const struct config *config; const struct config_section *section; const struct secret *unlock;
                          struct key_gate *gate; };
NODISCARD enum err authority_load(const struct authority_source *from, struct authority *ret, struct why *why);
void authority_clear(struct authority *authority);
