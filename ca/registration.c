/* SPDX-License-Identifier: Apache-2.0 */
/* VerifyRequest and Notify of another SCEP server: judged, claimed, closed. */
#include "ca/registration.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/log.h"
#include "ca/audit.h"
#include "ca/authority.h"
#include "ca/crp_check.h"
#include "ca/managed_claim.h"
#include "ca/outbox.h"
#include "ca/registration_row.h"
#include <stdio.h>

static void registered_of(int64_t request_id, const char *authority, bool again, struct registered *ret)
{
    *ret = (struct registered){ .request_id = request_id, .again = again };
    snprintf(ret->authority, sizeof(ret->authority), "%s", authority);
}

/* --- VerifyRequest --- */

struct claiming {
    const struct registration_ask *ask;
    char *server, *requester;
    struct request request;
    struct managed *managed; /* from phase 1 on */
    struct crp_lines lines;
    int64_t now;
    struct why refusal; /* fit for the store */
    struct registered registered;
};

static void claiming_free(struct claiming *claiming)
{
    request_free(&claiming->request);
    managed_free(claiming->managed);
    free(claiming->server);
    free(claiming->requester);
}

static struct bytes challenge_id_of(const struct claiming *claiming)
{
    return BYTES_ARR(claiming->managed->opened.challenge.id);
}

/* The same request is of the same server and CA (both in its key), transaction and content. */
static enum err same_judge(const struct claiming *claiming, const struct registration_row *row,
                           struct why *why)
{
    const struct request *request = &claiming->request;
    bool server = strcmp(row->server, claiming->server) == 0;
    bool transaction = bytes_equal(buf_bytes(&row->transaction_id), request->transaction_id);
    bool content = bytes_equal(buf_bytes(&row->request_key), BYTES_ARR(request->request_key));
    if (FAULT(registration_same) || (server && transaction && content))
        return OK;
    return fail(why, ERR_CHALLENGE_USED,
                "the challenge was used by request %lld of server %s; this one is of %s",
                (long long)row->request_id, row->server,
                !server        ? "another server"
                : !transaction ? "another transaction"
                               : "another content");
}

/* *ret_held: by this very request. */
static enum err held_judge(struct store_tx *tx, struct claiming *claiming, bool *ret_held, struct why *why)
{
    AUTO_VAL(registration_row) row = { 0 };
    TRY(registration_row_of_challenge(tx, challenge_id_of(claiming), ret_held, &row, why));
    if (!*ret_held)
        return OK;
    TRY(same_judge(claiming, &row, why));
    if (strcmp(row.disposition, "issued") == 0 && !FAULT(registration_closed))
        return fail(why, ERR_CHALLENGE_USED,
                    "the challenge was used by request %lld: server %s said that its certificate is %s",
                    (long long)row.request_id, row.server, row.serial);
    registered_of(row.request_id, row.authority, true, &claiming->registered);
    return OK;
}

static struct registration_new new_of(const struct claiming *claiming)
{
    return (struct registration_new){ .ca = claiming->ask->ca,
                                      .request = &claiming->request,
                                      .managed = claiming->managed,
                                      .server = claiming->server,
                                      .template_name = claiming->ask->claim->template_name,
                                      .now = claiming->now };
}

/* No template of ours is asked for: what the challenge expects is what the limits are laid against. */
static enum err limits_judge(struct store_tx *tx, const struct claiming *claiming, struct why *why)
{
    const struct challenge_expectation *expects = &claiming->managed->opened.challenge.expects;
    AUTO_VAL(grant)
    grant = { .subject = buf_dup(expects->subject),
              .san = buf_dup(expects->san),
              .eku = buf_dup(expects->eku) };
    const struct authority_ask ask = { .issuer = claiming->request.issuer->name,
                                       .name = claiming->managed->authority,
                                       .grant = &grant,
                                       .now = claiming->now };
    return FAULT(registration_limits) ? OK : authority_judge_elsewhere(tx, &ask, why);
}

static enum err claim_take(struct store_tx *tx, const struct claiming *claiming, int64_t request_id,
                           struct why *why)
{
    struct registration_new new = new_of(claiming);
    const struct managed_claim claim = { claiming->ask->ca, claiming->request.issuer, claiming->managed,
                                         request_id, claiming->now };
    new.request_id = request_id;
    TRY(managed_claim_take(tx, &claim, why));
    TRY(limits_judge(tx, claiming, why));
    return registration_row_insert(tx, &new, why);
}

/* Under the issuer's counter row it is looked at again: of two that come at once the second sees the first. */
static enum err claim_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct claiming *claiming = arg;
    int64_t request_id;
    bool held;
    TRY(held_judge(tx, claiming, &held, why));
    if (held)
        return OK;
    TRY(counter_next(tx, claiming->request.issuer->name, "request", &request_id, why));
    TRY(held_judge(tx, claiming, &held, why));
    if (held)
        return OK;
    TRY(claim_take(tx, claiming, request_id, why));
    registered_of(request_id, claiming->managed->authority, false, &claiming->registered);
    return OK;
}

/* Told once for each challenge and error, as refusals at our own service are. */
static enum err refuse_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct claiming *claiming = arg;
    const char *issuer = claiming->request.issuer->name;
    struct registration_new new = new_of(claiming);
    bool known;
    new.refusal = &claiming->refusal;
    TRY(registration_row_refuse_again(tx, &new, &known, why));
    if (known)
        return OK;
    TRY(counter_next(tx, issuer, "request", &new.request_id, why));
    TRY(registration_row_refuse_again(tx, &new, &known, why));
    if (known)
        return OK;
    TRY(registration_row_insert(tx, &new, why));
    const struct outbox_event event = {
        issuer,   claiming->managed->authority,         new.request_id,
        "failed", err_row(claiming->refusal.err)->name, claiming->refusal.text
    };
    return outbox_put(tx, claiming->ask->ca, &event, why);
}

/* Who has used a challenge before, and whose has ended, has nothing new for the authority. */
static bool is_to_be_kept(const struct claiming *claiming, enum err err)
{
    return claiming->managed && !err_row(err)->retryable && err != ERR_CHALLENGE_USED &&
           err != ERR_CHALLENGE_EXPIRED;
}

static enum err refusal_keep(struct claiming *claiming, enum err err, const struct why *reason)
{
    struct why ignored = { 0 };
    claiming->refusal.err = err;
    log_escape(reason->text, strlen(reason->text), claiming->refusal.text, sizeof(claiming->refusal.text));
    return is_to_be_kept(claiming, err)
               ? store_write(claiming->ask->ca->store, refuse_work, claiming, &ignored)
               : OK;
}

static enum err request_read(struct claiming *claiming, struct why *why)
{
    const struct registration_ask *ask = claiming->ask;
    struct request *request = &claiming->request;
    const struct own_request own = { .issuer = ask->issuer,
                                     .requester = claiming->requester,
                                     .template_name = ask->claim->template_name,
                                     .csr = buf_bytes(&ask->claim->csr) };
    TRY(request_open_own(ask->ca, &own, request, why));
    request->transaction_id = ask->claim->of.transaction_id;
    request->peer = ask->claim->of.peer;
    TRY(public_key_parse(request->csr.spki, &request->key, why));
    return FAULT(registration_proof) ? OK : csr_verify(&request->csr, request->key, false, why);
}

static enum err claim_judge(struct claiming *claiming, struct why *why)
{
    struct ca *ca = claiming->ask->ca;
    const struct crp_question question = { ca, &claiming->request, &claiming->lines };
    enum err err = request_read(claiming, why);
    if (err == OK)
        TRY(crp_check(&question, &claiming->managed, why)); /* which writes why not itself */
    if (err == OK)
        err = store_write(ca->store, claim_work, claiming, why);
    if (err != OK)
        crp_lines_reason(&claiming->lines, err, why);
    return err;
}

enum err registration_claim(const struct registration_ask *ask, struct registered *ret, struct why *why)
{
    struct ca *ca = ask->ca;
    const struct registration_of *of = &ask->claim->of;
    struct why reason = { 0 };
    AUTO_VAL(claiming) claiming = { .ask = ask, .now = clock_now(ca->clock) };
    if (!ca->crp)
        return fail(why, ERR_UNAVAILABLE, "there is no CRP key");
    claiming.server = xstrndup((const char *)of->server.data, of->server.len);
    claiming.requester = xasprintf("server/%s at %s", claiming.server, ask->issuer->name);
    claiming.request = (struct request){ .transaction_id = of->transaction_id, .peer = of->peer };
    claiming.lines = (struct crp_lines){ .log = ca->crp_log, .clock = ca->clock, .server = claiming.server };
    crp_lines_begin(&claiming.lines, &claiming.request);
    enum err err = claim_judge(&claiming, &reason);
    crp_lines_end(&claiming.lines, err);
    if (err != OK) {
        TRY(refusal_keep(&claiming, err, &reason));
        return fail(why, err, "%s", reason.text);
    }
    *ret = claiming.registered;
    return OK;
}

/* --- Notify --- */

struct closing {
    const struct registration_tell *tell;
    uint8_t challenge_digest[32], spki_digest[32];
    struct cert cert;
    char serial[2 * LIMIT_FOREIGN_SERIAL_BYTES + 1];
    struct registered registered;
};

static const char *word_of(enum registration_disposition disposition)
{
    return disposition == REGISTRATION_ISSUED   ? "issued"
           : disposition == REGISTRATION_FAILED ? "failed"
                                                : "pending";
}

static char *reason_of(const struct registration_notice *notice)
{
    if (notice->disposition == REGISTRATION_ISSUED)
        return xstrdup("");
    return xasprintf("server %.*s said %s, HRESULT 0x%08x", (int)notice->of.server.len,
                     notice->of.server.data, word_of(notice->disposition), notice->hresult);
}

static enum err certificate_read(struct closing *closing, struct why *why)
{
    const struct registration_notice *notice = closing->tell->notice;
    AUTO_BUF serial = { 0 };
    if (notice->disposition != REGISTRATION_ISSUED)
        return OK;
    TRY(cert_parse(buf_bytes(&notice->certificate), &closing->cert, why));
    TRY(sha256_parts(&closing->cert.spki, 1, closing->spki_digest, why));
    serial_append_text(&serial, closing->cert.serial);
    if (serial.len >= sizeof(closing->serial))
        return fail(why, ERR_MALFORMED, "the serial has %zu octets, limit %d", closing->cert.serial.len,
                    LIMIT_FOREIGN_SERIAL_BYTES);
    snprintf(closing->serial, sizeof(closing->serial), "%s", buf_text(&serial));
    return OK;
}

/* Does the notice say what was said before? ERR_WRONG_STATE where it cannot follow. */
static enum err again_judge(const struct closing *closing, const struct registration_row *row,
                            const char *reason, bool *ret_again, struct why *why)
{
    const struct registration_notice *notice = closing->tell->notice;
    const char *word = word_of(notice->disposition);
    bool issued = strcmp(row->disposition, "issued") == 0;
    *ret_again = strcmp(row->disposition, word) == 0 && strcmp(row->reason, reason) == 0 &&
                 bytes_equal(buf_bytes(&row->der), buf_bytes(&notice->certificate));
    if (!issued || *ret_again || FAULT(registration_final))
        return OK;
    return fail(why, ERR_WRONG_STATE, "request %lld was issued as %s; now the server says %s %s",
                (long long)row->request_id, row->serial, word, closing->serial);
}

static enum err key_judge(const struct closing *closing, const struct registration_row *row, struct why *why)
{
    if (closing->tell->notice->disposition != REGISTRATION_ISSUED || FAULT(registration_key) ||
        bytes_equal(buf_bytes(&row->spki_digest), BYTES_ARR(closing->spki_digest)))
        return OK;
    AUTO_BUF wanted = { 0 }, given = { 0 };
    hex_append(&wanted, buf_bytes(&row->spki_digest));
    hex_append(&given, BYTES_ARR(closing->spki_digest));
    return fail(why, ERR_REGISTERED_KEY,
                "certificate %s is of the key %s, request %lld was verified for the key %s", closing->serial,
                buf_text(&given), (long long)row->request_id, buf_text(&wanted));
}

static enum err change_write(struct store_tx *tx, const struct closing *closing,
                             const struct registration_row *row, const char *reason, struct why *why)
{
    const struct registration_notice *notice = closing->tell->notice;
    const char *issuer = closing->tell->issuer->name, *word = word_of(notice->disposition);
    bool issued = notice->disposition == REGISTRATION_ISSUED,
         failed = notice->disposition == REGISTRATION_FAILED;
    char object[32];
    const struct registration_change change = { .issuer = issuer,
                                                .disposition = word,
                                                .reason = reason,
                                                .request_id = row->request_id,
                                                .not_after = closing->cert.not_after,
                                                .now = clock_now(closing->tell->ca->clock),
                                                .serial = issued ? closing->serial : NULL,
                                                .der = buf_bytes(&notice->certificate) };
    TRY(registration_row_change(tx, &change, why));
    const struct outbox_event event = { issuer,
                                        row->authority,
                                        row->request_id,
                                        word,
                                        failed ? err_row(ERR_DENIED)->name : NULL,
                                        *reason ? reason : NULL };
    TRY(outbox_put(tx, closing->tell->ca, &event, why));
    AUTO_STR actor = xasprintf("server/%s", row->server);
    AUTO_STR detail = xasprintf("%s %s", word, issued ? closing->serial : reason);
    snprintf(object, sizeof(object), "request %lld", (long long)row->request_id);
    const struct audit_entry entry = { issuer, actor, "notify", object, detail };
    return audit_write(tx, closing->tell->ca, &entry, why);
}

/* Under a counter's row, so that of two notices the second sees what the first has made of it. */
static enum err close_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct closing *closing = arg;
    const struct registration_notice *notice = closing->tell->notice;
    const struct registration_key key = { closing->tell->issuer->name, notice->of.server,
                                          notice->of.transaction_id, BYTES_ARR(closing->challenge_digest) };
    AUTO_VAL(registration_row) row = { 0 };
    AUTO_STR reason = reason_of(notice);
    int64_t ignored;
    bool found, again = notice->disposition == REGISTRATION_UNKNOWN;
    TRY(counter_next(tx, key.issuer, "registration", &ignored, why));
    TRY(registration_row_find(tx, &key, &found, &row, why));
    if (!found)
        return fail(why, ERR_NOT_FOUND,
                    "server %.*s has verified no request with this challenge and transaction",
                    (int)notice->of.server.len, notice->of.server.data);
    if (!again)
        TRY(again_judge(closing, &row, reason, &again, why));
    registered_of(row.request_id, row.authority, again, &closing->registered);
    if (again)
        return OK;
    TRY(key_judge(closing, &row, why));
    return change_write(tx, closing, &row, reason, why);
}

static enum err notice_judge(struct closing *closing, struct why *why)
{
    const struct registration_notice *notice = closing->tell->notice;
    TRY(certificate_read(closing, why));
    TRY(sha256_parts(&notice->challenge, 1, closing->challenge_digest, why));
    return store_write(closing->tell->ca->store, close_work, closing, why);
}

enum err registration_close(const struct registration_tell *tell, struct registered *ret, struct why *why)
{
    const struct registration_of *of = &tell->notice->of;
    struct why reason = { 0 };
    struct closing closing = { .tell = tell };
    AUTO_STR server = xstrndup((const char *)of->server.data, of->server.len);
    const struct request request = { .transaction_id = of->transaction_id, .peer = of->peer };
    struct crp_lines lines = { .log = tell->ca->crp_log, .clock = tell->ca->clock, .server = server };
    enum err err = notice_judge(&closing, &reason);
    crp_lines_notify(&lines, &request, err, &reason);
    if (err != OK)
        return fail(why, err, "%s", reason.text);
    *ret = closing.registered;
    return OK;
}
