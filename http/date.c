/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and entity tags of HTTP. */
#include "http/date.h"

#include "base/auto.h"
#include "base/clock.h"
#include "http/field.h"
#include "http/server.h"
#include <stdio.h>

#define DATE_BYTES 29 /* of "Sun, 06 Nov 1994 08:49:37 GMT" */

static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970 began on a Thursday */
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void http_date_append(struct buf *out, int64_t utc)
{
    struct calendar when = calendar_of(utc);
    char text[64];
    int len = snprintf(text, sizeof(text), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
                       days + utc / 86400 % 7 * 3, when.day, months + (ptrdiff_t)(when.month - 1) * 3,
                       when.year, when.hour, when.minute, when.second);
    buf_append(out, bytes_of(text, (size_t)len));
}

/* A number of `digits` decimal digits. */
static bool number_at(const uint8_t *at, size_t digits, int *ret)
{
    int value = 0;
    for (size_t i = 0; i < digits; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        value = value * 10 + (at[i] - '0');
    }
    *ret = value;
    return true;
}

static bool month_at(const uint8_t *at, int *ret)
{
    for (int month = 1; month <= 12; month++) {
        if (memcmp(at, months + (ptrdiff_t)(month - 1) * 3, 3) == 0) {
            *ret = month;
            return true;
        }
    }
    return false;
}

/* Read by its places, and believed if it is what we would write: so the weekday and every separator are right. */
bool http_date_parse(struct bytes text, int64_t *ret_utc)
{
    struct calendar when = { 0 };
    const uint8_t *at = text.data;
    if (text.len != DATE_BYTES || !number_at(at + 5, 2, &when.day) || !month_at(at + 8, &when.month) ||
        !number_at(at + 12, 4, &when.year) || !number_at(at + 17, 2, &when.hour) ||
        !number_at(at + 20, 2, &when.minute) || !number_at(at + 23, 2, &when.second) || when.year < 1970)
        return false;
    int64_t utc = calendar_utc(&when);
    AUTO_BUF same = { 0 };
    http_date_append(&same, utc);
    if (!bytes_equal(buf_bytes(&same), text))
        return false;
    *ret_utc = utc;
    return true;
}

bool http_etag_is_named(struct bytes if_none_match, struct bytes etag)
{
    struct bytes rest = if_none_match;
    while (rest.len) {
        const uint8_t *comma = memchr(rest.data, ',', rest.len);
        size_t len = comma ? (size_t)(comma - rest.data) : rest.len;
        struct bytes each = field_trim(bytes_of(rest.data, len));
        if (each.len > 2 && each.data[0] == 'W' && each.data[1] == '/')
            each = bytes_of(each.data + 2, each.len - 2);
        if (bytes_equal(each, etag) || bytes_equal(each, BYTES_LIT("*")))
            return true;
        size_t used = comma ? len + 1 : len;
        rest = bytes_of(rest.data + used, rest.len - used);
    }
    return false;
}

bool http_client_has_it(const struct http_exchange *exchange, struct bytes etag, int64_t last_modified)
{
    struct bytes value;
    int64_t since;
    if (http_request(exchange)->method == HTTP_POST)
        return false;
    if (http_header(exchange, "if-none-match", &value))
        return http_etag_is_named(value, etag);
    return http_header(exchange, "if-modified-since", &value) && http_date_parse(value, &since) &&
           last_modified <= since;
}
