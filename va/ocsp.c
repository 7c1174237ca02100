/* SPDX-License-Identifier: Apache-2.0 */
/* The loop thread's part, and what a worker does for one request. */
#include "va/ocsp.h"

#include "base/fault.h"
#include "base/log.h"
#include "http/server.h"
#include "net/pool.h"

#define TYPE         "application/ocsp-response"
#define NOT_KEPT     "Cache-Control: no-store\r\n"
#define SAY_EVERY_MS 60000 /* a failure is a line a minute, and not one for each request */

/* --- answers that are not kept --- */

static const char *note_of(enum ocsp_response_status status)
{
    static const char *const notes[] = { [OCSP_MALFORMED_REQUEST] = "ocsp=malformedRequest",
                                         [OCSP_INTERNAL_ERROR] = "ocsp=internalError",
                                         [OCSP_TRY_LATER] = "ocsp=tryLater",
                                         [OCSP_UNAUTHORIZED] = "ocsp=unauthorized" };
    return notes[status];
}

static void der_respond(struct http_exchange *exchange, struct bytes der, const char *note)
{
    const struct http_answer answer = {
        .status = 200, .content_type = TYPE, .body = der, .extra_headers = NOT_KEPT, .log_note = note
    };
    http_respond(exchange, &answer);
}

static void error_respond(struct va *va, struct http_exchange *exchange, enum ocsp_response_status status)
{
    AUTO_BUF der = { 0 };
    atomic_fetch_add(status == OCSP_TRY_LATER ? &va->counters.later : &va->counters.refused, 1);
    ocsp_error_put(&der, status);
    der_respond(exchange, buf_bytes(&der), note_of(status));
}

static enum ocsp_response_status status_of(enum err err)
{
    bool busy = err == ERR_BUSY && !FAULT(va_ca_busy);
    bool later = err == ERR_UNAVAILABLE || err == ERR_TIMEOUT || busy || err == ERR_STORE;
    return later ? OCSP_TRY_LATER : OCSP_INTERNAL_ERROR;
}

static void say_failed(struct va *va, const struct why *why)
{
    int64_t now = clock_mono_ms();
    long long said = atomic_load(&va->failure_said_ms);
    if ((!said || now - said >= SAY_EVERY_MS) &&
        atomic_compare_exchange_strong(&va->failure_said_ms, &said, now))
        log_warn(NULL, "OCSP answer not made: %s error=%s", why->text, err_row(why->err)->name);
}

/* --- a worker's part --- */

struct job {
    struct va *va;
    struct http_exchange *exchange; /* NULL: the answer is made for the cache */
    struct buf der;
    struct ocsp_request request; /* views into der */
};

static void job_free(struct job *job)
{
    buf_free(&job->der);
    free(job);
}

static struct job *job_new(struct va *va, struct http_exchange *exchange, struct bytes der)
{
    struct job *job = xcalloc(1, sizeof(*job));
    struct why why;
    job->va = va;
    job->exchange = exchange;
    job->der = buf_dup(der);
    if (ocsp_request_parse(buf_bytes(&job->der), &job->request, &why) != OK)
        die("an OCSP request that was read is none any more: %s", why.text);
    return job;
}

static void made_respond(struct job *job, struct ocsp_made *made)
{
    struct va *va = job->va;
    if (made->document)
        document_respond(TAKE(made->document), job->exchange, clock_now(va->clock));
    else
        der_respond(job->exchange, buf_bytes(&made->der), made->note);
}

static void job_run(void *arg, struct pool_place *place)
{
    (void)place;
    struct job *job = arg;
    struct why why = { 0 };
    struct ocsp_made made = { 0 };
    enum err err = ocsp_make(job->va, &job->request, &made, &why);
    if (err != OK)
        say_failed(job->va, &why);
    if (job->exchange && err == OK)
        made_respond(job, &made);
    else if (job->exchange)
        error_respond(job->va, job->exchange, status_of(err));
    document_unref(made.document);
    buf_free(&made.der);
    job_free(job);
}

/* No worker will take it. Not tryLater: caches and clients are told by HTTP when to come again (RFC 9110 10.2.3). */
static void busy_respond(struct va *va, struct http_exchange *exchange)
{
    const struct http_answer answer = { .status = 503,
                                        .extra_headers = FAULT(va_busy) ? NULL : VA_RETRY_AFTER,
                                        .log_note = "ocsp=busy" };
    atomic_fetch_add(&va->counters.later, 1);
    http_respond(exchange, &answer);
}

static void job_refuse(void *arg)
{
    struct job *job = arg;
    busy_respond(job->va, job->exchange);
    job_free(job);
}

/* Is every status here, so that nobody has to be waited for? */
static bool is_brief(struct va *va, const struct ocsp_request *request, int64_t now)
{
    for (size_t i = 0; i < request->count; i++) {
        bool all_known;
        struct known known;
        struct cache_key key;
        const struct authority *authority = va_find_authority(va, &request->ids[i], &all_known);
        if (!authority || !serial_from_bytes(request->ids[i].serial, &key.serial))
            continue;
        key.authority = authority_index(authority);
        if (!cache_status(va->cache, &key, now, &known))
            return false;
    }
    return true;
}

static void job_submit(struct va *va, struct http_exchange *exchange, struct bytes der,
                       const struct ocsp_request *request)
{
    struct job *job = job_new(va, exchange, der);
    const struct pool_job pool_job = { .work = job_run,
                                       .refuse = job_refuse,
                                       .arg = job,
                                       .from = &http_request(exchange)->address,
                                       .brief = is_brief(va, request, clock_now(va->clock)) };
    if (pool_submit_from(va->pool, &pool_job))
        return;
    job_free(job);
    busy_respond(va, exchange);
}

/* --- the loop thread's part --- */

/* Half of an answer's life is over: the next one is made behind the back of who asked. When the queue is full, or it cannot be made, the
   old one is good until its end. */
static void renew_behind(struct va *va, struct bytes der)
{
    struct job *job = job_new(va, NULL, der);
    if (!pool_submit(va->pool, job_run, job))
        job_free(job);
}

static bool cached_respond(struct va *va, struct http_exchange *exchange, struct bytes der,
                           const struct ocsp_request *request)
{
    bool all_known, renew;
    struct cache_key key;
    int64_t now = clock_now(va->clock);
    const struct authority *authority = va_find_authority(va, &request->ids[0], &all_known);
    if (!authority || request->count != 1 || request->nonce.len ||
        !serial_from_bytes(request->ids[0].serial, &key.serial))
        return false;
    key.authority = authority_index(authority);
    struct document *document = cache_answer(va->cache, &key, request->ids[0].der, now, &renew);
    if (!document)
        return false;
    atomic_fetch_add_explicit(&va->counters.from_cache, 1, memory_order_relaxed);
    if (renew)
        renew_behind(va, der);
    document_respond(document, exchange, now);
    return true;
}

/* RFC 5019 2.2.3: none of its certificates is of a CA of ours. */
static bool is_foreign(const struct va *va, const struct ocsp_request *request, bool *ret_final)
{
    for (size_t i = 0; i < request->count; i++) {
        if (va_find_authority(va, &request->ids[i], ret_final))
            return false;
    }
    return true;
}

void ocsp_handle(struct va *va, struct http_exchange *exchange, struct bytes der)
{
    struct ocsp_request request;
    struct why why;
    bool final;
    if (!der.data || ocsp_request_parse(der, &request, &why) != OK)
        error_respond(va, exchange, OCSP_MALFORMED_REQUEST);
    else if (cached_respond(va, exchange, der, &request))
        return;
    else if (is_foreign(va, &request, &final))
        error_respond(va, exchange, final ? OCSP_UNAUTHORIZED : OCSP_TRY_LATER);
    else
        job_submit(va, exchange, der, &request);
}
