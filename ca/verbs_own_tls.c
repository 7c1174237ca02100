/* SPDX-License-Identifier: Apache-2.0 */
/* A role's TLS certificate, renewed. Each outcome is one log line here. */
#include "base/encode.h"
#include "base/log.h"
#include "ca/enroll.h"
#include "ca/own_tls.h"
#include "ca/verbs.h"

struct renewal {
    struct ca *ca;
    struct ipc_call *call;
    char *role;
    struct buf csr;
    struct own_tls followed;
    struct own_request own; /* views into the others */
};

static void renewal_end(struct renewal *renewal, enum err err, struct bytes body, const struct why *why)
{
    if (err != OK)
        log_warn(NULL, "TLS certificate not renewed error=%s by=%s serial=%s reason=\"%s\"",
                 err_row(err)->name, renewal->role, renewal->followed.serial ? renewal->followed.serial : "",
                 why->text);
    ipc_call_answer(renewal->call, err, body, why);
    own_tls_free(&renewal->followed);
    buf_free(&renewal->csr);
    free(renewal->role);
    free(renewal);
}

static void on_enrolled(void *arg, enum err err, struct enrolled *enrolled, const struct why *why)
{
    struct renewal *renewal = arg;
    AUTO_BUF body = { 0 };
    if (err == OK) {
        log_info(NULL, "TLS certificate renewed%s request=%lld serial=%s by=%s follows=%s",
                 enrolled->again ? " again" : "", (long long)enrolled->request_id, enrolled->serial,
                 renewal->role, renewal->followed.serial);
        size_t mark = der_begin(&body, DER_SEQUENCE);
        der_put_octets(&body, buf_bytes(&enrolled->certificate));
        der_put_octets(&body, buf_bytes(&renewal->own.issuer->der));
        der_end(&body, mark);
    }
    renewal_end(renewal, err, buf_bytes(&body), why);
}

static void go_on(void *arg, void (*work)(void *work_arg), void *work_arg)
{
    struct renewal *renewal = arg;
    ipc_call_go_on(renewal->call, work, work_arg);
}

static enum err renewal_read(struct renewal *renewal, struct why *why)
{
    struct record record;
    struct issuer *issuer = NULL;
    AUTO_BUF certificate = { 0 }, proof = { 0 };
    TRY(record_get(ipc_call_body(renewal->call), &record, why));
    TRY(verb_certificate(&record, "certificate", &certificate, why));
    TRY(verb_certificate(&record, "csr", &renewal->csr, why));
    TRY(verb_certificate(&record, "proof", &proof, why));
    const struct own_tls_ask ask = { renewal->role, buf_bytes(&certificate), buf_bytes(&renewal->csr),
                                     buf_bytes(&proof) };
    TRY(own_tls_open(renewal->ca, &ask, &issuer, &renewal->followed, why));
    renewal->own = (struct own_request){ .issuer = issuer,
                                         .requester = renewal->role,
                                         .template_name = BYTES_LIT(OWN_TLS_TEMPLATE),
                                         .csr = buf_bytes(&renewal->csr),
                                         .follows = &renewal->followed };
    return OK;
}

static enum err judge_work(struct store_tx *tx, void *arg, struct why *why)
{
    return own_tls_judge(tx, arg, why);
}

static void renewal_start(void *arg)
{
    struct renewal *renewal = arg;
    struct why why = { 0 };
    enum err err = renewal_read(renewal, &why);
    struct own_tls_judging judging = { renewal->own.issuer, &renewal->followed, clock_now(renewal->ca->clock),
                                       1 };
    if (err == OK)
        err = store_read(renewal->ca->store, judge_work, &judging, &why);
    if (err != OK)
        renewal_end(renewal, err, BYTES_NONE, &why);
    else
        ca_enroll_own_start(renewal->ca, &renewal->own,
                            &(struct enroll_start){ .go_on = go_on, .done = on_enrolled, .arg = renewal });
}

void verb_tls_renew(void *role, struct ipc_call *call)
{
    struct renewal *renewal = xcalloc(1, sizeof(*renewal));
    renewal->ca = role;
    renewal->call = call;
    renewal->role = role_principal_of(ipc_call_caller(call)->principal);
    ipc_call_go_on(call, renewal_start, renewal);
}
