/* SPDX-License-Identifier: Apache-2.0 */
/* T1: the request is kept, the challenge claimed, the serial taken and the TBS stored, durably and together. */
#include "base/fault.h"
#include "base/log.h"
#include "base/wake.h"
#include "ca/audit.h"
#include "ca/challenge.h"
#include "ca/issue_row.h"
#include "ca/managed_claim.h"
#include "ca/outbox.h"
#include "ca/own_tls.h"
#include "ca/right.h"
#include "ca/validator.h"
#include "x509/extension.h"
#include "x509/name.h"
#include "x509/san.h"
#include <stdio.h>

#define ASKED_TEXT_BYTES 512
#define SERIAL_ATTEMPTS  4 /* a second collision of 148 random bits means a bad generator */

void reservation_free(struct reservation *slot)
{
    buf_free(&slot->tbs);
    *slot = (struct reservation){ 0 };
}

const char *authority_asking(const char *requester, const struct grant *grant)
{
    return grant->managed ? grant->managed->authority : authority_of(requester);
}

void reservation_of_authority(struct reservation *slot, const char *authority)
{
    snprintf(slot->authority, sizeof(slot->authority), "%s", authority ? authority : "");
}

struct reserve_params reserve_params_of(const struct request *request, const struct grant *grant)
{
    const struct endpoint *endpoint = request->endpoint;
    return (struct reserve_params){
        .issuer = request->issuer,
        .endpoint = endpoint ? endpoint->name : "",
        .requester = request->requester,
        .validator = endpoint                                ? endpoint->validator->name
                     : principal_is_role(request->requester) ? "role"
                                                             : "right",
        .claim_at = grant->claims ? endpoint : NULL,
        .request_key = BYTES_ARR(request->request_key),
        .transaction_id = request->transaction_id,
        .signer = endpoint ? BYTES_ARR(request->signer_digest) : BYTES_NONE,
        .spki = request->csr.spki,
        .spki_digest = BYTES_ARR(request->spki_digest),
        .info = buf_bytes(&request->info),
        .peer = request->peer,
        .challenge_mac =
            grant->claims ? bytes_of(grant->challenge_mac, sizeof(grant->challenge_mac)) : BYTES_NONE,
        .follows = request->follows,
        .authority = authority_asking(request->requester, grant),
        .signed_with = digest_name(request->csr.algorithm.digest),
    };
}

static void attempt_free(struct attempt *attempt)
{
    buf_free(&attempt->subject);
    buf_free(&attempt->san);
    buf_free(&attempt->peer);
    buf_free(&attempt->tbs);
}

/* Names as a set: the same ones in another order are the same identity. */
static enum err identity_make(const struct grant *grant, uint8_t ret[static 32], struct why *why)
{
    struct der_reader in = der_reader_over(buf_bytes(&grant->san)), names = { BYTES_NONE };
    AUTO_BUF set = { 0 };
    if (grant->san.len && !der_get_sequence(&in, &names))
        return fail(why, ERR_INTERNAL, "names of the grant malformed");
    if (!der_put_set_of(&set, DER_SET, names.rest))
        return fail(why, ERR_INTERNAL, "names of the grant malformed");
    struct bytes parts[] = { buf_bytes(&grant->subject), buf_bytes(&set) };
    return sha256_parts(parts, 2, ret, why);
}

static void peer_text(struct attempt *attempt)
{
    char text[128];
    log_escape((const char *)attempt->params->peer.data, attempt->params->peer.len, text, sizeof(text));
    buf_append_str(&attempt->peer, text);
}

static enum err attempt_begin(struct attempt *attempt, struct why *why)
{
    const struct grant *grant = attempt->grant;
    attempt->now = clock_now(attempt->ca->clock);
    name_append_text(&attempt->subject, buf_bytes(&grant->subject));
    if (grant->san.len)
        san_append_text(&attempt->san, buf_bytes(&grant->san));
    peer_text(attempt);
    return identity_make(grant, attempt->identity, why);
}

/* spec ca.md: the validity that was granted, never past the CA's own end. */
static enum err times_make(struct attempt *attempt, struct why *why)
{
    const struct issuer *issuer = attempt->params->issuer;
    const struct template *template = attempt->grant->template;
    int64_t now = attempt->now, back = issuer->backdate_s; /* the most that signer seals */
    if (template->backdate_s >= 0 && template->backdate_s < back)
        back = template->backdate_s;
    int64_t not_before = now - back, not_after = now + attempt->grant->validity_s;
    char ends[21];
    clock_rfc3339(issuer->cert.not_after, ends);
    if (!FAULT(not_after) && not_after > issuer->cert.not_after)
        not_after = issuer->cert.not_after;
    if (not_before < issuer->cert.not_before)
        not_before = issuer->cert.not_before;
    if (now < issuer->cert.not_before || not_after <= now)
        return fail(why, ERR_UNAVAILABLE, "the certificate of ca %s is not valid now; it ends %s",
                    issuer->name, ends);
    attempt->not_before = not_before;
    attempt->not_after = not_after;
    return OK;
}

/* Microsoft's: the template's name, and its OID with the version (major, minor) where it has one. */
static void information_put(const struct template *template, struct buf *out)
{
    AUTO_BUF name = { 0 }, text = { 0 }, version = { 0 };
    if (!template->template_information)
        return;
    for (const char *at = template->name; *at; at++) { /* ASCII: template_name_check */
        buf_append_byte(&text, 0);
        buf_append_byte(&text, (uint8_t)*at);
    }
    der_put(&name, DER_BMP_STRING, buf_bytes(&text));
    extension_put(out, OID_MS_TEMPLATE_NAME, false, buf_bytes(&name));
    if (!template->oid.len)
        return;
    size_t mark = der_begin(&version, DER_SEQUENCE);
    der_put_oid(&version, buf_bytes(&template->oid));
    der_put_int64(&version, template->version);
    der_put_int64(&version, 0);
    der_end(&version, mark);
    extension_put(out, OID_MS_TEMPLATE_V2, false, buf_bytes(&version));
}

/* RFC 6960 4.2.2.2.1: who asks about the responder's own certificate would ask the responder. It is short-lived instead. */
static void nocheck_append(const struct grant *grant, struct buf *out)
{
    struct bytes purpose;
    for (size_t at = 0; grant_purpose_next(grant, &at, &purpose);) {
        if (oid_is(purpose, OID_KP_OCSP_SIGNING)) {
            extension_put(out, OID_OCSP_NOCHECK, false, BYTES_LIT("\x05\x00"));
            return;
        }
    }
}

static enum err tbs_make(struct attempt *attempt, struct why *why)
{
    const struct issuer *issuer = attempt->params->issuer;
    const struct grant *grant = attempt->grant;
    struct bytes eku[TEMPLATE_EKU_MAX];
    size_t eku_count = 0;
    AUTO_BUF text = { 0 }, more = { 0 };
    information_put(grant->template, &more);
    nocheck_append(grant, &more);
    for (size_t at = 0; eku_count < TEMPLATE_EKU_MAX && grant_purpose_next(grant, &at, &eku[eku_count]);)
        eku_count++;
    TRY(times_make(attempt, why));
    TRY(serial_make(attempt->now, attempt->serial_octets, why));
    serial_append_text(&text, BYTES_ARR(attempt->serial_octets));
    snprintf(attempt->serial, sizeof(attempt->serial), "%s", buf_text(&text));
    attempt->partition = crl_partition_of(issuer->partitions.count, BYTES_ARR(attempt->serial_octets));
    AUTO_VAL(crl_urls) cdp = crl_partition_urls(&issuer->partitions, attempt->partition);
    struct tbs_params params = {
        .serial = BYTES_ARR(attempt->serial_octets),
        .algorithm = issuer->algorithm,
        .issuer = issuer->cert.subject,
        .subject = buf_bytes(&grant->subject),
        .spki = attempt->params->spki,
        .not_before = attempt->not_before,
        .not_after = attempt->not_after,
        .key_usage = grant->key_usage,
        .eku = eku,
        .eku_count = eku_count,
        .path_len = -1,
        .san = buf_bytes(&grant->san),
        .issuer_key_id = issuer->aki,
        .cdp = (const char *const *)cdp.list,
        .cdp_count = cdp.count,
        .aia_ca_issuers = (const char *const *)issuer->aia,
        .aia_ca_issuers_count = issuer->aia_count,
        .aia_ocsp = (const char *const *)issuer->ocsp,
        .aia_ocsp_count = issuer->ocsp_count,
        .more_extensions = buf_bytes(&more),
    };
    buf_free(&attempt->tbs);
    TRY(tbs_build(&params, &attempt->tbs, why));
    return FAULT(lint) ? OK : tbs_lint(buf_bytes(&attempt->tbs), why);
}

/* spec security.md A14: a key that is certified for one identity is never certified for another, whatever became of the
   certificate. */
static enum err identity_check(struct store_tx *tx, const struct attempt *attempt, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    /* Two ranges of the index: <> would read every certificate of a key that is renewed for years. */
    TRY(store_query(tx,
                    "SELECT serial, subject FROM certificate WHERE issuer_id = $1 AND spki_digest = $2 "
                    "AND identity < $3 AND status <> 'void' UNION ALL "
                    "SELECT serial, subject FROM certificate WHERE issuer_id = $1 AND spki_digest = $2 "
                    "AND identity > $3 AND status <> 'void' LIMIT 1",
                    S_ARGS(S_TEXT(attempt->params->issuer->name), S_BYTES(attempt->params->spki_digest),
                           S_BYTES(BYTES_ARR(attempt->identity))),
                    &rows, why));
    if (FAULT(one_identity_per_key) || store_rows_count(rows) == 0)
        return OK;
    return fail(why, ERR_BAD_REQUEST,
                "the key of \"%.*s\" is certified for \"%s\" (serial %s) already (security rule A14)",
                (int)attempt->subject.len, attempt->subject.data, store_str(rows, 0, 1),
                store_str(rows, 0, 0));
}

static enum err certificate_insert(struct store_tx *tx, struct attempt *attempt, struct why *why)
{
    const struct reserve_params *p = attempt->params;
    const struct managed *managed = attempt->grant->managed;
    enum err err = store_exec(
        tx,
        "INSERT INTO certificate (issuer_id, serial, node_id, request_id, requester, template, subject, san, "
        "identity, "
        "spki_digest, not_before, not_after, status, tbs, authority, crl_partition, device) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'reserved', $13, $14, $15, $16)",
        S_ARGS(S_TEXT(p->issuer->name), S_TEXT(attempt->serial), S_TEXT(attempt->ca->node),
               S_INT(attempt->request_id), S_TEXT(p->requester), S_TEXT(attempt->grant->template->name),
               S_TEXT(buf_text(&attempt->subject)), S_TEXT(buf_text(&attempt->san)),
               S_BYTES(BYTES_ARR(attempt->identity)), S_BYTES(p->spki_digest), S_INT(attempt->not_before),
               S_INT(attempt->not_after), S_BYTES(buf_bytes(&attempt->tbs)), S_TEXT(p->authority),
               attempt->partition ? S_INT(attempt->partition) : S_NULL,
               managed ? store_text_of(managed->opened.challenge.device) : S_NULL),
        NULL, why);
    attempt->serial_taken = err == ERR_CONFLICT;
    return FAULT(serial_unique) && attempt->serial_taken ? OK : err;
}

/* In the unit that keeps the request, whether it is issued or waits: what is taken later could be taken twice. */
static enum err challenge_take(struct store_tx *tx, const struct attempt *attempt, struct why *why)
{
    const struct reserve_params *p = attempt->params;
    if (attempt->grant->managed) {
        const struct managed_claim claim = { attempt->ca, p->issuer, attempt->grant->managed,
                                             attempt->request_id, attempt->now };
        return p->approved_id ? managed_claim_spend(tx, &claim, why) : managed_claim_take(tx, &claim, why);
    }
    if (!p->claim_at)
        return OK;
    if (p->resubmitted) {
        struct challenge_claim spent = { p->claim_at, p->challenge_mac.data, attempt->request_id,
                                         attempt->now };
        return challenge_spend(tx, &spent, why);
    }
    struct challenge_claim claim = { p->claim_at, attempt->grant->challenge_mac, attempt->request_id,
                                     attempt->now };
    return challenge_claim(tx, &claim, why);
}

/* Here, too: a revocation that came in since is not overlooked, and the limit holds however many ask at once. */
static enum err follow_check(struct store_tx *tx, const struct attempt *attempt, struct why *why)
{
    const struct reserve_params *p = attempt->params;
    const struct own_tls_judging judging = { p->issuer, p->follows, attempt->now, 1 };
    if (!p->follows)
        return OK;
    if (!FAULT(tls_renew_inside))
        TRY(own_tls_judge(tx, &judging, why));
    const struct audit_entry entry = { p->issuer->name, p->follows->role, "tls_renew", p->follows->serial,
                                       attempt->serial };
    return audit_write(tx, attempt->ca, &entry, why);
}

static enum err reserve_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct attempt *attempt = arg;
    const struct reserve_params *p = attempt->params;
    attempt->serial_taken = false;
    TRY(p->resubmitted   ? request_resubmit(tx, attempt, why)
        : p->approved_id ? request_approve(tx, attempt, why)
                         : request_insert(tx, attempt, why));
    if (attempt->disposition == DISPOSITION_PENDING)
        return FAULT(managed_waiting) ? OK : challenge_take(tx, attempt, why);
    TRY(follow_check(tx, attempt, why));
    TRY(identity_check(tx, attempt, why));
    TRY(certificate_insert(tx, attempt, why));
    return challenge_take(tx, attempt, why);
}

/* An attempt on its way to the disk. */
struct reserving {
    struct attempt attempt;
    struct reservation *ret;
    int serials; /* tried */
    issue_done done;
    void *arg;
};

static enum err reserving_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct reserving *reserving = arg;
    return reserve_work(tx, &reserving->attempt, why);
}

static void reserving_end(struct reserving *reserving, enum err err, const struct why *why)
{
    struct attempt *attempt = &reserving->attempt;
    if (err == OK) {
        struct reservation slot = { .issuer = attempt->params->issuer, .request_id = attempt->request_id };
        memcpy(slot.serial, attempt->serial, sizeof(slot.serial));
        memcpy(slot.over, attempt->over, sizeof(slot.over));
        reservation_of_authority(&slot, attempt->params->authority);
        slot.tbs = TAKE_BUF(attempt->tbs);
        *reserving->ret = slot;
    }
    reserving->done(reserving->arg, err, why);
    attempt_free(attempt);
    free(reserving);
}

static void on_reserved(void *arg, enum err err, const struct why *why);

static void reserve_with_fresh_serial(struct reserving *reserving)
{
    struct why why = { 0 };
    enum err err =
        reserving->serials++ < SERIAL_ATTEMPTS
            ? tbs_make(&reserving->attempt, &why)
            : fail(&why, ERR_INTERNAL, "%d fresh serials in a row were taken: the random generator is broken",
                   SERIAL_ATTEMPTS);
    if (err != OK || FAULT(t1_before_signing))
        reserving_end(reserving, err, &why);
    else
        store_submit(reserving->attempt.ca->store, reserving_work, on_reserved, reserving);
}

static void on_reserved(void *arg, enum err err, const struct why *why)
{
    struct reserving *reserving = arg;
    if (err == ERR_CONFLICT && reserving->attempt.serial_taken)
        reserve_with_fresh_serial(reserving);
    else
        reserving_end(reserving, err, why);
}

void issue_reserve_start(struct ca *ca, const struct reserve_start *start, issue_done done, void *arg)
{
    struct reserving *reserving = xcalloc(1, sizeof(*reserving));
    struct why why = { 0 };
    *reserving = (struct reserving){
        .attempt = { .ca = ca,
                     .params = start->params,
                     .grant = start->grant,
                     .disposition = DISPOSITION_SEALING },
        .ret = start->ret,
        .done = done,
        .arg = arg,
    };
    enum err err = attempt_begin(&reserving->attempt, &why);
    if (err == OK)
        reserve_with_fresh_serial(reserving);
    else
        reserving_end(reserving, err, &why);
}

enum err issue_reserve(struct ca *ca, const struct reserve_params *params, const struct grant *grant,
                       struct reservation *ret, struct why *why)
{
    struct await reserved;
    const struct reserve_start start = { params, grant, ret };
    await_open(&reserved);
    issue_reserve_start(ca, &start, issue_await, &reserved);
    return await_outcome(&reserved, why);
}

static enum err wait_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct attempt *attempt = arg;
    const struct reserve_params *p = attempt->params;
    TRY(request_insert(tx, attempt,
                       why)); /* takes the counter's row first: the count cannot move meanwhile */
    AUTO(store_rows) rows = NULL;
    TRY(store_query(
        tx, "SELECT COUNT(*) FROM request WHERE issuer_id = $1 AND endpoint = $2 AND disposition = 'pending'",
        S_ARGS(S_TEXT(p->issuer->name), S_TEXT(p->endpoint)), &rows, why));
    if (!FAULT(pending_max) && store_int(rows, 0, 0) > attempt->pending_max)
        return fail(why, ERR_LIMIT, "endpoint %s has %lld pending requests, pending_max is %lld", p->endpoint,
                    (long long)store_int(rows, 0, 0) - 1, (long long)attempt->pending_max);
    return FAULT(waiting_claims) ? OK : challenge_take(tx, attempt, why);
}

enum err issue_wait(struct ca *ca, const struct reserve_params *params, const struct grant *grant,
                    int64_t pending_max, int64_t *ret_request_id, struct why *why)
{
    AUTO_VAL(attempt)
    attempt = { .ca = ca,
                .params = params,
                .grant = grant,
                .disposition = DISPOSITION_PENDING,
                .pending_max = pending_max };
    TRY(attempt_begin(&attempt, why));
    TRY(store_write(ca->store, wait_work, &attempt, why));
    *ret_request_id = attempt.request_id;
    return OK;
}

static enum err refuse_work(struct store_tx *tx, void *arg, struct why *why)
{
    return request_refuse(tx, arg, why);
}

/* No template has judged it: so much of it as a list can show. */
static void asked_text(struct buf *whole, struct buf *ret)
{
    char text[ASKED_TEXT_BYTES];
    log_escape(buf_text(whole), whole->len, text, sizeof(text));
    buf_append_str(ret, text);
}

static void asked_names(struct attempt *attempt, const struct csr *csr)
{
    AUTO_BUF subject = { 0 }, san = { 0 };
    name_append_text(&subject, csr->subject);
    if (csr->san.len)
        san_append_text(&san, csr->san);
    asked_text(&subject, &attempt->subject);
    asked_text(&san, &attempt->san);
}

enum err issue_refuse(struct ca *ca, const struct refused *refused, const struct why *reason, struct why *why)
{
    struct why clean = { .err = reason->err };
    log_escape(reason->text, strlen(reason->text), clean.text,
               sizeof(clean.text)); /* text of the store is UTF-8 */
    AUTO_VAL(attempt)
    attempt = { .ca = ca,
                .params = refused->params,
                .grant = refused->grant,
                .disposition = DISPOSITION_FAILED,
                .reason = &clean };
    attempt.now = clock_now(ca->clock);
    peer_text(&attempt);
    asked_names(&attempt, refused->csr);
    return store_write(ca->store, refuse_work, &attempt, why);
}
