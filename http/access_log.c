/* SPDX-License-Identifier: Apache-2.0 */
/* One line per answered request, in one write, so that a reader never sees half of one; and nothing a client
   sends can end a line or a field early. */
#include "http/access_log.h"

#include "base/fault.h"
#include "base/log.h"
#include "http/field.h"
#include "http/query.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUERY_BYTES_DEFAULT 1024
/* Of a path, a User-Agent or a Referer: enough to know it by, too little to fill a disk with one request. */
#define FIELD_BYTES_MAX 1024
/* A CA identifier is short; a pkiMessage is not, and carries the encrypted challenge. */
#define MESSAGE_BYTES_MAX 128

struct access_log {
    char *path;
    const struct clock *clock;
    bool sc_bytes;
    size_t query_bytes;
    int fd;
    bool torn; /* the last write stopped inside a line */
    bool failing;
    struct why why;
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

/* One write per call. The first failure goes to the error log, and so does its end: not one line per request.
 */
static void line_write(struct access_log *log, struct bytes line)
{
    ssize_t written;
    do
        written = write(log->fd, line.data, line.len);
    while (written < 0 && errno == EINTR);
    if (written == (ssize_t)line.len) {
        if (log->failing)
            log_info(NULL, "access log is written again path=%s", log->path);
        log->failing = log->torn = false;
        return;
    }
    log->torn = log->torn || written > 0;
    if (log->failing)
        return;
    log->failing = true;
    fail(&log->why, ERR_IO, "access log %s: %s", log->path,
         written < 0 ? strerror(errno) : "write came up short");
    log_error(NULL, "%s; service goes on without it, lines are lost until it can be written", log->why.text);
}

static enum err file_open(struct access_log *log, bool always_header, struct why *why)
{
    int fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return fail(why, ERR_IO, "cannot open access log %s: %s", log->path, strerror(errno));
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return fail(why, ERR_IO, "access log %s is not a regular file", log->path);
    }
    if (info.st_size == 0 && fchmod(fd, 0640) != 0)
        log_warn(NULL, "access log keeps mode %03o path=%s", (unsigned)info.st_mode & 0777, log->path);
    if (log->fd >= 0)
        close(log->fd);
    log->fd = fd;
    log->torn = false;
    if (info.st_size == 0 || always_header) {
        AUTO_BUF header = { 0 };
        header_append(log, &header);
        line_write(log, buf_bytes(&header));
    }
    return OK;
}

enum err access_log_open(const struct access_log_config *config, struct access_log **ret, struct why *why)
{
    AUTO(access_log) log = xcalloc(1, sizeof(*log));
    log->path = xstrdup(config->path);
    log->clock = config->clock;
    log->sc_bytes = config->sc_bytes;
    log->query_bytes = config->query_bytes ? config->query_bytes : QUERY_BYTES_DEFAULT;
    log->fd = -1;
    /* As IIS does at each start: the set of fields may have changed. */
    TRY(file_open(log, true, why));
    *ret = TAKE(log);
    return OK;
}

enum err access_log_reopen(struct access_log *log, struct why *why)
{
    return file_open(log, false, why);
}

void access_log_free(struct access_log *log)
{
    if (!log)
        return;
    if (log->fd >= 0)
        close(log->fd);
    free(log->path);
    free(log);
}

bool access_log_is_failing(const struct access_log *log, struct why *ret_why)
{
    if (log->failing)
        *ret_why = log->why;
    return log->failing;
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
    if (log->torn)
        buf_append_byte(&line, '\n'); /* the half line ends here */
    access_log_line(log, entry, &line);
    line_write(log, buf_bytes(&line));
}
