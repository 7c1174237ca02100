/* SPDX-License-Identifier: Apache-2.0 */
/* What `chancery init` and the role itself need to begin: the store, its templates, the secrets of challenges, and the
   first certificates. */
#pragma once
#include "ca/ca.h"
#include "config/config.h"

/* SQLite under state_dir/ca/store.db, or PostgreSQL where the ca section names a connection. */
NODISCARD enum err ca_store_open(const struct config *config, struct store **ret, struct why *why);
/* Inserts the built-in templates that are not there yet. */
NODISCARD enum err template_seed(struct store *store, int64_t now, struct why *why);

/* secrets/ca/challenge-key: made once, never overwritten (ERR_CONFLICT). */
NODISCARD enum err challenge_key_make(const struct config *config, struct why *why);
NODISCARD enum err challenge_key_load(const struct config *config, struct secret *ret, struct why *why);
/* secrets/ca/static-ENDPOINT, for `chancery password set`; the role reads it at start and on SIGHUP. Refuses an empty
   password, one with a NUL, and one that is longer than a challenge may be. */
NODISCARD enum err static_password_set(const struct config *config, const char *endpoint, struct bytes password,
                                       struct why *why);

/* Init's context: every ca section, no endpoint; sealed by a signer in the same process. */
struct bootstrap_params { const struct config *config; const struct clock *clock; struct store *store; struct sealer sealer; };
NODISCARD enum err ca_bootstrap_open(const struct bootstrap_params *params, struct ca **ret, struct why *why);
struct bootstrap_request {
    const char *ca, *template_name;                          /* a template need not be published */
    struct bytes spki, subject;                              /* whole DER */
    struct bytes san;                                        /* whole GeneralNames; empty: none */
};
/* Kept as T1, sealed, kept as T2 like every other; requester "init". */
NODISCARD enum err ca_bootstrap_issue(struct ca *ca, const struct bootstrap_request *request, struct buf *ret_der,
                                      struct why *why);
