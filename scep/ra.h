/* SPDX-License-Identifier: Apache-2.0 */
/* RA sets: the certificates and keys that devices encrypt to and that sign what they get. A set has generations: the highest is
   shown by GetCACert; every one present still decrypts, and what was encrypted to an older one is answered with that one's
   signature, so that a device which fetched it before a renewal notices nothing. */
#pragma once
#include "base/auto.h"
#include "base/generation.h"
#include "x509/cert.h"

#define RA_GENERATIONS_MAX GENERATIONS_MAX /* as many as there may be recipients in a message (LIMIT_RECIPIENTS) */
#define RA_WARN_S          (30 * 86400) /* how long before its end a certificate is complained about (spec security.md S29) */

struct ra_key {                                              /* a certificate and its key */
    int generation;
    struct buf der;
    struct cert cert;                                        /* views into der */
    struct key *key;
};
struct ra_set {
    char *name;
    bool combined;                                           /* one certificate for both uses */
    struct ra_key encryption[RA_GENERATIONS_MAX];            /* ascending: the last is shown */
    struct cert certs[RA_GENERATIONS_MAX];                   /* of encryption[], for cms_enveloped_decode */
    size_t count;
    struct ra_key signature[RA_GENERATIONS_MAX]; size_t signature_count;   /* likewise; none when combined */
};

/* Where the files are: keys_dir/SET-encryption-N.key.pem and certs_dir/SET-encryption-N.crt.pem; -signature-, -combined-. */
struct ra_source { const char *keys_dir, *certs_dir; const struct secret *unlock; struct key_gate *gate; };

/* Refuses what is missing, keys and certificates that do not match, and certificates without the key usage that clients
   choose them by. An expired certificate is no reason: ra_set_end tells. */
NODISCARD enum err ra_set_load(const struct ra_source *source, const char *name, bool combined, struct ra_set **ret,
                               struct why *why);
void ra_set_free(struct ra_set *set);
AUTO_DECLARE(ra_set)
/* Takes der and key always. */
NODISCARD enum err ra_set_add(struct ra_set *set, struct ra_key *taken, bool for_signature, struct why *why);
struct ra_set *ra_set_new(const char *name, bool combined);
/* Both uses are there and every certificate was issued by that CA. */
NODISCARD enum err ra_set_check(const struct ra_set *set, const struct cert *issuer, const struct public_key *issuer_key,
                                struct why *why);
const struct ra_key *ra_set_recipient(const struct ra_set *set);   /* what GetCACert shows for encryption */
const struct ra_key *ra_set_signer(const struct ra_set *set);      /* what GetCACert shows for signatures */
/* Who signs the answer to a message for encryption[recipient]: of the same generation, unless it has none or that has expired. */
const struct ra_key *ra_set_signer_for(const struct ra_set *set, size_t recipient, int64_t now);
bool ra_set_has_subject(const struct ra_set *set, struct bytes name);   /* one of its certificates, of whatever generation */
int64_t ra_set_end(const struct ra_set *set);                /* notAfter of the one in use that ends first */
