/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints: what the configuration says of each, with everything that GetCACaps and GetCACert answer made beforehand.
   A set of them never changes; a reload makes a new one, and the old one goes when its last request has been answered. */
#pragma once
#include "config/config.h"
#include "scep/ra.h"

enum get_ca_cert { GET_CA_CERT_RA_AND_CA, GET_CA_CERT_RA, GET_CA_CERT_CHAIN, GET_CA_CERT_CA };
enum certrep_certificates { CERTREP_LEAF, CERTREP_CA, CERTREP_CHAIN };

struct ca_certificate { struct buf der; struct cert cert; };
struct endpoint {
    char *name;
    char **paths; size_t path_count;                         /* lower case, without a final slash */
    bool policy_module;                                      /* guarded by it: 403 without `operation` */
    bool allow_des, allow_3des, allow_sha1, fail_info_text;
    enum certrep_certificates certrep;
    char *ca;                                                /* the ca section that issues */
    const struct ra_set *ra;                                 /* of the same endpoint_set */
    struct ca_certificate issuer, root;
    struct public_key *issuer_key;
    struct buf caps;                                         /* GetCACaps */
    const char *ca_cert_type; struct buf ca_cert;            /* GetCACert */
};

/* What an endpoint is made of. Texts and bytes are copied. */
struct endpoint_params {
    const char *name, *validator, *ca;
    const char *const *paths; size_t path_count;             /* further ones, as configured */
    bool allow_des, allow_3des, allow_sha1, fail_info_text;
    enum certrep_certificates certrep;
    enum get_ca_cert get_ca_cert;
    const struct ra_set *ra;
    struct bytes issuer, root;                               /* whole DER */
};
NODISCARD enum err endpoint_make(const struct endpoint_params *params, struct endpoint *ret, struct why *why);
void endpoint_clear(struct endpoint *endpoint);
/* The guides tell a service behind the policy module from a bare one by 403 instead of the information page. */
bool validator_is_policy_module(const char *validator);
bool endpoint_allows_digest(const struct endpoint *endpoint, enum digest digest);
bool endpoint_allows_cipher(const struct endpoint *endpoint, enum cipher cipher);

struct endpoint_set;
NODISCARD enum err endpoint_set_load(const struct config *config, const struct secret *unlock, struct key_gate *gate,
                                     struct endpoint_set **ret, struct why *why);
/* Takes both lists (memory of xcalloc) and what is in them. */
struct endpoint_set *endpoint_set_new(struct endpoint *endpoints, size_t count, struct ra_set **ra_sets, size_t ra_count);
struct endpoint_set *endpoint_set_ref(struct endpoint_set *set);
void endpoint_set_unref(struct endpoint_set *set);           /* NULL is fine */
size_t endpoint_set_count(const struct endpoint_set *set);
const struct endpoint *endpoint_set_at(const struct endpoint_set *set, size_t index);
/* The endpoint that answers this path (lower case, no final slash); NULL when none does. */
const struct endpoint *endpoint_find(const struct endpoint_set *set, const char *path);
/* One log line for each RA set that ends within RA_WARN_S, or has ended. */
void endpoint_set_warn(const struct endpoint_set *set, int64_t now);
