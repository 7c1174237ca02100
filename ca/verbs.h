/* SPDX-License-Identifier: Apache-2.0 */
/* What other roles and the command line may ask of ca: one table, each row with the principals that may, and the right that
   they need. The `role` of
   each verb is the struct ca. */
#pragma once
#include "ca/ca.h"
#include "ca/verb_allow.h"
#include "ipc/record.h"
#include "ipc/server.h"
#include "x509/crl.h"

extern const struct ipc_verb ca_verbs[];
extern const struct verb_rule ca_verb_rules[];               /* of the same rows */
extern const size_t ca_verb_count;

/* verbs_scep.c; the body of get_cert and get_crl is a record {endpoint, serial}, the answer an OCTET STRING. get_crl without
   partitions does without the serial. */
void verb_request(void *role, struct ipc_call *call);
enum err verb_poll(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_get_cert(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_get_crl(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
/* verbs_va.c: records go in and come out; ca_get and crl_get answer an OCTET STRING. status_get {ca, serial}: how it stands.
   status_changes {ca, since}: first {version, more}, then what changed after `since`. crl_get {ca, kind, number}: NULL when
   the last one still has that number (0: none is known), or there is none. With partitions: the next of their last ones
   after that number. */
enum err verb_ca_get(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_status_get(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_status_changes(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_crl_get(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
/* verbs_issue.c: a role's own certificate. The body is a record {ca, template, csr}, csr the PKCS#10 in base64; the answer an
   OCTET STRING, the certificate; an empty one while the request waits for an administrator. The same request again gets
   the same one. */
void verb_issue(void *role, struct ipc_call *call);
/* verbs_own_tls.c: the next certificate of a role's HTTPS listeners. A record {certificate, csr, proof}, all in base64: ca/own_tls.h; the
   answer a SEQUENCE of two OCTET STRINGs, the certificate and that of its CA. */
void verb_tls_renew(void *role, struct ipc_call *call);
/* The same as issue for an administrator, of published templates that are no role's; the answer a list of one record {id, ca,
   disposition, serial, pem}, without serial and pem while it is pending. */
void verb_request_submit(void *role, struct ipc_call *call);
/* For the command line: a record goes in, a list of records comes out. */
/* verbs_request.c */
enum err verb_request_list(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_request_show(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_request_export(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_request_approve(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_request_deny(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_request_resubmit(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_refusal_list(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
/* verbs_certificate.c */
enum err verb_cert_list(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_cert_show(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_cert_export(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_cert_revoke(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_cert_release(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
/* verbs_template.c; new and set take the template's properties as further fields */
enum err verb_template_list(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_template_show(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_template_new(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_template_set(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_template_publish(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_template_unpublish(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_template_delete(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
/* verbs_site.c; a list of records goes in, and comes out */
enum err verb_site_apply(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_site_export(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
/* verbs_crl.c */
enum err verb_crl_publish(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_crl_show(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_crl_export(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
/* verbs_ca.c */
enum err verb_ca_flags(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_password_new(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_signer_status(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_status(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);

/* verbs_right.c; a record {principal, rights, template, ca}: rights "read,enroll", without template those on the CA. */
enum err verb_right_list(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_right_grant(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_right_revoke(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_right_deny(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);

/* verbs_authority.c; a record {name, templates, suffixes, denied, eku, device, issues, revocations, ca} */
enum err verb_authority_list(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_authority_show(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_authority_add(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_authority_set(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_authority_remove(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);

/* verbs_managed.c; what authorities ask. A record with the field ca, and:
     crp_get {}                       a record for each CRP certificate, the newest first: generation, expires (seconds since 1970),
                                      certificate (DER in base64)
     authority_successor {certificate}   its next signing certificate, signed by the key of the current one
     authorisation_end {ends}         lines "DEVICE PROFILE VERSION [AT]": that version and those before, 0 every one; with AT, by the
                                      authority's clock in seconds, challenges valid from then on count again
     outbox_lease {limit, lease_s}    records of ca/outbox.h
     outbox_done {ids}                numbers with commas; done: how many were not delivered yet
     authority_revoke {serial, reason}   of its own certificates; changed: yes or no */
enum err verb_crp_get(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_authority_successor(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_authorisation_end(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_outbox_lease(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_outbox_done(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_authority_revoke(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
/* verbs_registration.c; bodies of ipc/registration.h. challenge_claim answers whether the request is verified; challenge_close, in a
   record, whether it was told before (again). */
enum err verb_challenge_claim(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
enum err verb_challenge_close(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);
/* verbs_audit.c; a record {ca, of, since, action, actor, before, limit}: of "templates": theirs, which no CA has */
enum err verb_audit_list(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret, struct why *why);

/* Common to them. */
#define LIST_DEFAULT 100
#define LIST_MAX     1000                                    /* rows of one answer */
/* The field `ca`, or the only issuer there is. ERR_NOT_FOUND, ERR_USAGE when there are several and none is named. */
NODISCARD enum err verb_issuer(struct ca *ca, const struct record *record, struct issuer **ret, struct why *why);
/* A field that must be there: ERR_USAGE otherwise; caller frees. */
NODISCARD enum err verb_field(const struct record *record, const char *name, char **ret, struct why *why);
/* A field that must be there and be base64: ERR_USAGE otherwise. */
NODISCARD enum err verb_certificate(const struct record *record, const char *name, struct buf *ret, struct why *why);
/* The field `reason`, by its name in RFC 5280 5.3.1; absent: *ret is left alone. ERR_USAGE otherwise. */
NODISCARD enum err verb_revocation_reason(const struct record *record, enum crl_reason *ret, struct why *why);
/* A field that is absent (NULL), or one of the words that stand between spaces: ERR_USAGE otherwise; caller frees. */
NODISCARD enum err verb_word(const struct record *record, const char *name, const char *words, char **ret, struct why *why);
/* The field `kind`: full, which is the default, or delta. */
NODISCARD enum err verb_crl_kind(const struct record *record, enum crl_kind *ret, struct why *why);
/* A span as administrators write it, "30d" or "12h", in seconds; absent: *ret is left alone. ERR_USAGE otherwise. */
NODISCARD enum err verb_span(const struct record *record, const char *name, int64_t *ret, struct why *why);
/* A number in digits; absent: *ret is left alone. ERR_USAGE, which names field, text and range, otherwise. */
struct verb_range { int64_t least, most; };                  /* least: 0 or more */
NODISCARD enum err verb_number(const struct record *record, const char *name, struct verb_range range, int64_t *ret,
                               struct why *why);
NODISCARD enum err verb_limit(const struct record *record, int64_t *ret, struct why *why);
/* Runs one query and writes each of its rows as a record: the columns' names are given, and which ones are times. A page
   asks for one row more than its limit, and is shorter where rows are long; where there are more, its last record is {more}, which holds what the column `cursor`
   has in the page's last row, for the field `before` of whoever asks on (empty: there is no such column). */
struct verb_column { const char *name; enum { COLUMN_TEXT, COLUMN_INT, COLUMN_TIME, COLUMN_BASE64 } kind; };
struct verb_page { size_t limit; const char *cursor; };      /* limit 0: every row */
struct verb_listing { const char *sql; struct store_args args; const struct verb_column *columns; size_t column_count;
                      size_t least; const char *absent;      /* fewer rows than least: ERR_NOT_FOUND with this text */
                      struct verb_page page; };
#define COLUMNS(list) (list), sizeof(list) / sizeof(*(list))
NODISCARD enum err verb_list(struct ca *ca, const struct verb_listing *listing, struct buf *ret, struct why *why);
/* A page of an issuer's rows, the newest first: those before the number in the field `before`, whose `field` is one of the
   words that the body lists with commas (absent: any of them). sql: $1 issuer, $2 before, $3 to $7 words, $8 limit. */
#define FILTER_WORDS 5
struct verb_filter { const char *field, *alias, *words, *sql; const struct verb_column *columns; size_t column_count;
                     const char *cursor; };                  /* alias: another name of the field, or NULL */
NODISCARD enum err verb_filtered(struct ca *ca, const struct verb_filter *filter, struct bytes body, struct buf *ret,
                                 struct why *why);
/* One record with the field "pem". */
void verb_put_pem(struct buf *ret, const char *label, struct bytes der);
