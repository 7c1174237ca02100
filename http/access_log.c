/* SPDX-License-Identifier: Apache-2.0 */
/* One line per answered request; nothing a client sends can end a line or a field early. */
#include "http/access_log.h"

#include "base/fault.h"
#include "base/log_file.h"
#include "http/field.h"
#include "http/query.h"

#define QUERY_BYTES_DEFAULT 1024
/* Of a path, a User-Agent or a Referer: enough to know it by, too little to fill a disk with one request. */
#define FIELD_BYTES_MAX 1024
/* A CA identifier is short; a pkiMessage is not, and carries the encrypted challenge. */
#define MESSAGE_BYTES_MAX 128

struct access_log {
    struct log_file *file;
    const struct clock *clock;
    bool sc_bytes;
    size_t query_bytes;
};

static void header_append(const struct access_log *log, struct buf *out)
{
    struct calendar now = calendar_of(clock_now(log->clock));
    buf_printf(
        out,
        "#Software: Chancery " CHANCERY_VERSION "\n#Version: 1.0\n#Date: %04d-%02d-%02d %02d:%02d:%02d\n"
        "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
        "cs(Referer) sc-status sc-substatus sc-win32-status %stime-taken\n",
        now.year, now.month, now.day, now.hour, now.minute, now.second, log->sc_bytes ? "sc-bytes " : "");
}

static void header_write(struct access_log *log)
{
    AUTO_BUF header = { 0 };
    header_append(log, &header);
    log_file_write(log->file, buf_bytes(&header));
}

enum err access_log_open(const struct access_log_config *config, struct access_log **ret, struct why *why)
{
    AUTO(access_log) log = xcalloc(1, sizeof(*log));
    log->clock = config->clock;
    log->sc_bytes = config->sc_bytes;
    log->query_bytes = config->query_bytes ? config->query_bytes : QUERY_BYTES_DEFAULT;
    TRY(log_file_open(config->path, "access log", &log->file, why));
    header_write(log); /* as IIS does at each start: the set of fields may have changed */
    *ret = TAKE(log);
    return OK;
}

enum err access_log_reopen(struct access_log *log, struct why *why)
{
    TRY(log_file_reopen(log->file, why));
    if (log_file_was_empty(log->file))
        header_write(log);
    return OK;
}

void access_log_free(struct access_log *log)
{
    if (!log)
        return;
    log_file_free(log->file);
    free(log);
}

bool access_log_is_failing(const struct access_log *log, struct why *ret_why)
{
    return log_file_is_failing(log->file, ret_why);
}

/* A blank becomes +, everything outside visible ASCII its %XX. */
static void clean_append(struct buf *out, struct bytes text, size_t max)
{
    size_t len = text.len < max ? text.len : max;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = text.data[i];
        if (c == ' ')
            buf_append_byte(out, '+');
        else if (FAULT(access_log_escape) || (c > 0x20 && c < 0x7F))
            buf_append_byte(out, c);
        else
            buf_printf(out, "%%%02X", c);
    }
    if (len < text.len)
        buf_append_str(out, "...");
}

static void field_append(struct buf *out, struct bytes text)
{
    if (text.len == 0)
        buf_append_byte(out, '-');
    clean_append(out, text, FIELD_BYTES_MAX);
    buf_append_byte(out, ' ');
}

static bool parameter_is(struct bytes text, const char *expected)
{
    AUTO_BUF decoded = { 0 };
    return percent_decode(text, &decoded) && field_equals(buf_bytes(&decoded), expected);
}

static bool query_is_pki_operation(struct bytes query)
{
    struct parameter parameter;
    while (query_next(&query, &parameter)) {
        if (parameter_is(parameter.name, "operation") && parameter_is(parameter.value, "PKIOperation"))
            return true;
    }
    return false;
}

/* The query as it may be logged: no pkiMessage, whatever the operation is called. */
static void query_append(const struct access_log *log, struct bytes query, struct buf *out)
{
    AUTO_BUF kept = { 0 };
    bool pki_operation = query_is_pki_operation(query);
    struct parameter parameter;
    while (kept.len <= log->query_bytes && query_next(&query, &parameter)) {
        if (kept.len)
            buf_append_byte(&kept, '&');
        buf_append(&kept, parameter.name);
        if (parameter.has_value)
            buf_append_byte(&kept, '=');
        bool hide =
            !FAULT(message_not_logged) && (parameter.value.len > MESSAGE_BYTES_MAX ||
                                           (pki_operation && parameter_is(parameter.name, "message")));
        buf_append(&kept, hide ? BYTES_LIT("...") : parameter.value);
    }
    clean_append(out, buf_bytes(&kept), log->query_bytes);
}

static void query_field_append(const struct access_log *log, const struct access_entry *entry,
                               struct buf *out)
{
    size_t before = out->len;
    if (entry->request)
        query_append(log, entry->request->query, out);
    if (entry->answer->log_note && *entry->answer->log_note) {
        if (out->len > before)
            buf_append_byte(out, '&');
        clean_append(out, bytes_str(entry->answer->log_note), FIELD_BYTES_MAX);
    }
    buf_append_str(out, out->len > before ? " " : "- ");
}

static const char *method_text(const struct access_entry *entry)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE"
    };
    if (entry->method_text)
        return entry->method_text;
    return entry->request ? names[entry->request->method] : "";
}

void access_log_line(const struct access_log *log, const struct access_entry *entry, struct buf *ret)
{
    static const struct http_request nothing = { 0 };
    const struct http_request *request = entry->request ? entry->request : &nothing;
    struct calendar now = calendar_of(clock_now(log->clock));
    buf_printf(ret, "%04d-%02d-%02d %02d:%02d:%02d ", now.year, now.month, now.day, now.hour, now.minute,
               now.second);
    field_append(ret, bytes_str(request->local));
    field_append(ret, bytes_str(method_text(entry)));
    field_append(ret, request->path);
    query_field_append(log, entry, ret);
    buf_printf(ret, "%d - ", request->local_port);
    field_append(ret, bytes_str(request->peer));
    field_append(ret, request->user_agent);
    field_append(ret, request->referer);
    buf_printf(ret, "%d %u %u ", entry->answer->status, entry->answer->substatus,
               entry->answer->win32_status);
    if (log->sc_bytes)
        buf_printf(ret, "%zu ", entry->sent_bytes);
    int64_t taken_us = entry->request ? entry->finished_us - request->started_us : 0;
    buf_printf(ret, "%lld\n", (long long)(taken_us > 0 ? taken_us / 1000 : 0));
}

void access_log_write(struct access_log *log, const struct access_entry *entry)
{
    AUTO_BUF line = { 0 };
    access_log_line(log, entry, &line);
    log_file_write(log->file, buf_bytes(&line));
}
