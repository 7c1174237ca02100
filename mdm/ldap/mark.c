/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/ldap/mark.h"

#include "base/clock.h"
#include "base/fault.h"
#include <ctype.h>

void mark_free(struct mark *mark)
{
    free(mark->server);
    *mark = (struct mark){ 0 };
}

void ldap_root_free(struct ldap_root *root)
{
    free(root->server);
    free(root->naming_context);
    *root = (struct ldap_root){ 0 };
}

char *mark_to_text(const struct mark *mark)
{
    return xasprintf("%lld %s", (long long)mark->number, mark->server ? mark->server : "");
}

void mark_from_text(const char *text, struct mark *ret)
{
    char *end = NULL;
    long long number = isdigit((unsigned char)*text) ? strtoll(text, &end, 10) : 0;
    *ret = (struct mark){ 0 };
    if (number > 0 && number < INT64_MAX && end && *end == ' ')
        *ret = (struct mark){ .server = xstrdup(end + 1), .number = number };
}

bool mark_goes_on(const struct mark *last, const struct ldap_settings *settings, const struct ldap_root *root)
{
    if (last->number <= 0)
        return false;
    if (settings->schema != LDAP_SCHEMA_AD || FAULT(ldap_mark_server))
        return true;
    return root->server && last->server && strcmp(root->server, last->server) == 0 &&
           root->highest >= last->number;
}

static void time_append(struct buf *out, int64_t utc)
{
    struct calendar at = calendar_of(utc < 0 ? 0 : utc);
    buf_printf(out, "%04d%02d%02d%02d%02d%02dZ", at.year, at.month, at.day, at.hour, at.minute, at.second);
}

void mark_append_filter(struct buf *out, const struct mark *last, const struct ldap_settings *settings,
                        const char *filter)
{
    buf_printf(out, "(&%s(", filter);
    if (settings->schema == LDAP_SCHEMA_AD) {
        buf_printf(out, "uSNChanged>=%lld", (long long)last->number + 1);
    } else {
        buf_append_str(out, "modifyTimestamp>=");
        time_append(out, last->number - (FAULT(ldap_overlap) ? -1 : settings->overlap_s));
    }
    buf_append_str(out, "))");
}

static int number_at(const uint8_t *at, size_t digits)
{
    int number = 0;
    for (size_t i = 0; i < digits; i++)
        number = 10 * number + (at[i] - '0');
    return number;
}

bool generalized_time(struct bytes text, int64_t *ret_utc)
{
    size_t digits = 0;
    while (digits < text.len && isdigit(text.data[digits]))
        digits++;
    if (digits != 14 || text.len < 15 || text.data[text.len - 1] != 'Z')
        return false;
    bool fraction = text.data[14] == '.' || text.data[14] == ',';
    for (size_t i = 15; i + 1 < text.len; i++)
        fraction = fraction && isdigit(text.data[i]);
    if (text.len != 15 && (!fraction || text.len < 17))
        return false;
    const struct calendar when = { number_at(text.data, 4),      number_at(text.data + 4, 2),
                                   number_at(text.data + 6, 2),  number_at(text.data + 8, 2),
                                   number_at(text.data + 10, 2), number_at(text.data + 12, 2) };
    AUTO_BUF again = { 0 };
    *ret_utc = calendar_utc(&when);
    time_append(&again, *ret_utc); /* a day that exists */
    return *ret_utc >= 0 && memcmp(again.data, text.data, 14) == 0;
}

void mark_make(const struct ldap_settings *settings, const struct ldap_root *root, const struct mark *last,
               int64_t newest, int64_t now, struct mark *ret)
{
    if (settings->schema == LDAP_SCHEMA_AD) {
        *ret = (struct mark){ .server = xstrdup(root->server ? root->server : ""), .number = root->highest };
        return;
    }
    newest = newest > now && !FAULT(ldap_mark_future) ? now : newest;
    *ret = (struct mark){ .server = xstrdup(""), .number = newest > last->number ? newest : last->number };
}
