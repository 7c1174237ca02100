/* SPDX-License-Identifier: Apache-2.0 */
/* From an HTTP request to GetCACaps, GetCACert or PKIOperation. Everything but PKIOperation lies ready and is
   answered on the loop thread. */
#include "scep/operation.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "http/query.h"
#include "net/pool.h"
#include "scep/pages.h"
#include "scep/route.h"
#include <stdio.h>
#include <strings.h>

#define RETRY_AFTER    "Retry-After: 10\r\n"
#define EXPIRED_SAY_MS 60000 /* an expired RA certificate is one line a minute, not one per request */
#define SHOWN_BYTES    48    /* of a stranger's text in a log line */

int64_t refusal_time(int64_t arrived_us, int64_t now_us)
{
    int64_t periods = (now_us - arrived_us) / REFUSAL_HOLD_US + 1;
    return arrived_us + periods * REFUSAL_HOLD_US;
}

/* --- the loop thread's part --- */

static void answer_status(struct operation *ret, int status)
{
    ret->answer = (struct http_answer){ .status = status };
    if (status == 503 || status == 429)
        ret->answer.extra_headers = RETRY_AFTER;
}

static void answer_page(struct operation *ret, int status, const char *page)
{
    ret->answer =
        (struct http_answer){ .status = status, .content_type = "text/html", .body = bytes_str(page) };
}

static void answer_bytes(struct operation *ret, const char *type, const struct buf *body)
{
    ret->answer = (struct http_answer){ .status = 200, .content_type = type, .body = buf_bytes(body) };
}

static void log_refused(struct scep *scep, const struct http_request *request, enum err err, const char *what,
                        struct bytes text)
{
    if (!scep_may_log(scep, request->peer))
        return;
    char ctx[128];
    snprintf(ctx, sizeof(ctx), "peer=%s", request->peer);
    char
        shown[4 * SHOWN_BYTES + 8]; /* a stranger's text: it must not end its quotes and forge what follows */
    log_quote((const char *)text.data, text.len < SHOWN_BYTES ? text.len : SHOWN_BYTES, shown, sizeof(shown));
    const struct err_row *row = err_row(err);
    log_info(ctx, "refused: %s \"%s\" error=%s status=%d diagnosis=%s", what, shown, row->name,
             row->http_status, row->diagnosis);
}

/* N13: what a client would encrypt to an expired certificate, or believe of its signature, would fail later
 * and darker. */
static bool ra_has_expired(struct scep *scep, const struct endpoint *endpoint)
{
    if (FAULT(ra_expiry) || ra_set_end(endpoint->ra) >= clock_now(scep->clock))
        return false;
    int64_t now = clock_mono_ms();
    long long said = atomic_load(&scep->expired_said_ms);
    if ((said == INT64_MIN || now - said >= EXPIRED_SAY_MS) &&
        atomic_compare_exchange_strong(&scep->expired_said_ms, &said, (long long)now)) {
        char end[21];
        clock_rfc3339(ra_set_end(endpoint->ra), end);
        const struct err_row *row = err_row(ERR_RA_EXPIRED);
        log_error(NULL, "%s: %s endpoint=%s ra_set=%s not_after=%s status=%d diagnosis=%s", row->text,
                  row->remedy, endpoint->name, endpoint->ra->name, end, row->http_status, row->diagnosis);
    }
    return true;
}

static void get_ca_caps(struct scep *scep, const struct http_request *request, struct operation *ret)
{
    (void)scep, (void)request;
    /* No charset: old sscep compares "text/plain" literally (spec interop.md). */
    answer_bytes(ret, "text/plain", &ret->endpoint->caps);
}

static void get_ca_cert(struct scep *scep, const struct http_request *request, struct operation *ret)
{
    (void)request;
    if (ra_has_expired(scep, ret->endpoint))
        answer_status(ret, err_row(ERR_RA_EXPIRED)->http_status);
    else
        answer_bytes(ret, ret->endpoint->ca_cert_type, &ret->endpoint->ca_cert);
}

/* RFC 8894 4.7.1: no successor yet. Not advertised either. */
static void get_next_ca_cert(struct scep *scep, const struct http_request *request, struct operation *ret)
{
    log_refused(scep, request, ERR_NOT_FOUND, "no successor of the CA certificate for endpoint",
                bytes_str(ret->endpoint->name));
    answer_status(ret, 404);
}

static void pki_operation(struct scep *scep, const struct http_request *request, struct operation *ret)
{
    (void)request;
    if (ra_has_expired(scep, ret->endpoint))
        answer_status(ret, err_row(ERR_RA_EXPIRED)->http_status);
    else
        ret->kind = OPERATION_PKI;
}

typedef void (*operation_fn)(struct scep *scep, const struct http_request *request, struct operation *ret);
static const struct {
    const char *name;
    bool post, head;
    operation_fn run;
} operations[] = {
    { "GetCACaps", false, true, get_ca_caps },
    { "GetCACert", false, true, get_ca_cert },
    { "GetNextCACert", false, true, get_next_ca_cert },
    { "PKIOperation", true, false, pki_operation },
};

/* Names are compared without regard to case, as paths are: a strict check of what decides nothing locks
 * clients out. */
static void operation_run(struct scep *scep, const struct http_request *request, struct bytes name,
                          struct operation *ret)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
        if (strlen(operations[i].name) != name.len ||
            strncasecmp(operations[i].name, (const char *)name.data, name.len) != 0)
            continue;
        if ((request->method == HTTP_POST && !operations[i].post) ||
            (request->method == HTTP_HEAD && !operations[i].head)) {
            log_refused(scep, request, ERR_HTTP_METHOD, "method not for operation", name);
            answer_status(ret, 405);
            ret->answer.extra_headers = operations[i].post ? "Allow: GET, POST\r\n" : "Allow: GET, HEAD\r\n";
            return;
        }
        operations[i].run(scep, request, ret);
        return;
    }
    log_refused(scep, request, ERR_HTTP_BAD, "unknown operation", name);
    answer_status(ret, 400);
}

/* `message` of GetCACaps and GetCACert is ignored: clients put anything there (spec scep.md). */
static void endpoint_run(struct scep *scep, const struct http_request *request, struct operation *ret)
{
    AUTO_BUF name = { 0 };
    bool malformed = false;
    if (query_get(request->query, "operation", &name, &malformed)) {
        operation_run(scep, request, buf_bytes(&name), ret);
    } else if (malformed) {
        log_refused(scep, request, ERR_HTTP_BAD, "bad escape in query", request->query);
        answer_status(ret, 400);
    } else if (ret->endpoint->policy_module) {
        answer_page(ret, 403, page_forbidden);
    } else {
        answer_page(ret, 200, page_information);
    }
}

void operation_decide(struct scep *scep, const struct endpoint_set *set, const struct http_request *request,
                      struct operation *ret)
{
    struct route route = route_find(set, request->path);
    *ret = (struct operation){ .kind = OPERATION_ANSWER, .endpoint = route.endpoint };
    if (route.kind == ROUTE_ENDPOINT) {
        endpoint_run(scep, request, ret);
        return;
    }
    log_refused(scep, request, ERR_HTTP_PATH,
                route.kind == ROUTE_ADMIN
                    ? "no administration page here, chancery password new makes a password for"
                    : "unknown path",
                request->path);
    answer_status(ret, 404);
}

/* --- the worker's part --- */

/* RFC 8894 4.1: base64, URL-escaped. query_get has undone the escapes and left + alone; a + that some proxy
   or client wrote as a blank becomes one again. Cisco's line ends are skipped, missing padding is fine, the
   URL alphabet is not base64 (spec interop.md). */
static enum err message_from_query(struct bytes query, struct buf *ret, struct why *why)
{
    AUTO_BUF text = { 0 };
    bool malformed = false;
    if (!query_get(query, "message", &text, &malformed))
        return fail(why, ERR_HTTP_BAD, "PKIOperation by GET %s",
                    malformed ? "with a bad escape" : "without message");
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == ' ')
            text.data[i] = '+';
    }
    if (!base64_decode(buf_bytes(&text), true, ret) || ret->len == 0)
        return fail(why, ERR_HTTP_BAD, "message of %zu characters is not base64", text.len);
    return OK;
}

enum err operation_message(const struct http_request *request, struct buf *ret, struct why *why)
{
    AUTO_BUF message = { 0 };
    if (request->method == HTTP_GET) {
        TRY(message_from_query(request->query, &message, why));
    } else {
        if (request->body.len == 0)
            return fail(why, ERR_HTTP_BAD, "PKIOperation by POST without a body");
        buf_append(&message, request->body);
    }
    if (message.len > LIMIT_PKI_MESSAGE_BYTES)
        return fail(why, ERR_HTTP_BODY, "pkiMessage of %zu bytes, limit %d", message.len,
                    LIMIT_PKI_MESSAGE_BYTES);
    *ret = TAKE_BUF(message);
    return OK;
}

struct job {
    struct scep *scep;
    struct endpoint_set *set; /* keeps endpoint alive over a reload */
    const struct endpoint *endpoint;
    struct http_exchange *exchange;
    int64_t arrived_us;
    struct pool_place *place;
    struct buf message;
    struct pki_request request;
    void (*work)(void *work_arg); /* of the second job */
    void *work_arg;
};

static void job_free(struct job *job)
{
    endpoint_set_unref(job->set);
    buf_wipe(&job->message);
    free(job);
}
AUTO_DECLARE(job)

/* The id stands in a query: what would end its parameter is written as %XX. */
char *operation_note(const char *id)
{
    AUTO_BUF note = { 0 };
    buf_append_str(&note, "txid=");
    for (; *id; id++) {
        if (strchr("&=%#\"", *id))
            buf_printf(&note, "%%%02X", (unsigned)*id);
        else
            buf_append_byte(&note, (uint8_t)*id);
    }
    return xstrdup(buf_text(&note));
}

static void respond_pki(const struct job *job, const struct pki_answer *pki)
{
    AUTO_STR note = pki->transaction_id[0] ? operation_note(pki->transaction_id) : NULL;
    struct http_answer answer = { .status = pki->status, .log_note = note };
    if (pki->status == 200) {
        answer.content_type = "application/x-pki-message";
        answer.body = buf_bytes(&pki->message);
    } else if (pki->status == 503 || pki->status == 429) {
        answer.extra_headers = RETRY_AFTER;
    }
    if (pki->held)
        answer.not_before_us = refusal_time(job->arrived_us, clock_mono_us());
    http_respond(job->exchange, &answer);
}

static void log_unread(const struct job *job, const struct http_request *request, const struct why *why)
{
    char ctx[256];
    const struct err_row *row = err_row(why->err);
    snprintf(ctx, sizeof(ctx), "peer=%s endpoint=%s", request->peer, job->endpoint->name);
    if (scep_may_log(job->scep, request->peer))
        log_warn(ctx, "refused: %s error=%s status=%d", why->text, row->name, row->http_status);
}

static void job_end(struct job *job)
{
    pool_leave(job->place);
    job_free(job);
}

static void job_work(void *arg, struct pool_place *place)
{
    const struct job *job = arg;
    (void)place;
    job->work(job->work_arg);
}

static void job_go_on(void *arg, void (*work)(void *work_arg), void *work_arg)
{
    struct job *job = arg;
    job->work = work;
    job->work_arg = work_arg;
    pool_go_on(job->place, job_work, job, true);
}

static void job_done(void *arg, const struct pki_answer *answer)
{
    struct job *job = arg;
    respond_pki(job, answer);
    job_end(job);
}

static void job_run(void *arg, struct pool_place *place)
{
    struct job *job = arg;
    struct why why = { 0 };
    const struct http_request *request = http_request(job->exchange);
    pool_keep(place);
    job->place = place;
    enum err err = operation_message(request, &job->message, &why);
    if (err != OK) {
        log_unread(job, request, &why);
        http_respond(job->exchange, &(struct http_answer){ .status = err_row(err)->http_status });
        job_end(job);
        return;
    }
    job->request = (struct pki_request){ job->scep, job->endpoint, buf_bytes(&job->message), request->peer };
    pki_operation_start(&(struct pki_start){ &job->request, job_go_on, job_done, job });
}

/* No worker will take it: better a clear "later" now than an answer after the device gave up. */
static void respond_later(struct scep *scep, struct http_exchange *exchange, enum err err)
{
    char ctx[128];
    const struct err_row *row = err_row(err);
    const struct http_request *request = http_request(exchange);
    snprintf(ctx, sizeof(ctx), "peer=%s", request->peer);
    atomic_fetch_add(&scep->counters.unavailable, 1);
    if (scep_may_log(scep, request->peer))
        log_warn(ctx, "refused: %s error=%s status=%d", row->text, row->name, row->http_status);
    http_respond(exchange, &(struct http_answer){ .status = row->http_status, .extra_headers = RETRY_AFTER });
}

/* The queue was full of others' requests, or this one has waited too long in it. */
static void job_refuse(void *arg)
{
    AUTO(job) job = arg;
    respond_later(job->scep, job->exchange, ERR_BUSY);
}

static void job_submit(struct job *job)
{
    struct scep *scep = job->scep;
    struct http_exchange *exchange = job->exchange;
    const struct http_request *request = http_request(exchange);
    const struct pool_job work = {
        .work = job_run, .refuse = job_refuse, .arg = job, .from = &request->address, .brief = true
    };
    /* Checked again when it comes to the key; here it costs no worker. */
    bool allowed = budget_allows(scep->budget, request->peer, clock_mono_ms());
    if (allowed && pool_submit_from(scep->pool, &work))
        return; /* the worker owns it now */
    respond_later(scep, exchange, allowed ? ERR_BUSY : ERR_RATE);
    job_free(job);
}

void operation_handle(struct http_exchange *exchange, void *arg)
{
    struct scep *scep = arg;
    struct job *job = xcalloc(1, sizeof(*job));
    *job = (struct job){
        .scep = scep, .set = scep_endpoints(scep), .exchange = exchange, .arrived_us = clock_mono_us()
    };
    struct operation operation;
    operation_decide(scep, job->set, http_request(exchange), &operation);
    job->endpoint = operation.endpoint;
    if (operation.kind == OPERATION_PKI) {
        job_submit(job);
        return;
    }
    http_respond(exchange, &operation.answer);
    job_free(job);
}
