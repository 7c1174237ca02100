/* SPDX-License-Identifier: Apache-2.0 */
/* What goes out by libcurl. libcurl's own words are used by code only: its texts for people may quote the URL. */
#include "cli/send.h"

#include "base/fault.h"
#include <curl/curl.h>

#define CONNECT_TIMEOUT_S 10
#define ANSWER_BYTES_MAX  (64 * 1024) /* nobody reads it */

struct transfer {
    CURL *curl;
    struct curl_slist *list; /* headers or recipients */
    struct secret url;       /* NUL-terminated */
    struct bytes out;        /* what is left to upload */
    size_t answered;
};

static void transfer_free(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->curl);
    curl_slist_free_all(transfer->list);
    secret_free(&transfer->url);
}

static size_t answer_drop(char *data, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    (void)data;
    transfer->answered += size * count;
    return transfer->answered > ANSWER_BYTES_MAX ? 0 : size * count;
}

static size_t upload(char *into, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    size_t len = size * count < transfer->out.len ? size * count : transfer->out.len;
    memcpy(into, transfer->out.data, len);
    transfer->out = bytes_of(transfer->out.data + len, transfer->out.len - len);
    return len;
}

/* --- which URLs are taken --- */

static bool is_this_host(const char *host)
{
    static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(host, names[i]) == 0)
            return true;
    }
    return false;
}

struct url_parts {
    CURLU *handle;
    char *scheme, *host;
};

static void url_parts_free(struct url_parts *parts)
{
    curl_free(parts->scheme);
    curl_free(parts->host);
    curl_url_cleanup(parts->handle);
}

/* plain: the scheme without TLS, which is for this host alone. */
static enum err url_check(const char *url, const char *secure, const char *plain, bool *ret_local,
                          struct why *why)
{
    AUTO_VAL(url_parts) parts = { .handle = curl_url() };
    if (!parts.handle || curl_url_set(parts.handle, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(parts.handle, CURLUPART_SCHEME, &parts.scheme, 0) != CURLUE_OK ||
        curl_url_get(parts.handle, CURLUPART_HOST, &parts.host, 0) != CURLUE_OK)
        return fail(why, ERR_USAGE, "the URL is none: %s://HOST/… is wanted", secure);
    bool local = is_this_host(parts.host);
    bool allowed = strcmp(parts.scheme, secure) == 0 ||
                   (strcmp(parts.scheme, plain) == 0 && (local || strcmp(plain, "smtp") == 0));
    if (!FAULT(send_scheme) && !allowed)
        return fail(why, ERR_USAGE, "the URL has the scheme %s; allowed is %s, and %s to this host itself",
                    parts.scheme, secure, plain);
    *ret_local = local;
    return OK;
}

/* --- one transfer --- */

static enum err transfer_begin(struct transfer *transfer, const struct send_target *target, struct why *why)
{
    transfer->url = secret_new(target->url->len + 1); /* zeroed: its end */
    memcpy(transfer->url.data, target->url->data, target->url->len);
    if (strlen((const char *)transfer->url.data) != target->url->len)
        return fail(why, ERR_USAGE, "the URL has a NUL in it");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(transfer->curl = curl_easy_init()))
        return fail(why, ERR_INTERNAL, "libcurl does not start");
    CURL *curl = transfer->curl;
    curl_easy_setopt(curl, CURLOPT_URL, (const char *)transfer->url.data);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    if (!FAULT(send_timeout))
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                         (long)(target->timeout_ms ? target->timeout_ms : SEND_TIMEOUT_MS));
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, FAULT(send_redirect) ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, FAULT(send_peer) ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, FAULT(send_host) ? 0L : 2L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_drop);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    if (target->ca_file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, target->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    return OK;
}

static enum err transfer_run(struct transfer *transfer, const char *whom, long *ret_status, struct why *why)
{
    CURLcode code = curl_easy_perform(transfer->curl);
    if (code != CURLE_OK)
        return fail(why, ERR_UNAVAILABLE, "%s: %s", whom, curl_easy_strerror(code));
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, ret_status);
    return OK;
}

enum err send_webhook(const struct send_target *target, struct bytes json, struct why *why)
{
    AUTO_VAL(transfer) transfer = { 0 };
    bool local;
    long status = 0;
    TRY(transfer_begin(&transfer, target, why));
    TRY(url_check((const char *)transfer.url.data, "https", "http", &local, why));
    transfer.list = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(transfer.curl, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(transfer.curl, CURLOPT_USERAGENT, "chancery/" CHANCERY_VERSION);
    curl_easy_setopt(transfer.curl, CURLOPT_HTTPHEADER, transfer.list);
    curl_easy_setopt(transfer.curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)json.len);
    curl_easy_setopt(transfer.curl, CURLOPT_POSTFIELDS, (const char *)json.data);
    TRY(transfer_run(&transfer, "the webhook", &status, why));
    if (!FAULT(send_status) && (status < 200 || status > 299))
        return fail(why, ERR_UNAVAILABLE, "the webhook answered %ld, wanted is 2xx", status);
    return OK;
}

/* RFC 5321 2.3.8: lines end in CR LF; libcurl doubles leading dots itself. */
static struct buf with_crlf(struct bytes text)
{
    struct buf out = { 0 };
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n')
            buf_append_byte(&out, '\r');
        buf_append_byte(&out, text.data[i]);
    }
    return out;
}

enum err send_smtp(const struct send_target *target, const struct mail *mail, struct why *why)
{
    AUTO_VAL(transfer) transfer = { 0 };
    bool local;
    long status;
    TRY(transfer_begin(&transfer, target, why));
    TRY(url_check((const char *)transfer.url.data, "smtps", "smtp", &local, why));
    AUTO_BUF text = with_crlf(mail->text);
    AUTO_STR from = xasprintf("<%s>", mail->from);
    AUTO_STR to = xasprintf("<%s>", mail->to);
    transfer.out = buf_bytes(&text);
    transfer.list = curl_slist_append(NULL, to);
    curl_easy_setopt(transfer.curl, CURLOPT_PROTOCOLS_STR, "smtps,smtp");
    curl_easy_setopt(transfer.curl, CURLOPT_USE_SSL,
                     (long)(local || FAULT(send_starttls) ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    curl_easy_setopt(transfer.curl, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(transfer.curl, CURLOPT_MAIL_RCPT, transfer.list);
    curl_easy_setopt(transfer.curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(transfer.curl, CURLOPT_READFUNCTION, upload);
    curl_easy_setopt(transfer.curl, CURLOPT_READDATA, &transfer);
    return transfer_run(&transfer, "the SMTP server", &status, why);
}
