/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations of the mdm store. Rules: BIGINT, TEXT and BYTEA only; times are UTC seconds; what must happen once is a unique constraint. A
   published migration never changes: the next one adds. */
#include "mdm/schema.h"

/* Nothing that a certificate may have been issued for is ever removed: deleted_at marks it, and what is unique is so among those
   without the mark. folded: what people name it by, in the form in which letter case makes no difference (mdm/fold.h).
   change: the number of the last change that concerns it (mdm/change.h). Of counter, 'everything' is the last one that concerns all.
   member: in the group group_id is the object member_id; a group that was deleted keeps its rows, so that its members are found to be
   concerned by that. */
static const char first[] =
    "CREATE TABLE counter (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL);"
    "INSERT INTO counter (name, value) VALUES ('change', 0);"
    "INSERT INTO counter (name, value) VALUES ('everything', 0);"
    "INSERT INTO counter (name, value) VALUES ('audit', 0);"

    "CREATE TABLE mdm_setting (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, changed_at BIGINT NOT "
    "NULL);"

    "CREATE TABLE directory_user (id TEXT NOT NULL PRIMARY KEY, upn TEXT NOT NULL, folded TEXT NOT NULL,"
    " name TEXT, email TEXT, distinguished_name TEXT, sam_name TEXT, sid TEXT, enabled BIGINT NOT NULL,"
    " source TEXT NOT NULL, created_at BIGINT NOT NULL, changed_at BIGINT NOT NULL, deleted_at BIGINT,"
    " change BIGINT NOT NULL);"
    "CREATE UNIQUE INDEX directory_user_upn ON directory_user (folded) WHERE deleted_at IS NULL;"
    "CREATE INDEX directory_user_order ON directory_user (folded, id);"

    "CREATE TABLE directory_group (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL,"
    " kind TEXT NOT NULL, description TEXT, source TEXT NOT NULL, created_at BIGINT NOT NULL,"
    " changed_at BIGINT NOT NULL, deleted_at BIGINT, change BIGINT NOT NULL);"
    "CREATE UNIQUE INDEX directory_group_name ON directory_group (folded) WHERE deleted_at IS NULL;"
    "CREATE INDEX directory_group_order ON directory_group (folded, id);"

    "CREATE TABLE device (id TEXT NOT NULL PRIMARY KEY, folded TEXT NOT NULL, name TEXT, platform TEXT NOT "
    "NULL,"
    " mode TEXT, serial TEXT, imei TEXT, meid TEXT, wifi_mac TEXT, fqdn TEXT, domain_joined BIGINT NOT NULL,"
    " directory_id TEXT, owner TEXT, ownership TEXT NOT NULL, state TEXT NOT NULL, source TEXT NOT NULL,"
    " created_at BIGINT NOT NULL, changed_at BIGINT NOT NULL, deleted_at BIGINT, change BIGINT NOT NULL);"
    "CREATE UNIQUE INDEX device_directory_id ON device (directory_id)"
    " WHERE directory_id IS NOT NULL AND state = 'enrolled' AND deleted_at IS NULL;"
    "CREATE INDEX device_order ON device (folded, id);"
    "CREATE INDEX device_serial ON device (serial) WHERE serial IS NOT NULL;"
    "CREATE INDEX device_change ON device (change);"
    "CREATE INDEX device_owner ON device (owner) WHERE owner IS NOT NULL;"

    "CREATE TABLE member (group_id TEXT NOT NULL, kind TEXT NOT NULL, member_id TEXT NOT NULL,"
    " added_at BIGINT NOT NULL, PRIMARY KEY (group_id, member_id));"
    "CREATE INDEX member_upwards ON member (member_id, group_id);"

    "CREATE TABLE audit (audit_id BIGINT NOT NULL PRIMARY KEY, happened_at BIGINT NOT NULL, actor TEXT NOT "
    "NULL,"
    " action TEXT NOT NULL, object TEXT NOT NULL, detail TEXT NOT NULL);";

/* root: the profile whose certificate it needs beside it. body: JSON as it was saved, its root by id. */
static const char profiles[] =
    "CREATE TABLE profile (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL,"
    " version BIGINT NOT NULL, type TEXT NOT NULL, platform TEXT NOT NULL, certificate_type TEXT,"
    " description TEXT, root TEXT, source TEXT NOT NULL, created_at BIGINT NOT NULL, changed_at BIGINT NOT "
    "NULL,"
    " deleted_at BIGINT, change BIGINT NOT NULL);"
    "CREATE UNIQUE INDEX profile_name ON profile (folded) WHERE deleted_at IS NULL;"
    "CREATE INDEX profile_order ON profile (folded, id);"
    "CREATE INDEX profile_root ON profile (root) WHERE root IS NOT NULL;"

    "CREATE TABLE profile_version (profile_id TEXT NOT NULL, version BIGINT NOT NULL, body TEXT NOT NULL,"
    " saved_at BIGINT NOT NULL, saved_by TEXT NOT NULL, PRIMARY KEY (profile_id, version));";

/* Of a group that was deleted the rows stay, so that what it had is not taken for what somebody took from it. */
static const char assignments[] =
    "CREATE TABLE assignment (profile_id TEXT NOT NULL, group_id TEXT NOT NULL, mode TEXT NOT NULL,"
    " added_at BIGINT NOT NULL, PRIMARY KEY (profile_id, group_id));"
    "CREATE INDEX assignment_group ON assignment (group_id, profile_id);";

/* enrolment_token: what lets devices in. The token itself is kept nowhere, its digest apart from what lists show.
   device_identity: the certificates by which devices are known, each device's in their order; one without ended_at is good. A renewal leaves the one before good until the
   new one is used, so that a lost answer locks nobody out.
   device_report: the last check-in, and a digest of all that it said. device_installed: the certificates that the device says it has. */
static const char enrolment[] =
    "CREATE TABLE enrolment_token (id TEXT NOT NULL PRIMARY KEY, folded TEXT NOT NULL, note TEXT, owner TEXT,"
    " device TEXT, uses BIGINT NOT NULL, uses_left BIGINT NOT NULL, expires_at BIGINT NOT NULL,"
    " source TEXT NOT NULL, created_at BIGINT NOT NULL, changed_at BIGINT NOT NULL, deleted_at BIGINT,"
    " change BIGINT NOT NULL);"
    "CREATE INDEX enrolment_token_order ON enrolment_token (folded, id);"
    "CREATE TABLE enrolment_secret (digest BYTEA NOT NULL PRIMARY KEY, token_id TEXT NOT NULL);"

    "CREATE TABLE device_identity (serial TEXT NOT NULL PRIMARY KEY, device_id TEXT NOT NULL,"
    " number BIGINT NOT NULL, issued_at BIGINT NOT NULL, not_after BIGINT NOT NULL, ended_at BIGINT);"
    "CREATE UNIQUE INDEX device_identity_device ON device_identity (device_id, number);"

    "CREATE TABLE device_report (device_id TEXT NOT NULL PRIMARY KEY, enrolled_at BIGINT NOT NULL, seen_at "
    "BIGINT NOT NULL,"
    " digest BYTEA NOT NULL);"
    "CREATE TABLE device_installed (device_id TEXT NOT NULL, thumbprint TEXT NOT NULL, key TEXT NOT NULL, "
    "profile TEXT,"
    " reported_at BIGINT NOT NULL, PRIMARY KEY (device_id, thumbprint));";

/* crp: the certificates that challenges are encrypted to, as ca said them last.
   deployment: how a profile stands on a device; intent: whether the device is to have it, to remove it, or may keep it. order_id: what it was told to do.
   due_at: when it has something to be told; device_report has the first of its rows, and the change that it was judged by.
   deployment_challenge: what was handed out, not what is in it. deployment_certificate: what ca issued; asked_at: ca was asked to revoke it.
   ca_event: which rows of ca's outbox were heeded. errand: what ca is still to be told. */
static const char deployments[] =
    "CREATE TABLE crp (generation BIGINT NOT NULL PRIMARY KEY, expires BIGINT NOT NULL, certificate BYTEA "
    "NOT NULL);"
    "CREATE TABLE deployment (device_id TEXT NOT NULL, profile_id TEXT NOT NULL, version BIGINT NOT NULL,"
    " type TEXT NOT NULL, state TEXT NOT NULL, intent TEXT NOT NULL, order_id TEXT NOT NULL, due_at BIGINT,"
    " history BIGINT NOT NULL, step TEXT NOT NULL, code TEXT NOT NULL, diagnosis TEXT NOT NULL,"
    " detail TEXT NOT NULL, thumbprint TEXT NOT NULL, created_at BIGINT NOT NULL, changed_at BIGINT NOT NULL,"
    " PRIMARY KEY (device_id, profile_id));"
    "CREATE INDEX deployment_profile ON deployment (profile_id, state, device_id);"
    "CREATE INDEX deployment_state ON deployment (state, device_id, profile_id);"
    "CREATE TABLE deployment_history (device_id TEXT NOT NULL, profile_id TEXT NOT NULL, number BIGINT NOT "
    "NULL,"
    " happened_at BIGINT NOT NULL, version BIGINT NOT NULL, event TEXT NOT NULL, state TEXT NOT NULL,"
    " step TEXT NOT NULL, code TEXT NOT NULL, diagnosis TEXT NOT NULL, detail TEXT NOT NULL,"
    " PRIMARY KEY (device_id, profile_id, number));"
    "CREATE TABLE deployment_challenge (id TEXT NOT NULL PRIMARY KEY, device_id TEXT NOT NULL,"
    " profile_id TEXT NOT NULL, version BIGINT NOT NULL, key TEXT NOT NULL, made_at BIGINT NOT NULL,"
    " expires_at BIGINT NOT NULL);"
    "CREATE INDEX deployment_challenge_device ON deployment_challenge (device_id, profile_id, expires_at);"
    "CREATE INDEX deployment_challenge_expiry ON deployment_challenge (expires_at, device_id);"
    "CREATE TABLE deployment_certificate (ca TEXT NOT NULL, serial TEXT NOT NULL, device_id TEXT NOT NULL,"
    " profile_id TEXT NOT NULL, version BIGINT NOT NULL, challenge TEXT NOT NULL, request BIGINT NOT NULL,"
    " thumbprint TEXT NOT NULL, key TEXT NOT NULL, not_before BIGINT NOT NULL, not_after BIGINT NOT NULL,"
    " number BIGINT NOT NULL, issued_at BIGINT NOT NULL, asked_at BIGINT, revoked_at BIGINT, PRIMARY KEY "
    "(ca, serial));"
    "CREATE UNIQUE INDEX deployment_certificate_device ON deployment_certificate (device_id, profile_id, "
    "number);"
    "CREATE TABLE ca_event (ca TEXT NOT NULL, event BIGINT NOT NULL, seen_at BIGINT NOT NULL, PRIMARY KEY "
    "(ca, event));"
    "CREATE INDEX ca_event_seen ON ca_event (seen_at);"
    "CREATE TABLE errand (number BIGINT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, ca TEXT NOT NULL,"
    " device_id TEXT NOT NULL, profile_id TEXT NOT NULL, version BIGINT NOT NULL, valid_from BIGINT,"
    " serial TEXT NOT NULL, reason TEXT NOT NULL, created_at BIGINT NOT NULL, tries BIGINT NOT NULL,"
    " next_at BIGINT NOT NULL, done_at BIGINT, trouble TEXT NOT NULL);"
    "CREATE INDEX errand_open ON errand (next_at, number) WHERE done_at IS NULL;"
    "INSERT INTO counter (name, value) VALUES ('errand', 0);"
    "ALTER TABLE device_report ADD COLUMN judged BIGINT;"
    "ALTER TABLE device_report ADD COLUMN due_at BIGINT;";

/* What comes from LDAP (mdm/ldap/). directory_source: the last run of each, and how far it has read. directory_entry: which object an entry is, by the
   entry's own id, and the keys by which groups there name it. directory_link: whom a group there names, whether or not we have them; run: since which one.
   directory_problem: what is refused now, and why. Of an entry that is gone its row stays: when it is back, it is the same object. */
static const char ldap[] =
    "CREATE TABLE directory_source (name TEXT NOT NULL PRIMARY KEY, run BIGINT NOT NULL, mark TEXT NOT NULL,"
    " kind TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL, counts TEXT NOT NULL, begun_at BIGINT,"
    " ended_at BIGINT, succeeded_at BIGINT, full_at BIGINT);"
    "CREATE TABLE directory_entry (source TEXT NOT NULL, entry_id TEXT NOT NULL, kind TEXT NOT NULL,"
    " object_id TEXT NOT NULL, dn TEXT NOT NULL, uid TEXT NOT NULL, sid TEXT NOT NULL, primary_group TEXT "
    "NOT "
    "NULL, PRIMARY KEY (source, entry_id));"
    "CREATE UNIQUE INDEX directory_entry_object ON directory_entry (object_id);"
    "CREATE INDEX directory_entry_dn ON directory_entry (source, dn);"
    "CREATE INDEX directory_entry_uid ON directory_entry (source, uid) WHERE uid <> '';"
    "CREATE INDEX directory_entry_sid ON directory_entry (source, sid) WHERE sid <> '';"
    "CREATE TABLE directory_link (source TEXT NOT NULL, group_entry TEXT NOT NULL, member_key TEXT NOT NULL,"
    " run BIGINT NOT NULL, PRIMARY KEY (source, group_entry, member_key));"
    "CREATE TABLE directory_problem (source TEXT NOT NULL, entry_id TEXT NOT NULL, entry TEXT NOT NULL,"
    " reason TEXT NOT NULL, run BIGINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (source, entry_id));";

/* administrator: who signs in over HTTPS; the hash of the password is apart from what lists show.
   administrator_known: addresses that they have signed in from: a stranger who tries passwords does not keep them out there.
   administrator_subject: whom of them an OpenID provider knows, and as what.
   admin_session: a row while it lasts. apitoken: with its digest apart. */
static const char administrators[] =
    "CREATE TABLE administrator (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL,"
    " display_name TEXT, roles TEXT NOT NULL, enabled BIGINT NOT NULL, password_set_at BIGINT,"
    " source TEXT NOT NULL, created_at BIGINT NOT NULL, changed_at BIGINT NOT NULL, deleted_at BIGINT,"
    " change BIGINT NOT NULL);"
    "CREATE UNIQUE INDEX administrator_name ON administrator (folded) WHERE deleted_at IS NULL;"
    "CREATE INDEX administrator_order ON administrator (folded, id);"
    "CREATE TABLE administrator_password (administrator_id TEXT NOT NULL PRIMARY KEY, hash TEXT NOT NULL);"
    "CREATE TABLE administrator_known (administrator_id TEXT NOT NULL, address TEXT NOT NULL,"
    " seen_at BIGINT NOT NULL, PRIMARY KEY (administrator_id, address));"

    "CREATE TABLE admin_session (digest BYTEA NOT NULL PRIMARY KEY, id TEXT NOT NULL,"
    " administrator_id TEXT NOT NULL, created_at BIGINT NOT NULL, seen_at BIGINT NOT NULL);"
    "CREATE UNIQUE INDEX admin_session_id ON admin_session (id);"
    "CREATE INDEX admin_session_administrator ON admin_session (administrator_id);"

    "CREATE TABLE apitoken (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL,"
    " administrator TEXT NOT NULL, roles TEXT NOT NULL, expires_at BIGINT NOT NULL,"
    " source TEXT NOT NULL, created_at BIGINT NOT NULL, changed_at BIGINT NOT NULL, deleted_at BIGINT,"
    " change BIGINT NOT NULL);"
    "CREATE UNIQUE INDEX apitoken_name ON apitoken (folded) WHERE deleted_at IS NULL;"
    "CREATE INDEX apitoken_order ON apitoken (folded, id);"
    "CREATE TABLE apitoken_secret (digest BYTEA NOT NULL PRIMARY KEY, token_id TEXT NOT NULL);"

    "CREATE TABLE administrator_subject (issuer TEXT NOT NULL, subject TEXT NOT NULL,"
    " administrator_id TEXT NOT NULL, PRIMARY KEY (issuer, subject));";

const struct migration mdm_migrations[] = { { 1, first },         { 2, profiles },    { 3, assignments },
                                            { 4, enrolment },     { 5, deployments }, { 6, ldap },
                                            { 7, administrators } };
const size_t mdm_migration_count = sizeof(mdm_migrations) / sizeof(*mdm_migrations);

const struct store_identity mdm_store_identity = {
    .keep = "INSERT INTO mdm_setting (name, value, changed_at) VALUES ('store', $1, $2) ON CONFLICT (name) "
            "DO NOTHING",
    .find = "SELECT value FROM mdm_setting WHERE name = 'store'",
};
