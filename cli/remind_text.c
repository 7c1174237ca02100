/* SPDX-License-Identifier: Apache-2.0 */
/* What a reminder says, for programs and for people. */
#include "cli/remind_text.h"

#include "base/clock.h"
#include "base/log.h"
#include <jansson.h>

static char *summary(const struct reminder *reminder)
{
    const struct expiries *expiries = reminder->expiries;
    bool one = expiries->count == 1;
    return xasprintf("Chancery site %s: %zu %s within %s%s", reminder->site, expiries->count,
                     one ? "certificate or CRL expires" : "certificates or CRLs expire", reminder->span->text,
                     expiries->more ? ", and more than one list holds" : "");
}

json_t *reminder_json(const struct reminder *reminder)
{
    const struct expiries *expiries = reminder->expiries;
    char time[21];
    AUTO_STR text = summary(reminder);
    AUTO_BUF missing = buf_dup(buf_bytes(&expiries->missing));
    json_t *document = json_object(), *list = json_array();
    struct der_reader reader;
    struct record record;
    clock_rfc3339(reminder->span->now, time);
    if (records_get(buf_bytes(&expiries->list), &reader, NULL) == OK) {
        while (records_next(&reader, &record))
            json_array_append_new(list, cli_record_json(record));
    }
    json_object_set_new(document, "site", json_string(reminder->site));
    json_object_set_new(document, "time", json_string(time));
    json_object_set_new(document, "within", json_string(reminder->span->text));
    json_object_set_new(document, "count", json_integer((json_int_t)expiries->count));
    json_object_set_new(document, "more", json_boolean(expiries->more));
    json_object_set_new(document, "missing", json_string(buf_text(&missing)));
    json_object_set_new(document, "text", json_string(text));
    json_object_set_new(document, "expiring", list);
    return document;
}

/* RFC 5322 3.3 */
static void put_date(struct buf *out, int64_t utc)
{
    static const char *const days[] = {
        "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"
    }; /* 1970 began on one */
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct calendar c = calendar_of(utc);
    buf_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\n", days[utc / 86400 % 7], c.day,
               months[c.month - 1], c.year, c.hour, c.minute, c.second);
}

static void put_line(struct buf *out, struct record *record)
{
    static const char *const shown[] = { "expires", "kind", "of", "subject", "serial" };
    for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
        struct bytes value;
        char clean[160]; /* RFC 5322 2.1.1: a line has at most 998 octets */
        if (!record_find(record, shown[i], &value) || !value.len)
            continue;
        log_escape((const char *)value.data, value.len, clean, sizeof(clean));
        buf_printf(out, "%s%s", i ? "  " : "", clean);
    }
    buf_append_byte(out, '\n');
}

void reminder_mail(const struct reminder *reminder, const char *from, const char *to, struct buf *ret)
{
    const struct expiries *expiries = reminder->expiries;
    AUTO_STR subject = summary(reminder);
    struct der_reader list;
    struct record record;
    buf_printf(ret, "From: %s\nTo: %s\nSubject: %s\n", from, to, subject);
    put_date(ret, reminder->span->now);
    buf_append_str(
        ret, "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
             "Auto-Submitted: auto-generated\n\n"); /* RFC 3834: nobody's absence is answered */
    buf_printf(ret, "%s.\n\n", subject);
    if (records_get(buf_bytes(&expiries->list), &list, NULL) == OK) {
        while (records_next(&list, &record))
            put_line(ret, &record);
    }
    if (expiries->more)
        buf_append_str(
            ret, "\nThere are more: chancery cert list --expiring SPAN --limit N lists those of one CA.\n");
    if (expiries->missing.len) {
        char clean[480];
        log_escape((const char *)expiries->missing.data, expiries->missing.len, clean, sizeof(clean));
        buf_printf(ret, "\nNot everything could be asked: %s\n", clean);
    }
}
