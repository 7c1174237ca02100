/* SPDX-License-Identifier: Apache-2.0 */
/* Roles ask for certificates of their own, and administrators for those of a PKCS#10 file. Each outcome is one log line here. */
#include "base/encode.h"
#include "base/limits.h"
#include "base/log.h"
#include "ca/enroll.h"
#include "ca/verbs.h"
#include <stdlib.h>

/* A request on its way, and the call that waits for it. */
struct issue_call {
    struct ca *ca;
    struct ipc_call *call;
    char *requester, *template_name;
    struct buf csr;
    struct own_request own; /* views into the others */
    void (*put)(const struct issue_call *issue, const struct enrolled *enrolled, struct buf *out);
};

static void issue_call_free(struct issue_call *issue)
{
    free(issue->requester);
    free(issue->template_name);
    buf_free(&issue->csr);
    free(issue);
}

static void issue_answer(struct issue_call *issue, enum err err, struct bytes body, const struct why *why)
{
    if (err != OK) {
        char name[3 * LIMIT_NAME_BYTES + 1] = "";
        if (issue->template_name)
            log_escape(issue->template_name, strlen(issue->template_name), name, sizeof(name));
        log_warn(NULL, "issue refused error=%s by=%s template=%s reason=\"%s\"", err_row(err)->name,
                 issue->requester, name, why->text);
    }
    ipc_call_answer(issue->call, err, body, why);
    issue_call_free(issue);
}

/* A service has nobody who reads its answer: an administrator has. */
static void waiting_log(const struct issue_call *issue, const struct enrolled *enrolled)
{
    bool alarm = authority_of(issue->requester) != NULL;
    if (!enrolled->again)
        log_at(alarm ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, NULL,
               "%sissue waits for an administrator request=%lld by=%s reason=\"%s\"", alarm ? "alarm: " : "",
               (long long)enrolled->request_id, issue->requester, enrolled->over);
}

static void put_certificate(const struct issue_call *issue, const struct enrolled *enrolled, struct buf *out)
{
    (void)issue;
    der_put_octets(out, buf_bytes(&enrolled->certificate));
}

static void put_record(const struct issue_call *issue, const struct enrolled *enrolled, struct buf *out)
{
    bool waits = enrolled->disposition == ENROLL_PENDING;
    AUTO_BUF pem = { 0 };
    if (!waits)
        pem_append(&pem, "CERTIFICATE", buf_bytes(&enrolled->certificate));
    size_t list = records_begin(out), mark = record_begin(out);
    record_put_int(out, "id", enrolled->request_id);
    record_put_str(out, "ca", issue->own.issuer->name);
    record_put_str(out, "disposition", disposition_name(waits ? DISPOSITION_PENDING : DISPOSITION_ISSUED));
    record_put_str(out, "serial", waits ? "" : enrolled->serial);
    record_put(out, "pem", buf_bytes(&pem));
    record_end(out, mark);
    records_end(out, list);
}

static void on_enrolled(void *arg, enum err err, struct enrolled *enrolled, const struct why *why)
{
    struct issue_call *issue = arg;
    AUTO_BUF body = { 0 };
    if (err == OK && enrolled->disposition == ENROLL_PENDING)
        waiting_log(issue, enrolled);
    else if (err == OK)
        log_info(NULL, "issue issued%s request=%lld serial=%s by=%s template=%s",
                 enrolled->again ? " again" : "", (long long)enrolled->request_id, enrolled->serial,
                 issue->requester, issue->template_name);
    if (err == OK)
        issue->put(issue, enrolled, &body);
    issue_answer(issue, err, buf_bytes(&body), why);
}

static void go_on(void *arg, void (*work)(void *work_arg), void *work_arg)
{
    struct issue_call *issue = arg;
    ipc_call_go_on(issue->call, work, work_arg);
}

static void issue_start(void *arg)
{
    struct issue_call *issue = arg;
    ca_enroll_own_start(issue->ca, &issue->own,
                        &(struct enroll_start){ .go_on = go_on, .done = on_enrolled, .arg = issue });
}

static enum err issue_read(struct issue_call *issue, struct bytes body, struct why *why)
{
    struct record record;
    AUTO_STR csr = NULL;
    struct issuer *issuer;
    TRY(record_get(body, &record, why));
    TRY(verb_issuer(issue->ca, &record, &issuer, why));
    TRY(verb_field(&record, "template", &issue->template_name, why));
    TRY(verb_field(&record, "csr", &csr, why));
    if (!base64_decode(bytes_str(csr), false, &issue->csr))
        return fail(why, ERR_MALFORMED, "the field csr is not base64 (RFC 4648 section 4)");
    issue->own = (struct own_request){ .issuer = issuer,
                                       .requester = issue->requester,
                                       .template_name = bytes_str(issue->template_name),
                                       .csr = buf_bytes(&issue->csr) };
    return OK;
}

static void issue_begin(void *role, struct ipc_call *call,
                        void (*put)(const struct issue_call *issue, const struct enrolled *enrolled,
                                    struct buf *out))
{
    struct issue_call *issue = xcalloc(1, sizeof(*issue));
    struct why why = { 0 };
    issue->ca = role;
    issue->call = call;
    issue->put = put;
    issue->requester = principal_of(ipc_call_caller(call)->principal);
    enum err err = issue_read(issue, ipc_call_body(call), &why);
    if (err != OK)
        issue_answer(issue, err, BYTES_NONE, &why);
    else if (store_is_remote(issue->ca->store))
        ipc_call_go_on(call, issue_start, issue); /* as verb_request: it looks at templates first */
    else
        issue_start(issue);
}

void verb_issue(void *role, struct ipc_call *call)
{
    issue_begin(role, call, put_certificate);
}

void verb_request_submit(void *role, struct ipc_call *call)
{
    issue_begin(role, call, put_record);
}
