/* SPDX-License-Identifier: Apache-2.0 */
/* What scep asks for other SCEP servers. Each outcome is one log line here. */
#include "base/log.h"
#include "ca/registration.h"
#include "ca/verbs.h"
#include <stdio.h>

#define SHOWN_AS "CertificateRegistrationSvc" /* in the list of refusals, where an endpoint's name stands */

/* "tx=… peer=… server=…": transactionID is a stranger's text. */
static void context_make(const struct registration_of *of, char ret[static 480])
{
    char id[100], from[80];
    log_word((const char *)of->transaction_id.data, of->transaction_id.len, id, sizeof(id));
    log_escape((const char *)of->peer.data, of->peer.len, from, sizeof(from));
    snprintf(ret, 480, "tx=%s peer=%s server=%.*s", id, *from ? from : "-", (int)of->server.len,
             of->server.data);
}

static enum err issuer_of(struct ca *ca, const struct registration_of *of, struct issuer **ret,
                          struct why *why)
{
    *ret = ca_find_issuer(ca, of->ca);
    return *ret ? OK : fail(why, ERR_NOT_FOUND, "there is no ca %.*s", (int)of->ca.len, of->ca.data);
}

static void refusal_log(struct ca *ca, const struct registration_of *of, const char *what,
                        const struct why *reason)
{
    char context[480], text[2 * sizeof(reason->text)];
    context_make(of, context);
    log_quote(reason->text, strlen(reason->text), text, sizeof(text));
    ca_note_refusal(ca, bytes_str(SHOWN_AS), of->peer, reason);
    if (reason->err == ERR_REGISTERED_KEY)
        log_error(context, "alarm: %s refused error=%s reason=\"%s\"", what, err_row(reason->err)->name,
                  text);
    else
        log_warn(context, "%s refused error=%s reason=\"%s\"", what, err_row(reason->err)->name, text);
}

enum err verb_challenge_claim(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                              struct why *why)
{
    AUTO_VAL(registration_claim) claim = { 0 };
    struct registration_ask ask = { .ca = role, .claim = &claim };
    struct registered registered = { 0 };
    struct registration_answer answer = { 0 };
    struct why reason = { 0 };
    char context[480];
    (void)caller;
    TRY(registration_claim_get(body, &claim, why));
    TRY(issuer_of(role, &claim.of, &ask.issuer, why));
    enum err err = registration_claim(&ask, &registered, &reason);
    if (err != OK) {
        refusal_log(role, &claim.of, "VerifyRequest", &reason);
        if (err_row(err)->retryable)
            return fail(why, err, "%s", reason.text);
    } else {
        context_make(&claim.of, context);
        log_info(context, "VerifyRequest verified%s request=%lld authority=%s",
                 registered.again ? " again" : "", (long long)registered.request_id, registered.authority);
    }
    answer = (struct registration_answer){
        .verified = err == OK, .again = registered.again, .request_id = registered.request_id, .error = err
    };
    log_escape(reason.text, strlen(reason.text), answer.reason, sizeof(answer.reason));
    registration_answer_put(ret, &answer);
    return OK;
}

enum err verb_challenge_close(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                              struct why *why)
{
    AUTO_VAL(registration_notice) notice = { 0 };
    struct registration_tell tell = { .ca = role, .notice = &notice };
    struct registered registered = { 0 };
    struct why reason = { 0 };
    char context[480];
    (void)caller;
    TRY(registration_notice_get(body, &notice, why));
    TRY(issuer_of(role, &notice.of, &tell.issuer, why));
    enum err err = registration_close(&tell, &registered, &reason);
    if (err != OK) {
        refusal_log(role, &notice.of, "Notify", &reason);
        return fail(why, err, "%s", reason.text);
    }
    context_make(&notice.of, context);
    log_info(context, "Notify%s disposition=%d hresult=0x%08x request=%lld authority=%s",
             registered.again ? " again" : "", (int)notice.disposition, notice.hresult,
             (long long)registered.request_id, registered.authority);
    size_t mark = record_begin(ret);
    record_put_str(ret, "again", registered.again ? "true" : "false");
    record_end(ret, mark);
    return OK;
}
