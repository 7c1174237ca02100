/* SPDX-License-Identifier: Apache-2.0 */
/* From an exchange to ca and back. A worker waits for ca: servers are few. */
#include "scep/crs.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "http/path.h"
#include "net/pool.h"
#include "scep/crs_body.h"
#include "scep/crs_caller.h"
#include "scep/operation.h"
#include <ctype.h>
#include <stdio.h>

#define RETRY_AFTER "Retry-After: 10\r\n"

struct crs {
    struct scep *scep;
    struct crs_allowed allowed;
    char *ca; /* whose authorities' challenges count */
    struct buf ca_der;
    struct cert ca_cert;
    atomic_ullong verified, refused, notified;
};

/* --- making it --- */

static void allowed_make(const struct config_section *section, struct crs_allowed *ret)
{
    ret->count = config_list_count(section, "crp_clients");
    ret->names = xcalloc(ret->count + 1, sizeof(*ret->names));
    for (size_t i = 0; i < ret->count; i++) {
        ret->names[i] = xstrdup(config_list_at(section, "crp_clients", i));
        for (char *at = ret->names[i]; *at; at++)
            *at = (char)tolower((unsigned char)*at);
    }
}

static char *cert_path(const struct config *config, const char *name)
{
    AUTO_STR file = xasprintf("certs/%s.crt.pem", name);
    return config_role_path(config, "scep", file);
}

/* Of the CA itself. */
static char *own_path(const struct config *config)
{
    AUTO_STR name = xasprintf("ca-%s", config_str(config_at(config, "scep", 0), "crp_ca"));
    return cert_path(config, name);
}

/* One certificate after the other; what stands between them is no certificate's. */
static enum err anchors_read(const char *path, struct buf *ret, struct why *why)
{
    AUTO_BUF text = { 0 };
    TRY(file_read(path, LIMIT_TEXT_FILE_BYTES, &text, why));
    struct bytes rest = buf_bytes(&text);
    for (;;) {
        AUTO_BUF der = { 0 };
        struct cert cert;
        if (!pem_decode(rest, "CERTIFICATE", &der, &rest))
            break;
        TRY(cert_parse(buf_bytes(&der), &cert, why));
        if (!cert.is_ca && !FAULT(crs_anchor))
            return fail(why, ERR_CONFIG,
                        "%s has a certificate that is no CA's: whoever has it would be trusted", path);
        buf_append(ret, buf_bytes(&der));
    }
    return ret->len ? OK : fail(why, ERR_CONFIG, "%s has no certificate in PEM", path);
}

enum err crs_anchors(const struct config *config, struct buf *ret, struct why *why)
{
    const char *named = config_str(config_at(config, "scep", 0), "crp_client_ca");
    AUTO_STR path = cert_path(config, named);
    AUTO_BUF anchors = { 0 };
    TRY(anchors_read(path, &anchors, why));
    *ret = TAKE_BUF(anchors);
    return OK;
}

enum err crs_new(struct scep *scep, const struct config *config, struct crs **ret, struct why *why)
{
    const struct config_section *section = config_at(config, "scep", 0);
    AUTO(crs) crs = xcalloc(1, sizeof(*crs));
    AUTO_STR path = own_path(config);
    AUTO_BUF text = { 0 };
    crs->scep = scep;
    crs->ca = xstrdup(config_str(section, "crp_ca"));
    allowed_make(section, &crs->allowed);
    TRY(file_read(path, LIMIT_TEXT_FILE_BYTES, &text, why));
    if (!pem_decode(buf_bytes(&text), "CERTIFICATE", &crs->ca_der, NULL))
        return fail(why, ERR_CONFIG, "%s has no certificate in PEM", path);
    TRY(cert_parse(buf_bytes(&crs->ca_der), &crs->ca_cert, why));
    *ret = TAKE(crs);
    return OK;
}

void crs_free(struct crs *crs)
{
    if (!crs)
        return;
    for (size_t i = 0; i < crs->allowed.count; i++)
        free(crs->allowed.names[i]);
    free(crs->allowed.names);
    free(crs->ca);
    buf_free(&crs->ca_der);
    free(crs);
}

struct crs_counters crs_count(struct crs *crs)
{
    return (struct crs_counters){ atomic_load(&crs->verified), atomic_load(&crs->refused),
                                  atomic_load(&crs->notified) };
}

/* --- answers --- */

struct job {
    struct crs *crs;
    struct http_exchange *exchange;
    const char *server; /* who asks */
    bool notify;
    char *note;                   /* of the access log */
    enum crs_substatus substatus; /* of a 403 */
};

static void job_free(struct job *job)
{
    free(job->note);
    free(job);
}
AUTO_DECLARE(job)

/* 403 is for who asks, and for nothing else: that the role itself lacks a right is not the server's to mend. */
static int status_of(enum err err, bool of_caller)
{
    int status = err_row(err)->http_status;
    if (err == ERR_REGISTERED_KEY)
        return 409;
    if (status < 400 || (status == 403 && !of_caller))
        return 500;
    return status;
}

static void respond_status(const struct job *job, int status, const char *headers)
{
    const struct http_answer answer = { .status = status,
                                        .extra_headers = headers                          ? headers
                                                         : status == 503 || status == 429 ? RETRY_AFTER
                                                                                          : NULL,
                                        .log_note = job->note,
                                        .substatus = status == 403 ? (unsigned)job->substatus : 0 };
    http_respond(job->exchange, &answer);
}

/* Which one it was, the log says. */
static void respond_refusal(const struct job *job, const struct why *why, bool of_caller)
{
    const struct http_request *request = http_request(job->exchange);
    const struct err_row *row = err_row(why->err);
    char context[400], text[2 * sizeof(why->text)];
    int status = status_of(why->err, of_caller);
    snprintf(context, sizeof(context), "peer=%s%s%s", request->peer, job->server ? " server=" : "",
             job->server ? job->server : "");
    log_quote(why->text, strlen(why->text), text, sizeof(text));
    if (status == 503)
        atomic_fetch_add(&job->crs->scep->counters.unavailable, 1);
    if (scep_may_log(job->crs->scep, request->peer))
        log_warn(context, "refused: CertificateRegistrationSvc, \"%s\" error=%s status=%d", text, row->name,
                 status);
    respond_status(job, status, NULL);
}

static void respond_verified(const struct job *job, bool verified)
{
    /* The bare word, as the policy module's log shows it. */
    http_respond(job->exchange, &(struct http_answer){ .status = 201,
                                                       .content_type = "application/json; charset=utf-8",
                                                       .body = bytes_str(verified ? "true" : "false"),
                                                       .log_note = job->note });
}

/* --- the worker's part --- */

static void of_fill(const struct job *job, struct registration_of *of)
{
    of->ca = bytes_str(job->crs->ca);
    of->server = bytes_str(job->server);
    of->peer = bytes_str(http_request(job->exchange)->peer);
}

static enum err verify_ask(const struct job *job, struct crs_body *body, bool *ret_verified, struct why *why)
{
    struct crs *crs = job->crs;
    struct registration_answer said = { 0 };
    AUTO_BUF ask = { 0 }, answer = { 0 };
    of_fill(job, &body->claim.of);
    registration_claim_put(&ask, &body->claim);
    TRY(ca_call(crs->scep->ca, "challenge_claim", buf_bytes(&ask), &answer, why));
    TRY(registration_answer_get(buf_bytes(&answer), &said, why));
    atomic_fetch_add(said.verified ? &crs->verified : &crs->refused, 1);
    *ret_verified = said.verified;
    return OK;
}

static enum err notify_ask(const struct job *job, struct crs_body *body, struct why *why)
{
    AUTO_BUF ask = { 0 }, answer = { 0 };
    of_fill(job, &body->notice.of);
    registration_notice_put(&ask, &body->notice);
    TRY(ca_call(job->crs->scep->ca, "challenge_close", buf_bytes(&ask), &answer, why));
    atomic_fetch_add(&job->crs->notified, 1);
    return OK;
}

static enum err body_read(struct job *job, struct crs_body *ret, struct why *why)
{
    struct bytes text = http_request(job->exchange)->body;
    TRY(job->notify ? crs_body_notify(text, ret, why) : crs_body_verify(text, ret, why));
    job->note = operation_note(ret->transaction_id);
    return OK;
}

static void serve(struct job *job)
{
    struct crs *crs = job->crs;
    struct why why = { 0 };
    AUTO_VAL(crs_body) body = { 0 };
    bool verified = false;
    const struct crs_standing standing = { crs->scep, http_request(job->exchange)->client_cert, crs->ca,
                                           &crs->ca_cert };
    enum err err = crs_caller_stands(&standing, &why);
    bool of_caller = err == ERR_NOT_AUTHORISED;
    job->substatus = CRS_REVOKED;
    if (err == OK)
        err = body_read(job, &body, &why);
    if (err == OK)
        err = job->notify ? notify_ask(job, &body, &why) : verify_ask(job, &body, &verified, &why);
    if (err != OK) {
        why.err = err;
        respond_refusal(job, &why, of_caller);
    } else if (job->notify) {
        respond_status(job, 204, NULL);
    } else {
        respond_verified(job, verified);
    }
}

static void job_run(void *arg, struct pool_place *place)
{
    AUTO(job) job = arg;
    (void)place;
    serve(job);
}

static void job_refuse(void *arg)
{
    AUTO(job) job = arg;
    respond_refusal(job, &(struct why){ .err = ERR_BUSY, .text = "the queue is full" }, false);
}

/* --- the loop thread's part --- */

static const char *const paths[] = { "/certificateregistrationsvc/certificate/verifyrequest",
                                     "/certificateregistrationsvc/certificate/notify" };

/* *ret_notify: which of the two it is. */
static enum err path_judge(const struct http_request *request, bool *ret_notify, struct why *why)
{
    AUTO_STR path = path_normalise(request->path);
    bool notify = path && strcmp(path, paths[1]) == 0;
    if (!notify && (!path || strcmp(path, paths[0]) != 0))
        return fail(why, ERR_HTTP_PATH, "there is nothing at %.100s", path ? path : "what is no path");
    if (request->method != HTTP_POST)
        return fail(why, ERR_HTTP_METHOD, "only POST is served");
    *ret_notify = notify;
    return OK;
}

/* Who asks first: a stranger learns nothing of what there is. */
static enum err request_judge(struct job *job, struct why *why)
{
    const struct http_request *request = http_request(job->exchange);
    const struct crs_question question = { &job->crs->allowed, request, clock_now(job->crs->scep->clock),
                                           &job->substatus };
    TRY(crs_caller_judge(&question, &job->server, why));
    return path_judge(request, &job->notify, why);
}

void crs_handle(struct http_exchange *exchange, void *arg)
{
    struct crs *crs = arg;
    struct why why = { 0 };
    struct job *job = xcalloc(1, sizeof(*job));
    *job = (struct job){ .crs = crs, .exchange = exchange };
    enum err err = request_judge(job, &why);
    if (err == ERR_HTTP_METHOD) {
        respond_status(job, 405, "Allow: POST\r\n");
        job_free(job);
    } else if (err != OK) {
        respond_refusal(job, &why, true);
        job_free(job);
    } else {
        const struct pool_job work = {
            .work = job_run, .refuse = job_refuse, .arg = job, .from = &http_request(exchange)->address
        };
        if (!pool_submit_from(crs->scep->pool, &work))
            job_refuse(job);
    }
}
