/* SPDX-License-Identifier: Apache-2.0 */
/* A whole certificate authority for tests: its own key, a store in a temporary folder, a clock that stands still, a
   sealer that can be told to fail, and devices that ask. */
#pragma once
#include "base/clock.h"
#include "ca/bootstrap.h"
#include "ca/ca.h"
#include "ca/crp.h"
#include "ca/crl_publish.h"
#include "ca/enroll.h"
#include "ca/issue.h"
#include "ca/right_store.h"
#include "ca/revoke.h"
#include "ca/status.h"
#include "ca/template.h"
#include "tests/unit/test.h"
#include "x509/csr.h"
#include "x509/extension.h"
#include "x509/name.h"
#include <stdatomic.h>

#define NOW 1795000000                                       /* November 2026 */

struct world {
    char folder[64];
    struct clock clock;
    struct store *store;
    struct key *ca_key;
    struct buf ca_cert;
    struct secret challenge_key;
    struct ca *ca;
    struct kept_key *crp; struct log_file *crp_log; bool managed;               /* of a managed world */
    atomic_int seals;                                        /* how often the sealer sealed */
    enum err seal_error;                                     /* OK: it seals */
    bool seal_other;                                         /* seals something else than asked */
    bool seal_badly;                                         /* spoils the signature */
    void (*on_seal)(struct world *world);                    /* called before it seals; once */
};
/* Where the next world keeps its rows; NULL: in an SQLite file of its folder. */
extern const struct store_config *world_store;
extern unsigned world_partitions;                            /* of the next world's CRL; 0 and 1: one complete CRL */
extern bool world_managed;                                   /* of the next world: it has a CRP, and the endpoint "managed" */
struct world *world_new(enum key_kind ca_kind);
struct world *world_new_unlocked(enum key_kind ca_kind);     /* without the locked heap, which LeakSanitizer does not search */
void world_free(struct world *world);
void world_reopen(struct world *world);                      /* as after a crash: a new store, context and CRP on the same files */
/* Endpoints: "static" (password "secret"), "once", "manual" (2 pending), all slots set to SCEPDevice…; "bare" has a
   signature slot alone. */
struct issuer *world_issuer(struct world *world);
int64_t world_count(struct world *world, const char *sql);   /* one number */
void world_exec(struct world *world, const char *sql);        /* SQLite alone */

struct device {
    struct key *key;
    struct buf self_signed;
    struct buf csr;
};
struct ask { const char *subject, *challenge; struct bytes extensions; enum key_kind kind; };
/* A new key, its self-signed certificate, its request. */
struct device device_new(const struct ask *ask);
void device_ask(struct device *device, const struct ask *ask);   /* another request with the same key */
void device_free(struct device *device);
NODISCARD enum err device_enroll(struct world *world, const struct device *device, const char *endpoint,
                                 struct enrolled *ret, struct why *why);
NODISCARD enum err device_enroll_as(struct world *world, const struct device *device, const char *endpoint,
                                    const char *transaction, struct enrolled *ret, struct why *why);
NODISCARD enum err device_poll(struct world *world, const struct device *device, const char *endpoint,
                               struct enrolled *ret, struct why *why);
/* The refusal has a reason, and nothing was issued. */
void device_assert_refused(struct world *world, enum err expected, const struct device *device, const char *endpoint);
/* The certificate is the device's and verifies. */
void device_assert_issued(struct world *world, const struct device *device, const char *endpoint, struct enrolled *ret);
/* "CN=…" as a Name; a self-signed certificate of key. */
struct buf name_of(const char *text);
struct buf self_signed_of(const struct key *key, const char *subject);
struct buf key_usage_of(uint16_t bits);                      /* the content of Extensions with that alone */
/* One one-time password of endpoint "once"; static storage until the next call. */
const char *once_new(struct world *world);
