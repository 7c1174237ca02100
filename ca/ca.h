/* SPDX-License-Identifier: Apache-2.0 */
/* The context of the certificate authority: its issuers, its endpoints, its store, and the seams to seal and to time.
   Made once in main (or by init, or by a test) and handed down. */
#pragma once
#include "base/clock.h"
#include "base/limits.h"
#include "base/secret.h"
#include "ipc/seal.h"
#include "store/store.h"
#include "x509/cert.h"
#include "x509/partition.h"
#include <pthread.h>
#include <stdatomic.h>

struct authority_signers;
struct kept_key;
struct log_file;
struct template_cache;
struct rights;

typedef void (*sealer_done)(void *arg, enum err err, struct bytes der, const struct why *why);
/* What its caller does meanwhile: once, in its own thread, whatever comes of the seal. */
struct sealer_meanwhile { void (*work)(void *arg); void *arg; };
/* Who puts the signature under a TBS: the channel to signer, init's own signer in its process, a test's twin. */
struct sealer {
    enum err (*seal)(void *arg, const struct seal_request *request, const struct sealer_meanwhile *meanwhile, struct buf *ret_der,
                     struct why *why);                       /* meanwhile: NULL is fine */
    void *arg;
    /* Does not wait: done is called exactly once, by another thread or before this returns, and der is gone when it
       returns. NULL: seal has nothing to wait for. */
    void (*start)(void *arg, const struct seal_request *request, sealer_done done, void *done_arg);
    enum err (*status)(void *arg, struct buf *ret_records, struct why *why);   /* NULL: it says nothing of itself */
};

struct issuer_params {
    const char *name;                                        /* of its ca section: also the issuer_id of every row */
    struct bytes certificate;                                /* DER */
    int64_t backdate_s, crl_validity_s, crl_overlap_s;
    int64_t validity_max_s;                                  /* what signer seals at most; 0: not known */
    const char *const *allowed_eku; size_t allowed_eku_count;   /* what it seals; none: not known */
    const char *const *cdp; size_t cdp_count;
    unsigned crl_partitions;                                 /* with more than one each of cdp has CRL_PARTITION_MARK; 0: 1 */
    const char *const *aia; size_t aia_count;
    const char *const *ocsp; size_t ocsp_count;
    int64_t delta_validity_s;                                /* 0: no delta CRLs */
    const char *const *delta; size_t delta_count;            /* where they are, for the full CRL to say */
};
enum crl_kind { CRL_FULL, CRL_DELTA, CRL_KINDS };
struct issuer {
    char *name;
    struct buf der;
    struct cert cert;                                        /* views into der */
    struct public_key *key;
    struct signature_algorithm algorithm;                    /* what it signs with: follows from its key */
    uint8_t key_id[20];                                      /* its SKI, if it has none of its own */
    struct bytes aki;                                        /* key identifier that its certificates name */
    int64_t backdate_s, crl_validity_s, crl_overlap_s, validity_max_s;
    char **allowed_eku; size_t allowed_eku_count;
    atomic_bool attribute_end_date;                          /* EDITF_ATTRIBUTEENDDATE: ca/flags.h */
    char **cdp, **aia, **ocsp; size_t cdp_count, aia_count, ocsp_count;
    struct crl_partitions partitions;                        /* whose urls are cdp */
    int64_t delta_validity_s;
    char **delta; size_t delta_count;
    pthread_mutex_t crl_lock;                                /* one CRL at a time: numbers reach the signer in order */
    bool crl_file_is_last[CRL_KINDS][LIMIT_CRL_PARTITIONS + 1];   /* under crl_lock: a crash may have left an older one */
};

enum slot { SLOT_SIGNATURE, SLOT_ENCRYPTION, SLOT_GENERAL, SLOT_COUNT };
struct validator;
struct endpoint_params {
    const char *name, *issuer, *validator;                   /* "static", "one-time", "managed", "manual" */
    bool allow_sha1;
    const char *slots[SLOT_COUNT];                           /* template names; NULL or "" refuses */
    int64_t challenge_lifetime_s, challenges_outstanding, pending_max;
    const char *static_path;                                 /* the file that `chancery password set` writes */
};
struct endpoint {
    char *name, *requester;                                  /* requester: "endpoint/NAME" */
    struct issuer *issuer;
    const struct validator *validator;
    bool allow_sha1;
    char *slots[SLOT_COUNT];
    int64_t challenge_lifetime_s, challenges_outstanding, pending_max;
    char *static_path;
    pthread_mutex_t lock;
    uint8_t static_mac[32]; bool has_static_mac;             /* under lock: `chancery password set` and SIGHUP change it */
};

#define CA_REFUSALS 256
struct refusal { int64_t at; char endpoint[LIMIT_NAME_BYTES + 1], peer[80]; enum err err; char reason[240]; };

struct ca {
    const struct clock *clock;
    struct store *store;                                     /* borrowed */
    struct sealer sealer;
    char *node;                                              /* node_id of every row: this host */
    struct secret challenge_key;                             /* HMAC key of challenges and request keys; empty in init */
    struct template_cache *templates;
    struct authority_signers *signers;                       /* whose challenges count */
    struct kept_key *crp;                                         /* borrowed; NULL: init, which opens no challenge */
    struct log_file *crp_log;                                /* borrowed; NULL: it is not written */
    struct rights *rights;                                   /* none until rights_open: everything is denied */
    struct issuer **issuers; size_t issuer_count;
    struct endpoint **endpoints; size_t endpoint_count;
    char *crl_dir;                                           /* NULL: CRLs stay in the store */
    char sandbox[64];                                        /* what confines the role, for its status; "" in init */
    pthread_mutex_t refusals_lock;
    struct refusal refusals[CA_REFUSALS]; uint64_t refusal_total;   /* a ring: refusals cost no disk */
};
struct ca_params {
    const struct clock *clock;
    struct store *store;
    struct sealer sealer;
    const struct secret *challenge_key;                      /* copied; NULL: init, which serves no endpoint */
    const char *crl_dir;
    struct kept_key *crp;                                         /* NULL: no endpoint is managed */
    struct log_file *crp_log;
};

struct ca *ca_new(const struct ca_params *params);
void ca_free(struct ca *ca);
AUTO_DECLARE(ca)
NODISCARD enum err ca_add_issuer(struct ca *ca, const struct issuer_params *params, struct why *why);
/* Refuses what could later fail open: no validator, no password file, an unknown issuer (spec security.md A4). */
NODISCARD enum err ca_add_endpoint(struct ca *ca, const struct endpoint_params *params, struct why *why);
/* Every slot that is set names a template; one that is not published is logged, and issues nothing. Once the store holds
   its templates. */
NODISCARD enum err ca_check_slots(struct ca *ca, struct why *why);
struct issuer *ca_find_issuer(const struct ca *ca, struct bytes name);            /* NULL when unknown */
struct endpoint *ca_find_endpoint(const struct ca *ca, struct bytes name);
/* Reads the rights and the endpoints' password files again; one that can't be read keeps the password it has. */
NODISCARD enum err ca_reload(struct ca *ca, struct why *why);

/* Refusals before acceptance: kept in memory only, so that strangers can't fill the disk. */
void ca_note_refusal(struct ca *ca, struct bytes endpoint, struct bytes peer, const struct why *why);

/* The next value of an increasing number of this issuer. Holding its row until commit also serialises, per issuer, the
   checks that follow it in the same unit of work on PostgreSQL. */
NODISCARD enum err counter_next(struct store_tx *tx, const char *issuer, const char *name, int64_t *ret, struct why *why);
/* Raises the counter to value, which is above 0; *ret_raised is false where it was there already, or beyond. */
NODISCARD enum err counter_raise(struct store_tx *tx, const char *issuer, const char *name, int64_t value, bool *ret_raised,
                                 struct why *why);
