/* SPDX-License-Identifier: Apache-2.0 */
/* From an exchange to the routes and back. */
#include "mdm/api/https.h"

#include "mdm/agent/agent.h"
#include "mdm/api/credential.h"
#include "net/pool.h"

struct job {
    struct http_exchange *exchange;
    const struct https_way *way;
};

/* Answers have tokens, and what is nobody else's business: no cache keeps one. */
static void respond(struct http_exchange *exchange, struct api_answer *answer)
{
    AUTO_STR headers = xasprintf("Cache-Control: no-store\r\n%s", answer->headers ? answer->headers : "");
    const struct http_answer http = { .status = answer->status,
                                      .content_type = answer->content_type,
                                      .body = buf_bytes(&answer->body),
                                      .extra_headers = headers };
    http_respond(exchange, &http);
    api_answer_free(answer);
}

static struct bytes header(const struct http_exchange *exchange, const char *name)
{
    struct bytes value;
    return http_header(exchange, name, &value) ? value : BYTES_NONE;
}

static struct credential_headers credential_headers(const struct http_exchange *exchange)
{
    struct credential_headers headers = { 0 };
    headers.authorizations = http_header_lines(exchange, "authorization", &headers.authorization);
    headers.cookies = http_header_lines(exchange, "cookie", &headers.cookie);
    headers.csrfs = http_header_lines(exchange, CSRF_HEADER, &headers.csrf);
    return headers;
}

void api_https_serve(struct http_exchange *exchange, struct mdm *mdm, struct api_answer *ret)
{
    const struct http_request *http = http_request(exchange);
    const struct credential_headers headers = credential_headers(exchange);
    const struct api_request request = { .method = http->method,
                                         .target = http->target,
                                         .content_type = header(exchange, "content-type"),
                                         .if_match = header(exchange, "if-match"),
                                         .body = http->body,
                                         .peer = http->peer };
    credential_serve(mdm, &headers, &request, ret);
}

void agent_https_serve(struct http_exchange *exchange, struct mdm *mdm, struct api_answer *ret)
{
    const struct http_request *http = http_request(exchange);
    const struct agent_request request = { .method = http->method,
                                           .target = http->target,
                                           .content_type = header(exchange, "content-type"),
                                           .body = http->body,
                                           .client_cert = http->client_cert,
                                           .client_refusal = http->client_refusal,
                                           .peer = http->peer };
    agent_serve(mdm, &request, ret);
}

static void run(void *arg, struct pool_place *place)
{
    (void)place;
    struct job job = *(struct job *)arg;
    free(arg);
    struct api_answer answer = { 0 };
    job.way->serve(job.exchange, job.way->mdm, &answer);
    respond(job.exchange, &answer);
}

static void refuse(void *arg)
{
    struct job job = *(struct job *)arg;
    free(arg);
    struct api_answer answer = { 0 };
    api_refuse(ERR_BUSY, "the queue is full", &answer);
    respond(job.exchange, &answer);
}

void https_handle(struct http_exchange *exchange, void *arg)
{
    const struct https_way *way = arg;
    struct job *job = xcalloc(1, sizeof(*job));
    *job = (struct job){ exchange, way };
    const struct pool_job submitted = {
        .work = run, .refuse = refuse, .arg = job, .from = &http_request(exchange)->address
    };
    if (!pool_submit_from(way->pool, &submitted))
        refuse(job);
}
