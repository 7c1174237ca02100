/* SPDX-License-Identifier: Apache-2.0 */
/* The seal, and T2; and what becomes of a reservation that never gets there. */
#include "ca/issue.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/wake.h"
#include "ca/audit.h"
#include "ca/challenge.h"
#include "ca/managed_claim.h"
#include "ca/outbox.h"
#include "x509/signed.h"
#include <stdio.h>

/* What came back is the TBS that was sent, under a signature that verifies, and nothing else. */
static enum err sealed_check(const struct reservation *slot, struct bytes der, struct why *why)
{
    struct signed_object sealed;
    AUTO_BUF wanted = { 0 };
    if (signed_split(der, LIMIT_CERT_BYTES, "certificate", &sealed, why) != OK)
        return fail(why, ERR_PROTOCOL, "the signer's answer for serial %s is no certificate", slot->serial);
    signed_assemble(buf_bytes(&slot->tbs), slot->issuer->algorithm, sealed.signature, &wanted);
    if (!FAULT(sealed_tbs) && !bytes_equal(der, buf_bytes(&wanted)))
        return fail(why, ERR_PROTOCOL, "the signer sealed something else than serial %s", slot->serial);
    /* A fault in the signer's arithmetic could give its key away: no bad signature leaves the house. */
    if (!FAULT(sealed_signature) && signed_verify(&sealed, slot->issuer->key, "certificate", why) != OK)
        return fail(why, ERR_PROTOCOL, "the signer's signature under serial %s does not verify",
                    slot->serial);
    return OK;
}

struct sealing {
    const struct reservation *slot;
    struct buf *ret_der;
    issue_done done;
    void *arg;
};

static void on_sealed(void *arg, enum err err, struct bytes der, const struct why *why)
{
    struct sealing *sealing = arg;
    struct why found = *why;
    if (err == OK)
        err = sealed_check(sealing->slot, der, &found);
    if (err == OK)
        *sealing->ret_der = buf_dup(der);
    sealing->done(sealing->arg, err, &found);
    free(sealing);
}

void issue_seal_start(struct ca *ca, const struct reservation *slot, struct buf *ret_der, issue_done done,
                      void *arg)
{
    struct sealing *sealing = xcalloc(1, sizeof(*sealing));
    *sealing = (struct sealing){ slot, ret_der, done, arg };
    const struct seal_request request = { bytes_str(slot->issuer->name), SEAL_CERTIFICATE,
                                          buf_bytes(&slot->tbs) };
    if (ca->sealer.start) {
        ca->sealer.start(ca->sealer.arg, &request, on_sealed, sealing);
        return;
    }
    AUTO_BUF der = { 0 };
    struct why why = { 0 };
    enum err err = ca->sealer.seal(ca->sealer.arg, &request, NULL, &der, &why);
    on_sealed(sealing, err, buf_bytes(&der), &why);
}

void issue_await(void *await, enum err err, const struct why *why)
{
    await_end(await, err, why);
}

enum err issue_seal(struct ca *ca, const struct reservation *slot, struct buf *ret_der, struct why *why)
{
    struct await sealed;
    await_open(&sealed);
    issue_seal_start(ca, slot, ret_der, issue_await, &sealed);
    return await_outcome(&sealed, why);
}

struct record_arg {
    struct ca *ca;
    const struct reservation *slot;
    struct bytes der;
    const struct why *reason;
    int64_t now;
};

static enum err was_sealing(const struct reservation *slot, int64_t changed, struct why *why)
{
    if (!FAULT(late_t2) && changed != 1)
        return fail(why, ERR_CONFLICT, "request %lld (serial %s) is not being sealed any more",
                    (long long)slot->request_id, slot->serial);
    return OK;
}

/* Names no column of an index but the disposition: the key's page, one in many, is not written again. */
static enum err request_issued(struct store_tx *tx, const struct record_arg *record, struct why *why)
{
    const struct reservation *slot = record->slot;
    int64_t changed = 0;
    TRY(store_exec(
        tx,
        "UPDATE request SET disposition = 'issued', resolved_at = $1 "
        "WHERE issuer_id = $2 AND request_id = $3 AND serial = $4 AND disposition = 'sealing'",
        S_ARGS(S_INT(record->now), S_TEXT(slot->issuer->name), S_INT(slot->request_id), S_TEXT(slot->serial)),
        &changed, why));
    return was_sealing(slot, changed, why);
}

/* Gives up its key: the same request may be made again, or this one resubmitted. */
#define GIVE_UP                                                                                              \
    "request_key = NULL, failed_key = request_key, challenge_mac = (SELECT c.mac FROM challenge c "          \
    "WHERE c.issuer_id = request.issuer_id AND c.claimed_by = request.request_id)"

static enum err request_failed(struct store_tx *tx, const struct record_arg *record, struct why *why)
{
    const struct reservation *slot = record->slot;
    int64_t changed = 0;
    TRY(store_exec(
        tx,
        "UPDATE request SET disposition = 'failed', resolved_at = $1, error = $2, reason = $3, " GIVE_UP
        " WHERE issuer_id = $4 AND request_id = $5 AND serial = $6 AND disposition = 'sealing'",
        S_ARGS(S_INT(record->now), S_TEXT(err_row(record->reason->err)->name), S_TEXT(record->reason->text),
               S_TEXT(slot->issuer->name), S_INT(slot->request_id), S_TEXT(slot->serial)),
        &changed, why));
    return was_sealing(slot, changed, why);
}

static enum err record_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct record_arg *record = arg;
    const struct reservation *slot = record->slot;
    const char *issuer = slot->issuer->name;
    char object[32];
    int64_t changed = 0;
    TRY(request_issued(tx, record, why));
    TRY(store_exec(tx,
                   "UPDATE certificate SET status = 'valid', der = $1, tbs = NULL, issued_at = $2 "
                   "WHERE issuer_id = $3 AND serial = $4 AND status = 'reserved'",
                   S_ARGS(S_BYTES(record->der), S_INT(record->now), S_TEXT(issuer), S_TEXT(slot->serial)),
                   &changed, why));
    if (!FAULT(late_t2) && changed != 1)
        return fail(why, ERR_CONFLICT, "serial %s is not reserved any more", slot->serial);
    snprintf(object, sizeof(object), "request %lld", (long long)slot->request_id);
    struct audit_entry entry = { issuer, "ca", "issue", object, slot->serial };
    TRY(audit_write(tx, record->ca, &entry, why));
    const struct outbox_event event = { issuer, slot->authority, slot->request_id, "issued", NULL, NULL };
    return outbox_put(tx, record->ca, &event, why);
}

struct recording {
    struct record_arg record;
    issue_done done;
    void *arg;
};

static enum err recording_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct recording *recording = arg;
    return record_work(tx, &recording->record, why);
}

static void on_recorded(void *arg, enum err err, const struct why *why)
{
    struct recording *recording = arg;
    recording->done(recording->arg, err, why);
    free(recording);
}

void issue_record_start(struct ca *ca, const struct reservation *slot, struct bytes der, issue_done done,
                        void *arg)
{
    struct recording *recording = xcalloc(1, sizeof(*recording));
    *recording =
        (struct recording){ .record = { .ca = ca, .slot = slot, .der = der, .now = clock_now(ca->clock) },
                            .done = done,
                            .arg = arg };
    store_submit(ca->store, recording_work, on_recorded, recording);
}

enum err issue_record(struct ca *ca, const struct reservation *slot, struct bytes der, struct why *why)
{
    struct await recorded;
    await_open(&recorded);
    issue_record_start(ca, slot, der, issue_await, &recorded);
    return await_outcome(&recorded, why);
}

/* What it came with may be used again. */
static enum err claims_release(struct store_tx *tx, const struct issuer *issuer, int64_t request_id,
                               struct why *why)
{
    TRY(challenge_release(tx, issuer->name, request_id, why));
    return FAULT(managed_release) ? OK : managed_claim_release(tx, issuer->name, request_id, why);
}

static enum err certificate_void(struct store_tx *tx, const struct issuer *issuer, const char *serial,
                                 struct why *why)
{
    return store_exec(tx,
                      "UPDATE certificate SET status = 'void', tbs = NULL "
                      "WHERE issuer_id = $1 AND serial = $2 AND status = 'reserved'",
                      S_ARGS(S_TEXT(issuer->name), S_TEXT(serial)), NULL, why);
}

static enum err fail_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct record_arg *record = arg;
    const struct reservation *slot = record->slot;
    char object[32];
    TRY(request_failed(tx, record, why));
    TRY(certificate_void(tx, slot->issuer, slot->serial, why));
    TRY(claims_release(tx, slot->issuer, slot->request_id, why));
    const struct outbox_event event = {
        slot->issuer->name,  slot->authority, slot->request_id, "failed", err_row(record->reason->err)->name,
        record->reason->text
    };
    TRY(outbox_put(tx, record->ca, &event, why));
    snprintf(object, sizeof(object), "request %lld", (long long)slot->request_id);
    struct audit_entry entry = { slot->issuer->name, "ca", "fail", object, record->reason->text };
    return audit_write(tx, record->ca, &entry, why);
}

enum err issue_fail(struct ca *ca, const struct reservation *slot, const struct why *reason, struct why *why)
{
    struct why clean = { .err = reason->err };
    log_escape(reason->text, strlen(reason->text), clean.text,
               sizeof(clean.text)); /* text of the store is UTF-8 */
    struct record_arg record = { .ca = ca, .slot = slot, .reason = &clean, .now = clock_now(ca->clock) };
    return store_write(ca->store, fail_work, &record, why);
}

#define VOIDED "reserved, but never sealed: voided"

struct void_arg {
    struct ca *ca;
    const struct issuer *issuer;
    int64_t now, voided;
};

/* The reservation of a request that had waited goes back to waiting: the approval has to be given again, and its challenge
   stays taken. */
static enum err void_one(struct store_tx *tx, struct void_arg *arg, const struct store_rows *rows, size_t row,
                         struct why *why)
{
    int64_t id = store_int(rows, row, 0), changed = 0;
    const char *serial = store_str(rows, row, 1);
    bool waited = store_int(rows, row, 2) == 1;
    char object[32];
    const char *back =
        "UPDATE request SET disposition = 'pending', serial = NULL, reserved_at = NULL, resolved_by = NULL "
        "WHERE issuer_id = $1 AND request_id = $2 AND disposition = 'sealing'";
    const char *end = "UPDATE request SET disposition = 'failed', error = 'ERR_TIMEOUT', "
                      "reason = '" VOIDED "', " GIVE_UP
                      " WHERE issuer_id = $1 AND request_id = $2 AND disposition = 'sealing'";
    TRY(store_exec(tx, waited ? back : end, S_ARGS(S_TEXT(arg->issuer->name), S_INT(id)), &changed, why));
    if (changed != 1)
        return OK; /* its T2 came first */
    if (!FAULT(void_serial))
        TRY(certificate_void(tx, arg->issuer, serial, why));
    if ((!waited || FAULT(waiting_keeps_challenge)) && !FAULT(void_releases_challenge))
        TRY(claims_release(tx, arg->issuer, id, why));
    const struct outbox_event event = { arg->issuer->name, store_str(rows, row, 3), id,
                                        "failed",          "ERR_TIMEOUT",           VOIDED };
    if (!waited)
        TRY(outbox_put(tx, arg->ca, &event, why));
    snprintf(object, sizeof(object), "request %lld", (long long)id);
    struct audit_entry entry = { arg->issuer->name, "ca", "void", object, serial };
    TRY(audit_write(tx, arg->ca, &entry, why));
    arg->voided++;
    return OK;
}

static enum err void_work(struct store_tx *tx, void *context, struct why *why)
{
    struct void_arg *arg = context;
    AUTO(store_rows) rows = NULL;
    arg->voided = 0;
    TRY(store_query(tx,
                    "SELECT request_id, serial, pended, authority FROM request WHERE issuer_id = $1 AND "
                    "disposition = 'sealing' "
                    "AND reserved_at <= $2 ORDER BY request_id LIMIT 500",
                    S_ARGS(S_TEXT(arg->issuer->name), S_INT(arg->now - ISSUE_VOID_S)), &rows, why));
    for (size_t row = 0; row < store_rows_count(rows); row++)
        TRY(void_one(tx, arg, rows, row, why));
    return OK;
}

enum err issue_void_stale(struct ca *ca, const struct issuer *issuer, int64_t *ret_voided, struct why *why)
{
    struct void_arg arg = { .ca = ca, .issuer = issuer, .now = clock_now(ca->clock) };
    TRY(store_write(ca->store, void_work, &arg, why));
    if (ret_voided)
        *ret_voided = arg.voided;
    return OK;
}
