/* SPDX-License-Identifier: Apache-2.0 */
/* The key that challenges are signed with. Made by the role at its first start, keys/signing-N.key.pem and certs/signing-N.crt.pem. An
   administrator of ca's host pins the first certificate (chancery authority add mdm --certificate); each further one is signed by the key
   before it, and ca takes it on that key's word (docs/decisions/022). */
#pragma once
#include "store/store.h"
#include "x509/kept_key.h"

#define SIGNING_DAY_S          86400
#define SIGNING_VALIDITY_S     (730LL * SIGNING_DAY_S)
#define SIGNING_RENEW_BEFORE_S (60LL * SIGNING_DAY_S)        /* time for ca to take the next one, whatever it or an administrator is doing */

NODISCARD enum err signing_open(const struct kept_key_source *source, int64_t now, struct kept_key **ret, struct why *why);
/* Which of the keys signs: the newest that ca has taken, and until it took one, the oldest, which is what an administrator pins. NULL:
   there is none. */
const struct kept_generation *signing_current(const struct kept_generations *keys, int64_t taken);
/* Generation that ca has taken; 0: none. */
NODISCARD enum err signing_taken(struct store_tx *tx, int64_t *ret, struct why *why);
NODISCARD enum err signing_take(struct store_tx *tx, int64_t generation, int64_t now, struct why *why);
