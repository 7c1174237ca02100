/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: what a certificate will be. The certificate is the template's; a request contributes its public key, and
   subject and names as far as the template's rules let it. They live in the store. */
#pragma once
#include "ca/ca.h"
#include "x509/csr.h"
#include "x509/san.h"
#include <stdatomic.h>

#define TEMPLATE_EKU_MAX   8
#define TEMPLATE_RULES_MAX 32

/* One line of a rule text: what may be in a subject or among the names. Several lines of one kind are alternatives.
       subject_rule:  "CN required like *.example.net"   "OU"   "2.5.4.97"   "empty" (no subject at all is fine)
       san_rule:      "dns like *.example.net"   "email required"   "uri"   "ip"   "upn"
   A pattern compares whole values as exact UTF-8; * stands for any run of characters, ? for one. What no line allows is
   refused. otherName but UPN, directoryName, x400Address, ediPartyName and registeredID have no name here: never allowed,
   nor is a URI that carries a SID (spec security.md C3). */
struct template_rule { char kind[24]; struct buf oid; bool required; char *like; };
struct template_rules { struct template_rule rules[TEMPLATE_RULES_MAX]; size_t count; bool allows_empty; };

struct template {
    char *name, *display_name, *purpose;                     /* purpose: signature, encryption, signature-and-encryption */
    uint16_t key_usage;
    struct buf eku[TEMPLATE_EKU_MAX]; size_t eku_count;      /* OID contents */
    int64_t validity_s, renewal_s;
    int64_t backdate_s;                                      /* -1: the CA's; never more than that */
    int64_t min_rsa_bits;
    unsigned key_kinds;                                      /* 1 << enum key_kind */
    unsigned digests;                                        /* 1 << enum digest: what a request may be signed with */
    bool from_directory;                                     /* the subject is built from the directory, not asked for */
    bool manager_approval;                                   /* every request waits */
    int64_t authorised_signatures;                           /* 0 or 1 beside the requester's own */
    bool template_information; struct buf oid;               /* write Microsoft's template extensions; oid: content, or empty */
    bool publish_in_directory, export_private_key;           /* for those who deliver it */
    char *superseded;                                        /* names of the templates that this one replaces */
    char *subject_rule, *san_rule, *eku_text, *key_algorithms, *hashes, *subject_source, *oid_text;   /* as stored */
    struct template_rules subject, san;
    int64_t version;
    bool published;                                          /* an endpoint may issue it */
    atomic_int sharers;                                      /* beside the first owner; constant otherwise */
};
/* Another owner of the same one. */
struct template *template_share(struct template *template);
void template_free(struct template *template);               /* the last owner's frees it */
AUTO_DECLARE(template)

/* ERR_NOT_FOUND when there is none of that name. */
NODISCARD enum err template_load(struct store *store, struct bytes name, struct template **ret, struct why *why);
/* The template of an endpoint's slot, published or not; ERR_TEMPLATE names endpoint and slot. */
NODISCARD enum err template_of_slot(struct ca *ca, const struct endpoint *endpoint, enum slot slot,
                                    struct template **ret, struct why *why);
/* Whoever has such a certificate answers for the service: as its OCSP responder (RFC 6960 4.2.2.2), or as its registration
   authority towards devices. ERR_TEMPLATE names `who`, template and purpose. */
NODISCARD enum err template_not_ours(const struct template *template, const char *who, struct why *why);
/* The published template of an endpoint's slot; ERR_TEMPLATE names endpoint and slot. */
NODISCARD enum err template_for_slot(struct ca *ca, const struct endpoint *endpoint, enum slot slot,
                                     struct template **ret, struct why *why);
const char *slot_name(enum slot slot);                       /* "signature_template" */
/* spec ca.md: digitalSignature alone (with or without nonRepudiation), keyEncipherment alone, both or neither. */
enum slot slot_of(const struct csr *csr);

/* The texts read: key purposes, kinds of keys, hashes, OID and rules. Again after a text has changed. */
NODISCARD enum err template_complete(struct template *template, struct why *why);
/* A key purpose by name or dotted number, as OID content. */
NODISCARD bool template_purpose_oid(const char *word, struct buf *ret);

/* template_rule.c */
NODISCARD enum err template_rules_parse(const char *text, bool names, struct template_rules *ret, struct why *why);
void template_rules_free(struct template_rules *rules);
bool pattern_matches(const char *pattern, struct bytes text);
/* The subject as certified: every part allowed, nothing required missing, re-encoded as spec ca.md says. */
NODISCARD enum err template_subject(const struct template *template, struct bytes subject, struct buf *ret, struct why *why);
/* The names as certified; empty when none are asked for. */
struct template_asked { struct bytes san; bool vouched; };   /* vouched: by an authority, not only by the request */
NODISCARD enum err template_names(const struct template *template, const struct template_asked *asked, struct buf *ret,
                                  struct why *why);

/* template_apply.c: what will be certified. */
struct managed;
struct grant {
    struct template *template;
    struct managed *managed;                                 /* what an authority expects (ca/managed.h); NULL: nobody does */
    struct buf eku;                                          /* content of ExtKeyUsageSyntax; empty: the template's */
    struct buf subject, san;                                 /* whole DER; san empty: none */
    uint16_t key_usage;
    int64_t validity_s;                                      /* the template's; judge may shorten it (ca/validity.h) */
    bool authorised;                                         /* from here on what goes wrong is kept */
    bool waits;                                              /* for an administrator */
    bool reserved;                                           /* T1 is done: the request has its row */
    bool claims; uint8_t challenge_mac[32];                  /* a one-time challenge to be taken in T1 */
};
/* What only an enrolment can be asked: the hash it is signed with, who vouches for its subject, whose signatures it has.
   An approval asks no more: the request met this version. */
NODISCARD enum err template_admit(const struct grant *grant, const struct csr *csr, struct why *why);
/* Each purpose (content of ExtKeyUsageSyntax) is the template's: ERR_TEMPLATE_USAGE names the one that is not. */
NODISCARD enum err template_purposes_judge(const struct template *template, struct bytes eku, struct why *why);
/* The next purpose that will be in the certificate, from *at = 0 on; false: there is none. */
bool grant_purpose_next(const struct grant *grant, size_t *at, struct bytes *ret_oid);
void grant_free(struct grant *grant);
NODISCARD enum err template_apply(const struct csr *csr, const struct public_key *key, struct grant *grant, struct why *why);

