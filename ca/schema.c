/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations of the ca store. Rules: BIGINT, TEXT and BYTEA only; times are UTC seconds; every row carries issuer_id and,
   but for counters and templates, node_id; what must happen once is a unique constraint. A published migration never
   changes: the next one adds. */
#include "ca/schema.h"

/* request.disposition: sealing (T1 done), issued (T2 done), pending (waits for approval), denied, failed.
   request.request_key: NULL once the request may be made again. It is an HMAC (ca/request.h says why).
   certificate.status: reserved (serial taken, TBS stored), valid, revoked, void (never handed out). A row is never
   deleted and a serial never reused.
   certificate.identity: SHA-256 of subject and names, so that one key is never certified for two. */
static const char first[] =
    "CREATE TABLE counter (issuer_id TEXT NOT NULL, name TEXT NOT NULL, value BIGINT NOT NULL,"
    " PRIMARY KEY (issuer_id, name));"

    "CREATE TABLE template (name TEXT NOT NULL PRIMARY KEY, display_name TEXT NOT NULL, purpose TEXT NOT "
    "NULL,"
    " eku TEXT NOT NULL, key_usage BIGINT NOT NULL, validity_s BIGINT NOT NULL, renewal_s BIGINT NOT NULL,"
    " min_rsa_bits BIGINT NOT NULL, key_algorithms TEXT NOT NULL, subject_rule TEXT NOT NULL, san_rule TEXT "
    "NOT NULL,"
    " version BIGINT NOT NULL, published BIGINT NOT NULL, changed_at BIGINT NOT NULL);"

    "CREATE TABLE request (issuer_id TEXT NOT NULL, request_id BIGINT NOT NULL, node_id TEXT NOT NULL,"
    " request_key BYTEA, endpoint TEXT NOT NULL, requester TEXT NOT NULL, validator TEXT NOT NULL,"
    " transaction_id BYTEA, signer BYTEA, peer TEXT NOT NULL, info BYTEA, spki_digest BYTEA NOT NULL,"
    " subject TEXT NOT NULL, san TEXT NOT NULL, template TEXT NOT NULL, template_version BIGINT NOT NULL,"
    " disposition TEXT NOT NULL, serial TEXT, error TEXT, reason TEXT, submitted_at BIGINT NOT NULL,"
    " reserved_at BIGINT, resolved_at BIGINT, resolved_by TEXT, PRIMARY KEY (issuer_id, request_id));"
    "CREATE UNIQUE INDEX request_by_key ON request (issuer_id, request_key);"
    "CREATE INDEX request_by_transaction ON request (issuer_id, endpoint, transaction_id);"
    "CREATE UNIQUE INDEX request_one_pending ON request (issuer_id, endpoint, transaction_id, signer)"
    " WHERE disposition = 'pending';"
    "CREATE INDEX request_failed ON request (issuer_id, spki_digest) WHERE disposition = 'failed';"
    "CREATE INDEX request_open ON request (issuer_id, disposition, reserved_at)"
    " WHERE disposition IN ('sealing', 'pending');"

    "CREATE TABLE certificate (issuer_id TEXT NOT NULL, serial TEXT NOT NULL, node_id TEXT NOT NULL,"
    " request_id BIGINT NOT NULL, requester TEXT NOT NULL, template TEXT NOT NULL, subject TEXT NOT NULL,"
    " san TEXT NOT NULL, identity BYTEA NOT NULL, spki_digest BYTEA NOT NULL, not_before BIGINT NOT NULL,"
    " not_after BIGINT NOT NULL, status TEXT NOT NULL, tbs BYTEA, der BYTEA, issued_at BIGINT, revoked_at "
    "BIGINT,"
    " revoked_by TEXT, reason BIGINT, PRIMARY KEY (issuer_id, serial));"
    "CREATE INDEX certificate_by_key ON certificate (issuer_id, spki_digest, identity) WHERE status <> "
    "'void';"
    "CREATE INDEX certificate_by_request ON certificate (issuer_id, request_id);"
    "CREATE INDEX certificate_revoked ON certificate (issuer_id, not_after) WHERE status = 'revoked';"

    "CREATE TABLE challenge (issuer_id TEXT NOT NULL, endpoint TEXT NOT NULL, mac BYTEA NOT NULL, node_id "
    "TEXT NOT NULL,"
    " created_at BIGINT NOT NULL, created_by TEXT NOT NULL, expires_at BIGINT NOT NULL, claimed_by BIGINT,"
    " claimed_at BIGINT, PRIMARY KEY (endpoint, mac));"
    "CREATE INDEX challenge_by_claim ON challenge (issuer_id, claimed_by) WHERE claimed_by IS NOT NULL;"
    "CREATE INDEX challenge_unused ON challenge (endpoint, expires_at) WHERE claimed_by IS NULL;"

    "CREATE TABLE crl (issuer_id TEXT NOT NULL, number BIGINT NOT NULL, node_id TEXT NOT NULL, this_update "
    "BIGINT NOT NULL,"
    " next_update BIGINT NOT NULL, entries BIGINT NOT NULL, der BYTEA, PRIMARY KEY (issuer_id, number));"

    "CREATE TABLE audit (issuer_id TEXT NOT NULL, audit_id BIGINT NOT NULL, node_id TEXT NOT NULL,"
    " happened_at BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL, detail "
    "TEXT NOT NULL,"
    " PRIMARY KEY (issuer_id, audit_id));"

    "CREATE TABLE outbox (issuer_id TEXT NOT NULL, request_id BIGINT NOT NULL, kind TEXT NOT NULL, node_id "
    "TEXT NOT NULL,"
    " created_at BIGINT NOT NULL, leased_until BIGINT, lease_holder TEXT, delivered_at BIGINT,"
    " PRIMARY KEY (issuer_id, request_id, kind));";

/* Whole, so that a certificate that becomes valid leaves the index of keys as it is: with a million certificates each touch
   of it is another page to write. */
static const char second[] =
    "DROP INDEX certificate_by_key;"
    "CREATE INDEX certificate_by_key ON certificate (issuer_id, spki_digest, identity);";

/* How many are valid, and which expire when, without reading a million certificates. Those of one template expire in the order
   in which they were issued, so the index grows at its end. */
static const char third[] =
    "CREATE INDEX certificate_valid ON certificate (issuer_id, not_after) WHERE status = 'valid';";

/* request.pended: 1 when it was ever pending. Only such a one is asked for by its transaction (CertPoll), so the others, nearly
   all, are not in that index: transaction ids are random, and each would be another page to write. */
static const char fourth[] =
    "ALTER TABLE request ADD COLUMN pended BIGINT;"
    "UPDATE request SET pended = 1 WHERE validator = 'manual';"
    "DROP INDEX request_by_transaction;"
    "CREATE INDEX request_by_transaction ON request (issuer_id, endpoint, transaction_id) WHERE pended = 1;";

/* Revocation, hold and release are numbered, so that a CRL, a delta and a cache know what they lack. status_version: of a
   certificate, its last change, at status_at (NULL: never revoked, or before this); of a CRL, the last change that is in
   it. The index of what is revoked has all that a CRL says, so that one of a million entries reads no certificate.
   crl.is_base: 1 when deltas may be based on it. */
static const char fifth[] =
    "ALTER TABLE certificate ADD COLUMN status_version BIGINT;"
    "ALTER TABLE certificate ADD COLUMN status_at BIGINT;"
    "CREATE INDEX certificate_changed ON certificate (issuer_id, status_version) WHERE status_version IS NOT "
    "NULL;"
    "DROP INDEX certificate_revoked;"
    "CREATE INDEX certificate_revoked ON certificate (issuer_id, not_after, serial, revoked_at, reason, "
    "status)"
    " WHERE status = 'revoked';"
    "ALTER TABLE crl ADD COLUMN status_version BIGINT;"
    "ALTER TABLE crl ADD COLUMN is_base BIGINT;"
    "CREATE TABLE delta_crl (issuer_id TEXT NOT NULL, number BIGINT NOT NULL, node_id TEXT NOT NULL,"
    " base_number BIGINT NOT NULL, this_update BIGINT NOT NULL, next_update BIGINT NOT NULL, entries BIGINT "
    "NOT NULL,"
    " status_version BIGINT NOT NULL, der BYTEA, PRIMARY KEY (issuer_id, number));";

/* Templates have the rest of their properties. template_version keeps every version that was ever in force, also of templates
   that are gone: what was asked under one is judged by it. Publishing changes no version. ca_setting: what an administrator
   switches while the role runs. */
#define TEMPLATE_PROPERTIES_BEFORE                                                                           \
    "display_name, purpose, eku, key_usage, validity_s, renewal_s, min_rsa_bits, key_algorithms, "           \
    "subject_rule, san_rule"
static const char sixth[] =
    "ALTER TABLE template ADD COLUMN hashes TEXT NOT NULL DEFAULT 'SHA-1 SHA-256 SHA-384 SHA-512';"
    "ALTER TABLE template ADD COLUMN subject_source TEXT NOT NULL DEFAULT 'request';"
    "ALTER TABLE template ADD COLUMN manager_approval BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE template ADD COLUMN authorised_signatures BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE template ADD COLUMN template_information BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE template ADD COLUMN oid TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE template ADD COLUMN superseded TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE template ADD COLUMN backdate_s BIGINT NOT NULL DEFAULT -1;"
    "ALTER TABLE template ADD COLUMN publish_in_directory BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE template ADD COLUMN export_private_key BIGINT NOT NULL DEFAULT 0;"
    "CREATE TABLE template_version (name TEXT NOT NULL, version BIGINT NOT NULL, changed_by TEXT NOT NULL,"
    " display_name TEXT NOT NULL, purpose TEXT NOT NULL, eku TEXT NOT NULL, key_usage BIGINT NOT NULL,"
    " validity_s BIGINT NOT NULL, renewal_s BIGINT NOT NULL, min_rsa_bits BIGINT NOT NULL,"
    " key_algorithms TEXT NOT NULL, subject_rule TEXT NOT NULL, san_rule TEXT NOT NULL, hashes TEXT NOT NULL,"
    " subject_source TEXT NOT NULL, manager_approval BIGINT NOT NULL, authorised_signatures BIGINT NOT NULL,"
    " template_information BIGINT NOT NULL, oid TEXT NOT NULL, superseded TEXT NOT NULL, backdate_s BIGINT "
    "NOT NULL,"
    " publish_in_directory BIGINT NOT NULL, export_private_key BIGINT NOT NULL, changed_at BIGINT NOT NULL,"
    " PRIMARY KEY (name, version));"
    "INSERT INTO template_version (name, version, changed_by, " TEMPLATE_PROPERTIES_BEFORE ", hashes,"
    " subject_source, manager_approval, authorised_signatures, template_information, oid, superseded, "
    "backdate_s,"
    " publish_in_directory, export_private_key, changed_at) SELECT name, version, "
    "'', " TEMPLATE_PROPERTIES_BEFORE ", hashes, subject_source, manager_approval, authorised_signatures,"
    " template_information, oid, superseded, backdate_s, publish_in_directory, export_private_key, changed_at"
    " FROM template;"
    "CREATE TABLE ca_setting (issuer_id TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    " changed_at BIGINT NOT NULL, PRIMARY KEY (issuer_id, name));";

/* Who may do what (ca/right.h): object is 'ca' or 'template/NAME'; allowed and denied are sets of enum right. A row that says
   nothing any more stays, so that its rights are not given anew at the next start. */
static const char seventh[] =
    "CREATE TABLE right_rule (issuer_id TEXT NOT NULL, object TEXT NOT NULL, principal TEXT NOT NULL, "
    "node_id TEXT NOT NULL,"
    " allowed BIGINT NOT NULL, denied BIGINT NOT NULL, changed_at BIGINT NOT NULL, changed_by TEXT NOT NULL,"
    " PRIMARY KEY (issuer_id, object, principal));";

/* Limits of ca/authority.h; issued and revoked: how many since the hour began. */
static const char eighth[] =
    "CREATE TABLE authority (issuer_id TEXT NOT NULL, name TEXT NOT NULL, node_id TEXT NOT NULL,"
    " templates TEXT NOT NULL, suffixes TEXT NOT NULL, denied TEXT NOT NULL, eku TEXT NOT NULL,"
    " per_device BIGINT NOT NULL, issues BIGINT NOT NULL, revocations BIGINT NOT NULL, issued BIGINT NOT "
    "NULL,"
    " issued_since BIGINT NOT NULL, revoked BIGINT NOT NULL, revoked_since BIGINT NOT NULL,"
    " changed_at BIGINT NOT NULL, changed_by TEXT NOT NULL, PRIMARY KEY (issuer_id, name));"
    "ALTER TABLE certificate ADD COLUMN authority TEXT;"
    "CREATE INDEX certificate_of_authority ON certificate (issuer_id, authority, identity)"
    " WHERE authority IS NOT NULL;";

/* Where a CA's CRL is partitioned (x509/partition.h): the partition of each certificate and of each CRL. NULL, and 0, where it
   is not: such a CA's certificates are in none of the new indexes. How many there are is in ca_setting (ca/partition.h). */
static const char ninth[] =
    "ALTER TABLE certificate ADD COLUMN crl_partition BIGINT;"
    "CREATE INDEX certificate_revoked_in ON certificate (issuer_id, crl_partition, not_after, serial, "
    "revoked_at, reason, status)"
    " WHERE status = 'revoked' AND crl_partition IS NOT NULL;"
    "CREATE INDEX certificate_changed_in ON certificate (issuer_id, crl_partition, status_version)"
    " WHERE status_version IS NOT NULL AND crl_partition IS NOT NULL;"
    "ALTER TABLE crl ADD COLUMN crl_partition BIGINT NOT NULL DEFAULT 0;"
    "CREATE INDEX crl_of_partition ON crl (issuer_id, crl_partition, number);"
    "ALTER TABLE delta_crl ADD COLUMN crl_partition BIGINT NOT NULL DEFAULT 0;"
    "CREATE INDEX delta_crl_of_partition ON delta_crl (issuer_id, crl_partition, number);";

/* What a request needs to be judged again after it failed: failed_key, its request key, which is free for another row
   meanwhile; challenge_mac, the one-time password that it came with; signed_with, the hash under its signature, which is
   not kept itself. */
static const char tenth[] = "ALTER TABLE request ADD COLUMN failed_key BYTEA;"
                            "ALTER TABLE request ADD COLUMN challenge_mac BYTEA;"
                            "ALTER TABLE request ADD COLUMN signed_with TEXT;";

/* Managed requests (spec challenge.md). authority_signer: the certificates that an authority signs challenges with: the current one
   (good_until NULL; there is one) and what it succeeded. request.challenge: what the challenge said, decrypted; an approval
   and a resubmission make the certificate from it. managed_claim: a challenge is used once, at whichever CA.
   authorisation_end: those made before ended_at, of this version or an older one, are not taken any more. outbox.event:
   what the authority names a row by when it has it. */
static const char eleventh[] =
    "CREATE TABLE authority_signer (issuer_id TEXT NOT NULL, authority TEXT NOT NULL, thumbprint TEXT NOT "
    "NULL,"
    " node_id TEXT NOT NULL, certificate BYTEA NOT NULL, not_after BIGINT NOT NULL, good_until BIGINT,"
    " pinned_at BIGINT NOT NULL, pinned_by TEXT NOT NULL, PRIMARY KEY (issuer_id, thumbprint));"
    "CREATE UNIQUE INDEX authority_signer_current ON authority_signer (issuer_id, authority)"
    " WHERE good_until IS NULL;"

    "ALTER TABLE request ADD COLUMN authority TEXT;"
    "ALTER TABLE request ADD COLUMN challenge_id BYTEA;"
    "ALTER TABLE request ADD COLUMN challenge BYTEA;"
    "UPDATE request SET authority = substr(requester, 11) WHERE substr(requester, 1, 10) = 'authority/';"
    "CREATE INDEX request_failed_managed ON request (issuer_id, challenge_id)"
    " WHERE disposition = 'failed' AND challenge_id IS NOT NULL;"
    "ALTER TABLE certificate ADD COLUMN device TEXT;"
    "CREATE INDEX certificate_of_device ON certificate (issuer_id, authority, device) WHERE device IS NOT "
    "NULL;"

    "CREATE TABLE managed_claim (challenge_id BYTEA NOT NULL PRIMARY KEY, issuer_id TEXT NOT NULL, node_id "
    "TEXT NOT NULL,"
    " authority TEXT NOT NULL, request_id BIGINT NOT NULL, profile TEXT NOT NULL, version BIGINT NOT NULL,"
    " device TEXT NOT NULL, user_id TEXT NOT NULL, claimed_at BIGINT NOT NULL, expires_at BIGINT NOT NULL);"
    "CREATE INDEX managed_claim_by_request ON managed_claim (issuer_id, request_id);"
    "CREATE INDEX managed_claim_by_end ON managed_claim (expires_at);"

    "CREATE TABLE authorisation_end (issuer_id TEXT NOT NULL, authority TEXT NOT NULL, device TEXT NOT NULL,"
    " profile TEXT NOT NULL, version BIGINT NOT NULL, node_id TEXT NOT NULL, ended_at BIGINT NOT NULL,"
    " told_at BIGINT NOT NULL, PRIMARY KEY (issuer_id, authority, device, profile, version));"

    "ALTER TABLE outbox ADD COLUMN authority TEXT;"
    "ALTER TABLE outbox ADD COLUMN event BIGINT;"
    "ALTER TABLE outbox ADD COLUMN error TEXT;"
    "ALTER TABLE outbox ADD COLUMN reason TEXT;"
    "CREATE INDEX outbox_waiting ON outbox (issuer_id, authority, event)"
    " WHERE authority IS NOT NULL AND delivered_at IS NULL;"
    "CREATE INDEX outbox_delivered ON outbox (delivered_at) WHERE delivered_at IS NOT NULL;";

/* Requests that other SCEP servers had judged (ca/registration.h), numbered with ours: what was claimed (at most one row for each
   challenge), and what was refused (one for each challenge and error). challenge_digest: of the challenge as text, by which the server
   names it later. */
static const char twelfth[] =
    "CREATE TABLE registration (issuer_id TEXT NOT NULL, request_id BIGINT NOT NULL, node_id TEXT NOT NULL,"
    " server TEXT NOT NULL, transaction_id BYTEA NOT NULL, request_key BYTEA NOT NULL, peer TEXT NOT NULL,"
    " info BYTEA NOT NULL, spki_digest BYTEA NOT NULL, subject TEXT NOT NULL, san TEXT NOT NULL,"
    " template TEXT NOT NULL, authority TEXT NOT NULL, challenge_id BYTEA NOT NULL, challenge BYTEA NOT NULL,"
    " challenge_digest BYTEA NOT NULL, disposition TEXT NOT NULL, error TEXT, reason TEXT, serial TEXT,"
    " der BYTEA, not_after BIGINT, asked_at BIGINT NOT NULL, resolved_at BIGINT,"
    " PRIMARY KEY (issuer_id, request_id));"
    "CREATE UNIQUE INDEX registration_claimed ON registration (challenge_id) WHERE disposition <> 'refused';"
    "CREATE UNIQUE INDEX registration_refused ON registration (issuer_id, challenge_id, error)"
    " WHERE disposition = 'refused';"
    "CREATE INDEX registration_by_text ON registration (issuer_id, challenge_digest);";

const struct migration ca_migrations[] = { { 1, first }, { 2, second }, { 3, third },     { 4, fourth },
                                           { 5, fifth }, { 6, sixth },  { 7, seventh },   { 8, eighth },
                                           { 9, ninth }, { 10, tenth }, { 11, eleventh }, { 12, twelfth } };
const size_t ca_migration_count = sizeof(ca_migrations) / sizeof(*ca_migrations);

const struct store_identity ca_store_identity = {
    .keep = "INSERT INTO ca_setting (issuer_id, name, value, changed_at) VALUES ('', 'store', $1, $2) "
            "ON CONFLICT (issuer_id, name) DO NOTHING",
    .find = "SELECT value FROM ca_setting WHERE issuer_id = '' AND name = 'store'",
};
