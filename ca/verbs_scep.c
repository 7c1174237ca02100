/* SPDX-License-Identifier: Apache-2.0 */
/* What the SCEP service asks. Each outcome is one log line here. */
#include "base/encode.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "ca/certificate.h"
#include "ca/crl.h"
#include "ca/enroll.h"
#include "ca/verbs.h"
#include "x509/name.h"
#include <stdio.h>

/* "tx=… peer=…": transactionID is a stranger's text. */
static void context_make(struct bytes transaction_id, struct bytes peer, char ret[static 200])
{
    char id[100], from[80];
    log_word((const char *)transaction_id.data, transaction_id.len, id, sizeof(id));
    log_escape((const char *)peer.data, peer.len, from, sizeof(from));
    snprintf(ret, 200, "tx=%s peer=%s", id, *from ? from : "-");
}

static void answer_put(const struct enrolled *enrolled, struct buf *ret)
{
    struct enroll_answer answer = { enrolled->disposition, enrolled->request_id,
                                    buf_bytes(&enrolled->certificate) };
    enroll_answer_put(ret, &answer);
}

static void log_answer(const char *context, const char *verb, struct bytes endpoint,
                       const struct enrolled *enrolled)
{
    log_info(context, "%s %s%s request=%lld serial=%s endpoint=%.*s", verb,
             enrolled->disposition == ENROLL_ISSUED ? "issued" : "pending", enrolled->again ? " again" : "",
             (long long)enrolled->request_id, enrolled->serial, (int)endpoint.len, endpoint.data);
}

/* A request on its way, and the call that waits for it. */
struct request_call {
    struct ca *ca;
    struct ipc_call *call;
    struct enroll_request ask;
    char context[200];
};

static void on_enrolled(void *arg, enum err err, struct enrolled *enrolled, const struct why *why)
{
    struct request_call *request = arg;
    const struct enroll_request *ask = &request->ask;
    AUTO_BUF body = { 0 };
    if (err == OK) {
        log_answer(request->context, "request", ask->endpoint, enrolled);
        if (enrolled->over[0] && !enrolled->again)
            log_error(request->context,
                      "alarm: request waits for an administrator request=%lld reason=\"%s\"",
                      (long long)enrolled->request_id, enrolled->over);
        answer_put(enrolled, &body);
    } else {
        ca_note_refusal(request->ca, ask->endpoint, ask->peer, why);
        log_warn(request->context, "request refused error=%s endpoint=%.*s reason=\"%s\"", err_row(err)->name,
                 (int)ask->endpoint.len, ask->endpoint.data, why->text);
    }
    ipc_call_answer(request->call, err, buf_bytes(&body), why);
    free(request);
}

static void go_on(void *arg, void (*work)(void *work_arg), void *work_arg)
{
    struct request_call *request = arg;
    ipc_call_go_on(request->call, work, work_arg);
}

static void request_start(void *arg)
{
    struct request_call *request = arg;
    ca_enroll_start(request->ca, &(struct enroll_start){ &request->ask, go_on, on_enrolled, request });
}

void verb_request(void *role, struct ipc_call *call)
{
    struct request_call *request = xcalloc(1, sizeof(*request));
    struct why why = { 0 };
    enum err err = enroll_request_get(ipc_call_body(call), &request->ask, &why);
    if (err != OK) {
        ipc_call_answer(call, err, BYTES_NONE, &why);
        free(request);
        return;
    }
    request->ca = role;
    request->call = call;
    context_make(request->ask.transaction_id, request->ask.peer, request->context);
    /* It looks at challenges and templates first: where that may take seconds it is no brief job. */
    if (store_is_remote(request->ca->store))
        ipc_call_go_on(call, request_start, request);
    else
        request_start(request);
}

enum err verb_poll(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                   struct why *why)
{
    struct enroll_poll ask;
    AUTO_VAL(enrolled) enrolled = { 0 };
    char context[200];
    struct why reason = { 0 };
    (void)caller;
    TRY(enroll_poll_get(body, &ask, why));
    context_make(ask.transaction_id, BYTES_NONE, context);
    enum err err = ca_poll(role, &ask, &enrolled, &reason);
    if (err != OK) {
        log_warn(context, "poll refused error=%s endpoint=%.*s reason=\"%s\"", err_row(err)->name,
                 (int)ask.endpoint.len, ask.endpoint.data, reason.text);
        return fail(why, err, "%s", reason.text);
    }
    log_answer(context, "poll", ask.endpoint, &enrolled);
    answer_put(&enrolled, ret);
    return OK;
}

static enum err endpoint_get(struct ca *ca, const struct record *record, const struct endpoint **ret,
                             struct why *why)
{
    struct bytes name;
    if (!record_find(record, "endpoint", &name))
        return fail(why, ERR_PROTOCOL, "the field endpoint is missing");
    *ret = ca_find_endpoint(ca, name);
    return *ret ? OK : fail(why, ERR_BAD_REQUEST, "there is no endpoint %.*s", (int)name.len, name.data);
}

/* "issuer" (hex of the Name, optional) must then be the endpoint's CA (RFC 8894 3.3.4). */
static enum err issuer_check(const struct endpoint *endpoint, const struct record *record, struct why *why)
{
    struct bytes text;
    AUTO_BUF name = { 0 };
    if (!record_find(record, "issuer", &text) || !text.len)
        return OK;
    if (!hex_decode(text, &name) || name_check(buf_bytes(&name), why) != OK)
        return fail(why, ERR_PROTOCOL, "the field issuer is not a Name in hexadecimal");
    if (!name_equal(buf_bytes(&name), endpoint->issuer->cert.subject))
        return fail(why, ERR_BAD_CERT_ID, "the issuer asked for is not the CA of endpoint %s",
                    endpoint->name);
    return OK;
}

enum err verb_get_cert(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                       struct why *why)
{
    struct ca *ca = role;
    struct record record;
    const struct endpoint *endpoint;
    AUTO_BUF der = { 0 };
    AUTO_STR serial = NULL;
    (void)caller;
    TRY(record_get(body, &record, why));
    TRY(endpoint_get(ca, &record, &endpoint, why));
    TRY(issuer_check(endpoint, &record, why));
    TRY(verb_field(&record, "serial", &serial, why));
    enum err err = certificate_der(ca, endpoint->issuer, serial, &der, why);
    if (err != OK)
        return err == ERR_NOT_FOUND ? fail(why, ERR_BAD_CERT_ID, "%s", why ? why->text : "") : err;
    der_put_octets(ret, buf_bytes(&der));
    return OK;
}

/* The CRL that the certificate names: of its serial's partition, also when nobody has that serial. */
static enum err scope_of_serial(const struct record *record, struct crl_scope *scope, struct why *why)
{
    AUTO_STR text = NULL;
    AUTO_STR serial = NULL;
    if (!crl_is_partitioned(&scope->issuer->partitions))
        return OK;
    TRY(verb_field(record, "serial", &text, why));
    TRY(serial_from_text(text, &serial, why));
    TRY(crl_partition_of_text(scope->issuer, serial, &scope->partition, why));
    if (FAULT(scep_crl_partition))
        scope->partition = 1;
    return OK;
}

enum err verb_get_crl(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                      struct why *why)
{
    struct ca *ca = role;
    struct record record;
    const struct endpoint *endpoint;
    struct crl_scope scope = { .kind = CRL_FULL };
    struct crl_state state;
    AUTO_BUF der = { 0 };
    (void)caller;
    TRY(record_get(body, &record, why));
    TRY(endpoint_get(ca, &record, &endpoint, why));
    TRY(issuer_check(endpoint, &record, why));
    scope.issuer = endpoint->issuer;
    TRY(scope_of_serial(&record, &scope, why));
    TRY(crl_current(ca, &scope, &state, &der, why));
    if (!state.exists || !der.len)
        return fail(why, ERR_UNAVAILABLE, "ca %s has published no CRL yet", endpoint->issuer->name);
    der_put_octets(ret, buf_bytes(&der));
    return OK;
}
