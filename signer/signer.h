/* SPDX-License-Identifier: Apache-2.0 */
/* The seal: CA keys, their limits and the journal. Used by the role signer, and by `chancery init` in its own process. */
#pragma once
#include "base/clock.h"
#include "base/secret.h"
#include "config/config.h"
#include "ipc/seal.h"
#include "x509/key.h"

struct signer;
/* For every `ca "NAME"`: keys/ca-NAME-N.key.pem of the highest N, and certs/ca-NAME-N.crt.pem beside it, under
   state_dir/signer; and state_dir/signer/journal. unlock is needed only during the call; gate and clock stay borrowed. */
NODISCARD enum err signer_open(const struct config *config, const struct secret *unlock, struct key_gate *gate,
                               const struct clock *clock, struct signer **ret, struct why *why);
/* From any thread. The same TBS again gives the same bytes again, so there are never two certificates with one serial. */
NODISCARD enum err signer_seal(struct signer *signer, const struct seal_request *request, struct buf *ret_der,
                               struct why *why);
/* As signer_seal, without waiting for the disk: done is called exactly once, before this returns or later by the journal's
   thread; it is brief. der: empty but with OK. What request points to stays until then. A CRL is sealed, and waited for, at once. */
typedef void (*seal_done)(void *arg, enum err err, struct bytes der, const struct why *why);
void signer_seal_start(struct signer *signer, const struct seal_request *request, seal_done done, void *arg);
/* Does the clock allow a seal? ERR_UNAVAILABLE names both times and what can be done. */
NODISCARD enum err signer_clock_check(struct signer *signer, struct why *why);
/* Records: {journal_entries, journal_last, clock}, then {ca, key, crl_sealed} of each CA. */
void signer_status_put(struct signer *signer, struct buf *out);
void signer_free(struct signer *signer);                     /* after the seals that were begun: each is told */
AUTO_DECLARE(signer)
